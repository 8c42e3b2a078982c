"""The bars of a chart cover a range exactly, on the clocks of any time zone."""

import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.buckets import QUARTER, Unit, begin_of, cut, unit_for

ZONES = st.sampled_from(sorted(zoneinfo.available_timezones() - {"localtime"}))
MOMENTS = st.datetimes(datetime(2000, 1, 2), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- as hypothesis takes bounds.
LENGTHS = st.one_of(
    st.timedeltas(timedelta(seconds=1), timedelta(hours=9)),
    st.timedeltas(timedelta(hours=9), timedelta(days=120)),
    st.timedeltas(timedelta(days=120), timedelta(days=9000)),
)
PARTS_OF_A_DATE: dict[Unit, Callable[[date], Any]] = {
    Unit.DAY: lambda day: day,
    Unit.WEEK: lambda day: day.isocalendar()[:2],
    Unit.MONTH: lambda day: (day.year, day.month),
    Unit.YEAR: lambda day: day.year,
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(since=MOMENTS, length=LENGTHS, zone=ZONES)
def test_bars_cover_the_range_without_a_gap_and_are_few(since: datetime, length: timedelta, zone: str) -> None:
    until = since + length
    bounds = cut(since, until, unit_for(length), zoneinfo.ZoneInfo(zone))
    assert (bounds[0], bounds[-1]) == (since, until)
    assert all(one < next_one for one, next_one in pairwise(bounds))
    assert len(bounds) <= 124


@given(since=MOMENTS, length=LENGTHS, zone=ZONES)
def test_every_bar_but_the_ends_is_whole_quarters(since: datetime, length: timedelta, zone: str) -> None:
    bounds = cut(since, since + length, unit_for(length), zoneinfo.ZoneInfo(zone))
    assert all((bound - EPOCH) % QUARTER == timedelta(0) for bound in bounds[1:-1])


@given(moment=MOMENTS, zone=ZONES, unit=st.sampled_from(list(Unit)))
def test_a_bar_begins_where_its_unit_does_on_the_clocks_of_the_zone(moment: datetime, zone: str, unit: Unit) -> None:
    clock = zoneinfo.ZoneInfo(zone)
    begins = begin_of(moment, unit, clock)
    assert begins <= moment
    assert begin_of(begins, unit, clock) == begins
    local, before = begins.astimezone(clock), (begins - timedelta(microseconds=1)).astimezone(clock)
    if unit in PARTS_OF_A_DATE:
        part = PARTS_OF_A_DATE[unit]
        assert part(moment.astimezone(clock).date()) == part(local.date()) != part(before.date())
    else:
        assert moment - begins < timedelta(hours=1)
        clock_was_set = local.utcoffset() != moment.astimezone(clock).utcoffset()
        assert clock_was_set or local.minute % (15 if unit is Unit.QUARTER else 60) == 0


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("Africa/Cairo", (2026, 4, 24), 23),  # The day begins at one o'clock.
        ("Asia/Kathmandu", (2026, 10, 25), 24),
        ("America/Havana", (2026, 11, 1), 25),  # Midnight comes twice.
    ],
)
def test_a_day_of_the_clock_has_as_many_hours_as_it_has(zone: str, day: tuple[int, int, int], hours: float) -> None:
    clock = zoneinfo.ZoneInfo(zone)
    noon = datetime(*day, 12, tzinfo=clock).astimezone(UTC)
    begins = begin_of(noon, Unit.DAY, clock)
    bounds = cut(begins, begins + timedelta(days=2), Unit.DAY, clock)
    assert bounds[1] - bounds[0] == timedelta(hours=hours)


def test_the_hours_of_the_clock_go_on_where_it_is_put_back_by_half_an_hour() -> None:
    clock = zoneinfo.ZoneInfo("Australia/Lord_Howe")
    since = datetime(2026, 4, 4, 22, tzinfo=clock).astimezone(UTC)
    bounds = cut(since, since + timedelta(hours=8), Unit.HOUR, clock)
    minutes = {bound.astimezone(clock).minute for bound in bounds[1:-1]}
    assert minutes <= {0, 30}
    assert all(bound.astimezone(clock).minute == 0 for bound in bounds[-3:-1])


@pytest.mark.parametrize(
    ("length", "unit"),
    [
        (timedelta(hours=1), Unit.QUARTER),
        (timedelta(hours=24), Unit.HOUR),
        (timedelta(days=7), Unit.DAY),
        (timedelta(days=90), Unit.DAY),
        (timedelta(days=365), Unit.WEEK),
        (timedelta(days=1500), Unit.MONTH),
        (timedelta(days=9000), Unit.YEAR),
    ],
)
def test_the_longer_the_range_the_coarser_the_bars(length: timedelta, unit: Unit) -> None:
    assert unit_for(length) is unit
