"""How the audit is written: in durable transactions, one at a time, and events only appended."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import transaction

from credportal.audit import chain
from credportal.audit.models import Event, EventKind
from credportal.audit.turn import fair_turn
from credportal.domain.types import Actor, Origin, RoleFacts


class AuditUnavailable(Exception):  # noqa: N818 -- the name says the state, as the page for it does.
    """The audit could not be written. Nothing may be minted, shown or changed."""


@dataclass(frozen=True, slots=True)
class About:
    """What an event is about, as it was then: role and account, what was asked for, what was given.

    Everything may be empty. Durations are kept in whole seconds.
    """

    account_number: str = ""
    account_name: str = ""
    environment: str = ""
    role_arn: str = ""
    role_name: str = ""
    duration_asked: timedelta | None = None
    duration_given: timedelta | None = None
    reason: str = ""
    ticket: str = ""
    source: str = ""
    code: str = ""
    aws_request_id: str = ""
    access_key_id: str = ""
    assumed_role_id: str = ""
    expiration: datetime | None = None


def about_role(role: RoleFacts, **more: Any) -> About:
    """Return what an event says about a role and its account; ``more`` are further fields of ``About``."""
    return About(
        account_number=role.account_number,
        account_name=role.account_name,
        environment=role.environment.value,
        role_arn=role.arn,
        role_name=role.name,
        **more,
    )


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event to append.

    ``subject`` says what it is about, as ``role:<id>``, ``account:<number>``, ``eligibility:<id>``,
    ``approval:<id>``, ``review:<id>``, ``person:<handle>`` or ``group:<name>``. ``detail`` is JSON;
    a change has the keys ``before`` and ``after``. ``actor`` is None where the portal itself acts.
    ``on_behalf_of`` is the handle of the person whose access it is about; empty is the actor.
    """

    kind: EventKind
    subject: str
    actor: Actor | None
    origin: Origin
    detail: dict[str, Any] = field(default_factory=dict)
    issuance_id: str = ""
    on_behalf_of: str = ""
    about: About = field(default_factory=About)


# The events of the transaction that is open. They are written at its very end: whoever writes the first
# event holds the chain until they have committed, and must wait for nothing and nobody in between.
_pending: ContextVar[list[Event]] = ContextVar("pending")


@contextmanager
def committed(*, early: bool = False) -> Iterator[None]:
    """Run one durable transaction; turn every database error into AuditUnavailable.

    Other exceptions pass, and undo the transaction too. ``early`` is explained at ``chained``.
    """
    try:
        with chained(early=early):
            yield
    except DatabaseError as error:
        raise AuditUnavailable(type(error).__name__) from error


@contextmanager
def chained(*, early: bool = False) -> Iterator[None]:
    """Run one durable transaction, with its events at its end. Database errors pass.

    ``early`` gives the chain to the next writer before the commit is on the disk, and waits for the disk then:
    for what many people do at once (chain.py). Where that wait fails, the rows are there though an error is raised,
    as where the answer to any commit is lost.
    """
    events: list[Event] = []
    with fair_turn(), transaction.atomic(durable=True):
        token = _pending.set(events)
        try:
            yield
        finally:
            _pending.reset(token)
        chain.extend(events, early=early)
    if events and early:
        chain.make_durable()


def append(event: NewEvent) -> None:
    """Append one event, inside ``committed``."""
    _pending.get().append(_row(event))


def append_all(events: Iterable[NewEvent]) -> None:
    """Append many events in few statements, inside ``committed``."""
    _pending.get().extend(_row(event) for event in events)


def _row(event: NewEvent) -> Event:
    actor, about = event.actor, event.about
    values: dict[str, Any] = {
        "kind": event.kind.value,
        "issuance_id": event.issuance_id,
        "subject": event.subject,
        "actor_handle": actor.handle if actor else "",
        "actor_name": actor.name if actor else "",
        "on_behalf_of": event.on_behalf_of or (actor.handle if actor else ""),
        "address": event.origin.address,
        "user_agent": event.origin.user_agent,
        "request_id": event.origin.request_id,
        "detail": event.detail,
        **{name: getattr(about, name) for name in About.__dataclass_fields__},
        "duration_asked": _whole_seconds(about.duration_asked),
        "duration_given": _whole_seconds(about.duration_given),
    }
    texts = {name: _storable(name, value) for name, value in values.items() if isinstance(value, str)}
    return Event(actor_id=actor.id if actor else None, **{**values, **texts})


_LENGTHS = {field.attname: getattr(field, "max_length", None) for field in Event._meta.concrete_fields}  # noqa: SLF001 -- Django's documented way to a model's fields.


def _storable(name: str, text: str) -> str:
    """Return text that both databases keep as it is: no NUL, no half of a surrogate pair, not too long.

    A text that something outside sent in must never be what keeps an event from being written.
    """
    cut = text[: _LENGTHS[name]]
    if cut.isprintable():
        return cut
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in cut
    )


def _whole_seconds(duration: timedelta | None) -> timedelta | None:
    """Return a duration as an export can write it."""
    return None if duration is None else timedelta(seconds=duration // timedelta(seconds=1))
