"""A log with a past: events at chosen times, properly chained, as no writer of the product could make them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from credportal.audit.chain import FIRST_HASH, link
from credportal.audit.columns import canonical
from credportal.audit.models import Event, Issuance
from credportal.domain.types import Status
from tests.support.database import without_triggers

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_KINDS = {
    Status.DENIED.value: "issuance:denied",
    Status.ISSUED.value: "issuance:issued",
    Status.FAILED.value: "issuance:failed",
    Status.UNKNOWN.value: "issuance:unknown",
}


def write_history(events: Iterable[dict[str, Any]]) -> list[Event]:
    """Append events with the columns given; ``at`` is NOON and one second later each where it is left out."""
    last = Event.objects.order_by("-id").first()
    number, before, at = (last.id, bytes(last.hash), last.at) if last else (0, FIRST_HASH, NOON)
    rows = []
    for columns in events:
        number += 1
        at = columns.get("at", at + timedelta(seconds=1))
        event = Event(**{"kind": "issuance:issued", "detail": {}, **columns, "id": number, "at": at})
        if "on_behalf_of" not in columns:
            event.on_behalf_of = event.actor_handle
        before = event.hash = link(before, canonical(vars(event)))
        rows.append(event)
    with without_triggers(connection):
        Event.objects.bulk_create(rows, batch_size=500)
    return rows


def write_issuances(issuances: Iterable[dict[str, Any]]) -> list[Issuance]:
    """Add issuances with the columns given, each with an intent and an outcome that say the same."""
    rows, events = [], []
    for number, columns in enumerate(issuances, start=Issuance.objects.count() + 1):
        usual: dict[str, Any] = {
            "id": f"{number:012}",
            "submission": f"history-{number}",
            "status": Status.ISSUED.value,
            "requested_at": NOON + timedelta(hours=number),
            "actor_id": 1,
            "actor_handle": "alice",
            "actor_name": "Alice Engström",
            "role_id": "r",
            "role_name": "ReadOnly",
            "role_arn": "arn:aws:iam::491200653381:role/ReadOnly",
            "account_number": "491200653381",
            "account_name": "payments-prod",
            "environment": "production",
            "duration_asked": timedelta(hours=1),
        }
        row = Issuance(**{**usual, **columns})
        rows.append(row)
        events += _events_of(row)
    Issuance.objects.bulk_create(rows)
    write_history(events)
    return rows


def _events_of(row: Issuance) -> list[dict[str, Any]]:
    shared = (
        "actor_id actor_handle actor_name role_arn role_name account_number account_name environment address "
        "user_agent request_id duration_asked reason ticket source"
    )
    asked = {name: getattr(row, name) for name in shared.split()} | {"issuance_id": row.id}
    outcome = "code aws_request_id access_key_id assumed_role_id expiration duration_given"
    found = []
    if row.status != Status.DENIED.value:
        found.append({**asked, "kind": "issuance:requested", "at": row.requested_at})
    if row.status != Status.REQUESTED.value:
        ended = {name: getattr(row, name) for name in outcome.split()}
        at = row.finished_at or row.requested_at + timedelta(seconds=1)
        found.append({**asked, **ended, "kind": _KINDS[row.status], "at": at})
    return found
