"""The chart of the audit page: how many sessions were issued, refused, failed or unknown, bar by bar."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from math import ceil

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateformat import format as date_format

from credportal.audit.models import Event
from credportal.audit.selectors.counts import OUTCOMES, Count, counts, counts_of
from credportal.audit.selectors.search import OUTCOME_KINDS, Extent, Filters
from credportal.domain.buckets import Unit, begin_of, cut, unit_for
from credportal.domain.types import Status
from credportal.web.audit_list import address
from credportal.web.forms.fields import LOCAL_FORMAT

WORDS = {"issued": "issued", "denied": "refused", "failed": "failed", "unknown": "unknown"}
USUAL_DAYS = 30
# A range that is longer than this begins no earlier than the log.
LONG = timedelta(days=100)
# The smallest piece of a bar that is drawn, in percent: one refusal beside a thousand sessions is still seen.
LEAST = 1.5
MOST_TICKS, LAST_TICK = 6, 88.0
_NICE = (1, 2, 3, 4, 5)
_LABELS = {
    Unit.QUARTER: "D j M, H:i",
    Unit.HOUR: "D j M, H:i",
    Unit.DAY: "D j M",
    Unit.WEEK: "j M Y",
    Unit.MONTH: "M Y",
    Unit.YEAR: "Y",
}
_TICKS = {**_LABELS, Unit.QUARTER: "H:i", Unit.HOUR: "D H:i", Unit.DAY: "j M", Unit.WEEK: "j M"}


@dataclass(frozen=True, slots=True)
class Part:
    """One outcome's piece of a bar. All measures are percents of the drawing, as SVG takes them."""

    outcome: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: when, how many, and the address that narrows the page to it."""

    label: str
    url: str
    count: Count
    parts: list[Part]

    @property
    def words(self) -> str:
        """Say the bar in words, such as ``Fri 20 Nov: 12 issued, 3 refused``."""
        numbers = [f"{getattr(self.count, name)} {WORDS[name]}" for name in OUTCOMES if getattr(self.count, name)]
        return f"{self.label}: {', '.join(numbers) or 'none'}"


@dataclass(frozen=True, slots=True)
class Tick:
    """A word below the chart; a phone leaves out the ``minor`` ones."""

    x: str
    label: str
    minor: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole chart. ``top`` and ``middle`` stand at the axis of values."""

    bars: list[Bar]
    ticks: list[Tick]
    totals: Count
    top: int
    unit: str
    title: str

    @property
    def middle(self) -> int:
        """Return the value half-way up."""
        return self.top // 2


def drawable(filters: Filters) -> bool:
    """Tell whether the events that match can have an outcome, which is what the chart shows."""
    return filters.outcome != Status.REQUESTED.value and filters.kind in {"", *OUTCOME_KINDS.values()}


def is_tallied(filters: Filters) -> bool:
    """Tell whether the counts are there already, and nothing has to be counted for it."""
    return replace(filters, outcome="").by_time_alone and filters.outcome != Status.REQUESTED.value


def chart_range(
    filters: Filters, extent: Extent | None, *, everything: bool, now: datetime
) -> tuple[datetime, datetime]:
    """Return from when to when the chart goes: the range asked for, or else the last 30 days.

    ``everything`` is the whole log. A long range is drawn from where the log begins until now.
    """
    until = filters.until or now
    since = filters.since
    if since is None and (everything or filters.until):
        since = extent.begins if extent else until
    elif since is None:
        today = begin_of(now, Unit.DAY, timezone.get_current_timezone())
        since = begin_of(today - timedelta(days=USUAL_DAYS - 1) + timedelta(hours=12), Unit.DAY, _zone())
    if extent and until - since > LONG:
        since, until = max(since, extent.begins), min(until, now)
    return since, until


def draw(
    query: QueryDict,
    filters: Filters,
    span: tuple[datetime, datetime],
    sets: Sequence[QuerySet[Event]],
) -> Chart | None:
    """Count and draw a range, None where nothing came of anything. ``sets`` are the events that match.

    Raises TooManyToDraw and TookTooLong.
    """
    since, until = span
    if since >= until:
        return None
    unit, zone = unit_for(until - since), _zone()
    bounds = cut(since, until, unit, zone)
    found = counts(bounds) if is_tallied(filters) else counts_of(sets, bounds)
    if filters.outcome:
        found = [_only(count, filters.outcome) for count in found]
    totals = Count(since, until, *(sum(getattr(count, name) for count in found) for name in OUTCOMES))
    if not totals.total:
        return None
    top = _nice(max(count.total for count in found))
    bars = [
        Bar(_label(count.begins, unit), _narrow(query, count, zone), count, _parts(number, len(found), count, top))
        for number, count in enumerate(found)
    ]
    return Chart(bars, _ticks(found, unit), totals, top, unit.value, _title(since, until, unit))


def _only(count: Count, outcome: str) -> Count:
    """Return one outcome's part of a count."""
    return Count(count.begins, count.ends, **{outcome: getattr(count, outcome)})


def _zone() -> tzinfo:
    return timezone.get_current_timezone()


def _nice(most: int) -> int:
    """Return the top of the axis: an even number that is easy to read, and not below the highest bar."""
    scale = 2
    while scale * _NICE[-1] < most:
        scale *= 10
    return next(step * scale for step in _NICE if step * scale >= most)


def _title(since: datetime, until: datetime, unit: Unit) -> str:
    """Say the range: to the minute where it is short, else from its first day to its last."""
    if unit in (Unit.QUARTER, Unit.HOUR):
        begins, ends = (date_format(timezone.localtime(moment), "j M, H:i") for moment in (since, until))
    else:
        last = until - timedelta(microseconds=1)
        begins, ends = (date_format(timezone.localtime(moment), "j M Y") for moment in (since, last))
    return begins if begins == ends else f"{begins} to {ends}"


def _label(begins: datetime, unit: Unit) -> str:
    words = date_format(timezone.localtime(begins), _LABELS[unit])
    return f"Week of {words}" if unit is Unit.WEEK else words


def _parts(number: int, of: int, count: Count, top: int) -> list[Part]:
    """Stack the outcomes of one bar, issued at the bottom."""
    wide = 100 / of
    heights = {name: max(100 * getattr(count, name) / top, LEAST) for name in OUTCOMES if getattr(count, name)}
    shrink = min(1.0, 100 / sum(heights.values())) if heights else 1.0
    parts, y = [], 100.0
    for name, height in heights.items():
        y -= height * shrink
        measures = (number * wide + wide * 0.14, y, wide * 0.72, height * shrink)
        parts.append(Part(name, *(f"{measure:.3f}%" for measure in measures)))
    return parts


def _ticks(counts: Sequence[Count], unit: Unit) -> list[Tick]:
    step = ceil(len(counts) / MOST_TICKS)
    places = [(100 * number / len(counts), counts[number]) for number in range(0, len(counts), step)]
    return [
        Tick(f"{x:.3f}%", date_format(timezone.localtime(count.begins), _TICKS[unit]), minor=bool(place % 2))
        for place, (x, count) in enumerate(places)
        if x < LAST_TICK
    ]


def _narrow(query: QueryDict, count: Count, zone: tzinfo) -> str:
    """Return the address of the page narrowed to one bar; in UTC where a clock shows its end or beginning twice."""
    minute = timedelta(minutes=1)
    ends = count.ends.replace(second=0, microsecond=0)
    moments = (count.begins.replace(second=0, microsecond=0), ends if ends == count.ends else ends + minute)
    exact = all(_local_is_clear(moment, zone) for moment in moments)
    begins, ends_at = ((moment.astimezone(zone) if exact else moment).strftime(LOCAL_FORMAT) for moment in moments)
    changes = {"range": "", "day": "", "live": "", "from": begins, "to": ends_at}
    return address(query, **changes, **({} if exact else {"tz": "UTC"}))


def _local_is_clear(moment: datetime, zone: tzinfo) -> bool:
    """Tell whether the clock of the zone leads back to the moment: it shows no other one, and is not set meanwhile."""
    local = moment.astimezone(zone)
    return local.utcoffset() == local.replace(fold=1 - local.fold).utcoffset() and local.fold == 0
