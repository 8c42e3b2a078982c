"""Import accounts, roles, groups, eligibilities and delegations from a YAML file.

It adds and updates, and deletes no account, role or group. The members and duties that a group
has in the file, the eligibilities of every role that the file names, and the delegations that
give no role but such, are made to match it.
"""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credportal.flows.catalogue import CatalogueUnavailable, LocksOut, import_catalogue

MOST_BYTES = 32 * 1024 * 1024
WRONG, UNREADABLE = 1, 2
LOCKS_OUT = (
    "With this nobody active would look after people and groups any more, so nothing was changed. "
    "Keep somebody in a group with the duty user-admin."
)


class UnreadableError(Exception):
    """The file cannot be read, in one sentence."""


class Command(BaseCommand):
    """Show what a catalogue file changes, and change it.

    Exit codes: 0 done; 1 the file has mistakes or the database is away; 2 the file cannot be read.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and --dry-run."""
        parser.add_argument("file", type=Path, metavar="FILE.yaml")
        parser.add_argument("--dry-run", action="store_true", help="Only show what would change.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import once."""
        file, dry_run = options["file"], options["dry_run"]
        try:
            plan = import_catalogue(_read(file), dry_run=dry_run)
        except UnreadableError as error:
            self.stderr.write(f"{file}: {error}")
            sys.exit(UNREADABLE)
        except CatalogueUnavailable as error:
            self.stderr.write(f"The catalogue cannot be written now ({error}). Nothing was changed; try again.")
            sys.exit(WRONG)
        except LocksOut:
            self.stderr.write(f"{file}: {LOCKS_OUT}")
            sys.exit(WRONG)
        if plan.problems:
            self.stderr.write("\n".join(f"{file}: {problem}" for problem in plan.problems))
            sys.exit(WRONG)
        for line in plan.lines:
            self.stdout.write(line)
        if plan.unchanged:
            self.stdout.write(f"= {plan.unchanged} unchanged")
        left = [f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in plan.left.items() if count]
        if left:
            self.stdout.write(f". not in the file, left as they are: {', '.join(left)}")
        if not plan.lines:
            self.stdout.write("Nothing to change.")
        else:
            self.stdout.write("Dry run: nothing was written." if dry_run else f"Done: {len(plan.lines)} changes.")


def _read(file: Path) -> str:
    """Return the file's text. Raises UnreadableError."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UnreadableError(f"cannot read it ({error.strerror}).") from None
    if len(content) > MOST_BYTES:
        raise UnreadableError("it is larger than 32 MiB, which no catalogue is.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"line {line} is not UTF-8. Save the file as UTF-8.") from None
