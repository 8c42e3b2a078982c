"""Reads of the log for whoever takes it away: in chunks of lines, each chunk one short statement of its own.

So an export holds neither memory nor a transaction, however long the log is, and nobody who writes waits for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import NamedTuple

from django.db import connection
from django.db.models import F, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL

from credportal.audit.columns import time_sql
from credportal.audit.lines import (
    FIRST_LINE,
    Format,
    Row,
    hash_sql,
    is_plain,
    line_of,
    line_of_event,
    middle_sql,
)
from credportal.audit.models import Checkpoint, Event

CHUNK = 1000
"""Rows of a chunk: about a megabyte of lines."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines, how many they are, and the sequence number of the last."""

    content: bytes
    rows: int
    last: int


class Line(NamedTuple):
    """The JSON line of one event, with its end."""

    number: int
    text: str


def last_number() -> int:
    """Return the sequence number of the last event, 0 where there is none."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def archived_through() -> int:
    """Return the last sequence number that was archived, 0 where none was."""
    return Checkpoint.objects.order_by("-through").values_list("through", flat=True).first() or 0


def by_time(sets: Iterable[QuerySet[Event]], form: Format, *, through: int) -> Iterator[Chunk]:
    """Give the events of sets that have none in common, oldest first, up to a sequence number."""
    rows = merge(*(_oldest_first(events.filter(id__lte=through), form) for events in sets))
    yield from _chunks(rows, form)


def by_number(form: Format, *, since: int, through: int) -> Iterator[Chunk]:
    """Give all events after one sequence number up to another, in the order of the numbers."""
    yield from _chunks(_in_order(form, since, through), form)


def lines_after(number: int, *, most: int) -> list[Line]:
    """Return the JSON lines of the next events after a sequence number, in their order."""
    rows = _rows(Event.objects.filter(id__gt=number).order_by("id")[:most], Format.JSONL)
    numbers = (row.number for row in rows)
    return [Line(*line) for line in zip(numbers, _lines(rows, Format.JSONL), strict=True)]


def _chunks(rows: Iterator[Row], form: Format) -> Iterator[Chunk]:
    some = list(islice(rows, CHUNK))
    lines = [FIRST_LINE[form], *_lines(some, form)]
    while some or lines[0]:
        yield Chunk("".join(lines).encode(), len(some), some[-1].number if some else 0)
        some = list(islice(rows, CHUNK))
        lines = ["", *_lines(some, form)]


def _oldest_first(events: QuerySet[Event], form: Format) -> Iterator[Row]:
    rows = _rows(events.order_by("at", "id")[:CHUNK], form)
    while rows:
        yield from rows
        at, number = datetime.fromisoformat(rows[-1].at), rows[-1].number
        # The second condition is the one an index can walk, and stands before the range for SQLite (paging.py).
        beyond = Event.objects.filter(Q(at__gt=at) | Q(id__gt=number), at__gte=at) & events
        rows = _rows(beyond.order_by("at", "id")[:CHUNK], form) if len(rows) == CHUNK else []


def _in_order(form: Format, since: int, through: int) -> Iterator[Row]:
    while rows := _rows(Event.objects.filter(id__gt=since, id__lte=through).order_by("id")[:CHUNK], form):
        yield from rows
        since = rows[-1].number


def _rows(events: QuerySet[Event], form: Format) -> list[Row]:
    """Read some events, each as the pieces of its line: one statement."""
    vendor = connection.vendor
    pieces = {
        "at_text": time_sql("audit_event.at", vendor),
        "middle": middle_sql(vendor, form),
        "detail_text": "audit_event.detail",
        "chained": hash_sql(vendor),
    }
    # A percent sign of ours is no place for a parameter.
    written = {name: RawSQL(sql.replace("%", "%%"), (), TextField()) for name, sql in pieces.items()}  # noqa: S611 -- our own columns.
    found = events.values_list(written["at_text"], F("id"), *list(written.values())[1:])
    return [Row(*row) for row in found]


def _lines(rows: Sequence[Row], form: Format) -> list[str]:
    """Return the lines of rows, and take apart which of them need a second look only where one does."""
    if is_plain([row.middle for row in rows], form):
        return [line_of(row, form) for row in rows]
    odd = Event.objects.in_bulk([row.number for row in rows if not is_plain([row.middle], form)])
    return [line_of_event(odd[row.number], form) if row.number in odd else line_of(row, form) for row in rows]
