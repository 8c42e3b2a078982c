"""Giving the log away as a file: recorded before the first byte and after the last, and told about meanwhile."""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from itertools import chain, islice
from typing import Any

import structlog
from django.core.cache import cache
from django.db import DatabaseError, connection

from credportal.access.models import User
from credportal.access.selectors import actor_of
from credportal.audit import export, record
from credportal.audit.lines import Format
from credportal.audit.models import Event, EventKind
from credportal.audit.patience import TookTooLong, bounded_read
from credportal.audit.selectors import search
from credportal.domain.types import Actor, Origin

__all__ = [
    "AT_ONCE",
    "Download",
    "ExportUnavailable",
    "Format",
    "NotStarted",
    "Progress",
    "archived_through",
    "begin",
    "begin_since",
    "progress_of",
    "recent",
]

log = structlog.get_logger(__name__)

AT_ONCE = 2
"""How many exports one person may have at once: each holds a thread of a worker."""

RECENT = 10
_REMEMBERED_SECONDS = 60 * 60
# A worker that was killed gives its person's place back after this long.
_STALLED_SECONDS = 120
_TELL_SECONDS = 1.0
_ID = re.compile(r"[0-9a-f]{16}")


class ExportUnavailable(Exception):  # noqa: N818 -- the name says the state.
    """The log cannot be read now, or not be written: no export stays unrecorded."""


class NotStarted(Enum):
    """Why an export did not begin."""

    TOO_MANY = "too many"
    TOO_SLOW = "too slow"
    UNRECORDED = "unrecorded"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an export has come: rows so far, and whether it is over and whole."""

    rows: int
    over: bool = False
    complete: bool = False


@dataclass(slots=True)
class Download:
    """The bytes of an export, to be iterated once and closed. The event of its end is committed before it ends.

    Iterating raises ExportUnavailable where the database fails, or where the end cannot be recorded: that must
    break the connection, so that nobody takes a part for the whole.
    """

    id: str
    chunks: Iterator[export.Chunk]
    actor: Actor | None
    origin: Origin
    detail: dict[str, Any]
    place: str = ""
    rows: int = 0
    last: int = 0
    over: bool = False
    told_at: float = field(default_factory=time.monotonic)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next lines."""
        if self.over:
            raise StopIteration
        try:
            chunk = next(self.chunks, None)
        except DatabaseError as error:
            log.exception("audit.export_failed", export=self.id, rows=self.rows, cause=type(error).__name__)
            connection.close_if_unusable_or_obsolete()
            self.close()
            raise ExportUnavailable from error
        if chunk is None:
            self._finish()
            raise StopIteration
        self.rows += chunk.rows
        self.last = chunk.last or self.last
        if time.monotonic() - self.told_at >= _TELL_SECONDS:
            self.told_at = time.monotonic()
            self._tell(Progress(self.rows))
        return chunk.content

    def close(self) -> None:
        """Record that whoever read this went away, unless it was at its end. Never raises."""
        if self.over:
            return
        try:
            self._end(complete=False)
        except record.AuditUnavailable as error:
            log.exception("audit.unavailable", cause=str(error))

    def _finish(self) -> None:
        try:
            self._end(complete=True)
        except record.AuditUnavailable as error:
            log.exception("audit.unavailable", cause=str(error))
            raise ExportUnavailable from error

    def begin(self) -> bool:
        """Record that it begins; False where that cannot be written."""
        try:
            self._append(EventKind.EXPORT_STARTED, {})
        except record.AuditUnavailable as error:
            log.exception("audit.unavailable", cause=str(error))
            self._leave()
            return False
        return True

    def _end(self, *, complete: bool) -> None:
        self.over = True
        try:
            self._append(EventKind.EXPORT_FINISHED, {"rows": self.rows, "complete": complete})
        except record.AuditUnavailable:
            complete = False
            raise
        finally:
            self._tell(Progress(self.rows, over=True, complete=complete))
            self._leave()

    def _leave(self) -> None:
        """Give the person's place back."""
        if self.place:
            with suppress(DatabaseError):
                cache.delete(self.place)

    def _append(self, kind: EventKind, more: dict[str, Any]) -> None:
        event = record.NewEvent(kind, f"export:{self.id}", self.actor, self.origin, {**self.detail, **more})
        with record.committed():
            record.append(event)

    def _tell(self, progress: Progress) -> None:
        """Tell the page. It is an ornament: where the cache is away the file goes on all the same."""
        if not self.place:
            return
        with suppress(DatabaseError):
            cache.set(_key(self.id, self.actor), progress, _REMEMBERED_SECONDS)
            cache.touch(self.place, _STALLED_SECONDS)


def begin(
    *, user: User, origin: Origin, filters: search.Filters, given: dict[str, str], form: Format, export_id: str = ""
) -> Download | NotStarted:
    """Record that a person begins an export, and return it. What is written from now on is not in it.

    ``given`` are the filters as the person wrote them. ``export_id`` is what the page asks for progress by; one
    that is no such id, or was used, gives way to a new one. The first lines are read before anything is recorded.
    """
    actor = actor_of(user)
    try:
        through = export.last_number()
        with bounded_read():
            chunks = export.by_time(search.matching(filters), form, through=through)
            first = list(islice(chunks, 1))
        place = _take_place(user)
        if not place:
            return NotStarted.TOO_MANY
        detail = {"format": form.value, "filters": given}
        name = _new_id(export_id, actor)
        download = Download(
            id=name, chunks=chain(first, chunks), actor=actor, origin=origin, detail=detail, place=place
        )
        return download if download.begin() else NotStarted.UNRECORDED
    except TookTooLong:
        return NotStarted.TOO_SLOW
    except DatabaseError as error:
        log.exception("audit.unavailable", cause=type(error).__name__)
        return NotStarted.UNRECORDED


def begin_since(number: int, form: Format, *, command: str) -> Download:
    """Record that a command begins to export all after a sequence number, and return it. Raises ExportUnavailable."""
    download = Download(
        id=secrets.token_hex(8),
        chunks=export.by_number(form, since=number, through=export.last_number()),
        actor=None,
        origin=Origin(),
        detail={"format": form.value, "since": number, "command": command},
        last=number,
    )
    if not download.begin():
        raise ExportUnavailable
    return download


def archived_through() -> int:
    """Return the last sequence number that is in an archive and not in the log any more, 0 where none is."""
    return export.archived_through()


def progress_of(user: User, export_id: str) -> Progress | None:
    """Return how far a person's own export has come; None while nothing is known of it."""
    found: Progress | None = cache.get(_key(export_id, actor_of(user)))
    return found


def recent() -> list[Event]:
    """Return the ends of the last exports, newest first."""
    return list(Event.objects.filter(kind=EventKind.EXPORT_FINISHED.value).order_by("-at", "-id")[:RECENT])


def _take_place(user: User) -> str:
    """Return the name of the place that this export takes among its person's; empty where all are taken."""
    places = (f"audit-export-place:{user.pk}:{number}" for number in range(AT_ONCE))
    return next((place for place in places if cache.add(place, 1, _STALLED_SECONDS)), "")


def _new_id(wanted: str, actor: Actor) -> str:
    usable = bool(_ID.fullmatch(wanted)) and cache.add(_key(wanted, actor), Progress(0), _REMEMBERED_SECONDS)
    return wanted if usable else secrets.token_hex(8)


def _key(export_id: str, actor: Actor | None) -> str:
    return f"audit-export:{actor.id if actor else ''}:{export_id}"
