"""Conditions that have to stand in a statement word for word.

A database uses a partial index only where it sees its condition in the statement, and SQLite sees it only where it
is written in the same words, without parameters.
"""

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL


def sql(condition: str, *values: str) -> RawSQL:
    """Return a condition to filter by. ``condition`` is text of ours; values of others are parameters."""
    return RawSQL(condition, values, output_field=BooleanField())  # noqa: S611 -- as the docstring says.


def filled(column: str) -> RawSQL:
    """Return the condition of an index that leaves out the events that have nothing in this column."""
    return sql(f"NOT (audit_event.{column} = '')")
