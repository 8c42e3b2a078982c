"""A plan: what a catalogue file would change, as lines to show, rows to write and changes to record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import F

from credportal.access.catalogue_rows import NOTHING, put, said, value_of, written
from credportal.access.catalogue_yaml import Problem
from credportal.access.models import Account, Delegation, Eligibility, GroupDuty, Role, Rota, User

BATCH = 500
Membership = User.groups.through
Link = Delegation.roles.through
"""One role of one delegation."""
People = dict[str, tuple[int, str]]
UNTOLD = "external_id"  # No page but the catalogue's own shows one, and a diff ends up in many places.


@dataclass(slots=True)
class Change:
    """One object that changes: ``before`` and ``after`` have the values that differ, as the file writes them."""

    what: str
    done: str
    row: Any
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """Return what the audit calls the object. A new one has it once it is written."""
        return f"{self.what}:{self.row.name if isinstance(self.row, Group) else self.row.pk}"


@dataclass(slots=True)
class Rows:
    """The rows of one table: to add, to change in these columns, to remove by primary key."""

    new: list[Any] = field(default_factory=list)
    changed: list[Any] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    removed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """What a file would change, and what stops it.

    ``people`` are everybody's number and handle by user name, ``by_name`` all groups, the planned
    ones too. ``moved`` are the numbers of those who join or leave a group. ``left`` counts what the
    file does not name, by its kind.
    """

    problems: list[Problem] = field(default_factory=list)
    people: People = field(default_factory=dict)
    by_name: dict[str, Group] = field(default_factory=dict)
    rotas: dict[str, Rota] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    left: dict[str, int] = field(default_factory=dict)
    accounts: Rows = field(default_factory=Rows)
    groups: Rows = field(default_factory=Rows)
    roles: Rows = field(default_factory=Rows)
    members: Rows = field(default_factory=Rows)
    moved: set[int] = field(default_factory=set)
    duties: Rows = field(default_factory=Rows)
    eligibilities: Rows = field(default_factory=Rows)
    delegations: Rows = field(default_factory=Rows)
    links: Rows = field(default_factory=Rows)

    def add(self, rows: Rows, row: Any, change: Change, title: str, given: Mapping[str, Any]) -> None:
        """Plan a new row. The line tells the values that the file gives."""
        rows.new.append(row)
        self.changes.append(change)
        told = ", ".join(
            f"{name} {said(value)}" for name, value in given.items() if name != UNTOLD and value not in NOTHING
        )
        self.lines.append(f"+ {title}: {told}" if told else f"+ {title}")

    def change(
        self, rows: Rows, row: Any, change: Change, title: str, wanted: Mapping[str, Any], *, anyway: bool = False
    ) -> None:
        """Plan what differs in a row that is there; where nothing does, count it.

        ``anyway`` says that something differs that is no column: the row has a new version then in any case.
        """
        told = []
        for name, after in wanted.items():
            before = value_of(row, name)
            if before != after:
                change.before[name], change.after[name] = written(before), written(after)
                rows.columns |= put(row, name, after, self.by_name, self.rotas)
                told.append(f"{name} {said(before)} → {said(after)}")
        if not told and not anyway:
            self.unchanged += 1
            return
        row.version += 1  # Whoever has the row open in a form is told.
        rows.columns.add("version")
        rows.changed.append(row)
        self.changes.append(change)
        if told:
            self.lines.append(f"~ {title}: {', '.join(told)}")

    def wrong(self, line: int, words: str) -> None:
        """Note what stops the plan."""
        self.problems.append(Problem(line, words))


def write_plan(plan: Plan) -> None:
    """Write a plan without problems, inside the transaction that it was made in.

    Raises django.db.IntegrityError where somebody else's change at the same time stands against it.
    """
    if "name" in plan.accounts.columns:  # Two accounts may swap names, which are unique at every step.
        for account in plan.accounts.changed:
            Account.objects.filter(pk=account.pk).update(name=f"~{account.pk}")
    for model, rows in (
        (Account, plan.accounts),
        (Group, plan.groups),
        (Role, plan.roles),
        (Membership, plan.members),
        (GroupDuty, plan.duties),
        (Eligibility, plan.eligibilities),
        (Delegation, plan.delegations),
        (Link, plan.links),
    ):
        _write(model, rows)
    moved = sorted(plan.moved)
    for start in range(0, len(moved), BATCH):  # Whoever has one of their pages open is told.
        User.objects.filter(pk__in=moved[start : start + BATCH]).update(version=F("version") + 1)


def _write(model: type[Any], rows: Rows) -> None:
    for start in range(0, len(rows.removed), BATCH):
        model.objects.filter(pk__in=rows.removed[start : start + BATCH]).delete()
    model.objects.bulk_create(rows.new, batch_size=BATCH)
    if rows.changed:  # An upsert: bulk_update's CASE for each row and column takes three times as long.
        model.objects.bulk_create(
            rows.changed,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=[model._meta.pk.name],  # noqa: SLF001 -- Django documents Model._meta.
            update_fields=sorted(rows.columns),
        )
