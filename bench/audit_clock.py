"""A clock around every statement of this process, from asking to the last row that is fetched."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper


class StatementClock:
    """Knows the seconds of each statement while it runs: reads apart from what writes or begins."""

    def __init__(self) -> None:
        self.all: list[tuple[float, str]] = []

    @property
    def reads(self) -> list[tuple[float, str]]:
        """Return seconds and SQL of the statements that only read."""
        return [each for each in self.all if each[1].lstrip().startswith(("SELECT", "WITH"))]

    @contextmanager
    def running(self) -> Iterator[StatementClock]:
        """Watch the connection. SQLite finds its rows while they are fetched, so fetching belongs to a statement."""
        fetching = CursorWrapper.__getattr__

        def clocked(cursor: CursorWrapper, name: str) -> Any:
            found = fetching(cursor, name)
            return self._adding(found) if name.startswith("fetch") else found

        CursorWrapper.__getattr__ = clocked  # type: ignore[method-assign]  # for this process only.
        try:
            with connection.execute_wrapper(self._around):
                yield self
        finally:
            CursorWrapper.__getattr__ = fetching  # type: ignore[method-assign]  # as above.

    def _around(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.all.append((time.perf_counter() - began, str(sql)))

    def _adding(self, fetch: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            began = time.perf_counter()
            try:
                return fetch(*args)
            finally:
                if self.all:
                    seconds, sql = self.all[-1]
                    self.all[-1] = (seconds + time.perf_counter() - began, sql)

        return timed
