"""Keyset paging, newest first: a page costs the same at the end of the log as at its start.

A cursor is the sort key of the row it stands beside, signed, so that nobody can feed the
database values of their own. There is no OFFSET and no COUNT.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db.models import Q, QuerySet

from credportal.audit.models import Issuance

PAGE_SIZE = 50
_SALT = "credportal.audit.cursor"


class BadCursor(ValueError):  # noqa: N818 -- what the page calls it.
    """The cursor was not made by us, or not for this direction."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and the cursors of the neighbouring pages: empty text where there is none."""

    rows: list[Issuance]
    newer: str
    older: str


def newest_first(rows: QuerySet[Issuance], *, cursor: str = "", size: int = PAGE_SIZE) -> Page:
    """Return the page that a cursor points to, or the newest. Raises BadCursor."""
    direction, edge = _read(cursor) if cursor else ("older", None)
    backwards = direction == "newer"
    if edge is not None:
        at, identifier = edge
        beyond = (
            Q(requested_at__gt=at) | Q(requested_at=at, id__gt=identifier)
            if backwards
            else Q(requested_at__lt=at) | Q(requested_at=at, id__lt=identifier)
        )
        # The first condition is the one an index can walk; the second settles ties.
        rows = rows.filter(beyond, **{"requested_at__gte" if backwards else "requested_at__lte": at})
    order = ("requested_at", "id") if backwards else ("-requested_at", "-id")
    found = list(rows.order_by(*order)[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    has_newer = more if backwards else edge is not None
    has_older = True if backwards else more
    return Page(
        rows=found,
        newer=_write("newer", found[0]) if found and has_newer else "",
        older=_write("older", found[-1]) if found and has_older else "",
    )


def _write(direction: str, row: Issuance) -> str:
    return signing.dumps([direction, row.requested_at.isoformat(), row.id], salt=_SALT, compress=False)


def _read(cursor: str) -> tuple[str, tuple[datetime, str]]:
    try:
        value: Any = signing.loads(cursor, salt=_SALT)
        direction, at, identifier = value
        return str(direction), (datetime.fromisoformat(at), str(identifier))
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise BadCursor("This link to a page of the log is damaged. Start from the newest entries.") from error
