"""The fourth promise: the database itself refuses to rewrite history."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from credportal.audit.models import Checkpoint, Event, Issuance
from tests.support.history import write_history, write_issuances

pytestmark = pytest.mark.django_db

OUTCOMES = ("issued", "failed", "unknown")


def add(status: str = "requested", number: int = 1) -> Issuance:
    row = Issuance(id=f"00000000000{number}", submission=f"s{number}", status=status, duration_asked=timedelta(hours=1))
    row.actor_id, row.actor_handle, row.actor_name, row.role_id = 7, "alice", "Alice", "r"
    row.save(force_insert=True)
    return row


def refused(change: Callable[[], object]) -> bool:
    try:
        with transaction.atomic():
            change()
    except DatabaseError:
        return True
    return False


def execute(sql: str) -> Callable[[], object]:
    def run() -> object:
        with connection.cursor() as cursor:
            return cursor.execute(sql)

    return run


def archive_through(number: int) -> None:
    """Set a checkpoint, as only the owner of the tables may on PostgreSQL."""
    event = Event.objects.get(id=number)
    Checkpoint.objects.create(through=number, hash=event.hash, before=event.at + timedelta(seconds=1))


@pytest.mark.parametrize("column", [field.column for field in Event._meta.concrete_fields if not field.primary_key])
def test_invariant_4_no_column_of_an_event_ever_changes(column: str) -> None:
    write_history([{"issuance_id": "x", "detail": {"a": 1}}])
    before = list(Event.objects.values_list())
    assert refused(execute(f"UPDATE audit_event SET {column} = {column}"))  # noqa: S608 -- our own column.
    assert refused(execute("UPDATE audit_event SET id = id + 1"))
    archive_through(1)
    assert refused(execute(f"UPDATE audit_event SET {column} = {column}"))  # noqa: S608 -- as above.
    assert list(Event.objects.values_list()) == before


def test_invariant_4_an_event_is_never_deleted() -> None:
    [event] = write_history([{}])
    assert refused(event.delete)
    assert refused(execute("DELETE FROM audit_event"))
    assert Event.objects.count() == 1


def test_invariant_4_only_what_a_checkpoint_covers_is_deleted() -> None:
    write_history([{}] * 4)
    archive_through(2)
    assert refused(execute("DELETE FROM audit_event WHERE id = 3"))
    assert refused(execute("DELETE FROM audit_event"))
    assert Event.objects.count() == 4
    assert not refused(execute("DELETE FROM audit_event WHERE id <= 2"))
    assert refused(execute("DELETE FROM audit_event"))
    assert list(Event.objects.order_by("id").values_list("id", flat=True)) == [3, 4]


def test_invariant_4_a_checkpoint_is_never_changed_or_deleted() -> None:
    write_history([{}] * 2)
    archive_through(1)
    for sql in (
        "UPDATE audit_checkpoint SET through = 2",
        "UPDATE audit_checkpoint SET hash = hash",
        "DELETE FROM audit_checkpoint",
    ):
        assert refused(execute(sql))
    assert Checkpoint.objects.get().through == 1


@pytest.mark.parametrize("status", ["requested", "denied", *OUTCOMES])
def test_invariant_4_an_issuance_is_never_deleted(status: str) -> None:
    row = add(status)
    assert refused(row.delete)
    assert refused(execute("DELETE FROM audit_issuance"))
    assert Issuance.objects.count() == 1


def test_invariant_4_an_issuance_is_deleted_only_after_the_last_of_its_events() -> None:
    [row] = write_issuances([{}])
    assert refused(row.delete)
    archive_through(2)
    assert refused(row.delete)
    assert not refused(execute("DELETE FROM audit_event WHERE id = 2"))
    assert refused(row.delete)
    assert not refused(execute("DELETE FROM audit_event WHERE id = 1"))
    assert not refused(execute("DELETE FROM audit_issuance"))
    # What was asked for since is in no archive.
    late = add()
    assert refused(late.delete)


@pytest.mark.parametrize("table", ["audit_event", "audit_issuance", "audit_checkpoint"])
def test_invariant_4_no_table_is_truncated_or_replaced(table: str) -> None:
    add()
    write_history([{}])
    if table == "audit_checkpoint":
        archive_through(1)
    truncate = "TRUNCATE" if connection.vendor == "postgresql" else "DELETE FROM"
    assert refused(execute(f"{truncate} {table}"))
    if connection.vendor == "sqlite":
        # Without recursive_triggers SQLite's REPLACE would delete a row past the delete trigger.
        assert refused(execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))  # noqa: S608 -- as above.


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_open_issuance_gets_one_outcome_and_no_second(outcome: str) -> None:
    row = add()
    found = Issuance.objects.filter(pk=row.pk)
    assert not refused(lambda: found.update(status=outcome, finished_at=timezone.now(), code="c", aws_words="w"))
    changes: list[dict[str, Any]] = [
        {"status": "issued"},
        {"status": "requested"},
        {"code": "x"},
        {"finished_at": None},
    ]
    for change in changes:
        assert refused(partial(found.update, **change))
    assert found.get().code == "c"


ASKED = {"actor_handle": "bob", "role_arn": "x", "reason": "x", "submission": "x", "session_name": "x", "actor_id": 1}
ASKED |= {"duration_asked": timedelta(hours=2), "requested_at": timezone.now() - timedelta(days=1), "ticket": "x"}
ASKED |= {"address": "x", "user_agent": "x", "actor_name": "x", "eligibility": "x", "source": "x", "narrowing": "x"}
ASKED |= {"account_number": "x", "environment": "x", "source_identity": "x", "request_id": "x", "id": "x"}


@pytest.mark.parametrize("column", ASKED)
def test_what_was_asked_never_changes_not_even_with_the_outcome(column: str) -> None:
    row = add()
    found = Issuance.objects.filter(pk=row.pk)
    assert refused(lambda: found.update(status="issued", **{column: ASKED[column]}))
    assert refused(lambda: found.update(**{column: ASKED[column]}))
    assert found.get().status == "requested"


def test_one_rendered_form_is_one_row_for_each_person() -> None:
    add(number=1)
    again = add
    assert refused(
        lambda: Issuance.objects.create(
            id="other", submission="s1", status="requested", duration_asked=timedelta(0), actor_id=7
        )
    )
    assert not refused(lambda: again(number=2))
