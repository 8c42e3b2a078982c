"""The hash chain: each event's hash covers its own bytes and the hash before it.

An event's ``id`` is its sequence number, without gaps. On PostgreSQL a trigger gives id, time and hash
(migration 0004); on SQLite, which has no SHA-256, this module does. Either happens last in a
transaction and one transaction at a time, so that the order of the ids is the order of the commits.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection

from credportal.audit.columns import COLUMNS, canonical
from credportal.audit.models import Event

FIRST_HASH = bytes(32)
"""What stands in the place of a hash before the first event."""

BATCH = 500
_NAMES = [column.name for column in COLUMNS]
_FILLED = ("id", "at")  # By the database's trigger, or here.

# The clock is the database's.
LAST = """
    SELECT strftime('%Y-%m-%d %H:%M:%f', 'now'), last.id, last.hash
    FROM (SELECT 1) LEFT JOIN (SELECT id, hash FROM audit_event ORDER BY id DESC LIMIT 1) last
"""
# Committing waits for the disk, and whoever comes next would wait too. Where that would be many, the commit
# does not wait, and the transaction that follows it does: make_durable().
EARLY = "RETURNING set_config('synchronous_commit', 'off', true)"


def link(before: bytes, event: bytes) -> bytes:
    """Return the hash of an event: SHA-256 over the hash before it and its canonical bytes."""
    return hashlib.sha256(before + event).digest()


def extend(events: Sequence[Event], *, early: bool = False) -> None:
    """Append events to the chain. The last statement of its transaction: nobody else appends until that ends.

    ``early`` asks PostgreSQL to commit without waiting for the disk; ``make_durable`` must follow.
    """
    if connection.vendor == "postgresql":
        for start in range(0, len(events), BATCH):
            _insert_for_trigger(events[start : start + BATCH], EARLY if early else "")
    elif events:
        _insert_chained(events)


def make_durable() -> None:
    """Wait until the events that were just committed are on the disk. Called outside of their transaction.

    PostgreSQL writes its log in one order, so what is durable after this message is durable before it.
    https://www.postgresql.org/docs/current/wal-async-commit.html
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_logical_emit_message(true, 'credportal', '')")


def _insert_for_trigger(events: Sequence[Event], ending: str) -> None:
    fields, columns, places = _columns(*(name for name in _NAMES if name not in _FILLED))
    values = [value for event in events for value in _stored(event, fields)]
    statement = f"INSERT INTO audit_event ({columns}) VALUES {', '.join([places] * len(events))} {ending}"  # noqa: S608 -- our own columns.
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _insert_chained(events: Sequence[Event]) -> None:
    fields, columns, places = _columns(*_NAMES, "hash")
    with connection.cursor() as cursor:
        cursor.execute(LAST)
        now, last_id, before = cursor.fetchone()
        at = datetime.fromisoformat(now).replace(tzinfo=UTC)
        for number, event in enumerate(events, start=(last_id or 0) + 1):
            event.id, event.at = number, at
            before = link(before or FIRST_HASH, canonical(vars(event)))
            event.hash = before
        rows = [_stored(event, fields) for event in events]
        cursor.executemany(f"INSERT INTO audit_event ({columns}) VALUES {places}", rows)  # noqa: S608 -- our own columns.


@cache
def _columns(*names: str) -> tuple[list[Any], str, str]:
    """Return the fields of these columns, their names in SQL, and the places for one row."""
    fields = [Event._meta.get_field(name) for name in names]  # noqa: SLF001 -- Django's documented way to a field.
    columns = ", ".join(f'"{name}"' for name in names)
    return fields, columns, f"({', '.join(['%s'] * len(names))})"


def _stored(event: Event, fields: Sequence[Any]) -> list[Any]:
    """Return the values of an event as the database keeps them."""
    values = vars(event)
    return [field.get_db_prep_save(values[field.attname], connection) for field in fields]
