"""A probe from its first event to what the catalogue keeps of it."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from credportal.access.models import Probe, Role
from credportal.access.selectors import actor_of
from credportal.audit import record
from credportal.audit.models import Event
from credportal.domain.doctor import MOST_ATTEMPTS
from credportal.domain.types import Origin
from credportal.flows.doctor import AuditUnavailable, Gone, Pace, Probed, probe_role
from tests.fault_sts import CANARY, FaultSTS, RoleRule
from tests.support.cast import Cast, Catalogue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def role(catalogue: Catalogue, settings: Settings, sts: FaultSTS) -> Role:
    """A role that AWS knows as it is, of a portal that does not chain."""
    settings.IDENTITY_CHAINS = False
    trust(sts, catalogue.read_only)
    return catalogue.read_only


def trust(sts: FaultSTS, role: Role, **rule: bool | int) -> None:
    usual = {"external_id": role.account.external_id, **rule}
    sts.roles[role.arn] = RoleRule(**usual)  # type: ignore[arg-type]  # each key has its own type.


def probe(role: Role, cast: Cast | None = None, **beside: Pace) -> Probed:
    answer = probe_role(role_id=role.id, actor=actor_of(cast.dana) if cast else None, origin=Origin(), **beside)
    assert isinstance(answer, Probed)
    return answer


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_a_healthy_role_passes_and_has_worked(role: Role, cast: Cast) -> None:
    kept = probe(role, cast).probe
    assert kinds() == ["probe:started", "probe:passed"]
    assert kept.worked_at == kept.probed_at
    assert not kept.is_open
    assert set(Event.objects.values_list("subject", "actor_handle")) == {(f"role:{role.id}", "dana")}


def test_what_the_role_takes_is_learned_with_before_and_after(role: Role, sts: FaultSTS) -> None:
    trust(sts, role, accepts_tags=False, accepts_source_identity=False, max_duration=4 * 3600)
    probe(role)
    version = role.version
    role.refresh_from_db()
    assert (role.accepts_session_tags, role.accepts_source_identity) == (False, False)
    assert role.max_session_duration == timedelta(hours=4)
    assert role.version == version + 1
    detail = Event.objects.get(kind="probe:passed").detail
    assert detail["before"] == {
        "accepts_source_identity": True,
        "accepts_session_tags": True,
        "max_session_duration": "12 h",
    }
    assert detail["after"]["max_session_duration"] == "4 h"


def test_a_role_that_asks_for_no_external_id_is_open(role: Role, sts: FaultSTS) -> None:
    sts.roles.clear()
    assert probe(role).probe.is_open
    assert kinds() == ["probe:started", "probe:refused"]
    assert Event.objects.get(kind="probe:refused").detail["open"] is True


def test_a_role_that_does_not_trust_the_portal_keeps_its_flags_and_when_it_worked(role: Role, sts: FaultSTS) -> None:
    worked_at = probe(role).probe.worked_at
    trust(sts, role, trusts_portal=False)
    kept = probe(role).probe
    role.refresh_from_db()
    assert kept.worked_at == worked_at
    assert role.accepts_session_tags
    assert kinds()[-1] == "probe:refused"


@pytest.mark.parametrize("fault", ["throttling", "service_unavailable", "reset_after_mint", "expired_token"])
def test_trouble_ends_the_probe_and_changes_nothing(role: Role, sts: FaultSTS, fault: str) -> None:
    Probe.objects.create(role=role, probed_at="2026-01-01T00:00:00Z", is_open=True)
    sts.fault(fault)
    kept = probe(role).probe
    assert kinds() == ["probe:started", "probe:failed"]
    assert kept.is_open, "what was known stays"
    assert len(sts.ledger.calls_of("AssumeRole")) == 1
    assert Role.objects.get(id=role.id).version == role.version


def test_the_steps_stand_in_the_audit_without_a_secret(role: Role, sts: FaultSTS) -> None:
    probe(role)
    detail = Event.objects.get(kind="probe:passed").detail
    assert [step["step"] for step in detail["steps"]][:4] == [
        "base",
        "without-external-id",
        "source-identity",
        "session-tags",
    ]
    assert detail["steps"][1]["aws_code"] == "AccessDenied"
    told = json.dumps([*Event.objects.values("detail"), *Probe.objects.values("findings")])
    assert CANARY not in told
    assert role.account.external_id not in told
    assert not any(mint.access_key_id in told for mint in sts.ledger.mints)


def test_each_call_changes_one_thing_and_there_are_few(role: Role, sts: FaultSTS) -> None:
    probe(role)
    calls = [call.arguments for call in sts.ledger.calls_of("AssumeRole")]
    assert len(calls) <= MOST_ATTEMPTS
    assert ["ExternalId" in call for call in calls[:4]] == [True, False, True, True]
    assert ["SourceIdentity" in call for call in calls[:4]] == [False, False, True, False]
    assert ["Tags.member.3.Key" in call for call in calls[:4]] == [False, False, False, True]
    assert {call["DurationSeconds"] for call in calls[:4]} == {"900"}


def test_a_portal_that_chains_tries_no_longer_duration(role: Role, settings: Settings, sts: FaultSTS) -> None:
    settings.IDENTITY_CHAINS = True
    probe(role)
    assert {call.arguments["DurationSeconds"] for call in sts.ledger.calls_of("AssumeRole")} == {"900"}
    assert Role.objects.get(id=role.id).max_session_duration == role.max_session_duration


def test_without_a_row_aws_is_not_asked(role: Role, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_event: object) -> None:
        raise record.AuditUnavailable

    monkeypatch.setattr(record, "append", away)
    answer = probe_role(role_id=role.id, actor=None, origin=Origin())
    assert isinstance(answer, AuditUnavailable)
    assert sts.ledger.calls == []
    assert not Probe.objects.exists()


def test_a_role_that_is_none_behind_the_forms_is_not_asked_for(role: Role, sts: FaultSTS) -> None:
    Role.objects.filter(id=role.id).update(arn="arn:aws:iam::491200653381:role/*")
    probe(role)
    assert kinds() == ["probe:started", "probe:failed"]
    assert sts.ledger.calls == []


def test_an_unknown_role_is_gone(sts: FaultSTS) -> None:
    assert isinstance(probe_role(role_id="nothing", actor=None, origin=Origin()), Gone)
    assert kinds() == []


def test_the_command_waits_where_aws_is_busy(role: Role, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("credportal.flows.doctor.time.sleep", waits.append)
    sts.fault("throttling", count=2)
    probe(role, pace=Pace(seconds=0.2, back_off_seconds=1))
    assert waits[:5] == [0.2, 1, 0.2, 2, 0.2]
    assert kinds()[-1] == "probe:passed"


def test_a_probe_takes_few_statements(role: Role) -> None:
    with CaptureQueriesContext(connection) as queries:
        probe(role)
    assert len(queries) <= 20
