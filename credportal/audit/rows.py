"""Inserts rows with statements that are built once.

The ORM builds every INSERT anew, which takes four times as long as running it, and each
issuance inserts three rows (docs/performance.md).
"""

from functools import cache
from typing import Any

from django.db import connection, models
from django.db.models.fields import NOT_PROVIDED


def insert(row: models.Model) -> None:
    """Insert a new row of plain values. What the database fills, its key and its clock, is not read back."""
    fields, statement = _statement(type(row))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@cache
def _statement(model: type[models.Model]) -> tuple[tuple["models.Field[Any, Any]", ...], str]:
    meta = model._meta  # noqa: SLF001 -- Django's documented way to a model's fields.
    fields = tuple(
        field
        for field in meta.concrete_fields
        if field.db_default is NOT_PROVIDED and not isinstance(field, models.AutoField)
    )
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    places = ", ".join(["%s"] * len(fields))
    return fields, f"INSERT INTO {connection.ops.quote_name(meta.db_table)} ({columns}) VALUES ({places})"  # noqa: S608 -- names of our models only.
