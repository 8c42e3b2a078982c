"""A range of time cut into the bars of a chart: quarters of an hour, hours, days, weeks, months, in a time zone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum

QUARTER = timedelta(minutes=15)
"""No time zone has been off by anything finer since 2000, so that every bar is whole quarters of an hour."""

HOUR = timedelta(hours=1)


class Unit(Enum):
    """What one bar stands for."""

    QUARTER = "quarter of an hour"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


# The first unit whose limit is not shorter than the range.
_LIMITS = (
    (timedelta(hours=6), Unit.QUARTER),
    (timedelta(days=3), Unit.HOUR),
    (timedelta(days=100), Unit.DAY),
    (timedelta(days=750), Unit.WEEK),
    (timedelta(days=366 * 10), Unit.MONTH),
)


def unit_for(length: timedelta) -> Unit:
    """Return the unit that draws a range of this length with about a hundred bars or fewer."""
    return next((unit for limit, unit in _LIMITS if length <= limit), Unit.YEAR)


def begin_of(moment: datetime, unit: Unit, zone: tzinfo) -> datetime:
    """Return when the unit that a moment falls in began (aware UTC), on the clocks of the time zone."""
    local = moment.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    match unit:
        case Unit.QUARTER:
            into = timedelta(minutes=local.minute % 15, seconds=local.second, microseconds=local.microsecond)
            return moment.astimezone(UTC) - into
        case Unit.HOUR:
            into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            return moment.astimezone(UTC) - into
        case Unit.DAY:
            return midnight.astimezone(UTC)
        case Unit.WEEK:
            return (midnight - timedelta(days=local.weekday())).astimezone(UTC)
        case Unit.MONTH:
            return midnight.replace(day=1).astimezone(UTC)
        case Unit.YEAR:
            return midnight.replace(month=1, day=1).astimezone(UTC)


def cut(since: datetime, until: datetime, unit: Unit, zone: tzinfo) -> list[datetime]:
    """Return the bounds of the bars (aware UTC): ``since``, each moment between where a unit begins, ``until``.

    A bar at either end may be shorter than its unit. Where the clocks are put forward or back, an hour of the
    clock is still an hour, and a day has 23 or 25 of them.
    """
    bounds = [since.astimezone(UTC)]
    while True:
        begins = _next(bounds[-1], unit, zone)
        if begins >= until:
            return [*bounds, until.astimezone(UTC)]
        bounds.append(begins)


# A moment that is surely in the next unit, and early in it.
_STEPS: dict[Unit, Callable[[datetime], datetime]] = {
    Unit.DAY: lambda local: local + timedelta(days=1),
    Unit.WEEK: lambda local: local + timedelta(days=7),
    Unit.MONTH: lambda local: local.replace(day=28) + timedelta(days=4),
    Unit.YEAR: lambda local: local.replace(day=1, month=1, year=local.year + 1),
}


def _next(moment: datetime, unit: Unit, zone: tzinfo) -> datetime:
    """Return when the next unit begins."""
    if unit in (Unit.QUARTER, Unit.HOUR):
        step = QUARTER if unit is Unit.QUARTER else HOUR
        later = begin_of(begin_of(moment, unit, zone) + step, unit, zone)
        # Where the clocks are put back by half an hour, the hour that began is not over yet.
        return later if later > moment else begin_of(moment, unit, zone) + step
    # Noon is a time that every day has.
    noon = moment.astimezone(zone).replace(hour=12, minute=0, second=0, microsecond=0)
    return begin_of(_STEPS[unit](noon).astimezone(UTC), unit, zone)
