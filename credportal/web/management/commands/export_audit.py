"""Write the events of the audit in the order of their numbers, for pipelines.

The last line on standard error says how many rows were written and the number of the last, with which
the next run goes on by --since.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from credportal.flows.audit_export import Download, ExportUnavailable, Format, archived_through, begin_since
from credportal.web.management.numbers import sequence_number

UNAVAILABLE, UNWRITABLE, INTERRUPTED = 1, 2, 130
STANDARD_OUTPUT = "-"


class Command(BaseCommand):
    """Write all events, or those after a number, to a file or to standard output.

    Exit codes: 0 done; 1 the database is away, or nobody reads on; 2 the file cannot be written;
    130 stopped.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --since, --format and --output."""
        parser.add_argument("--since", type=sequence_number, default=0, metavar="SEQ", help="Only what comes after it.")
        parser.add_argument("--format", choices=[form.value for form in Format], default=Format.JSONL.value)
        parser.add_argument("--output", default=STANDARD_OUTPUT, metavar="FILE", help="- or nothing: standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export once."""
        try:
            archived = archived_through()
            if options["since"] < archived:
                self.stderr.write(f"The events up to number {archived} are in archives, so this begins after them.")
            download = begin_since(options["since"], Format(options["format"]), command="export_audit")
            try:
                with _opened(options["output"]) as output:
                    output.writelines(download)
            finally:
                download.close()
        except BrokenPipeError:
            # Nobody reads on. Python would complain at its end, when it empties what it still holds.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(UNAVAILABLE)
        except (DatabaseError, ExportUnavailable):
            self.stderr.write("The audit cannot be read or written now, so this export is not whole. Try again.")
            sys.exit(UNAVAILABLE)
        except OSError as error:
            self.stderr.write(f"{options['output']}: cannot write it ({error.strerror}).")
            sys.exit(UNWRITABLE)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        self.stderr.write(_told(download))


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    """Give the output. A file gets its name once it is whole: nobody takes a part for it. Raises OSError."""
    if name == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    whole, part = Path(name), Path(f"{name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as output:
            yield output
            output.flush()
            os.fsync(output.fileno())
        part.replace(whole)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _told(download: Download) -> str:
    rows = f"{download.rows} row{'' if download.rows == 1 else 's'}"
    return f"{rows}, last sequence number {download.last}."
