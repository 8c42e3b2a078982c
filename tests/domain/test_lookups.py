"""The commands that a reviewer copies: a real shell hands the CLI exactly the values, and nothing else runs."""

import json
import shlex
import subprocess
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.lookups import (
    account_lookup,
    is_changeable,
    minting_lookup,
    revoke_command,
    revoke_policy,
    session_lookup,
)

NOON = datetime(2026, 11, 23, 12, 30, 5, 999, tzinfo=UTC)
ARN = "arn:aws:iam::123456789012:role/ops/PaymentsOnCall"


def test_the_policy_denies_everything_to_whatever_was_issued_before() -> None:
    assert json.loads(revoke_policy(NOON)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Action": ["*"],
                "Resource": ["*"],
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-11-23T12:30:05Z"}},
            }
        ],
    }


def test_the_moment_is_written_in_utc() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    assert revoke_policy(elsewhere) == revoke_policy(NOON)


def test_the_command_attaches_the_policy_under_the_name_of_the_console() -> None:
    assert shlex.split(revoke_command(ARN, NOON)) == [
        *("aws", "iam", "put-role-policy", "--role-name", "PaymentsOnCall"),
        *("--policy-name", "AWSRevokeOlderSessions", "--policy-document", revoke_policy(NOON)),
    ]


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef",
        "arn:aws:iam::123456789012:role/AWSReservedSSO_Admin_0123456789abcdef",
    ],
)
def test_nobody_can_change_a_role_of_a_service_or_of_identity_center(arn: str) -> None:
    assert not is_changeable(arn)
    assert revoke_command(arn, NOON) == ""


@pytest.mark.parametrize("arn", ["", "x", "arn:aws:iam:::role/other", ARN + "'; touch x"])
def test_no_role_of_iam_has_no_command(arn: str) -> None:
    assert revoke_command(arn, NOON) == ""


def test_the_lookups_name_the_session_and_ten_minutes_around_its_minting() -> None:
    assert shlex.split(session_lookup("alice-2g7h0kq4z9xw")) == [
        *("aws", "cloudtrail", "lookup-events", "--lookup-attributes"),
        "AttributeKey=Username,AttributeValue=alice-2g7h0kq4z9xw",
    ]
    assert shlex.split(minting_lookup("alice-2g7h0kq4z9xw", NOON)) == [
        *("aws", "cloudtrail", "lookup-events", "--lookup-attributes"),
        "AttributeKey=EventName,AttributeValue=AssumeRole",
        *("--start-time", "2026-11-23T12:25:05Z", "--end-time", "2026-11-23T12:35:05Z"),
        *("--query", "Events[?contains(CloudTrailEvent, 'alice-2g7h0kq4z9xw')].CloudTrailEvent", "--output", "text"),
    ]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_a_hostile_key_id_stays_one_argument(key: str) -> None:
    assert shlex.split(account_lookup(key)) == ["aws", "sts", "get-access-key-info", "--access-key-id", key]


def test_a_real_shell_reads_the_policy_as_it_is() -> None:
    command = revoke_command(ARN, NOON).replace("aws iam put-role-policy", "printf '%s\\n'")
    printed = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert printed.stdout.splitlines()[-1] == revoke_policy(NOON)
