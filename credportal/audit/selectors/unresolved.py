"""What nobody knows yet: issuances that AWS may have minted, and intents whose worker is gone."""

from datetime import datetime

from django.db.models.functions import Now

from credportal.audit.models import Event, Issuance
from credportal.audit.paging import Page, newest_first
from credportal.audit.record import STALE_AFTER
from credportal.audit.selectors.conditions import sql

MOST_OPEN = 50
# The conditions of the partial indexes.
_UNKNOWN = sql("audit_issuance.status = 'unknown'")
_OPEN = sql("audit_issuance.status = 'requested'")
_NOT_CLOSED = sql(
    "NOT EXISTS (SELECT 1 FROM audit_event closing"
    " WHERE closing.issuance_id = audit_issuance.id AND closing.kind = 'issuance:closed')"
)
_CLOSED = sql("audit_event.kind = 'issuance:closed'")


def unknown(*, cursor: str = "") -> Page[Issuance]:
    """Return one page of the unknown issuances that nobody has closed, newest first. Raises BadCursor."""
    rows = Issuance.objects.filter(_UNKNOWN, _NOT_CLOSED)
    return newest_first([rows], at="requested_at", purpose="unresolved", cursor=cursor)


def without_outcome() -> list[Issuance]:
    """Return intents that no worker can still be busy with, newest first; housekeeping has not turned them yet."""
    stale = Issuance.objects.filter(_OPEN, requested_at__lt=Now() - STALE_AFTER)
    return list(stale.order_by("-requested_at")[:MOST_OPEN])


def closing_of(issuance_id: str) -> Event | None:
    """Return the event by which somebody closed an unknown issuance, None where nobody did."""
    return Event.objects.filter(_CLOSED, issuance_id=issuance_id).first()


def could_live_until(issuance: Issuance) -> datetime:
    """Return when the last credentials would end that AWS can have minted for this issuance (aware UTC)."""
    return issuance.requested_at + STALE_AFTER + issuance.duration_asked
