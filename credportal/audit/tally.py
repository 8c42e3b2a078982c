"""Counts the events with an outcome into ``Tally``, by quarter of an hour, as they come. counts.py reads it."""

from django.db import connection, transaction
from django.db.models.functions import Now

from credportal.audit.models import Event, Progress
from credportal.audit.selectors.counts import FLAGS, OUTCOMES, READER, SUMS, quarter_of_at
from credportal.audit.selectors.search import OUTCOME_KINDS
from credportal.audit.turn import fair_turn

CHUNK = 10_000
"""How many events one transaction counts."""

MOST_CHUNKS = 200
"""How many transactions one run of housekeeping spends on it."""

_PLUS = ", ".join(f"{name} = audit_tally.{name} + excluded.{name}" for name in OUTCOMES)
# The kind is no bare column here, so that the rows are read by their numbers and not by an index of kinds.
_ADD = f"""
    INSERT INTO audit_tally (quarter, {", ".join(OUTCOMES)})
    SELECT quarter, {SUMS} FROM (
        SELECT {{quarter}} AS quarter, {FLAGS} FROM audit_event
        WHERE id > %s AND id <= %s AND kind || '' IN ({", ".join(f"'{kind}'" for kind in OUTCOME_KINDS.values())})
    ) counted GROUP BY quarter
    ON CONFLICT (quarter) DO UPDATE SET {_PLUS}
"""  # noqa: S608 -- our own names.


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
            cursor.execute(_ADD.format(quarter=quarter_of_at()), [progress.through, through])
        Progress.objects.filter(reader=READER).update(through=through, at=Now())
        return through - progress.through
