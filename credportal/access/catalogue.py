"""Writes of the catalogue: what a catalogue file changes, and the changing.

A file adds and updates; it deletes no account, role or group, because issuances name them.
Two things are made to match it exactly: the members of a group that the file gives with
``members``, and, where the file has eligibilities at all, the eligibilities of every role
that it names. Everything else stays as it is. An account's ExternalId is made here, by the
model, and never read from a file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import models

from credportal.access.catalogue_file import CatalogueFile, EligibilityEntry, Entry
from credportal.access.catalogue_yaml import Problem, quoted
from credportal.access.models import Account, Eligibility, Role, User
from credportal.domain.durations import describe_duration
from credportal.domain.naming import account_number_from

BATCH = 500
Membership = User.groups.through


@dataclass(slots=True)
class Rows:
    """The rows of one table: to add, to change in these columns, to remove by primary key."""

    new: list[Any] = field(default_factory=list)
    changed: list[Any] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    removed: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """What a file would change: the lines to show, the rows to write, and what stops it."""

    problems: list[Problem] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    unchanged: int = 0
    accounts: Rows = field(default_factory=Rows)
    roles: Rows = field(default_factory=Rows)
    groups: Rows = field(default_factory=Rows)
    members: Rows = field(default_factory=Rows)
    eligibilities: Rows = field(default_factory=Rows)

    def add(self, rows: Rows, row: models.Model, what: str, columns: dict[str, Any]) -> None:
        """Plan a new row."""
        rows.new.append(row)
        told = ", ".join(f"{name} {_say(value)}" for name, value in columns.items() if value not in (None, ""))
        self.lines.append(f"+ {what}: {told}" if told else f"+ {what}")

    def change(self, rows: Rows, row: models.Model, what: str, columns: dict[str, Any]) -> None:
        """Plan what differs in a row that is there; where nothing does, count it."""
        told = []
        for name, after in columns.items():
            before = getattr(row, name)
            if before != after:
                setattr(row, name, after)
                rows.columns.add(name)
                told.append(f"{name} {_say(before)} → {_say(after)}")
        if told:
            rows.changed.append(row)
            self.lines.append(f"~ {what}: {', '.join(told)}")
        else:
            self.unchanged += 1

    def wrong(self, line: int, words: str) -> None:
        """Note what stops the plan."""
        self.problems.append(Problem(line, words))


def plan_catalogue(file: CatalogueFile) -> Plan:
    """Compare a file with the catalogue. Writes nothing; six statements, whatever the sizes."""
    plan = Plan(problems=list(file.problems))
    accounts = _plan_accounts(plan, file.accounts)
    roles = _plan_roles(plan, file.roles, accounts)
    people = dict(User.objects.values_list("username", "id"))
    groups = _plan_groups(plan, file, people)
    if file.eligibilities is not None:
        named = {entry.key for entry in file.roles} | {entry.role for entry in file.eligibilities}
        _plan_eligibilities(plan, file.eligibilities, [roles[arn] for arn in named if arn in roles], groups, people)
    plan.problems.sort(key=lambda problem: problem.line)
    return plan


def write_catalogue(plan: Plan) -> None:
    """Write a plan without problems, inside the transaction that it was made in.

    Raises django.db.IntegrityError where somebody else's change at the same time stands against it.
    """
    if "name" in plan.accounts.columns:  # Two accounts may swap names, which are unique at every step.
        for account in plan.accounts.changed:
            Account.objects.filter(pk=account.pk).update(name=f"~{account.pk}")
    for model, rows in (
        (Account, plan.accounts),
        (Role, plan.roles),
        (Group, plan.groups),
        (Membership, plan.members),
        (Eligibility, plan.eligibilities),
    ):
        _write(model, rows)


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


def _plan_accounts(plan: Plan, entries: list[Entry]) -> dict[str, Account]:
    accounts = {account.number: account for account in Account.objects.all()}
    for entry in entries:
        what = f"account {entry.key}"
        if entry.key in accounts:
            plan.change(plan.accounts, accounts[entry.key], what, entry.columns)
        else:
            accounts[entry.key] = Account(number=entry.key, **entry.columns)
            plan.add(plan.accounts, accounts[entry.key], what, entry.columns)
    named = defaultdict(set)
    for account in accounts.values():
        named[account.name].add(account.number)
    for entry in entries:
        others = named[entry.columns.get("name", "")] - {entry.key}
        if entry.columns.get("name") and others:
            plan.wrong(
                entry.line, f"Account {min(others)} has the name {quoted(entry.columns['name'])} too. Rename one."
            )
    return accounts


def _plan_roles(plan: Plan, entries: list[Entry], accounts: dict[str, Account]) -> dict[str, Role]:
    roles = {role.arn: role for role in Role.objects.all()}
    for entry in entries:
        account = accounts.get(account_number_from(entry.key))
        what = f"role {entry.key}"
        if account is None:
            number = account_number_from(entry.key)
            plan.wrong(entry.line, f"Account {number} is not in the catalogue. Write it under accounts.")
        if entry.key in roles:
            plan.change(plan.roles, roles[entry.key], what, entry.columns)
        else:
            roles[entry.key] = Role(arn=entry.key, account=account, **entry.columns)
            plan.add(plan.roles, roles[entry.key], what, entry.columns)
    return roles


def _plan_groups(plan: Plan, file: CatalogueFile, people: dict[str, int]) -> dict[str, Group]:
    groups = {group.name: group for group in Group.objects.all()}
    rows: dict[int, dict[int, int]] = defaultdict(dict)
    named = [groups[entry.name].pk for entry in file.groups if entry.name in groups]
    for row, group_id, user_id in Membership.objects.filter(group__in=named).values_list("id", "group_id", "user_id"):
        rows[group_id][user_id] = row
    names = {number: name for name, number in people.items()}
    for entry in file.groups:
        is_new = entry.name not in groups
        group = groups.setdefault(entry.name, Group(name=entry.name))
        if is_new:
            plan.add(plan.groups, group, f"group {quoted(entry.name)}", {})
        for name, line in (entry.members or {}).items():
            if name not in people:
                plan.wrong(line, f"There is no person {quoted(name)}. Make the person first, or mend the user name.")
        if entry.members is None:
            continue
        wanted = {people[name] for name in entry.members if name in people}
        now = {} if is_new else rows[group.pk]
        joining, leaving = sorted(names[user] for user in wanted - now.keys()), now.keys() - wanted
        plan.members.new += [Membership(user_id=people[name], group=group) for name in joining]
        plan.members.removed += [now[user] for user in leaving]
        plan.lines += [f"+ member {quoted(name)} of {quoted(entry.name)}" for name in joining]
        plan.lines += [f"- member {quoted(name)} of {quoted(entry.name)}" for name in sorted(names[u] for u in leaving)]
        plan.unchanged += not (is_new or joining or leaving)
    return groups


def _plan_eligibilities(
    plan: Plan, entries: list[EligibilityEntry], roles: Iterable[Role], groups: dict[str, Group], people: dict[str, int]
) -> None:
    """Make the rows of these roles match the entries."""
    by_arn = {role.arn: role for role in roles}
    existing: dict[tuple[str, str, str], Eligibility] = {}
    for row in Eligibility.objects.select_related("role", "group", "user"):
        if row.role.arn in by_arn:
            existing[row.role.arn, row.group.name if row.group else "", row.user.username if row.user else ""] = row
    for entry in entries:
        what = _eligibility(entry.role, entry.group, entry.user)
        if entry.role not in by_arn:
            plan.wrong(entry.line, f"Role {quoted(entry.role)} is not in the catalogue. Write it under roles.")
        elif entry.group and entry.group not in groups:
            plan.wrong(entry.line, f"Group {quoted(entry.group)} is not in the catalogue. Write it under groups.")
        elif entry.user and entry.user not in people:
            plan.wrong(entry.line, f"There is no person {quoted(entry.user)}. Make the person first, or mend the name.")
        elif (entry.role, entry.group, entry.user) in existing:
            row = existing.pop((entry.role, entry.group, entry.user))
            plan.change(plan.eligibilities, row, what, entry.columns)
        else:
            new = Eligibility(role=by_arn[entry.role], user_id=people.get(entry.user), **entry.columns)
            new.group = groups.get(entry.group)
            plan.add(plan.eligibilities, new, what, entry.columns)
    for key, row in sorted(existing.items()):
        plan.eligibilities.removed.append(row.pk)
        plan.lines.append(f"- {_eligibility(*key)}")


def _eligibility(role: str, group: str, user: str) -> str:
    return f"eligibility of {'group' if group else 'user'} {quoted(group or user)} for {role}"


def _say(value: Any) -> str:
    """Show a value as the diff has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return describe_duration(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return "none" if value is None else quoted(str(value))
