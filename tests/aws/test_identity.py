"""The portal's own identity: found by boto3's default chain, and renewed while the client lives."""

import json
import logging
import random
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from credportal.aws import client
from credportal.aws import sts as portal
from credportal.aws.errors import AssumeRoleError
from credportal.domain.types import SessionSpec, Status
from tests.aws.conftest import SHORT_DEADLINE_SECONDS
from tests.fault_sts import FaultSTS
from tests.fault_sts.metadata import CONTAINER_TOKEN, MetadataService

WEB_ROLE = "arn:aws:iam::111111111111:role/credportal"


@pytest.fixture(autouse=True)
def _without_static_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[MetadataService]:
    """An EC2 instance with a role."""
    with MetadataService() as service:
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"{service.url}/")
        yield service


@pytest.fixture
def web_identity(own_sts: FaultSTS, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FaultSTS:
    """A pod with a projected service account token."""
    token = tmp_path / "token"
    token.write_text("header.claims.FAKE-signature")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", WEB_ROLE)
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "portal")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", own_sts.url)
    return own_sts


@pytest.fixture
def soon(metadata: MetadataService, monkeypatch: pytest.MonkeyPatch) -> None:
    """The instance's credentials are in their last fifteen minutes, in which botocore renews at every use.

    botocore lets an instance's credentials count for fifteen minutes and a throw of the dice
    (two to ten minutes) at least, so that no test could wait for it. Loaded dice take two
    minutes away instead.
    """
    metadata.lifetime = timedelta(minutes=5)
    monkeypatch.setattr(random, "randint", lambda _low, _high: -120)


def signer(sts: FaultSTS) -> str:
    """Return the key that the last AssumeRole was signed with."""
    return sts.ledger.calls_of("AssumeRole")[-1].caller_key_id


def test_keys_of_the_environment_sign(own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "FAKE-secret")
    portal.assume_role(spec)
    assert signer(own_sts) == "AKIAENVIRONMENT"


def test_keys_of_a_profile_sign(
    own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text(
        "[portal]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = FAKE-secret\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "portal")
    portal.assume_role(spec)
    assert signer(own_sts) == "AKIAPROFILE"


def test_keys_of_a_credential_process_sign(
    own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "credentials.py"
    answer = {"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "FAKE-secret"}
    script.write_text(f"print({json.dumps(json.dumps(answer))})")
    script.chmod(stat.S_IRUSR)
    (tmp_path / "config").write_text(f"[profile portal]\ncredential_process = {sys.executable} {script}\n")
    monkeypatch.setenv("AWS_PROFILE", "portal")
    portal.assume_role(spec)
    assert signer(own_sts) == "AKIAPROCESS"


def test_a_role_of_a_profile_is_assumed_first_and_then_signs(
    own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = FAKE-secret\n")
    (tmp_path / "config").write_text(f"[profile portal]\nrole_arn = {WEB_ROLE}\nsource_profile = base\n")
    monkeypatch.setenv("AWS_PROFILE", "portal")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", own_sts.url)
    portal.assume_role(spec)
    first, second = own_sts.ledger.calls_of("AssumeRole")
    assert (first.caller_key_id, first.arguments["RoleArn"]) == ("AKIABASE", WEB_ROLE)
    assert second.caller_key_id == own_sts.ledger.mints[0].access_key_id


def test_a_web_identity_is_exchanged_first_and_then_signs(web_identity: FaultSTS, spec: SessionSpec) -> None:
    portal.assume_role(spec)
    assert [call.action for call in web_identity.ledger.calls] == ["AssumeRoleWithWebIdentity", "AssumeRole"]
    assert signer(web_identity) == web_identity.ledger.mints[0].access_key_id


def test_a_web_identity_that_is_refused_is_the_portals_trouble_and_nothing_was_minted(
    web_identity: FaultSTS, spec: SessionSpec
) -> None:
    web_identity.fault("access_denied", action="AssumeRoleWithWebIdentity")
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    failure = caught.value.failure
    assert (failure.code, failure.status, failure.outcome) == ("portal_identity_invalid", 503, Status.FAILED)
    assert "AssumeRoleWithWebIdentity" in failure.aws_words
    assert web_identity.ledger.calls_of("AssumeRole") == []


@pytest.mark.parametrize(
    "fault", ["hang", "drip_headers", "reset_after_mint", "missing_session_token", "html_200", "malformed_xml"]
)
def test_a_web_identity_that_cannot_be_renewed_is_a_failure_within_the_deadline(
    web_identity: FaultSTS,
    spec: SessionSpec,
    point_at: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    point_at(web_identity.url, deadline=SHORT_DEADLINE_SECONDS)
    web_identity.fault(fault, action="AssumeRoleWithWebIdentity", count=None)
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert caught.value.failure.outcome is Status.FAILED
    assert web_identity.ledger.calls_of("AssumeRole") == []
    assert "Refreshing temporary credentials failed" in caplog.text
    assert "FAKE-" not in caplog.text
    web_identity.heal()
    portal.assume_role(spec)


def test_a_missing_token_file_is_the_portals_trouble(web_identity: FaultSTS, spec: SessionSpec, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert caught.value.failure.code == "portal_identity_invalid"
    assert "token" not in caught.value.failure.aws_words


def test_container_credentials_sign(own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    with MetadataService() as service:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{service.url}/container")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)
        portal.assume_role(spec)
        assert signer(own_sts) == service.key_ids[0]


def test_container_credentials_that_end_soon_are_renewed_by_the_same_client(
    own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MetadataService(lifetime=timedelta(minutes=12)) as service:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{service.url}/container")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", CONTAINER_TOKEN)
        portal.assume_role(spec)
        before, key_before = client.portal(), signer(own_sts)
        portal.assume_role(spec)
        assert client.portal() is before
        assert signer(own_sts) == service.key_ids[-1] != key_before


def test_an_instance_profile_signs(own_sts: FaultSTS, metadata: MetadataService, spec: SessionSpec) -> None:
    portal.assume_role(spec)
    portal.assume_role(spec)
    assert signer(own_sts) == metadata.key_ids[0]
    assert len(metadata.key_ids) == 1


@pytest.mark.usefixtures("soon")
def test_credentials_that_end_soon_are_renewed_by_the_same_client(
    own_sts: FaultSTS, metadata: MetadataService, spec: SessionSpec
) -> None:
    portal.assume_role(spec)
    before, key_before = client.portal(), signer(own_sts)
    metadata.lifetime = timedelta(hours=6)
    portal.assume_role(spec)
    renewed = signer(own_sts)
    portal.assume_role(spec)
    assert client.portal() is before
    assert renewed == metadata.key_ids[-1] != key_before
    assert signer(own_sts) == renewed


@pytest.mark.usefixtures("soon")
def test_a_metadata_service_that_breaks_is_the_portals_trouble_until_it_is_back(
    own_sts: FaultSTS, metadata: MetadataService, spec: SessionSpec
) -> None:
    portal.assume_role(spec)
    metadata.broken = True
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert (caught.value.failure.code, caught.value.failure.outcome) == ("portal_identity_invalid", Status.FAILED)
    metadata.broken = False
    portal.assume_role(spec)
    assert len(own_sts.ledger.calls_of("AssumeRole")) == 2


def test_without_credentials_the_identity_is_missing_and_nothing_is_sent(own_sts: FaultSTS, spec: SessionSpec) -> None:
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    failure = caught.value.failure
    assert (failure.code, failure.status, failure.outcome) == ("portal_identity_missing", 503, Status.FAILED)
    assert own_sts.ledger.calls == []


def test_an_identity_that_comes_later_is_found_without_a_restart(
    own_sts: FaultSTS, spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.caller_identity().state == "absent"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIALATER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "FAKE-secret")
    assert portal.caller_identity().state == "absent"
    monkeypatch.setattr(client, "SECONDS_BEFORE_LOOKING_AGAIN", 0.0)
    portal.assume_role(spec)
    assert signer(own_sts) == "AKIALATER"


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("", "known"),
        ("expired_token", "invalid"),
        ("invalid_client_token_id", "invalid"),
        ("signature_expired", "invalid"),
        ("unsupported_action", "unsupported"),
        ("access_denied", "unsupported"),
        ("html_403", "unsupported"),
        ("throttling", "unreachable"),
        ("internal_failure", "unreachable"),
        ("html_200", "unreachable"),
        ("empty_body", "unreachable"),
        ("reset_before_mint", "unreachable"),
    ],
)
def test_readiness_tells_the_states_of_the_identity_apart(
    own_sts: FaultSTS, monkeypatch: pytest.MonkeyPatch, fault: str, state: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "FAKE-secret")
    if fault:
        own_sts.fault(fault, action="GetCallerIdentity")
    assert portal.caller_identity().state == state


def test_a_known_identity_names_account_and_arn(own_sts: FaultSTS, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "FAKE-secret")
    identity = portal.caller_identity()
    assert identity.account == "111111111111"
    assert identity.arn.endswith(":assumed-role/credportal/portal")


def test_an_endpoint_that_hangs_is_unreachable_after_two_seconds(
    own_sts: FaultSTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "FAKE-secret")
    monkeypatch.setattr(portal, "IDENTITY_DEADLINE", timedelta(seconds=0.3))
    own_sts.fault("drip_headers", action="GetCallerIdentity")
    assert portal.caller_identity().state == "unreachable"


def test_no_secret_of_the_portal_is_logged_at_debug(
    own_sts: FaultSTS, metadata: MetadataService, spec: SessionSpec, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    portal.warm_up()
    portal.assume_role(spec)
    assert "FAKE-" not in caplog.text
