"""Write accounts, roles, groups, eligibilities and delegations as the YAML file that import_catalogue reads.

The same catalogue always gives the same text, so the file lives well in version control.
People stay where they are; a group names its members by their user names.
"""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credportal.flows.catalogue import CatalogueUnavailable, export_catalogue

UNAVAILABLE, UNWRITABLE = 1, 2
STANDARD_OUTPUT = "-"


class Command(BaseCommand):
    """Write the catalogue to a file or to standard output.

    Exit codes: 0 done; 1 the database is away; 2 the file cannot be written.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file and --with-external-ids."""
        parser.add_argument(
            "file", nargs="?", default=STANDARD_OUTPUT, metavar="FILE.yaml", help="- or nothing: print."
        )
        parser.add_argument(
            "--with-external-ids",
            action="store_true",
            help="Write each account's ExternalId too, to move to another database without touching a trust policy.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Export once. The text is whole before the file is opened."""
        try:
            text = export_catalogue(with_external_ids=options["with_external_ids"])
        except CatalogueUnavailable as error:
            self.stderr.write(f"The catalogue cannot be read now ({error}). Try again.")
            sys.exit(UNAVAILABLE)
        if options["file"] == STANDARD_OUTPUT:
            self.stdout.write(text, ending="")
            return
        try:
            Path(options["file"]).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            self.stderr.write(f"{options['file']}: cannot write it ({error.strerror}).")
            sys.exit(UNWRITABLE)
