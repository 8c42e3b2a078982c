"""An upgrade: events of the release before get gapless numbers, their place in the chain, and all that is known."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from credportal.audit import record
from credportal.audit.chain import FIRST_HASH, link
from credportal.audit.columns import canonical
from credportal.audit.models import Event, EventKind
from credportal.domain.types import Origin
from tests.audit.test_append_only import execute, refused

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE = "0003_subjects_and_eligibility_ids"
LATEST = max(
    name for app, name in MigrationExecutor(None).loader.disk_migrations if app == "audit"
)  # It reads the disk only.


def migrate(name: str) -> Any:
    """Migrate the audit there, and return the models of that time."""
    executor = MigrationExecutor(connection)
    executor.migrate([("audit", name)])
    return executor.loader.project_state([("audit", name)]).apps


@pytest.fixture
def old() -> Iterator[Any]:
    try:
        yield migrate(BEFORE)
    finally:
        migrate(LATEST)


def write_old(apps: Any) -> None:
    issuance = apps.get_model("audit", "Issuance").objects.create(
        id="4k9zq2h7m3xw",
        submission="s1",
        status="issued",
        actor_id=7,
        actor_handle="alice",
        actor_name="Alice Engström",
        role_id="r",
        role_arn="arn:aws:iam::491200653381:role/ReadOnly",
        role_name="ReadOnly",
        account_number="491200653381",
        account_name="payments-prod",
        environment="production",
        duration_asked=timedelta(hours=2),
        duration_given=timedelta(hours=1),
        reason="The queue is stuck",
        source="standard",
        access_key_id="ASIAEXAMPLE",
        user_agent="a browser",
    )
    events = apps.get_model("audit", "Event").objects
    who = {"actor_id": 7, "actor_handle": "alice", "issuance_id": issuance.id}
    events.create(id=3, kind="issuance:requested", detail={"source": "standard", "eligibility": "you"}, **who)
    events.create(id=7, kind="issuance:issued", detail={"access_key_id": "ASIAEXAMPLE"}, **who)
    events.create(id=8, kind="role:changed", subject="role:r", detail={"before": {"b": 1, "a": "é"}, "after": {}})


def test_old_events_get_gapless_numbers_and_hashes(old: Any) -> None:
    write_old(old)
    migrate(LATEST)
    before = FIRST_HASH
    for number, event in enumerate(Event.objects.order_by("id"), start=1):
        assert event.id == number
        before = link(before, canonical(vars(event)))
        assert bytes(event.hash) == before
    assert number == 3


def test_old_events_get_what_their_issuances_know(old: Any) -> None:
    write_old(old)
    migrate(LATEST)
    requested, issued, changed = Event.objects.order_by("id")
    for event in (requested, issued):
        assert (event.on_behalf_of, event.actor_name) == ("alice", "Alice Engström")
        assert (event.role_name, event.account_number, event.reason) == (
            "ReadOnly",
            "491200653381",
            "The queue is stuck",
        )
        assert (event.duration_asked, event.source) == (timedelta(hours=2), "standard")
    assert (requested.access_key_id, requested.duration_given) == ("", None)
    assert (issued.access_key_id, issued.duration_given) == ("ASIAEXAMPLE", timedelta(hours=1))
    assert (requested.detail, issued.detail) == ({"eligibility": "you"}, {})
    assert changed.detail == {"before": {"b": 1, "a": "é"}, "after": {}}


def test_new_events_go_on_from_the_old_ones_and_nothing_can_be_changed(old: Any) -> None:
    write_old(old)
    migrate(LATEST)
    with record.committed():
        record.append(record.NewEvent(EventKind.ROLE_CHANGED, "role:r", None, Origin()))
    assert Event.objects.order_by("-id")[0].id == 4
    assert refused(execute("UPDATE audit_event SET reason = 'x' WHERE id = 1"))
    assert refused(execute("DELETE FROM audit_event WHERE id = 1"))
    assert refused(execute("DELETE FROM audit_issuance"))


def test_a_release_before_goes_on_writing_on_postgresql_and_its_events_are_chained(old: Any) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite the portal stands still for this upgrade")
    migrate(LATEST)
    values = ["role:changed", "", "role:r", "", "", "", '{"a": 1}']
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_event (kind, issuance_id, subject, actor_handle, address, request_id, detail)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb)",
            values,
        )
    [kept] = Event.objects.all()
    assert kept.id == 1
    assert len(bytes(kept.hash)) == 32


def test_the_way_back_leaves_the_events_and_their_triggers(old: Any) -> None:
    write_old(old)
    migrate(LATEST)
    apps = migrate(BEFORE)
    assert apps.get_model("audit", "Event").objects.count() == 3
    assert refused(execute("DELETE FROM audit_event WHERE id = 1"))
    assert refused(execute("DELETE FROM audit_issuance"))
