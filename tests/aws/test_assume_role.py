"""The mint itself: what goes out, what comes back, over how many connections, from how many threads."""

import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from credportal.aws import client
from credportal.aws import sts as portal
from credportal.aws.errors import AssumeRoleError
from credportal.domain.types import SessionSpec
from tests.fault_sts import FaultSTS, RoleRule


def test_the_credentials_are_those_that_sts_minted(sts: FaultSTS, spec: SessionSpec) -> None:
    assumed = portal.assume_role(spec)
    mint = sts.ledger.mints[0]
    assert assumed.credentials.access_key_id == mint.access_key_id
    assert assumed.credentials.secret_access_key == mint.secret_access_key
    assert assumed.credentials.session_token == mint.session_token
    assert assumed.credentials.expiration.isoformat() == mint.expiration.replace("Z", "+00:00")
    assert assumed.aws_request_id == mint.request_id
    assert assumed.assumed_role_arn == "arn:aws:sts::222222222222:assumed-role/target/alice-7K3QZ9"
    assert assumed.assumed_role_id.endswith(":alice-7K3QZ9")
    assert assumed.packed_policy_size == 12


def test_the_expiration_is_in_utc_and_in_whole_seconds(sts: FaultSTS, spec: SessionSpec) -> None:
    expiration = portal.assume_role(spec).credentials.expiration
    assert expiration.tzinfo is UTC
    assert expiration.microsecond == 0


def test_every_part_of_the_spec_goes_out_as_given(sts: FaultSTS, spec: SessionSpec) -> None:
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    portal.assume_role(replace(spec, session_policy_arns=(arn,)))
    mint = sts.ledger.mints[0]
    assert mint.role_arn == spec.role_arn
    assert mint.session_name == spec.session_name
    assert mint.duration == 3600
    assert mint.external_id == spec.external_id
    assert mint.source_identity == spec.source_identity
    assert mint.tags == dict(spec.session_tags)
    assert mint.policy == spec.session_policy
    assert mint.policy_arns == [arn]


def test_what_the_spec_leaves_empty_is_not_sent(sts: FaultSTS, bare_spec: SessionSpec) -> None:
    portal.assume_role(bare_spec)
    assert set(sts.ledger.calls[0].arguments) == {"RoleArn", "RoleSessionName", "DurationSeconds"}


def test_cloudtrail_sees_the_portal_in_the_user_agent(sts: FaultSTS, spec: SessionSpec) -> None:
    portal.assume_role(spec)
    assert "app/credportal" in sts.ledger.calls[0].user_agent


def test_a_wrong_external_id_is_refused_like_any_other_distrust(sts: FaultSTS, spec: SessionSpec) -> None:
    sts.roles[spec.role_arn] = RoleRule(external_id="another")
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert caught.value.failure.code == "sts_denied"
    assert sts.ledger.mints == []


def test_longer_than_the_role_allows_is_told_apart_from_chaining(sts: FaultSTS, spec: SessionSpec) -> None:
    longer = replace(spec, duration=timedelta(hours=8))
    sts.roles[spec.role_arn] = RoleRule(max_duration=7200)
    with pytest.raises(AssumeRoleError) as by_role:
        portal.assume_role(longer)
    sts.roles.clear()
    sts.caller_chains = True
    with pytest.raises(AssumeRoleError) as by_chaining:
        portal.assume_role(longer)
    assert (by_role.value.failure.code, by_chaining.value.failure.code) == ("duration_too_long", "chaining_too_long")


def test_twelve_hours_are_possible(sts: FaultSTS, spec: SessionSpec) -> None:
    ends = portal.assume_role(replace(spec, duration=timedelta(hours=12))).credentials.expiration
    assert timedelta(hours=11, minutes=59) < ends - datetime.now(UTC) <= timedelta(hours=12)


def test_twenty_calls_share_one_connection(own_sts: FaultSTS, spec: SessionSpec) -> None:
    for _ in range(20):
        portal.assume_role(spec)
    assert len(own_sts.ledger.mints) == 20
    assert own_sts.connections == 1


def test_sixteen_threads_share_one_client_and_sixteen_connections(
    own_sts: FaultSTS,
    spec: SessionSpec,
    point_at: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.WARNING)
    sessions: list[object] = []
    make = boto3.Session

    def counting(**arguments: object) -> boto3.Session:
        sessions.append(arguments)
        return make(**arguments)  # type: ignore[arg-type]  # passed through unseen.

    monkeypatch.setattr(boto3, "Session", counting)
    point_at(own_sts.url, deadline=10.0, pool=16)
    own_sts.latency_seconds = 0.02
    together = threading.Barrier(16)

    def mint_ten(_worker: int) -> list[str]:
        together.wait()
        return [portal.assume_role(spec).credentials.access_key_id for _ in range(10)]

    with ThreadPoolExecutor(16) as threads:
        received = [key for keys in threads.map(mint_ten, range(16)) for key in keys]
    assert sorted(received) == sorted(mint.access_key_id for mint in own_sts.ledger.mints)
    assert len(set(received)) == 160
    assert own_sts.connections <= 16
    assert len(sessions) == 1
    assert "pool is full" not in caplog.text


def test_a_hanging_call_holds_up_no_other(own_sts: FaultSTS, spec: SessionSpec, point_at: Callable[..., None]) -> None:
    point_at(own_sts.url, deadline=1.0)
    portal.assume_role(spec)
    own_sts.fault("hang")
    with ThreadPoolExecutor(2) as threads:
        hanging = threads.submit(portal.assume_role, spec)
        while not own_sts.ledger.calls[-1].fault:
            pass
        portal.assume_role(spec)
        assert not hanging.done()
        assert isinstance(hanging.exception(), AssumeRoleError)


def test_a_client_made_before_a_fork_is_not_used_after_it(own_sts: FaultSTS, spec: SessionSpec) -> None:
    portal.assume_role(spec)
    before = client.portal()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Nothing of pytest may run on in the child, whatever happens.
        try:
            key = portal.assume_role(spec).credentials.access_key_id
            os.write(writing, f"{key} {client.portal() is before}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        key, same = answer.read().split()
    assert key == own_sts.ledger.mints[1].access_key_id
    assert same == "False"
    assert own_sts.connections == 2
    assert client.portal() is before


def test_a_lock_held_while_forking_does_not_stop_the_child(own_sts: FaultSTS, spec: SessionSpec) -> None:
    with client._shared.lock:
        child = os.fork()
        if child == 0:
            try:
                portal.assume_role(spec)
            finally:
                os._exit(0)
    os.waitpid(child, 0)
    assert len(own_sts.ledger.mints) == 1


def test_warming_up_opens_the_connection_that_the_first_request_uses(own_sts: FaultSTS, spec: SessionSpec) -> None:
    portal.warm_up()
    portal.assume_role(spec)
    assert own_sts.connections == 1


@pytest.mark.parametrize("region", ["", "nowhere at all"])
def test_warming_up_never_raises(own_sts: FaultSTS, settings: pytest.FixtureRequest, region: str) -> None:
    settings.AWS_REGION = region  # type: ignore[attr-defined]  # pytest-django's wrapper.
    settings.AWS_ENDPOINT_URL_STS = ""  # type: ignore[attr-defined]  # as above.
    portal.warm_up()


def test_the_text_of_the_error_is_its_code_alone(sts: FaultSTS, spec: SessionSpec) -> None:
    sts.fault("access_denied")
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert str(caught.value) == "sts_denied"
    assert repr(caught.value) == "AssumeRoleError('sts_denied')"
