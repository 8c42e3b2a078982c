"""Move the events before a day out of the database into a file that proves itself.

The file is written, read back and checked before anything is deleted, and the log says that it was archived. A run
that was stopped loses nothing: run the same again, and it finishes. Run it as the owner of the tables.
"""

import sys
from argparse import ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from credportal.flows.archiving import NotArchived, NothingToArchive, Tampered, archive_audit, delete_rest, plan_archive

TAMPERED, CANNOT = 1, 2


def a_day(text: str) -> datetime:
    """Read a day as its first moment in UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError("write a day as 2026-11-24") from None


class Command(BaseCommand):
    """Archive what is older than a day.

    Exit codes: 0 done, or nothing to do; 1 the log is not whole, and nothing was archived; 2 it could not, because
    of the day, the database or the folder.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --before, --directory, --dry-run and --force."""
        parser.add_argument("--before", type=a_day, required=True, metavar="DAY", help="Such as 2026-11-24, in UTC.")
        parser.add_argument("--directory", type=Path, default=Path(), help="Where the file goes; here unless told.")
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be archived.")
        parser.add_argument("--force", action="store_true", help="Archive events of the last 90 days too.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Archive once."""
        try:
            self._archive(**options)
        except NothingToArchive as error:
            self.stdout.write(str(error))
        except NotArchived as error:
            self.stderr.write(str(error))
            sys.exit(TAMPERED if isinstance(error, Tampered) else CANNOT)
        except DatabaseError as error:
            self.stderr.write(f"The audit cannot be read now ({type(error).__name__}). Nothing is lost; run it again.")
            sys.exit(CANNOT)
        except OSError as error:
            self.stderr.write(f"{error.filename or options['directory']}: cannot write it ({error.strerror}).")
            sys.exit(CANNOT)

    def _archive(self, *, before: datetime, directory: Path, dry_run: bool, force: bool, **options: Any) -> None:
        del options
        if not dry_run:
            delete_rest(self.stdout.write)
        plan = plan_archive(before=before, now=timezone.now(), force=force)
        held = f" ({plan.held_back})" if plan.held_back else ""
        self.stdout.write(f"Events {plan.start.number + 1} to {plan.end.number}{held}.")
        if dry_run:
            self.stdout.write("Dry run: nothing was written.")
            return
        path, archive = archive_audit(plan, before=before, directory=directory, tell=self.stdout.write)
        delete_rest(self.stdout.write)
        self.stdout.write(f"Done: {archive.events} events and {archive.issuances} issuances are in {path}.")
