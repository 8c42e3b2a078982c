"""An audit that takes no events, as on a full disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection


@contextmanager
def unwritable_audit(*kinds: str) -> Iterator[None]:
    """Let the database refuse every event, or those of these kinds only."""

    def refuse(execute: Any, sql: str, params: Any, *rest: Any) -> Any:
        if sql.startswith("INSERT INTO audit_event") and (not kinds or any(kind in repr(params) for kind in kinds)):
            raise OperationalError("disk full")
        return execute(sql, params, *rest)

    with connection.execute_wrapper(refuse):
        yield
