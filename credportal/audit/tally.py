"""How many issuances came to which end, by time: what the chart of the audit page is drawn from.

The events with an outcome are counted into ``Tally``, by quarter of an hour, up to the sequence number in
``Progress``. What came since is counted when it is asked for, so that the counts are exact at any moment.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from credportal.audit.models import Event, Progress
from credportal.audit.search import OUTCOME_KINDS
from credportal.audit.turn import fair_turn
from credportal.domain.buckets import QUARTER

READER = "tally"
CHUNK = 10_000
"""How many events one transaction counts."""

MOST_CHUNKS = 200
"""How many transactions one run of housekeeping spends on it."""

MOST_DRAWN = 20_000
"""How many events the chart counts one by one, for filters that have no tally."""

_SECONDS = int(QUARTER.total_seconds())
_OUTCOMES = tuple(OUTCOME_KINDS)  # The columns of a tally.
_SUMS = ", ".join(f"sum({name})" for name in _OUTCOMES)
_PLUS = ", ".join(f"{name} = audit_tally.{name} + excluded.{name}" for name in _OUTCOMES)
_FLAGS = ", ".join(f"CASE WHEN kind = '{kind}' THEN 1 ELSE 0 END AS {name}" for name, kind in OUTCOME_KINDS.items())
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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


def count_new(*, chunk: int = CHUNK, most_chunks: int = MOST_CHUNKS) -> int:
    """Count the events that came since the last time into the tallies; return how many were read.

    Each transaction reads ``chunk`` sequence numbers; of two at once the second waits, and goes on where the first
    ended. Whatever is left after ``most_chunks`` is for the next time.
    """
    read = 0
    for _ in range(most_chunks):
        found = _count_chunk(chunk)
        read += found
        if found < chunk:
            break
    return read


def _count_chunk(chunk: int) -> int:
    with fair_turn(), transaction.atomic():
        Progress.objects.bulk_create([Progress(reader=READER)], ignore_conflicts=True)
        progress = Progress.objects.select_for_update().get(reader=READER)
        # Numbers are committed in their order: what is seen up to here never gets a neighbour later.
        newest = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
        # Where the log begins later, its older part was archived: that is counted already, or lost to the counts.
        through = min(newest, progress.through + chunk)
        if through <= progress.through:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(_ADD.format(quarter=_quarter_of_at()), [progress.through, through])
        Progress.objects.filter(reader=READER).update(through=through, at=Now())
        return through - progress.through


# The kind is no bare column here, so that the rows are read by their numbers and not by an index of kinds.
_ADD = f"""
    INSERT INTO audit_tally (quarter, {", ".join(_OUTCOMES)})
    SELECT quarter, {_SUMS} FROM (
        SELECT {{quarter}} AS quarter, {_FLAGS} FROM audit_event
        WHERE id > %s AND id <= %s AND kind || '' IN ({", ".join(f"'{kind}'" for kind in OUTCOME_KINDS.values())})
    ) counted GROUP BY quarter
    ON CONFLICT (quarter) DO UPDATE SET {_PLUS}
"""  # noqa: S608 -- our own names.
_COUNTED = f"""
    SELECT {{bucket}} AS bucket, {_SUMS} FROM (
        SELECT quarter, {", ".join(_OUTCOMES)} FROM audit_tally WHERE quarter >= %s AND quarter < %s
        UNION ALL
        SELECT quarter, {_FLAGS} FROM (SELECT {{quarter}} AS quarter, kind FROM audit_event WHERE id > %s) since
        WHERE quarter >= %s AND quarter < %s
        UNION ALL
        SELECT {{quarter}} AS quarter, {_FLAGS} FROM audit_event WHERE at >= %s AND at < %s
        UNION ALL
        SELECT {{quarter}} AS quarter, {_FLAGS} FROM audit_event WHERE at >= %s AND at < %s
    ) counted GROUP BY 1
    UNION ALL
    SELECT -1, coalesce(max(through), 0), 0, 0, 0 FROM audit_progress WHERE reader = '{READER}'
"""  # noqa: S608 -- our own names.


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
    statement = _COUNTED.format(bucket=_bucket_of_quarter(bounds), quarter=_quarter_of_at())
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
        SELECT {_bucket_of_quarter(bounds)} AS bucket, {_SUMS} FROM (
            SELECT {_quarter_of_at()} AS quarter, {_FLAGS} FROM ({" UNION ALL ".join(parts)}) every
        ) counted GROUP BY 1
    """  # noqa: S608 -- our own names.
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found = _counts(bounds, {int(bucket): row for bucket, *row in cursor.fetchall()})
    if sum(count.total for count in found) > MOST_DRAWN:
        raise TooManyToDraw
    return found


def _counts(bounds: Sequence[datetime], found: dict[int, list[Any]]) -> list[Count]:
    nothing = [0] * len(_OUTCOMES)
    bars = enumerate(pairwise(bounds))
    return [Count(begins, ends, *map(int, found.get(number, nothing))) for number, (begins, ends) in bars]


def _quarter(moment: datetime, *, up: bool = False) -> int:
    """Return the quarter of an hour that a moment is in; ``up`` the one that begins there or next."""
    whole, rest = divmod(moment - _EPOCH, QUARTER)
    return whole + (1 if up and rest else 0)


def _moment(quarter: int) -> datetime:
    return _EPOCH + timedelta(seconds=quarter * _SECONDS)


def _quarter_of_at() -> str:
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
