"""How many issuances came to which end, by time: what the chart of the audit page is drawn from.

Most of it is counted already, by quarter of an hour, up to the sequence number in ``Progress`` (tally.py). What
came since is counted when it is asked for, so that the counts are exact at any moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from credportal.audit.models import Event, Progress
from credportal.audit.selectors.search import OUTCOME_KINDS
from credportal.domain.buckets import QUARTER

READER = "tally"
"""The name of the tallies among the readers of the events."""

MOST_DRAWN = 20_000
"""How many events are counted one by one, for filters that have no tally."""

OUTCOMES = tuple(OUTCOME_KINDS)
"""The columns of a tally."""

SUMS = ", ".join(f"sum({name})" for name in OUTCOMES)
FLAGS = ", ".join(f"CASE WHEN kind = '{kind}' THEN 1 ELSE 0 END AS {name}" for name, kind in OUTCOME_KINDS.items())
_SECONDS = int(QUARTER.total_seconds())
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTED = f"""
    SELECT {{bucket}} AS bucket, {SUMS} FROM (
        SELECT quarter, {", ".join(OUTCOMES)} FROM audit_tally WHERE quarter >= %s AND quarter < %s
        UNION ALL
        SELECT quarter, {FLAGS} FROM (SELECT {{quarter}} AS quarter, kind FROM audit_event WHERE id > %s) since
        WHERE quarter >= %s AND quarter < %s
        UNION ALL
        SELECT {{quarter}} AS quarter, {FLAGS} FROM audit_event WHERE at >= %s AND at < %s
        UNION ALL
        SELECT {{quarter}} AS quarter, {FLAGS} FROM audit_event WHERE at >= %s AND at < %s
    ) counted GROUP BY 1
    UNION ALL
    SELECT -1, coalesce(max(through), 0), 0, 0, 0 FROM audit_progress WHERE reader = '{READER}'
"""  # noqa: S608 -- our own names.


class TooManyToDraw(Exception):  # noqa: N818 -- the name says the state, as the page for it does.
    """More events match than are counted one by one."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many issuances came to which end between two moments (aware UTC)."""

    begins: datetime
    ends: datetime
    issued: int = 0
    denied: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """Return how many outcomes there were."""
        return self.issued + self.denied + self.failed + self.unknown


def counts(bounds: Sequence[datetime]) -> list[Count]:
    """Return the counts between each two neighbouring bounds, which are whole quarters but for the first and last.

    Two statements, however much the log holds; more only where it was being counted at that very moment.
    """
    first, last = _quarter(bounds[0], up=True), _quarter(bounds[-1])
    if first > last:  # All of it is within one quarter.
        first = last = _quarter(bounds[-1])
        edges = [bounds[0], bounds[-1], bounds[-1], bounds[-1]]
    else:
        edges = [bounds[0], _moment(first), _moment(last), bounds[-1]]
    statement = _COUNTED.format(bucket=_bucket_of_quarter(bounds), quarter=quarter_of_at())
    moments = [connection.ops.adapt_datetimefield_value(moment) for moment in edges]
    through = _tallied_through()
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [first, last, through, first, last, *moments])
            found = {int(bucket): row for bucket, *row in cursor.fetchall()}
        [counted, *_] = found.pop(-1)
        if counted == through:
            return _counts(bounds, found)
        through = counted


def _tallied_through() -> int:
    return Progress.objects.filter(reader=READER).values_list("through", flat=True).first() or 0


def counts_of(sets: Iterable[QuerySet[Event]], bounds: Sequence[datetime]) -> list[Count]:
    """Return the same of some events only, by counting them one by one. Raises TooManyToDraw."""
    parts: list[str] = []
    params: list[Any] = []
    for rows in sets:
        drawn = rows.filter(kind__in=OUTCOME_KINDS.values(), at__gte=bounds[0], at__lt=bounds[-1])
        newest = drawn.order_by("-at", "-id").values("at", "kind")[: MOST_DRAWN + 1]
        sql, values = newest.query.sql_with_params()
        parts.append(f"SELECT at, kind FROM ({sql}) matching")  # noqa: S608 -- Django's own SQL.
        params += values
    statement = f"""
        SELECT {_bucket_of_quarter(bounds)} AS bucket, {SUMS} FROM (
            SELECT {quarter_of_at()} AS quarter, {FLAGS} FROM ({" UNION ALL ".join(parts)}) every
        ) counted GROUP BY 1
    """  # noqa: S608 -- our own names.
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found = _counts(bounds, {int(bucket): row for bucket, *row in cursor.fetchall()})
    if sum(count.total for count in found) > MOST_DRAWN:
        raise TooManyToDraw
    return found


def _counts(bounds: Sequence[datetime], found: dict[int, list[Any]]) -> list[Count]:
    nothing = [0] * len(OUTCOMES)
    bars = enumerate(pairwise(bounds))
    return [Count(begins, ends, *map(int, found.get(number, nothing))) for number, (begins, ends) in bars]


def _quarter(moment: datetime, *, up: bool = False) -> int:
    """Return the quarter of an hour that a moment is in; ``up`` the one that begins there or next."""
    whole, rest = divmod(moment - _EPOCH, QUARTER)
    return whole + (1 if up and rest else 0)


def _moment(quarter: int) -> datetime:
    return _EPOCH + timedelta(seconds=quarter * _SECONDS)


def quarter_of_at() -> str:
    """Return the SQL for the quarter of the column ``at``."""
    if connection.vendor == "postgresql":
        return f"floor(extract(epoch FROM at) / {_SECONDS})::bigint"
    # Only the whole seconds: SQLite rounds what is finer than a millisecond.
    return f"CAST(strftime('%%s', substr(at, 1, 19)) AS INTEGER) / {_SECONDS}"


def _bucket_of_quarter(bounds: Sequence[datetime]) -> str:
    """Return the SQL for which bar a quarter belongs to: a search by halves, so that many bars cost little."""

    def search(low: int, high: int) -> str:
        if high - low == 1:
            return str(low)
        middle = (low + high) // 2
        begins = _quarter(bounds[middle])
        return f"CASE WHEN quarter < {begins} THEN {search(low, middle)} ELSE {search(middle, high)} END"

    return search(0, len(bounds) - 1)
