"""Compares a catalogue file with the catalogue.

A file adds and updates; it deletes no account, role or group, because issuances name them.
Four things are made to match it exactly: the members of a group that the file gives with
``members``, its duties where the file gives ``duties``, where the file has eligibilities at
all, the eligibilities of every role that it names, and, where it has delegations at all, those
that give no role but such as it names. Everything else stays as it is. An account's ExternalId
is made here, by the model; a file may bring the one of an account that is new here, and never
changes one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from credportal.access.catalogue_delegations import plan_delegations
from credportal.access.catalogue_entries import CatalogueFile, EligibilityEntry, Entry
from credportal.access.catalogue_groups import plan_groups
from credportal.access.catalogue_plan import UNTOLD, Change, Plan
from credportal.access.catalogue_rows import (
    ACCOUNT_VALUES,
    ELIGIBILITY_VALUES,
    NOTHING,
    ROLE_VALUES,
    put,
    values_of,
    written,
)
from credportal.access.catalogue_yaml import quoted
from credportal.access.models import Account, Eligibility, Role, User
from credportal.domain.naming import account_number_from, arn_problem
from credportal.domain.types import Identity


def plan_catalogue(file: CatalogueFile, identity: Identity, *, to_write: bool = False) -> Plan:
    """Compare a file with the catalogue. Writes nothing; seven statements, nine with delegations, whatever the sizes.

    Where a delegation names a rota it is one more. ``identity`` is the portal's own. A plan
    ``to_write`` needs a transaction, and locks what it compares, so that nobody else's change is
    overwritten.
    """
    people = {name: (number, handle) for name, number, handle in User.objects.values_list("username", "id", "handle")}
    groups = {group.name: group for group in Group.objects.all()}
    plan = Plan(problems=list(file.problems), people=people, by_name=groups)
    accounts = _plan_accounts(plan, file.accounts, _rows(Account.objects.all(), to_write=to_write))
    plan_groups(plan, file.groups)
    roles = _rows(Role.objects.select_related("approvers"), to_write=to_write)
    by_arn = _plan_roles(plan, file.roles, roles, accounts, identity)
    if file.eligibilities is not None:
        named = {entry.key for entry in file.roles} | {entry.role for entry in file.eligibilities}
        theirs = {arn: role for arn, role in by_arn.items() if arn in named}
        rows = _rows(Eligibility.objects.select_related("role", "group", "user"), to_write=to_write)
        _plan_eligibilities(plan, file.eligibilities, rows, theirs)
    if file.delegations is not None:
        named = {entry.key for entry in file.roles} | {arn for entry in file.delegations for arn in entry.roles}
        plan_delegations(plan, file.delegations, by_arn, named, to_write=to_write)
    plan.problems.sort(key=lambda problem: problem.line)
    return plan


def _rows(rows: QuerySet[Any], *, to_write: bool) -> QuerySet[Any]:
    return rows.select_for_update(of=("self",)) if to_write else rows


def _plan_accounts(plan: Plan, entries: list[Entry], rows: Iterable[Account]) -> dict[str, Account]:
    accounts = {account.number: account for account in rows}
    plan.left["account"] = len(accounts.keys() - {entry.key for entry in entries})
    for entry in entries:
        title, there = f"account {entry.key}", accounts.get(entry.key)
        if there:
            brought = entry.columns.pop(UNTOLD, there.external_id)
            if brought != there.external_id:
                plan.wrong(
                    entry.line,
                    f"Account {entry.key} has another ExternalId here, which its trust policies name. "
                    "Leave external_id out.",
                )
            plan.change(plan.accounts, there, Change("account", "changed", there), title, entry.columns)
        else:
            new = Account(number=entry.key)
            _fill(new, entry.columns, plan.by_name)
            accounts[entry.key] = new
            change = Change("account", "added", new, after=_after(new, ACCOUNT_VALUES))
            plan.add(plan.accounts, new, change, title, entry.columns)
    _tell_twice(plan, entries, accounts)
    return accounts


def _tell_twice(plan: Plan, entries: list[Entry], accounts: dict[str, Account]) -> None:
    """Note what two accounts may not share."""
    names, external_ids = defaultdict(set), defaultdict(set)
    for account in accounts.values():
        names[account.name].add(account.number)
        external_ids[account.external_id].add(account.number)
    for entry in entries:
        name = entry.columns.get("name", "")
        others = names[name] - {entry.key}
        if name and others:
            plan.wrong(entry.line, f"Account {min(others)} has the name {quoted(name)} too. Rename one.")
        others = external_ids[entry.columns.get(UNTOLD, "")] - {entry.key}
        if others:
            plan.wrong(entry.line, f"Account {min(others)} has this ExternalId too. Leave external_id out.")


def _plan_roles(
    plan: Plan,
    entries: list[Entry],
    rows: Iterable[Role],
    accounts: dict[str, Account],
    identity: Identity,
) -> dict[str, Role]:
    roles = {role.arn: role for role in rows}
    for there in roles.values():  # Its event tells of the account, as the file leaves it.
        there.account = accounts[there.account_id]
    plan.left["role"] = len(roles.keys() - {entry.key for entry in entries})
    for entry in entries:
        number, title = account_number_from(entry.key), f"role {entry.key}"
        problem, approvers = arn_problem(entry.key, identity), entry.columns.get("approvers")
        if problem:
            plan.wrong(entry.line, f"arn is {quoted(entry.key)}. {problem}")
        elif number not in accounts:
            plan.wrong(entry.line, f"Account {number} is not in the catalogue. Write it under accounts.")
        if approvers and approvers not in plan.by_name:
            plan.wrong(entry.line, f"Group {quoted(approvers)} is not in the catalogue. Write it under groups.")
        role = roles.get(entry.key)
        if role:
            plan.change(plan.roles, role, Change("role", "changed", role), title, entry.columns)
        else:
            role = roles[entry.key] = Role(arn=entry.key, account=accounts.get(number))
            _fill(role, entry.columns, plan.by_name)
            change = Change("role", "added", role, after={"arn": entry.key} | _after(role, ROLE_VALUES))
            plan.add(plan.roles, role, change, title, entry.columns)
    return roles


def _plan_eligibilities(
    plan: Plan,
    entries: list[EligibilityEntry],
    rows: Iterable[Eligibility],
    roles: dict[str, Role],
) -> None:
    """Make the rows of these roles match the entries."""
    existing = {_key(row): row for row in rows if row.role.arn in roles}
    for row in existing.values():  # One role for all its rows, which knows its account.
        row.role = roles[row.role.arn]
    for entry in entries:
        key = (entry.role, entry.group, entry.user)
        if entry.role not in roles:
            plan.wrong(entry.line, f"Role {quoted(entry.role)} is not in the catalogue. Write it under roles.")
        elif entry.group and entry.group not in plan.by_name:
            plan.wrong(entry.line, f"Group {quoted(entry.group)} is not in the catalogue. Write it under groups.")
        elif entry.user and entry.user not in plan.people:
            plan.wrong(entry.line, f"There is no person {quoted(entry.user)}. Make the person first, or mend the name.")
        elif key in existing:
            row = existing.pop(key)
            change = Change("eligibility", "changed", row)
            plan.change(plan.eligibilities, row, change, _title(*key), entry.columns)
        else:
            new = Eligibility(role=roles[entry.role], group=plan.by_name.get(entry.group))
            new.user_id = plan.people[entry.user][0] if entry.user else None
            _fill(new, entry.columns, plan.by_name)
            change = Change("eligibility", "added", new, after=_names(*key) | _after(new, ELIGIBILITY_VALUES))
            plan.add(plan.eligibilities, new, change, _title(*key), entry.columns)
    for key, row in sorted(existing.items()):
        before = _names(*key) | _after(row, ELIGIBILITY_VALUES)
        plan.changes.append(Change("eligibility", "removed", row, before=before))
        plan.eligibilities.removed.append(row.pk)
        plan.lines.append(f"- {_title(*key)}")


def _fill(row: Any, columns: dict[str, Any], groups: dict[str, Group]) -> None:
    for name, value in columns.items():
        put(row, name, value, groups)


def _after(row: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return all values of a row that say something, for the audit."""
    return {name: written(value) for name, value in values_of(row, names).items() if value not in NOTHING}


def _key(row: Eligibility) -> tuple[str, str, str]:
    return row.role.arn, row.group.name if row.group else "", row.user.username if row.user else ""


def _names(role: str, group: str, user: str) -> dict[str, str]:
    return {"role": role, "group": group} if group else {"role": role, "user": user}


def _title(role: str, group: str, user: str) -> str:
    return f"eligibility of {'group' if group else 'user'} {quoted(group or user)} for {role}"
