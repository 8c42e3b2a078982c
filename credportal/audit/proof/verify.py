"""Whether the log is whole: every event's hash is worked out anew from its bytes and the hash before it.

The log is walked in the order of its numbers, a chunk at a time. Rows never change, so chunks that are read one
after the other agree even while others append; where the walk ends is fixed before it begins.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Min

from credportal.audit.chain import FIRST_HASH
from credportal.audit.columns import COLUMNS, Form, canonical_sql
from credportal.audit.models import Checkpoint, Event, EventKind

CHUNK = 20_000
Progress = Callable[[int, int], None]
"""Told after each chunk how many events are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the chain: a sequence number and the hash of its event."""

    number: int = 0
    hash: bytes = FIRST_HASH


@dataclass(frozen=True, slots=True)
class Fault:
    """The first event that is not as it was written, and what is wrong in words."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk found: between which places, how many events, and the first fault if there is one.

    ``leftovers`` counts events that are archived already and not deleted yet; they fit the chain too.
    """

    first: Place
    last: Place
    events: int
    leftovers: int = 0
    fault: Fault | None = None


def verify_log(progress: Progress | None = None) -> Walked:
    """Walk the whole log and stop at the first fault. Database errors pass.

    Where events were archived and deleted meanwhile, the walk begins anew at the new checkpoint.
    """
    while True:
        checkpoint = newest_checkpoint()
        walked = _verify_from(checkpoint, progress or _silent)
        if walked.fault is None or newest_checkpoint() == checkpoint:
            return walked


def newest_checkpoint() -> Place:
    """Return the place up to which the log is archived; number 0 where it is whole."""
    found = Checkpoint.objects.order_by("-through").values_list("through", "hash").first()
    return Place(found[0], bytes(found[1])) if found else Place()


def log_end() -> Place:
    """Return the place of the newest event; the checkpoint where there is none."""
    found = Event.objects.order_by("-id").values_list("id", "hash").first()
    return Place(found[0], bytes(found[1])) if found else newest_checkpoint()


def _verify_from(checkpoint: Place, progress: Progress) -> Walked:
    end = max(Event.objects.aggregate(last=Max("id"))["last"] or 0, checkpoint.number)
    archived, fault = _archived_before(checkpoint)
    leftovers = 0
    if fault is None:
        leftovers, fault = _leftovers(archived, checkpoint)
    if fault is not None:
        return Walked(checkpoint, checkpoint, 0, leftovers, fault)
    last, fault = walk(checkpoint, end, lambda done: progress(done, end - checkpoint.number))
    return Walked(checkpoint, last, last.number - checkpoint.number, leftovers, fault)


def _archived_before(checkpoint: Place) -> tuple[Place, Fault | None]:
    """Return where the archive behind a checkpoint begins, by the event within the chain that tells of it."""
    if checkpoint.number == 0:
        return Place(), None
    told = Event.objects.filter(kind=EventKind.ARCHIVED.value, id__gt=checkpoint.number).order_by("-at", "-id")
    for detail in told.values_list("detail", flat=True)[:10]:
        if detail.get("through") == checkpoint.number and detail.get("hash") == checkpoint.hash.hex():
            return Place(detail["from"] - 1, bytes.fromhex(detail["previous_hash"])), None
    text = f"a checkpoint says that the log was archived through event {checkpoint.number}, and no event says so"
    return Place(), Fault(checkpoint.number, text)


def _leftovers(archived: Place, checkpoint: Place) -> tuple[int, Fault | None]:
    """Walk what is archived and not deleted yet: deleting goes from new to old, so it hangs on what lies before."""
    rest = Event.objects.filter(id__lte=checkpoint.number).aggregate(first=Min("id"), last=Max("id"))
    if rest["first"] is None:
        return 0, None
    if rest["first"] <= archived.number:
        text = f"event {rest['first']} does not belong here: the log begins later"
        return 0, Fault(rest["first"], text)
    last, fault = walk(archived, rest["last"])
    if fault and not Event.objects.filter(id__gte=fault.number, id__lte=checkpoint.number).exists():
        fault = None  # It was deleted while the walk was under way, and so was everything after it.
    return last.number - archived.number, fault


def walk(start: Place, end: int, told: Callable[[int], None] | None = None) -> tuple[Place, Fault | None]:
    """Walk from the event after ``start`` to ``end``; return the last place that fits, and the fault after it.

    ``told`` hears after each chunk how many events fit so far.
    """
    chunk = _chunk_postgresql if connection.vendor == "postgresql" else _chunk_sqlite
    place = start
    while place.number < end:
        goal = min(place.number + CHUNK, end)
        place, fault = chunk(place, goal)
        if fault is None and place.number < goal:
            fault = _missing(place.number + 1, None)
        if fault is not None:
            return place, fault
        if told:
            told(place.number - start.number)
    return place, None


def _chunk_postgresql(place: Place, goal: int) -> tuple[Place, Fault | None]:
    """Let the database work out the hashes of a chunk; only what does not fit comes back."""
    with connection.cursor() as cursor:
        cursor.execute(POSTGRESQL, [place.number, place.hash, place.number, goal])
        misfit = cursor.fetchone()
        if misfit:
            number, before, hash_before = misfit
            fault = _missing(before + 1, number) if before != number - 1 else _changed(number)
            return Place(before, bytes(hash_before)), fault
        cursor.execute(LAST_OF_CHUNK, [place.number, goal])
        last = cursor.fetchone()
    return (Place(last[0], bytes(last[1])) if last else place), None


def _chunk_sqlite(place: Place, goal: int) -> tuple[Place, Fault | None]:
    """Work out the hashes of a chunk here: SQLite has no SHA-256."""
    number, before = place.number, place.hash
    with connection.cursor() as cursor:
        cursor.execute(SQLITE, [number, goal])
        for found, hashed, text, odd in cursor:
            if found != number + 1:
                return Place(number, before), _missing(number + 1, found)
            if odd or hashed != hashlib.sha256(before + text).digest():
                return Place(number, before), _changed(found)
            number, before = found, hashed
    return Place(number, before), None


def _changed(number: int) -> Fault:
    return Fault(number, f"event {number} was changed: its hash does not fit")


def _missing(first: int, next_found: int | None) -> Fault:
    if next_found is None or next_found == first + 1:
        return Fault(first, f"event {first} is missing")
    return Fault(first, f"events {first} to {next_found - 1} are missing")


def _silent(done: int, of: int) -> None:
    del done, of


def _odd(vendor: str) -> str:
    """Return the SQL condition of values that no writer of ours keeps, and that could pass for others in the bytes."""
    times = [f'"{column.name}"' for column in COLUMNS if column.form is Form.TIME]
    if vendor == "postgresql":  # It writes a year before Christ like the one after.
        return " OR ".join(f"coalesce({name} < '0001-01-01', false)" for name in times)
    # SQLite ends a text at a NUL where it counts, keeps bytes in a column of text, and takes a time of any length.
    texts = [f'"{column.name}"' for column in COLUMNS if column.form in {Form.TEXT, Form.JSON}]
    odd = [f"instr({' || '.join(texts)}, char(0))"]
    odd += [f"typeof({name}) <> 'text'" for name in texts]
    odd += [f"coalesce(length({name}) NOT IN (19, 26), 0)" for name in times]
    return " OR ".join(odd)


POSTGRESQL = f"""
    SELECT id, number_before, hash_before FROM (
        SELECT id, hash, {_odd("postgresql")} AS odd, {canonical_sql("postgresql")} AS text,
            lag(id, 1, %s::bigint) OVER chunk AS number_before, lag(hash, 1, %s::bytea) OVER chunk AS hash_before
        FROM audit_event WHERE id > %s AND id <= %s WINDOW chunk AS (ORDER BY id)
    ) events
    WHERE number_before <> id - 1 OR odd OR hash IS DISTINCT FROM sha256(hash_before || convert_to(text, 'UTF8'))
    ORDER BY id LIMIT 1
"""  # noqa: S608 -- our own columns.
LAST_OF_CHUNK = "SELECT id, hash FROM audit_event WHERE id > %s AND id <= %s ORDER BY id DESC LIMIT 1"
SQLITE = f"""
    SELECT id, hash, CAST({canonical_sql("sqlite").replace("%", "%%")} AS BLOB), {_odd("sqlite")}
    FROM audit_event WHERE id > %s AND id <= %s ORDER BY id
"""  # noqa: S608 -- our own columns.
