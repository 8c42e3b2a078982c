"""A made-up event as the chain, PostgreSQL's COPY and SQLite take it. Fast versions of what the portal does itself."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from bench.audit_days import Day, Texts
from bench.audit_world import World, make_world
from credportal.audit.columns import COLUMNS, Form

NAMES = [column.name for column in COLUMNS]
Made = list[tuple[bytes, Any]]
"""The canonical bytes of each event without its number, and what is written of it."""

_NULL = "\0"  # No text holds it.
_PLACES = {column.name: place for place, column in enumerate(COLUMNS[1:])}
_DURATIONS = [_PLACES[column.name] for column in COLUMNS if column.form is Form.DURATION]
_TIMES = [_PLACES[column.name] for column in COLUMNS if column.form is Form.TIME]
_NULLABLE = [_PLACES[name] for name in ("actor_id", "duration_asked", "duration_given", "expiration")]


def chained_bytes(texts: Texts) -> bytes:
    """Return an event's canonical bytes without those of its number (``columns.canonical``)."""
    return "".join([f"{len(text)}:{text}" for text in texts]).encode()


def copy_line(texts: Texts) -> str:
    """Return an event as a line of COPY without number and hash: PostgreSQL reads a bare duration as seconds."""
    cells = list(texts)
    for place in _DURATIONS:
        cells[place] = cells[place][:-6]
    for place in _NULLABLE:
        cells[place] = cells[place] or _NULL
    return "\t".join(cells).replace("\\", r"\\").replace(_NULL, r"\N")


def sqlite_values(texts: Texts) -> tuple[str | None, ...]:
    """Return an event's values without number and hash, as Django keeps them; numbers are as good as their text."""
    cells: list[str | None] = list(texts)
    for place in _TIMES:
        cells[place] = texts[place][:-1].replace("T", " ").removesuffix(".000000")
    for place in _NULLABLE:
        cells[place] = cells[place] or None
    return tuple(cells)


def made_day(number: int, count: int, date_: date, vendor: str) -> Made:
    """Make one day for a database. It runs in a process of its own and needs no Django."""
    written = {"sqlite": sqlite_values, "postgresql": copy_line}[vendor]
    return [(chained_bytes(texts), written(texts)) for texts in Day(_world(), number, date_).events(count)]


@cache
def _world() -> World:
    return make_world()
