"""Reads of the audit. No COUNT over the tables, and every list is bounded."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from credportal.audit.models import Event, Issuance
from credportal.audit.paging import Page, newest_first
from credportal.audit.selectors.conditions import filled
from credportal.domain.types import Status

RECENT = 100


def issuance(issuance_id: str) -> Issuance | None:
    """Return one issuance, whoever's it is."""
    return Issuance.objects.filter(id=issuance_id).first()


def issuances_with(ids: Iterable[str]) -> dict[str, Issuance]:
    """Return issuances by their ids: one statement."""
    return Issuance.objects.in_bulk(list(ids))


def issuance_of(actor_id: int, **lookup: Any) -> Issuance | None:
    """Return one issuance of this person, by ``id`` or ``submission``."""
    return Issuance.objects.filter(actor_id=actor_id, **lookup).first()


def sessions_of(handle: str) -> QuerySet[Issuance]:
    """Return all that one person asked for, unordered."""
    return Issuance.objects.filter(actor_handle=handle)


def live_of(handle: str, *, now: datetime) -> list[Issuance]:
    """Return one person's sessions that have not ended, the soonest end first. None lives longer than 12 h."""
    return list(
        sessions_of(handle)
        .filter(status=Status.ISSUED.value, requested_at__gt=now - timedelta(hours=13), expiration__gt=now)
        .order_by("expiration")[:RECENT]
    )


def recent_of(handle: str) -> list[Issuance]:
    """Return one person's last issued sessions, newest first."""
    return list(sessions_of(handle).filter(status=Status.ISSUED.value).order_by("-requested_at", "-id")[:RECENT])


def last_issued_of(handle: str, role_id: str) -> Issuance | None:
    """Return one person's last issued session of one role."""
    issued = sessions_of(handle).filter(status=Status.ISSUED.value, role_id=role_id)
    return issued.order_by("-requested_at", "-id").first()


def page_of(handle: str, *, cursor: str = "") -> Page[Issuance]:
    """Return one page of what one person asked for, newest first. Raises BadCursor."""
    return newest_first([sessions_of(handle)], at="requested_at", purpose=f"sessions:{handle}", cursor=cursor)


def history_of(subject: str, *, most: int = 50) -> list[Event]:
    """Return the last events about one thing of the catalogue, newest first. ``subject`` is such as ``role:<id>``."""
    return list(Event.objects.filter(filled("subject"), subject=subject).order_by("-id")[:most])
