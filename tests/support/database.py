"""Emptying tables that refuse to be emptied."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db.backends.base.base import BaseDatabaseWrapper

AUDIT_TABLES = ("audit_event", "audit_issuance", "audit_checkpoint")


@contextmanager
def flush_despite_triggers(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Make the test runner's flush take the append-only triggers away for its own moment only."""
    flush = connection.ops.execute_sql_flush

    def execute_sql_flush(sql_list: Iterable[str]) -> None:
        with without_triggers(connection):
            flush(sql_list)

    connection.ops.execute_sql_flush = execute_sql_flush  # type: ignore[method-assign]  # for the tests only
    try:
        yield
    finally:
        connection.ops.execute_sql_flush = flush  # type: ignore[method-assign]  # as above


@contextmanager
def without_triggers(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Take the audit's triggers away and put them back, as only the owner of the tables can."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for table in AUDIT_TABLES:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            try:
                yield
            finally:
                for table in AUDIT_TABLES:
                    cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit_%'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        try:
            yield
        finally:
            for _, sql in triggers:
                cursor.execute(sql)
