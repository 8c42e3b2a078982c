"""The local AWS endpoint refuses and allows as AWS does, seen through the real AWS CLI."""

import json
from collections.abc import Iterator

import pytest
import yaml

from demo.seed import CATALOGUE, PERMISSIONS, trust_policy
from tests.demo.endpoint import EXTERNAL_IDS, PRODUCTION, STAGING, Endpoint, RefusedByAwsError, aws, running_endpoint

pytestmark = pytest.mark.xdist_group("endpoint")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with running_endpoint() as started:
        yield started


@pytest.fixture(scope="module")
def reader(endpoint: Endpoint) -> dict[str, str]:
    options = ["--source-identity", "alice", "--tags", "Key=credportal:issuance,Value=7k3qz9"]
    return endpoint.assume(PRODUCTION, "PaymentsReadOnly", *options)


def test_the_portal_is_an_iam_user_of_an_account_of_its_own(endpoint: Endpoint) -> None:
    identity = json.loads(aws(endpoint.portal, "sts", "get-caller-identity").stdout)
    assert identity["Arn"] == "arn:aws:iam::263918450736:user/credportal"
    assert identity["Account"] not in EXTERNAL_IDS


def test_the_portal_itself_may_only_assume_roles(endpoint: Endpoint) -> None:
    assert "AccessDenied" in aws(endpoint.portal, "s3", "ls").stderr


def test_a_session_is_who_the_portal_named_it(reader: dict[str, str]) -> None:
    identity = json.loads(aws(reader, "sts", "get-caller-identity").stdout)
    assert identity["Arn"] == f"arn:aws:sts::{PRODUCTION}:assumed-role/PaymentsReadOnly/alice-7k3qz9"


def test_the_read_only_role_lists_both_buckets(reader: dict[str, str]) -> None:
    listed = aws(reader, "s3", "ls").stdout
    assert "payments-invoices-production" in listed
    assert "payments-exports-production" in listed
    assert len(listed.splitlines()) == 2


def test_the_read_only_role_reads_an_object(reader: dict[str, str]) -> None:
    done = aws(reader, "s3", "cp", "s3://payments-invoices-production/2026/invoice-1001.txt", "-")
    assert done.stdout.startswith("Invoice 1001")


def test_the_read_only_role_may_not_write(reader: dict[str, str]) -> None:
    done = aws(reader, "s3", "cp", "-", "s3://payments-invoices-production/new.txt", stdin="new")
    assert done.returncode
    assert "AccessDenied" in done.stderr


def test_the_on_call_role_may_write(endpoint: Endpoint) -> None:
    session = endpoint.assume(STAGING, "PaymentsOnCall")
    assert aws(session, "s3", "cp", "-", "s3://payments-invoices-staging/new.txt", stdin="new").returncode == 0


def test_a_role_that_does_not_trust_the_portal_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(RefusedByAwsError, match="AccessDenied"):
        endpoint.assume(PRODUCTION, "LegacyBatch")


def test_a_wrong_external_id_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(RefusedByAwsError, match="AccessDenied"):
        endpoint.assume(PRODUCTION, "PaymentsReadOnly", external_id=EXTERNAL_IDS[STAGING])


def test_a_missing_external_id_is_refused(endpoint: Endpoint) -> None:
    arn = f"arn:aws:iam::{PRODUCTION}:role/credportal/PaymentsReadOnly"
    done = aws(endpoint.portal, "sts", "assume-role", "--role-arn", arn, "--role-session-name", "alice-7k3qz9")
    assert "AccessDenied" in done.stderr


def test_a_session_that_outlasts_the_maximum_of_its_role_is_refused(endpoint: Endpoint) -> None:
    with pytest.raises(RefusedByAwsError, match="MaxSessionDuration set for this role"):
        endpoint.assume(PRODUCTION, "PaymentsReadOnly", "--duration-seconds", str(8 * 3600 + 1))
    endpoint.assume(PRODUCTION, "PaymentsReadOnly", "--duration-seconds", str(8 * 3600))


def test_a_changed_secret_key_is_refused(reader: dict[str, str]) -> None:
    assert "SignatureDoesNotMatch" in aws({**reader, "AWS_SECRET_ACCESS_KEY": "x" * 40}, "s3", "ls").stderr


def test_every_other_role_of_the_catalogue_trusts_the_portal(endpoint: Endpoint) -> None:
    roles = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))["roles"]
    refused = []
    for role in roles:
        try:
            endpoint.assume(role["arn"].split(":")[4], role["arn"].rpartition("/")[2])
        except RefusedByAwsError:
            refused.append(role["arn"])
    assert len(roles) == 12
    assert refused == [f"arn:aws:iam::{PRODUCTION}:role/credportal/LegacyBatch"]


def test_the_endpoint_ends_when_its_launcher_is_gone() -> None:
    with running_endpoint() as started:
        assert started.process.poll() is None
    assert started.process.returncode == 0


def test_catalogue_and_permissions_name_the_same_roles() -> None:
    catalogue = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    names = {role["arn"].rpartition("/")[2] for role in catalogue["roles"]}
    assert names == set(yaml.safe_load(PERMISSIONS.read_text(encoding="utf-8"))["permissions"])


def test_the_trust_policy_keeps_each_action_in_a_statement_of_its_own() -> None:
    statements = json.loads(trust_policy("arn:aws:iam::263918450736:user/credportal", "x1"))["Statement"]
    assert [statement["Action"] for statement in statements] == [
        "sts:AssumeRole",
        "sts:TagSession",
        "sts:SetSourceIdentity",
    ]
    assert statements[0]["Condition"] == {"StringEquals": {"sts:ExternalId": "x1"}}
