"""Prove that the audit is whole: every event is there, in its order, as it was written.

It names the first event that was edited, deleted, swapped, inserted or given another time, and each issuance that
does not say what its event says. With --head it finds a cut end or a restored old backup too.
"""

import sys
from pathlib import Path
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from credportal.flows.proving import CannotTell, Proof, prove, prove_archives

TAMPERED, CANNOT_TELL = 1, 2
BAR = 30
SECONDS_BETWEEN_LINES = 10


class Command(BaseCommand):
    """Verify the log, and heads and archives against it.

    Exit codes: 0 whole; 1 something was changed, is missing or does not belong; 2 it cannot tell.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --head, --public-key and --archive."""
        parser.add_argument("--head", type=Path, metavar="FILE", help="A head that export_audit_head wrote earlier.")
        parser.add_argument(
            "--public-key",
            default="",
            metavar="FILE_OR_BASE64",
            help="Whose signature counts; without it, that of the portal's own key.",
        )
        parser.add_argument(
            "--archive",
            type=Path,
            nargs="+",
            metavar="FILE",
            help="Check these archives, oldest first, instead of the log: each by itself, that they join, and that "
            "they join this log.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify once and say what was found."""
        try:
            if options["archive"]:
                faults = self._archives(options["archive"])
            else:
                proof = prove(
                    head_file=options["head"], public_key=options["public_key"], progress=Progress(self.stderr).tell
                )
                self._tell(proof)
                faults = list(proof.faults)
        except CannotTell as error:
            self.stderr.write(str(error))
            sys.exit(CANNOT_TELL)
        except DatabaseError as error:
            self.stderr.write(f"The audit cannot be read ({type(error).__name__}), so nothing is proved. Try again.")
            sys.exit(CANNOT_TELL)
        if faults:
            self.stderr.write("\n".join(f"TAMPERED: {fault}" for fault in faults))
            sys.exit(TAMPERED)

    def _archives(self, files: list[Path]) -> list[str]:
        whole, faults = prove_archives(files)
        for file, archive in whole:
            first, last = archive.start.number + 1, archive.end.number
            told = f"{archive.events} events, {first} to {last}, and {archive.issuances} issuances"
            self.stdout.write(f"{file}: whole by itself: {told}.")
        return faults

    def _tell(self, proof: Proof) -> None:
        walked, head = proof.walked, proof.head
        if walked.first.number:
            self.stdout.write(f"The log is archived through event {walked.first.number}.")
        if walked.leftovers:
            self.stdout.write(
                f"Of these {walked.leftovers} events are not deleted yet, and whole: run archive_audit again."
            )
        rate = f"{proof.seconds:.1f} s, {walked.events / max(proof.seconds, 0.001):,.0f} a second"
        self.stdout.write(
            f"Verified {walked.events} events, {walked.first.number + 1} to {walked.last.number}, in {rate}."
        )
        if head:
            self.stdout.write(f"The head is of event {head.seq}, made {head.made_at}.")
        if not proof.faults:
            self.stdout.write("The log is whole.")


class Progress:
    """A bar where somebody watches, a line now and then otherwise."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.last = stream, monotonic()

    def tell(self, done: int, of: int) -> None:
        """Show how many events are done."""
        if self.stream.isatty():
            filled = BAR * done // max(of, 1)
            end = "\n" if done == of else ""
            self.stream.write(f"\r{'█' * filled}{'·' * (BAR - filled)} {done} of {of}", ending=end)
            self.stream.flush()
        elif monotonic() - self.last > SECONDS_BETWEEN_LINES:
            self.last = monotonic()
            self.stream.write(f"{done} of {of} events")
