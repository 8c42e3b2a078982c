"""Writes of one row of the catalogue at a time, as a person makes them at a page.

They stand inside the transaction of their audit event, which the flow opens. Only a delegation is
ever deleted: issuances name accounts and roles, and a row that gives nothing any more has ended.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError

from credportal.access.models import Account, Delegation, Eligibility, Role, Rota, User
from credportal.domain.durations import describe_duration

CatalogueRow = Account | Role | Eligibility | Delegation
Key = str | int

# What the database lets one row say, by the column that a form shows it at.
ONCE: dict[type[CatalogueRow], dict[str, tuple[str, ...]]] = {
    Account: {"number": ("number",), "name": ("name",)},
    Role: {"arn": ("arn",)},
    Eligibility: {"group": ("role", "group"), "user": ("role", "user")},
    Delegation: {"name": ("name",)},
}
UNTOLD = ("id", "version")
MANY = ("roles",)
"""What stands in a table of its own: the value is a frozenset of rows."""


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


def add(row: CatalogueRow, values: dict[str, Any]) -> Change:
    """Insert a row; ``values`` are those to tell, and what stands beside the row. Raises Taken."""
    _refuse_taken(row, adding=True)
    try:
        row.save(force_insert=True)
    except IntegrityError:
        raise Taken from None
    _put_many(row, values)
    told = {name: told_as(_value(row, name)) for name in values}
    return Change(row, {}, {name: value for name, value in told.items() if value not in ("", None)})


def change(model: type[CatalogueRow], key: Key, values: dict[str, Any], *, version: int | None) -> Change:
    """Give a row these values and a new version; where nothing differs, nothing is written.

    ``version`` is the one that the person saw, None where it does not matter. Raises Stale, and Taken.
    """
    row: CatalogueRow = model._default_manager.select_for_update().get(pk=key)  # noqa: SLF001 -- Django documents it.
    now = {name: _value(row, name) for name in values}
    different = [name for name, value in values.items() if now[name] != value]
    if not different:
        return Change(row, {}, {})
    if version is not None and row.version != version:
        raise Stale(row)
    columns = [name for name in different if name not in MANY]
    for name in columns:
        setattr(row, name, values[name])
    _refuse_taken(row, adding=False)
    row.version += 1
    try:
        row.save(update_fields=[*columns, "version"])
    except IntegrityError:
        raise Taken from None
    changed = {name: values[name] for name in different}
    _put_many(row, changed)
    before = {name: told_as(now[name]) for name in different}
    return Change(row, before, {name: told_as(value) for name, value in changed.items()})


def end(eligibility_id: int, now: datetime) -> Change:
    """End a row now, whatever its version; one that has ended by then keeps its end."""
    row = Eligibility.objects.select_for_update().get(pk=eligibility_id)
    if row.valid_until is not None and row.valid_until <= now:
        return Change(row, {}, {})
    return change(Eligibility, eligibility_id, {"valid_until": now}, version=None)


def remove(delegation_id: int) -> Change:
    """Delete a delegation, whatever its version. Its hand-outs stay, without one."""
    rows = Delegation.objects.select_related("group", "user", "recipients", "rota").select_for_update(of=("self",))
    row = rows.get(pk=delegation_id)
    names = [field.name for field in row._meta.fields if field.name not in UNTOLD]  # noqa: SLF001 -- as above.
    told = {name: told_as(_value(row, name)) for name in [*names, *MANY]}
    Delegation.objects.filter(pk=delegation_id).delete()  # The row itself keeps its number, which the event names.
    return Change(row, {name: value for name, value in told.items() if value not in ("", None)}, {})


def told_as(value: Any) -> Any:
    """Return a value of a column as the audit keeps it, and as a person reads it."""
    if isinstance(value, timedelta):
        return describe_duration(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Group | Rota):
        return value.name
    if isinstance(value, User):
        return value.handle
    if isinstance(value, frozenset):
        return sorted(told_as(item) for item in value)
    return value.arn if isinstance(value, Role) else value


def _value(row: CatalogueRow, name: str) -> Any:
    return frozenset(getattr(row, name).all()) if name in MANY else getattr(row, name)


def _put_many(row: CatalogueRow, values: dict[str, Any]) -> None:
    for name in MANY:
        if name in values:
            getattr(row, name).set(values[name])


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
