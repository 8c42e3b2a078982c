"""Who is on duty when: how a rota cuts time into slots, in a time zone of its own.

Pure. Hand-overs are at a local time of certain weekdays, so a slot is 23 or 25 hours long where the clocks change on
it. It is computed for the moment that is asked about, and nothing is scheduled: a slot ends by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

Person = TypeVar("Person")

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MIN_SLOT = timedelta(hours=1)
"""The shortest slot by the clock on the wall. One that an hour is taken from may then be left out."""
_DAY = timedelta(days=1)
_LOOK_BACK = 9 * _DAY
"""A slot is a week long at most, and a day longer where a country repeats one."""


@dataclass(frozen=True, slots=True)
class RotaPlan:
    """When a rota hands over: at this local time of these weekdays (Monday is 0), of which there is one at least.

    ``ends`` is the local time at which each slot is over, on the next day where it is not later than ``starts``; None
    where it lasts until the next one begins.
    """

    zone: ZoneInfo
    days: frozenset[int]
    starts: time
    ends: time | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One turn: from ``starts`` until just before ``ends``, aware UTC. ``day``, its key, is the first local date."""

    day: date
    starts: datetime
    ends: datetime

    def has(self, moment: datetime) -> bool:
        """Tell whether a moment is within the slot. Its end belongs to the next one."""
        return self.starts <= moment < self.ends


def slots_between(plan: RotaPlan, begin: datetime, end: datetime) -> tuple[Slot, ...]:
    """Return the slots that have a moment of ``begin`` to just before ``end`` (aware), in order. None overlap."""
    first = begin.astimezone(plan.zone).date() - _LOOK_BACK
    last = end.astimezone(plan.zone).date() + _LOOK_BACK
    starts = [(day, _moment(plan, day, plan.starts)) for day in _days(plan, first, last)]
    found = (Slot(day, start, min(after, _over(plan, day, after))) for (day, start), (_, after) in pairwise(starts))
    # A country that moves across the date line skips a whole day, and its slot with it.
    return tuple(slot for slot in found if slot.starts < slot.ends and slot.starts < end and begin < slot.ends)


def slot_at(plan: RotaPlan, moment: datetime) -> Slot | None:
    """Return the slot that a moment (aware) is within; None between slots."""
    return next((slot for slot in slots_between(plan, moment, moment + _DAY) if slot.has(moment)), None)


def slot_of(plan: RotaPlan, day: date) -> Slot | None:
    """Return the slot that begins on a day, None where none does."""
    starts = _moment(plan, day, plan.starts)
    return next((slot for slot in slots_between(plan, starts, starts + _DAY) if slot.day == day), None)


def filled_in_turn(
    people: Sequence[Person], taken: Sequence[Person | None], *, since: int = 0
) -> tuple[Person | None, ...]:
    """Give each slot that nobody has to whoever comes after the person of the slot before it; others stay.

    ``since`` is the index of the first slot to give to anybody. Who is not among the people is passed over.
    """
    filled: list[Person | None] = []
    following = 0
    for index, person in enumerate(taken):
        if person is None and people and index >= since:
            person = people[following % len(people)]  # noqa: PLW2901 -- the slot's person from here on.
        if person in people:
            following = people.index(person) + 1
        filled.append(person)
    return tuple(filled)


def lasts_long_enough(starts: time, ends: time | None) -> bool:
    """Tell whether a slot of these local times is as long as a slot has to be."""
    return ends is None or (_wall(ends) - _wall(starts)) % _DAY >= MIN_SLOT or ends == starts


def plan_words(plan: RotaPlan) -> str:
    """Say when a rota hands over: ``Mon–Fri 09:00–17:00``, ``from Mon 09:00 for a week``."""
    days = sorted(plan.days)
    at = f"{plan.starts:%H:%M}"
    named = "every day" if len(days) == len(WEEKDAYS) else _days_in_words(days)
    if plan.ends is not None:
        return f"{named} {at}–{plan.ends:%H:%M}"
    if len(days) == len(WEEKDAYS):
        return f"{named}, round the clock from {at}"
    return f"from {named} {at} for a week" if len(days) == 1 else f"{named} from {at}, until the next hand-over"


def _days_in_words(days: list[int]) -> str:
    names = [WEEKDAYS[day] for day in days]
    in_a_row = days == list(range(days[0], days[-1] + 1)) and len(days) > 2  # noqa: PLR2004 -- two are no range.
    return f"{names[0]}–{names[-1]}" if in_a_row else ", ".join(names)


def _days(plan: RotaPlan, first: date, last: date) -> Iterator[date]:
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return (day for day in every if day.weekday() in plan.days)


def _over(plan: RotaPlan, day: date, after: datetime) -> datetime:
    """Return when the slot of a day is over by its own end, or ``after`` where it has none."""
    if plan.ends is None:
        return after
    return _moment(plan, day if plan.ends > plan.starts else day + _DAY, plan.ends)


def _moment(plan: RotaPlan, day: date, at: time) -> datetime:
    """Return the moment of a local time. One that the clocks repeat is the first, one they skip as much later.

    That is what PEP 495 says of ``fold=0``: a skipped 02:30 counts by the offset before the change, so it is 03:30.
    """
    return datetime.combine(day, at, plan.zone).astimezone(UTC)


def _wall(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)
