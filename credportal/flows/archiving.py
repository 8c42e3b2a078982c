"""Archiving the old part of the log: written, read back and proved, then told in the chain, then deleted.

A crash at any point loses nothing. Until the checkpoint is committed nothing is deleted; afterwards the next run
deletes what is left before it does anything else.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db.models import Min

from credportal.audit.models import Event, Issuance, Progress
from credportal.audit.proof.archive import Archive, BadArchive, put_in_place, read_archive, write_archive
from credportal.audit.proof.differences import differences_between
from credportal.audit.proof.verify import CHUNK, Place, log_end, newest_checkpoint, walk
from credportal.audit.record import AuditUnavailable
from credportal.audit.record.archiving import delete_archived, record_archived
from credportal.audit.selectors.counts import READER as TALLY
from credportal.domain.types import Status
from credportal.flows import shipping
from credportal.flows.notices import READER as NOTICES

YOUNGEST = timedelta(days=90)
"""What is younger stays, unless told otherwise: marks of unused rows and CloudTrail's own look-up go back as far."""
Tell = Callable[[str], None]


class NotArchived(Exception):  # noqa: N818 -- the sentence for the person.
    """Nothing new was archived; the text says why."""


class NothingToArchive(NotArchived):
    """There is nothing that may go."""


class Tampered(NotArchived):
    """The log is not whole."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The events to archive: after ``start`` up to ``end``; what holds back the rest, or nothing."""

    start: Place
    end: Place
    held_back: str = ""


def plan_archive(*, before: datetime, now: datetime, force: bool = False) -> Plan:
    """Return what lies before a time and may go. Raises NotArchived; database errors pass."""
    if before > now - (timedelta() if force else YOUNGEST):
        raise NotArchived(
            f"Events of the last {YOUNGEST.days} days stay. Give an earlier --before"
            + (": this one lies ahead." if force else ", or --force.")
        )
    start = newest_checkpoint()
    rest = Event.objects.filter(id__gt=start.number)
    young = rest.filter(at__gte=before).order_by("id").values_list("id", flat=True).first()
    last = log_end().number
    limits = [((young or last + 1) - 1, ""), (last - 1, "the newest event always stays"), *_holds()]
    through, why = min(limits, key=lambda limit: limit[0])
    if through <= start.number:
        raise NothingToArchive(f"There is nothing to archive{f': {why}' if why else ' before that day'}.")
    end = Event.objects.filter(id=through).values_list("hash", flat=True).first()
    if end is None:
        raise Tampered(f"Event {through} is missing. verify_audit says more.")
    return Plan(start, Place(through, bytes(end)), why)


def archive_audit(plan: Plan, *, before: datetime, directory: Path, tell: Tell) -> tuple[Path, Archive]:
    """Verify, write, read back and name the file, then commit the checkpoint. Rows are deleted by ``delete_rest``.

    Raises NotArchived and OSError; nothing is deleted then.
    """
    _verify(plan)
    tell(f"Verified events {plan.start.number + 1} to {plan.end.number}.")
    path = directory / f"credportal-audit-{plan.start.number + 1:012}-{plan.end.number:012}.jsonl.gz"
    archive = _written(plan, path)
    tell(f"Wrote and read back {path}.")
    detail = {
        "from": plan.start.number + 1,
        "through": plan.end.number,
        "previous_hash": plan.start.hash.hex(),
        "hash": plan.end.hash.hex(),
        "events": archive.events,
        "issuances": archive.issuances,
        "file": path.name,
        "sha256": archive.sha256,
        "before": before.isoformat(),
    }
    end = plan.end
    try:
        record_archived(through=end.number, hash_=end.hash, before=before, after=plan.start.number, detail=detail)
    except AuditUnavailable as error:
        raise NotArchived(f"The audit cannot be written now ({error}). Nothing was deleted; run it again.") from None
    return path, archive


def delete_rest(tell: Tell) -> int:
    """Delete what a checkpoint covers and is still there; return how many events. Raises NotArchived."""
    deleted = 0
    try:
        for count in delete_archived():
            deleted += count
            tell(f"Deleted {deleted} archived events.")
    except AuditUnavailable as error:
        raise NotArchived(f"Deleting what is archived stopped ({error}). Run it again, and it goes on.") from None
    return deleted


def _holds() -> list[tuple[int, str]]:
    """Return up to where each intent without an outcome, and each reader of the events, lets the log go."""
    still_open = Issuance.objects.filter(status=Status.REQUESTED.value).values_list("id", flat=True)
    first = Event.objects.filter(issuance_id__in=list(still_open)).exclude(issuance_id="").aggregate(first=Min("id"))
    holds = [(first["first"] - 1, "an issuance has no outcome yet")] if first["first"] else []
    # A target that the environment no longer names waits for nothing; one that has not begun waits for everything.
    targets = shipping.readers()
    come = dict.fromkeys(targets, 0) | {
        row.reader: row.through for row in Progress.objects.filter(reader__in=[TALLY, NOTICES, *targets])
    }
    return holds + [(through, f"the reader {reader} has come only so far") for reader, through in come.items()]


def _verify(plan: Plan) -> None:
    _, fault = walk(plan.start, plan.end.number)
    found = [fault.text] if fault else []
    for low in range(plan.start.number, plan.end.number, CHUNK):
        more = differences_between(low, min(low + CHUNK, plan.end.number))
        found += [difference.text for difference in islice(more, 1)]
    if found:
        raise Tampered(f"The log is not whole, so nothing was archived: {found[0]}.")


def _written(plan: Plan, path: Path) -> Archive:
    """Write the file unless a run that was stopped has left it; return what reading it back proves."""
    if path.exists():
        try:
            return _matching(plan, path)
        except BadArchive as error:
            raise NotArchived(f"{path} is there already and is not this archive: {error} Move it away.") from None
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            write_archive(stream, portal=settings.PORTAL_URL, start=plan.start, end=plan.end)
            stream.flush()
            os.fsync(stream.fileno())
        archive = _matching(plan, temporary)
        put_in_place(temporary, path)
    except BadArchive as error:
        raise NotArchived(f"What was written does not prove itself, so nothing was deleted: {error}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return archive


def _matching(plan: Plan, file: Path) -> Archive:
    archive = read_archive(file)
    if (archive.portal, archive.start, archive.end) != (settings.PORTAL_URL, plan.start, plan.end):
        raise BadArchive("it holds another part of the log.")
    return archive
