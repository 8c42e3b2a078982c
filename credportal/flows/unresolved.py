"""Closing an issuance of which nobody could know whether AWS minted: somebody looked, and says what they found."""

from dataclasses import dataclass

import structlog
from django.db import IntegrityError

from credportal.access.models import User
from credportal.access.selectors import actor_of
from credportal.audit import record, selectors
from credportal.audit.models import EventKind, Issuance
from credportal.audit.selectors import unresolved
from credportal.domain.types import Origin, Status
from credportal.flows.answers import AuditUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Closed:
    """It is closed: an event says by whom and why. The issuance itself stays as it is."""


@dataclass(frozen=True, slots=True)
class NotClosed:
    """Nothing has changed. ``why`` is for the person; ``status`` is HTTP's."""

    why: str
    status: int


FASTER = NotClosed("Somebody else has just closed it. What they found stands on its entry.", 409)


def may_close(user: User, issuance: Issuance) -> bool:
    """Tell whether this person may close it: a catalogue admin, and not their own."""
    return user.is_catalogue_admin and not is_own(user, issuance)


def is_own(user: User, issuance: Issuance) -> bool:
    """Tell whether this person asked for it, or handed it out."""
    return user.pk == issuance.actor_id or issuance.was_handed_out_by(user.handle)


def close_unknown(
    *, user: User, issuance_id: str, comment: str, origin: Origin
) -> Closed | NotClosed | AuditUnavailable | None:
    """Close an unknown issuance with a comment. None where there is no such issuance."""
    issuance = selectors.issuance(issuance_id)
    if issuance is None:
        return None
    refused = _refused(user, issuance, comment)
    if refused is not None:
        return refused
    event = record.NewEvent(
        EventKind.CLOSED,
        "",
        actor_of(user),
        origin,
        {"after": {"comment": comment}},
        issuance.id,
        issuance.actor_handle,
        record.about_issuance(issuance),
    )
    try:
        with record.committed():
            record.append(event)
    except record.AuditUnavailable as error:
        if isinstance(error.__cause__, IntegrityError):  # The constraint event_closed_once: of two, one closes it.
            return FASTER
        log.exception("audit.unavailable", issuance_id=issuance.id, cause=str(error))
        return AuditUnavailable(minted=False, issuance_id=issuance.id)
    return Closed()


def _refused(user: User, issuance: Issuance, comment: str) -> NotClosed | None:
    if not may_close(user, issuance):
        log.warning("unresolved.refused", issuance_id=issuance.id, actor=user.handle)
        return NotClosed(
            "Somebody else has to look into what you asked for or handed out. Ask another catalogue admin.", 403
        )
    if issuance.status == Status.REQUESTED.value:
        return NotClosed("It has no outcome yet. Housekeeping makes it unknown first, within a minute.", 409)
    if issuance.status != Status.UNKNOWN.value:
        return NotClosed("Its outcome is known, so there is nothing to look into.", 409)
    if unresolved.closing_of(issuance.id) is not None:
        return FASTER
    if not comment.strip():
        return NotClosed("Write what you found. One sentence is enough.", 422)
    return None
