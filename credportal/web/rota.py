"""What the page of the rotas shows: slots in the reader's own time, and in the rota's where that differs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateformat import format as date_format

from credportal.access.models import Rota, User
from credportal.access.selectors import rota as reads
from credportal.access.selectors.rota import Turn
from credportal.domain.rota import Slot

DAY = "D j M"


@dataclass(frozen=True, slots=True)
class Shown:
    """A slot as a row: ``own`` is when by the reader's clocks, ``theirs`` by the rota's where these differ."""

    turn: Turn
    own: str
    theirs: str
    is_now: bool
    begins_week: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """A rota with its coming slots. ``now`` is the slot that runs, None where none does."""

    rota: Rota
    slots: list[Shown]
    now: Shown | None
    following: Shown | None
    unfilled: int


@dataclass(frozen=True, slots=True)
class OffDuty:
    """A rota by which somebody is not on duty now, and their next slot of it; None where they have none."""

    rota: str
    following: Shown | None


def off_duty(user: User, names: Collection[str], *, now: datetime) -> list[OffDuty]:
    """Return, for rotas by which this person is not on duty, when they are next: one statement, none without rotas."""
    if not names:
        return []
    dates = shown(reads.next_turns(user, now=now, most=reads.MANY_DATES), now=now)
    return [
        OffDuty(name, next((date for date in dates if date.turn.rota.name == name), None)) for name in sorted(names)
    ]


def panels(*, now: datetime) -> list[Panel]:
    """Return every rota with its slots of the coming weeks: two statements."""
    some = reads.rotas()
    found = reads.turns(some, now, now + timedelta(weeks=reads.WEEKS_SHOWN))
    return [_panel(rota, shown(found[rota.pk], now=now)) for rota in some]


def dates_of(user: User, *, now: datetime) -> list[Shown]:
    """Return the next slots of a person."""
    return shown(reads.next_turns(user, now=now), now=now)


def shown(turns: Sequence[Turn], *, now: datetime) -> list[Shown]:
    """Return slots as rows. The first one of each week of the rota says so."""
    rows, week = [], None
    for turn in turns:
        own = span(turn.slot, timezone.get_current_timezone())
        theirs = span(turn.slot, ZoneInfo(turn.rota.time_zone))
        its_week = turn.slot.day.isocalendar()[:2]
        rows.append(Shown(turn, own, "" if theirs == own else theirs, turn.slot.has(now), its_week != week))
        week = its_week
    return rows


def span(slot: Slot, zone: tzinfo) -> str:
    """Say when a slot is: ``Tue 1 Dec, 09:00–17:00``, ``Mon 30 Nov, 09:00 – Mon 7 Dec, 09:00``."""
    begins, ends = slot.starts.astimezone(zone), slot.ends.astimezone(zone)
    first = date_format(begins, f"{DAY}, H:i")
    if ends.date() == begins.date():
        return f"{first}–{ends:%H:%M}"
    return f"{first} – {date_format(ends, f'{DAY}, H:i')}"


def _panel(rota: Rota, rows: list[Shown]) -> Panel:
    now = next((row for row in rows if row.is_now), None)
    following = next((row for row in rows if not row.is_now), None)
    return Panel(rota, rows, now, following, sum(not row.turn.is_filled for row in rows))
