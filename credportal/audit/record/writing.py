"""How the audit is written: in durable transactions, one at a time, and events only appended."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseError
from django.db import transaction

from credportal.audit.models import Event, EventKind
from credportal.audit.rows import insert
from credportal.audit.turn import fair_turn
from credportal.domain.types import Actor, Origin

BATCH = 500


class AuditUnavailable(Exception):  # noqa: N818 -- the name says the state, as the page for it does.
    """The audit could not be written. Nothing may be minted, shown or changed."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event to append.

    ``subject`` says what it is about, as ``role:<id>``, ``account:<number>``, ``eligibility:<id>``,
    ``approval:<id>``, ``review:<id>``, ``person:<handle>`` or ``group:<name>``. ``detail`` is JSON;
    a change has the keys ``before`` and ``after``. ``actor`` is None where the portal itself acts.
    """

    kind: EventKind
    subject: str
    actor: Actor | None
    origin: Origin
    detail: dict[str, Any] = field(default_factory=dict)
    issuance_id: str = ""


@contextmanager
def committed() -> Iterator[None]:
    """Run one durable transaction; turn every database error into AuditUnavailable.

    Other exceptions pass, and undo the transaction too.
    """
    try:
        with fair_turn(), transaction.atomic(durable=True):
            yield
    except DatabaseError as error:
        raise AuditUnavailable(type(error).__name__) from error


def append(event: NewEvent) -> None:
    """Append one event, inside ``committed``."""
    insert(_row(event))


def append_all(events: Iterable[NewEvent]) -> None:
    """Append many events in few statements, inside ``committed``."""
    Event.objects.bulk_create([_row(event) for event in events], batch_size=BATCH)


def _row(event: NewEvent) -> Event:
    return Event(
        kind=event.kind,
        subject=event.subject[:120],
        issuance_id=event.issuance_id,
        actor_id=event.actor.id if event.actor else None,
        actor_handle=event.actor.handle if event.actor else "",
        address=event.origin.address,
        request_id=event.origin.request_id,
        detail=event.detail,
    )
