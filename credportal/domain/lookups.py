"""Commands of the AWS CLI for a reviewer to copy: what a session did, whose account a key is of, how to end a session.

Each is one line for a POSIX shell, its values quoted. credportal runs none of them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from credportal.domain.naming import is_role_arn, role_name_from
from credportal.domain.quoting import quote_posix

REVOKE_POLICY = "AWSRevokeOlderSessions"
"""The name that the AWS console gives this inline policy, so that either replaces what the other wrote."""
ROUNDING = timedelta(minutes=5)
"""CloudTrail's times and ours may differ a little."""


def session_lookup(session_name: str) -> str:
    """Return the look-up of what a session did: LookupEvents calls a session name ``Username``.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
    """
    attribute = f"AttributeKey=Username,AttributeValue={session_name}"
    return f"aws cloudtrail lookup-events --lookup-attributes {quote_posix(attribute)}"


def minting_lookup(session_name: str, at: datetime) -> str:
    """Return the look-up of whether AWS made a session at all, around a moment (aware)."""
    begin, end = (_written(moment) for moment in (at - ROUNDING, at + ROUNDING))
    query = quote_posix(f"Events[?contains(CloudTrailEvent, '{session_name}')].CloudTrailEvent")
    return (
        "aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=AssumeRole"
        f" --start-time {begin} --end-time {end} --query {query} --output text"
    )


def account_lookup(access_key_id: str) -> str:
    """Return the call that tells the account of an access key id of AWS.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
    """
    return f"aws sts get-access-key-info --access-key-id {quote_posix(access_key_id)}"


def revoke_policy(before: datetime) -> str:
    """Return the policy that denies everything to sessions of a role that began before a moment (aware).

    It is what the console's "Revoke active sessions" attaches; IAM user guide, "Revoke IAM role temporary security
    credentials".
    """
    condition = {"DateLessThan": {"aws:TokenIssueTime": _written(before)}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def revoke_command(role_arn: str, before: datetime) -> str:
    """Return the call that ends every session of a role that began before a moment (aware).

    Empty where nobody can change the role: it is service-linked, IAM Identity Center's own, or no role of IAM.
    """
    if not is_role_arn(role_arn) or not is_changeable(role_arn):
        return ""
    name, policy = quote_posix(role_name_from(role_arn)), quote_posix(revoke_policy(before))
    return f"aws iam put-role-policy --role-name {name} --policy-name {REVOKE_POLICY} --policy-document {policy}"


def is_changeable(role_arn: str) -> bool:
    """Tell whether IAM lets anybody attach a policy to this role (``UnmodifiableEntity`` where it does not)."""
    path = role_arn.partition(":role")[2]
    return not path.startswith(("/aws-service-role/", "/aws-reserved/")) and "/AWSReservedSSO_" not in path


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
