"""Keyset paging, newest first: a page costs the same at the end of the log as at its start.

A cursor is the sort key of the row it stands beside, signed together with what it is for, so that nobody can
feed the database values of their own. There is no OFFSET and no COUNT.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Model, Q, QuerySet

PAGE_SIZE = 50
_SALT = "credportal.audit.cursor"
_MARK_SALT = "credportal.audit.mark"

Row = TypeVar("Row", bound=Model)


class BadCursor(ValueError):  # noqa: N818 -- what the page calls it.
    """The cursor was not made by us, or not for this list or direction."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and the cursors of the neighbouring pages: empty text where there is none."""

    rows: list[Row]
    newer: str
    older: str


def newest_first(
    sets: Sequence[QuerySet[Row]], *, at: str, purpose: str = "", cursor: str = "", size: int = PAGE_SIZE
) -> Page[Row]:
    """Return the page that a cursor points to, or the newest, of sets that have no row in common.

    ``at`` names the column of the time. A cursor is good only for the ``purpose`` it was made for. Each set is one
    statement that reads one row more than a page. Raises BadCursor.
    """
    direction, edge = _read(cursor, purpose) if cursor else ("older", None)
    backwards = direction == "newer"
    order = (at, "id") if backwards else (f"-{at}", "-id")
    found = [row for rows in sets for row in _beyond(rows, at, edge, backwards=backwards).order_by(*order)[: size + 1]]
    found.sort(key=attrgetter(at, "id"), reverse=not backwards)
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    has_newer = more if backwards else edge is not None
    has_older = True if backwards else more
    return Page(
        rows=found,
        newer=_write("newer", found[0], at, purpose) if found and has_newer else "",
        older=_write("older", found[-1], at, purpose) if found and has_older else "",
    )


def _beyond(rows: QuerySet[Row], at: str, edge: tuple[datetime, Any] | None, *, backwards: bool) -> QuerySet[Row]:
    """Return the rows on one side of a sort key."""
    if edge is None:
        return rows
    moment, identifier = edge
    side, or_at = ("gt", "gte") if backwards else ("lt", "lte")
    beyond = Q(**{f"{at}__{side}": moment}) | Q(**{at: moment, f"id__{side}": identifier})
    # The second condition is the one an index can walk; the first settles ties. Both stand before the others: of two
    # bounds SQLite walks from the one that is written first, and a range would have it start anew for each page.
    cursor = rows.model._default_manager.filter(beyond, **{f"{at}__{or_at}": moment})  # noqa: SLF001 -- Django documents it.
    return cursor & rows


def _write(direction: str, row: Model, at: str, purpose: str) -> str:
    return signing.dumps([direction, getattr(row, at).isoformat(), row.pk], salt=_SALT + purpose, compress=False)


def _read(cursor: str, purpose: str) -> tuple[str, tuple[datetime, Any]]:
    try:
        value: Any = signing.loads(cursor, salt=_SALT + purpose)
        direction, at, identifier = value
        return str(direction), (datetime.fromisoformat(at), identifier)
    except (signing.BadSignature, ValueError, TypeError, AttributeError) as error:
        raise BadCursor("This link to a page of the log is damaged. Start from the newest entries.") from error


def mark(number: int, purpose: str) -> str:
    """Return a signed sign of what a page showed: its newest number. It proves that the page was read."""
    return signing.dumps(number, salt=_MARK_SALT + purpose)


def read_mark(text: str, purpose: str) -> int:
    """Return the number of a mark. Raises BadCursor where it was not made for this purpose."""
    try:
        return int(signing.loads(text, salt=_MARK_SALT + purpose))
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise BadCursor("This page asked for more with a link that is damaged. Load it again.") from error
