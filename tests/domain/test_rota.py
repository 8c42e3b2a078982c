"""How a rota cuts time into slots: no gap, no overlap, whatever the clocks do."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.rota import (
    RotaPlan,
    filled_in_turn,
    lasts_long_enough,
    plan_words,
    slot_at,
    slot_of,
    slots_between,
)

BERLIN, EVERY_DAY, WORKDAYS = ZoneInfo("Europe/Berlin"), frozenset(range(7)), frozenset(range(5))
OFFICE = RotaPlan(BERLIN, WORKDAYS, time(9), time(17))
ROUND_THE_CLOCK = RotaPlan(BERLIN, EVERY_DAY, time(9))
WEEKLY = RotaPlan(BERLIN, frozenset({0}), time(9))

zones = st.sampled_from(sorted(zoneinfo.available_timezones())).map(ZoneInfo)
times = st.times(min_value=time(0), max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0))
some_days = st.frozensets(st.integers(0, 6), min_size=1)
moments = st.datetimes(datetime(1971, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- st adds it.
tiling = st.builds(RotaPlan, zones, some_days, times)
plans = st.builds(RotaPlan, zones, some_days, times, st.none() | times)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def hours(plan: RotaPlan, day: str) -> float:
    """Return how long the slot of this day is."""
    begin = utc(day)
    (slot,) = [found for found in slots_between(plan, begin, begin + timedelta(days=2)) if str(found.day) == day]
    return (slot.ends - slot.starts) / timedelta(hours=1)


@given(plan=tiling, begin=moments, days=st.integers(0, 60))
def test_slots_without_an_end_tile_time_in_every_zone(plan: RotaPlan, begin: datetime, days: int) -> None:
    end = begin + timedelta(days=days, seconds=1)
    slots = slots_between(plan, begin, end)
    assert slots[0].starts <= begin < slots[0].ends
    assert slots[-1].starts < end <= slots[-1].ends
    assert all(one.ends == after.starts for one, after in pairwise(slots))


@given(plan=plans, begin=moments)
def test_slots_never_overlap_and_each_has_a_key_of_its_own(plan: RotaPlan, begin: datetime) -> None:
    slots = slots_between(plan, begin, begin + timedelta(days=60))
    assert all(slot.starts < slot.ends for slot in slots)
    assert all(one.ends <= after.starts for one, after in pairwise(slots))
    assert len({slot.day for slot in slots}) == len(slots)


@given(plan=plans, moment=moments)
def test_the_slot_at_a_moment_has_it_and_is_among_those_around_it(plan: RotaPlan, moment: datetime) -> None:
    slot = slot_at(plan, moment)
    around = slots_between(plan, moment - timedelta(days=20), moment + timedelta(days=20))
    assert [found for found in around if found.has(moment)] == ([slot] if slot else [])


@given(plan=plans, begin=moments)
def test_a_slot_is_the_same_from_wherever_one_looks(plan: RotaPlan, begin: datetime) -> None:
    for slot in slots_between(plan, begin, begin + timedelta(days=15)):
        assert slot_at(plan, slot.starts) == slot
        assert slot_at(plan, slot.ends - timedelta(microseconds=1)) == slot
        assert slot_at(plan, slot.ends) != slot
        assert slot_of(plan, slot.day) == slot
        assert slot.has(slot.starts)
        assert not slot.has(slot.ends)


@given(plan=plans, begin=moments)
def test_a_slot_begins_on_a_day_of_the_rota(plan: RotaPlan, begin: datetime) -> None:
    assert {slot.day.weekday() for slot in slots_between(plan, begin, begin + timedelta(days=15))} <= plan.days


def test_office_hours_are_no_duty_in_the_evening_and_at_the_weekend() -> None:
    assert slot_at(OFFICE, utc("2026-11-30T07:59:59")) is None
    slot = slot_at(OFFICE, utc("2026-11-30T08:00"))
    assert slot is not None
    assert (slot.day, slot.ends) == (date(2026, 11, 30), utc("2026-11-30T16:00"))
    assert slot_at(OFFICE, utc("2026-11-30T16:00")) is None
    assert slot_at(OFFICE, utc("2026-11-29T12:00")) is None
    assert slot_of(OFFICE, date(2026, 11, 29)) is None


def test_a_week_lasts_from_one_hand_over_to_the_next() -> None:
    slot = slot_at(WEEKLY, utc("2026-12-07T07:59:59"))
    assert slot is not None
    assert (slot.day, slot.starts, slot.ends) == (
        date(2026, 11, 30),
        utc("2026-11-30T08:00"),
        utc("2026-12-07T08:00"),
    )


def test_a_night_that_ends_before_it_begins_ends_on_the_next_day() -> None:
    slot = slot_at(RotaPlan(BERLIN, EVERY_DAY, time(22), time(6)), utc("2026-11-30T02:00"))
    assert slot is not None
    assert (slot.day, slot.ends) == (date(2026, 11, 29), utc("2026-11-30T05:00"))


@pytest.mark.parametrize(("day", "long"), [("2026-03-28", 23), ("2026-03-29", 24), ("2026-10-24", 25)])
def test_a_day_on_which_the_clocks_change_is_an_hour_shorter_or_longer(day: str, long: int) -> None:
    assert hours(ROUND_THE_CLOCK, day) == long


def test_a_hand_over_that_the_clocks_skip_is_as_much_later() -> None:
    slot = slot_at(RotaPlan(BERLIN, EVERY_DAY, time(2, 30)), utc("2026-03-29T12:00"))
    assert slot is not None
    assert slot.starts == utc("2026-03-29T01:30")  # 03:30 in Berlin.


def test_a_hand_over_that_the_clocks_repeat_is_at_the_first_one() -> None:
    slot = slot_at(RotaPlan(BERLIN, EVERY_DAY, time(2, 30)), utc("2026-10-25T12:00"))
    assert slot is not None
    assert slot.starts == utc("2026-10-25T00:30")


def test_a_day_that_a_country_skipped_has_no_slot() -> None:
    apia = RotaPlan(ZoneInfo("Pacific/Apia"), EVERY_DAY, time(9), time(17))
    days = [slot.day.day for slot in slots_between(apia, utc("2011-12-29T00:00"), utc("2012-01-01T00:00"))]
    assert days == [28, 29, 31, 1]
    assert slot_of(apia, date(2011, 12, 30)) is None


@pytest.mark.parametrize(
    ("starts", "ends", "fits"),
    [
        (time(9), None, True),
        (time(9), time(10), True),
        (time(9), time(9, 59), False),
        (time(23, 30), time(0, 29), False),
        (time(22), time(6), True),
        (time(9), time(9), True),
    ],
)
def test_a_slot_lasts_an_hour_at_least(starts: time, ends: time | None, fits: bool) -> None:
    assert lasts_long_enough(starts, ends) is fits


def test_a_plan_is_said_in_a_few_words() -> None:
    assert plan_words(OFFICE) == "Mon–Fri 09:00–17:00"
    assert plan_words(ROUND_THE_CLOCK) == "every day, round the clock from 09:00"
    assert plan_words(WEEKLY) == "from Mon 09:00 for a week"
    assert plan_words(RotaPlan(BERLIN, frozenset({1, 3}), time(8), time(8))) == "Tue, Thu 08:00–08:00"


@pytest.mark.parametrize(
    ("taken", "since", "filled"),
    [
        (["", "", "", ""], 0, "bob cat dan bob"),
        (["", "dan", "", ""], 0, "bob dan bob cat"),
        (["cat", "", "", ""], 2, "cat - dan bob"),
        (["gone", "", ""], 0, "gone bob cat"),
        ([], 0, ""),
    ],
)
def test_unfilled_slots_go_round_and_who_has_one_keeps_it(taken: list[str], since: int, filled: str) -> None:
    after = filled_in_turn(["bob", "cat", "dan"], [name or None for name in taken], since=since)
    assert " ".join(name or "-" for name in after) == filled


def test_without_people_nothing_is_filled() -> None:
    assert filled_in_turn([], [None, "gone"]) == (None, "gone")
