"""The file of an archive: a part of the log as gzip JSON Lines that proves itself. docs/audit.md defines it.

It begins with a header, then come the events and the issuances that ended with them, and last a footer with the
SHA-256 of all lines before it. What is read back is checked from the file alone.
"""

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Protocol

from credportal.audit.chain import link
from credportal.audit.columns import COLUMNS, Form, json_text, text_of
from credportal.audit.models import Event, Issuance
from credportal.audit.proof.verify import Place

FORMAT = "credportal audit archive 1"
BATCH = 2000
MOST_OF_A_LINE = 10_000_000
_NAMES = [column.name for column in COLUMNS]
_ISSUANCE = [field.attname for field in Issuance._meta.concrete_fields]  # noqa: SLF001 -- Django's documented way to a model's fields.


class BadArchive(Exception):  # noqa: N818 -- the sentence for the person.
    """An archive that does not prove itself; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What a file holds: the events after ``start`` up to ``end``, how many of each kind of line, its SHA-256."""

    portal: str
    start: Place
    end: Place
    events: int
    issuances: int
    sha256: str


def write_archive(stream: IO[bytes], *, portal: str, start: Place, end: Place) -> None:
    """Write the events after ``start`` up to ``end``, read in batches. Whoever calls reads it back."""
    digest, events, issuances = hashlib.sha256(), 0, 0

    def put(line: dict[str, Any]) -> None:
        content = json_text(line).encode() + b"\n"
        digest.update(content)
        packed.write(content)

    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6, mtime=0) as packed:
        header = {"portal": portal, "from": start.number + 1, "through": end.number, "previous_hash": start.hash.hex()}
        put({"format": FORMAT, **header})
        for low in range(start.number, end.number, BATCH):
            high = min(low + BATCH, end.number)
            for event in Event.objects.filter(id__gt=low, id__lte=high).order_by("id").values(*_NAMES, "hash"):
                put({"event": _event_line(event)})
                events += 1
            for issuance in _ended_in(low, high):
                put({"issuance": {name: _kept(value) for name, value in issuance.items()}})
                issuances += 1
        footer = {"events": events, "issuances": issuances, "hash": end.hash.hex(), "sha256": digest.hexdigest()}
        packed.write(json_text(footer).encode() + b"\n")


def read_archive(path: Path) -> Archive:
    """Check a file from itself alone: every hash, every count, nothing after the footer. Raises BadArchive, OSError."""
    try:
        with gzip.open(path, "rb") as unpacked:
            return _read(_lines(unpacked))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise BadArchive("it was cut or damaged: it cannot be unpacked.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BadArchive("a line of it is none that archive_audit wrote.") from None


def _read(lines: Iterable[tuple[bytes, dict[str, Any]]]) -> Archive:
    digest, place, start = hashlib.sha256(), Place(), Place()
    header, footer, issuances = None, None, 0
    for content, line in lines:
        if footer is not None:
            raise BadArchive("something stands after its footer.")
        if header is None:
            header = _header(line)
            start = place = Place(line["from"] - 1, bytes.fromhex(line["previous_hash"]))
        elif "event" in line:
            place = _next(place, line["event"])
        elif "issuance" in line:
            issuances += 1
        else:
            footer = line
            continue
        digest.update(content)
    if header is None or footer is None:
        raise BadArchive("it has no footer: it was cut.")
    found = Archive(header["portal"], start, place, place.number - start.number, issuances, digest.hexdigest())
    told = Place(header["through"], bytes.fromhex(footer["hash"]))
    if told != place or (footer["events"], footer["issuances"]) != (found.events, issuances):
        raise BadArchive(f"it ends at event {place.number}, and its header and footer say otherwise.")
    if footer["sha256"] != found.sha256:
        raise BadArchive("its SHA-256 does not fit: a line was changed.")
    return found


class _Lines(Protocol):
    def readline(self, size: int, /) -> bytes: ...


def _lines(unpacked: _Lines) -> Iterator[tuple[bytes, dict[str, Any]]]:
    while content := unpacked.readline(MOST_OF_A_LINE):
        line = json.loads(content)
        if not isinstance(line, dict) or not content.endswith(b"\n"):
            raise ValueError("not one of our lines")
        yield content, line


def _header(line: dict[str, Any]) -> dict[str, Any]:
    if line.get("format") != FORMAT:
        raise BadArchive("it is no archive of this version's format.")
    return line


def _next(place: Place, event: dict[str, Any]) -> Place:
    if event["id"] != place.number + 1:
        raise BadArchive(f"event {place.number + 1} is missing in it.")
    text = "".join(f"{len(value)}:{value}" for value in (text_of(event[name]) for name in _NAMES))
    if link(place.hash, text.encode()).hex() != event["hash"]:
        raise BadArchive(f"event {event['id']} was changed in it: its hash does not fit.")
    return Place(event["id"], bytes.fromhex(event["hash"]))


def _event_line(event: dict[str, Any]) -> dict[str, Any]:
    line = {
        column.name: event[column.name] if column.form is Form.JSON else _kept(event[column.name]) for column in COLUMNS
    }
    return {**line, "hash": bytes(event["hash"]).hex()}


def _kept(value: Any) -> Any:
    """Return a value as JSON: times as the chain writes them, durations in microseconds."""
    if isinstance(value, datetime):
        return text_of(value)
    return value // timedelta(microseconds=1) if isinstance(value, timedelta) else value


def _ended_in(low: int, high: int) -> Iterator[dict[str, Any]]:
    """Give the issuances whose last event is one of these."""
    ids = set(
        Event.objects.filter(id__gt=low, id__lte=high).exclude(issuance_id="").values_list("issuance_id", flat=True)
    )
    later = Event.objects.filter(issuance_id__in=ids, id__gt=high).exclude(issuance_id="")
    ids -= set(later.values_list("issuance_id", flat=True))
    yield from Issuance.objects.filter(id__in=ids).order_by("id").values(*_ISSUANCE)


def put_in_place(temporary: Path, path: Path) -> None:
    """Give a whole file its name, so that it survives a power cut."""
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
