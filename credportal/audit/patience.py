"""A bound on how long a read of the log may take, on either database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction

READ_SECONDS = 5.0
_STEPS_BETWEEN_LOOKS = 100_000  # Of SQLite's virtual machine: about a millisecond.


class TookTooLong(Exception):  # noqa: N818 -- the name says the state, as the page for it does.
    """The database would have had to look through too much of the log."""


@contextmanager
def bounded_read(seconds: float = READ_SECONDS) -> Iterator[None]:
    """Let the statements of the block take no longer than this; raise TookTooLong where one would.

    On PostgreSQL each statement may take that long, on SQLite all of them together.
    """
    bounded = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    try:
        with bounded(seconds):
            yield
    except OperationalError as error:
        # psycopg says QueryCanceled, and SQLite "interrupted". Everything else is another trouble.
        if type(error.__cause__).__name__ == "QueryCanceled" or str(error) == "interrupted":
            raise TookTooLong from error
        raise


@contextmanager
def _on_postgresql(seconds: float) -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        # With little memory a search of words would keep pages in the place of rows, and read far more than it shows.
        settings = "set_config('statement_timeout', %s, true), set_config('work_mem', '64MB', true)"
        cursor.execute(f"SELECT {settings}", [str(int(seconds * 1000))])
        yield


@contextmanager
def _on_sqlite(seconds: float) -> Iterator[None]:
    connection.ensure_connection()
    ends = time.monotonic() + seconds
    connection.connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        if connection.connection is not None:
            connection.connection.set_progress_handler(None, 0)
