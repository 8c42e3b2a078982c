"""Writes of one row of the catalogue at a time, as a person makes them at a page.

They stand inside the transaction of their audit event, which the flow opens. Nothing is ever
deleted: issuances name accounts and roles, and a row that gives nothing any more has ended.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError

from credportal.access.models import Account, Eligibility, Role, User
from credportal.domain.durations import describe_duration

CatalogueRow = Account | Role | Eligibility
Key = str | int

# What the database lets one row say, by the column that a form shows it at.
ONCE: dict[type[CatalogueRow], dict[str, tuple[str, ...]]] = {
    Account: {"number": ("number",), "name": ("name",)},
    Role: {"arn": ("arn",)},
    Eligibility: {"group": ("role", "group"), "user": ("role", "user")},
}


class Stale(Exception):  # noqa: N818 -- the name says what happened.
    """Somebody else changed the row since it was read. ``row`` is how it is now."""

    def __init__(self, row: CatalogueRow) -> None:
        super().__init__(type(row).__name__)
        self.row = row


class Taken(Exception):  # noqa: N818 -- as above.
    """Another row says the same already. ``column`` is empty where it came at the same moment."""

    def __init__(self, column: str = "", other: Key | None = None) -> None:
        super().__init__(column)
        self.column = column
        self.other = other


@dataclass(frozen=True, slots=True)
class Change:
    """What a write did: the row, and the changed columns before and after as text for the audit."""

    row: CatalogueRow
    before: dict[str, Any]
    after: dict[str, Any]


def add(row: CatalogueRow, columns: list[str]) -> Change:
    """Insert a row; ``columns`` are those to tell. Raises Taken."""
    _refuse_taken(row, adding=True)
    try:
        row.save(force_insert=True)
    except IntegrityError:
        raise Taken from None
    told = {name: told_as(getattr(row, name)) for name in columns}
    return Change(row, {}, {name: value for name, value in told.items() if value not in ("", None)})


def change(model: type[CatalogueRow], key: Key, values: dict[str, Any], *, version: int | None) -> Change:
    """Give a row these values and a new version; where nothing differs, nothing is written.

    ``version`` is the one that the person saw, None where it does not matter. Raises Stale, and Taken.
    """
    row: CatalogueRow = model._default_manager.select_for_update().get(pk=key)  # noqa: SLF001 -- Django documents it.
    before = {name: told_as(getattr(row, name)) for name in values}
    different = [name for name, value in values.items() if getattr(row, name) != value]
    if not different:
        return Change(row, {}, {})
    if version is not None and row.version != version:
        raise Stale(row)
    for name in different:
        setattr(row, name, values[name])
    _refuse_taken(row, adding=False)
    row.version += 1
    try:
        row.save(update_fields=[*different, "version"])
    except IntegrityError:
        raise Taken from None
    after = {name: told_as(getattr(row, name)) for name in different}
    return Change(row, {name: before[name] for name in different}, after)


def end(eligibility_id: int, now: datetime) -> Change:
    """End a row now, whatever its version; one that has ended by then keeps its end."""
    row = Eligibility.objects.select_for_update().get(pk=eligibility_id)
    if row.valid_until is not None and row.valid_until <= now:
        return Change(row, {}, {})
    return change(Eligibility, eligibility_id, {"valid_until": now}, version=None)


def told_as(value: Any) -> Any:
    """Return a value of a column as the audit keeps it, and as a person reads it."""
    if isinstance(value, timedelta):
        return describe_duration(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Group):
        return value.name
    if isinstance(value, User):
        return value.handle
    return value.arn if isinstance(value, Role) else value


def _refuse_taken(row: CatalogueRow, *, adding: bool) -> None:
    """Look first: the database's own refusal does not say portably which column it is about. Raises Taken."""
    model = type(row)
    for column, together in ONCE[model].items():
        wanted = {name: getattr(row, name) for name in together}
        if None in wanted.values():
            continue
        others = model._default_manager.filter(**wanted)  # noqa: SLF001 -- as above.
        other = others.first() if adding else others.exclude(pk=row.pk).first()
        if other is not None:
            raise Taken(column, other.pk)
