"""Proving that the log is whole: walking it, signing how far it has come, and holding heads and archives to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path
from time import monotonic

from django.conf import settings

from credportal.audit.models import Checkpoint, Event, EventKind
from credportal.audit.proof import differences, head, keys, verify
from credportal.audit.proof.archive import Archive, BadArchive, read_archive

MOST_DIFFERENCES = 20
MOST_BYTES = 1_000_000


class CannotTell(Exception):  # noqa: N818 -- the sentence for the person.
    """Nothing can be proved with what was given; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was walked and how long that took (seconds), the head it was held against, and whatever does not fit."""

    walked: verify.Walked
    seconds: float
    head: head.Head | None
    faults: tuple[str, ...]


def prove(
    *, head_file: Path | None = None, public_key: str = "", progress: Callable[[int, int], None] | None = None
) -> Proof:
    """Verify the log and its issuances, and that it holds what a head says. Raises CannotTell; database errors pass."""
    kept = read_head(head_file, public_key) if head_file else None
    began = monotonic()
    walked = verify.verify_log(progress)
    seconds = monotonic() - began
    faults = [walked.fault.text] if walked.fault else []
    cut = head.against_log(kept) if kept else None
    faults += [cut.text] if cut else []
    if walked.fault is None:
        found = differences.differences(walked.first, walked.last.number)
        faults += [difference.text for difference in islice(found, MOST_DIFFERENCES)]
    return Proof(walked, seconds, kept, tuple(faults))


def read_head(file: Path, public_key: str = "") -> head.Head:
    """Read a head that the right key signed. ``public_key`` is a file or the key itself. Raises CannotTell."""
    if not public_key and not settings.AUDIT_KEY:
        raise CannotTell("Whose signature is right? Give --public-key, or set CREDPORTAL_AUDIT_KEY_FILE.")
    key = _public_key(public_key) if public_key else head.public_half(settings.AUDIT_KEY)
    try:
        return head.read_head(_text(file), portal=settings.PORTAL_URL, public_key=key)
    except head.BadHead as error:
        raise CannotTell(f"{file}: {error}") from None


def export_head(*, now: datetime) -> str:
    """Return the signed head of the log as JSON. Raises CannotTell where there is no key; database errors pass."""
    if not settings.AUDIT_KEY:
        raise CannotTell("There is no key to sign with. Set CREDPORTAL_AUDIT_KEY_FILE; docs/operating.md says how.")
    return head.sign_head(portal=settings.PORTAL_URL, key=settings.AUDIT_KEY, now=now)


def prove_archives(files: Sequence[Path]) -> tuple[list[tuple[Path, Archive]], list[str]]:
    """Check each archive by itself, that they join each other in the order given, and that they join the log.

    Returns what each whole one holds and what does not fit. Raises CannotTell; database errors pass.
    """
    read, faults = [], []
    for file in files:
        try:
            read.append((file, read_archive(file)))
        except BadArchive as error:
            faults.append(f"{file}: {error}")
        except OSError as error:
            raise CannotTell(f"{file}: cannot read it ({error.strerror}).") from None
    for (_, before), (file, after) in pairwise(read):
        if before.end != after.start:
            faults.append(f"{file}: it does not begin where the one before ends, after event {before.end.number}.")
    return read, faults + [text for file, archive in read for text in _against_log(file, archive)]


def _against_log(file: Path, archive: Archive) -> list[str]:
    end = archive.end
    checkpoint = Checkpoint.objects.filter(through=end.number).first()
    if checkpoint is None:
        return [f"{file}: it ends at event {end.number}, and no checkpoint of this log stands there."]
    if bytes(checkpoint.hash) != end.hash:
        return [f"{file}: event {end.number} has another hash than the checkpoint of this log says."]
    told = Event.objects.filter(kind=EventKind.ARCHIVED.value, id__gt=end.number).order_by("-at", "-id")
    for detail in told.values_list("detail", flat=True):
        if detail.get("through") == end.number and detail.get("sha256") != archive.sha256:
            return [f"{file}: the event audit:archived gives another SHA-256 for it."]
    return []


def _public_key(given: str) -> bytes:
    file = Path(given)
    try:
        return keys.public_key(_text(file) if len(given) < 250 and file.is_file() else given)  # noqa: PLR2004 -- longer than a path.
    except ValueError as error:
        raise CannotTell(f"--public-key: {error}") from None


def _text(file: Path) -> str:
    """Return the text of a small file. Raises CannotTell."""
    try:
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES).decode()
    except OSError as error:
        raise CannotTell(f"{file}: cannot read it ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise CannotTell(f"{file}: it is not text.") from None
