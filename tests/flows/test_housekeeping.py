"""What the timer runs: intents that lost their worker become unknown, ended sign-ins go."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.utils import timezone

from credportal.audit import record
from credportal.audit.models import Event, Issuance
from credportal.domain.types import Actor, AssumedRole, Credentials, Origin
from credportal.flows.housekeeping import Kept, keep_house

pytestmark = pytest.mark.django_db


def add(name: str, *, seconds_ago: float, status: str = "requested") -> Issuance:
    row = Issuance(id=name, submission=name, status=status, duration_asked=timedelta(hours=1), role_id="r")
    row.actor_id, row.actor_handle, row.session_name = 7, "alice", f"alice-{name}"
    row.requested_at = Now() - timedelta(seconds=seconds_ago)
    row.save(force_insert=True)
    return row


def test_an_intent_that_is_old_becomes_unknown_with_the_name_to_search_by() -> None:
    add("old", seconds_ago=31)
    assert keep_house() == Kept(reaped=("old",))
    row = Issuance.objects.get()
    assert (row.status, row.code) == ("unknown", "no_outcome")
    assert row.finished_at is not None
    event = Event.objects.get()
    assert (event.kind, event.issuance_id, event.code) == ("issuance:unknown", "old", "no_outcome")
    assert event.detail == {"session_name": "alice-old"}


def test_the_portal_itself_acted_on_behalf_of_who_had_asked() -> None:
    add("old", seconds_ago=31)
    keep_house()
    event = Event.objects.get()
    assert (event.actor_id, event.actor_handle, event.address) == (None, "", "")
    assert event.on_behalf_of == "alice"


def test_an_intent_that_may_still_have_its_worker_is_left_alone() -> None:
    add("young", seconds_ago=20)
    assert keep_house() == Kept()
    assert Issuance.objects.get().status == "requested"


@pytest.mark.parametrize("status", ["denied", "issued", "failed", "unknown"])
def test_what_has_its_outcome_is_left_alone(status: str) -> None:
    add("done", seconds_ago=9999, status=status)
    assert keep_house() == Kept()
    assert Issuance.objects.get().status == status


def test_a_second_run_finds_nothing_to_do() -> None:
    add("old", seconds_ago=60)
    keep_house()
    assert keep_house() == Kept()
    assert Event.objects.count() == 1


def test_the_oldest_come_first_and_a_run_is_bounded() -> None:
    for number in range(4):
        add(f"old{number}", seconds_ago=100 - number)
    assert record.reap_stale_intents(limit=3) == ["old0", "old1", "old2"]
    assert record.reap_stale_intents(limit=3) == ["old3"]


def test_a_worker_that_comes_back_too_late_shows_nothing() -> None:
    issuance = add("late", seconds_ago=60)
    keep_house()
    expiration = timezone.now() + timedelta(hours=1)
    credentials = Credentials(access_key_id="ASIA", secret_access_key="s", session_token="t", expiration=expiration)
    with pytest.raises(record.AuditUnavailable):
        record.record_issued(
            issuance=issuance,
            actor=Actor(id=7, handle="alice", name="Alice"),
            origin=Origin(),
            assumed=AssumedRole(credentials, "", "", ""),
            duration=timedelta(hours=1),
        )
    assert Issuance.objects.get().status == "unknown"
    assert Event.objects.count() == 1


def test_ended_sign_ins_go_and_others_stay() -> None:
    Session.objects.create(session_key="ended", session_data="", expire_date=timezone.now() - timedelta(minutes=1))
    Session.objects.create(session_key="alive", session_data="", expire_date=timezone.now() + timedelta(minutes=1))
    keep_house()
    assert list(Session.objects.values_list("session_key", flat=True)) == ["alive"]


def test_the_command_says_what_it_did() -> None:
    add("old", seconds_ago=60)
    out = StringIO()
    call_command("housekeeping", stdout=out)
    assert out.getvalue().splitlines() == ["unknown old", "1 issuances became unknown."]


def test_the_command_ends_with_one_line_where_the_audit_cannot_be_written() -> None:
    add("old", seconds_ago=60)

    def away(execute: object, sql: str, *rest: object) -> object:
        if sql.startswith("UPDATE"):
            raise OperationalError("database is locked")
        return execute(sql, *rest)  # type: ignore[operator]  # Django's own signature.

    with connection.execute_wrapper(away), pytest.raises(SystemExit) as ended:
        call_command("housekeeping")
    assert ended.value.code == "The audit cannot be written (OperationalError). What is committed stays."
    assert Issuance.objects.get().status == "requested"
