"""Write how far the audit has come, signed, to be kept where nobody of the portal's can change it.

A later `verify_audit --head FILE` finds by it that the end of the log was cut off, that it was written anew, or that
an old backup was restored.
"""

import os
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from credportal.flows.proving import CannotTell, export_head

UNAVAILABLE, UNUSABLE = 1, 2


class Command(BaseCommand):
    """Sign the head of the audit.

    Exit codes: 0 done; 1 the database is away; 2 there is no key, or the file cannot be written.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --output."""
        parser.add_argument("--output", type=Path, metavar="FILE", help="Where to write it; without it, it is printed.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export once. The file is whole or not there."""
        try:
            text = export_head(now=timezone.now())
        except CannotTell as error:
            self.stderr.write(str(error))
            sys.exit(UNUSABLE)
        except DatabaseError as error:
            self.stderr.write(f"The audit cannot be read now ({type(error).__name__}). Try again.")
            sys.exit(UNAVAILABLE)
        file: Path | None = options["output"]
        if file is None:
            self.stdout.write(text, ending="")
            return
        try:
            _write(file, text)
        except OSError as error:
            self.stderr.write(f"{file}: cannot write it ({error.strerror}).")
            sys.exit(UNUSABLE)


def _write(file: Path, text: str) -> None:
    """Put the whole text in the file's place at once. Raises OSError."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
