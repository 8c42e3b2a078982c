"""Give the events there are gapless numbers, what their issuances know, and their place in the hash chain.

They were written before there was a chain, so it begins by believing them. On PostgreSQL whoever wants to
write meanwhile waits.
"""

from collections.abc import Iterator
from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from credportal.audit.chain import FIRST_HASH, link
from credportal.audit.columns import COLUMNS, canonical

BATCH = 2000
ASKED = (
    "account_number", "account_name", "environment", "role_arn", "role_name", "duration_asked", "reason", "ticket",
    "source", "user_agent", "actor_name",
)
OUTCOME = ("code", "aws_request_id", "access_key_id", "assumed_role_id", "expiration", "duration_given")
OUTCOMES = {"issuance:denied", "issuance:issued", "issuance:failed", "issuance:unknown"}
# What the columns say now.
SAID = ("reason", "source", "code", "aws_request_id", "access_key_id", "expiration")


def chain(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Chain all events, oldest first, in batches."""
    connection = schema_editor.connection
    is_postgresql = connection.vendor == "postgresql"
    names = [*(column.name for column in COLUMNS if column.name != "id"), "hash"]
    Event = apps.get_model("audit", "Event")
    fields = [Event._meta.get_field(name) for name in names]
    # Old and new number in one statement: the new one is never above the old one, and goes upward.
    update = f"UPDATE audit_event SET id = %s, {', '.join(f'{name} = %s' for name in names)} WHERE id = %s"
    with connection.cursor() as cursor, _unguarded(cursor, is_postgresql):
        number, before = 0, FIRST_HASH
        for batch in _batches(apps):
            rows = []
            for event in batch:
                number += 1
                old = event.id
                event.id = number
                before = event.hash = link(before, canonical(vars(event)))
                values = [field.get_db_prep_save(getattr(event, field.attname), connection) for field in fields]
                rows.append([number, *values, old])
            cursor.executemany(update, rows)


def _batches(apps: StateApps) -> Iterator[list[Any]]:
    """Give the events in their order, with what their issuances know."""
    Event, Issuance = apps.get_model("audit", "Event"), apps.get_model("audit", "Issuance")
    last = 0
    while events := list(Event.objects.filter(id__gt=last).order_by("id")[:BATCH]):
        last = events[-1].id
        issuances = Issuance.objects.in_bulk([event.issuance_id for event in events if event.issuance_id])
        for event in events:
            _fill(event, issuances.get(event.issuance_id))
        yield events


def _fill(event: Any, issuance: Any) -> None:
    event.on_behalf_of = event.actor_handle
    if issuance is None:
        return
    event.on_behalf_of = issuance.actor_handle
    for name in ASKED:
        setattr(event, name, getattr(issuance, name))
    if event.kind in OUTCOMES:
        for name in OUTCOME:
            setattr(event, name, getattr(issuance, name))
    if event.kind.startswith("issuance:"):
        event.detail = {name: value for name, value in event.detail.items() if name not in SAID}


class _unguarded:
    """Take the triggers away that refuse a change, for this transaction."""

    def __init__(self, cursor: Any, is_postgresql: bool) -> None:
        self.cursor, self.is_postgresql = cursor, is_postgresql
        self.guards: list[tuple[str, str]] = []

    def __enter__(self) -> None:
        if self.is_postgresql:  # Whoever wants to insert waits for the table from here on.
            self.cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_append_only")
            return
        self.cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'")
        self.guards = self.cursor.fetchall()
        for name, _ in self.guards:
            self.cursor.execute(f"DROP TRIGGER {name}")

    def __exit__(self, *exception: object) -> None:
        if exception[0] is not None:
            return  # The transaction is undone, and the triggers with it.
        if self.is_postgresql:
            self.cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER audit_event_append_only")
        for _, sql in self.guards:
            self.cursor.execute(sql)


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_let_events_carry_everything")]
    # Backwards the hashes go with their column.
    operations = [migrations.RunPython(chain, migrations.RunPython.noop)]
