"""Compares the delegations of a catalogue file with those that are there.

A delegation is known by its name. Its holder stays: with another one it is another delegation, so the old one is
removed and a new one added.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from credportal.access.catalogue_entries import DelegationEntry
from credportal.access.catalogue_plan import Change, Link, Plan
from credportal.access.catalogue_rows import DELEGATION_VALUES, NOTHING, ROTA, put, values_of, written
from credportal.access.catalogue_yaml import quoted
from credportal.access.models import Delegation, Role, Rota


def plan_delegations(
    plan: Plan, entries: list[DelegationEntry], roles: Mapping[str, Role], named: Collection[str], *, to_write: bool
) -> None:
    """Plan what the entries change, and remove what gives only ``named`` roles and has no entry: two statements.

    One more reads the rotas, where an entry names one. ``roles`` are all roles by ARN, the planned ones too; ``named``
    are the ARNs that the file names.
    """
    found = Delegation.objects.select_related("group", "user", "recipients", "rota").order_by("name")
    rows = {row.name: row for row in (found.select_for_update(of=("self",)) if to_write else found)}
    links: dict[int, dict[str, int]] = {row.pk: {} for row in rows.values()}
    for delegation_id, arn, link in Link.objects.values_list("delegation_id", "role__arn", "id"):
        links.get(delegation_id, {})[arn] = link
    if any(entry.columns.get(ROTA) for entry in entries):
        plan.rotas = {rota.name: rota for rota in Rota.objects.all()}
    for entry in entries:
        row = rows.pop(entry.name, None)
        if row is not None and _holder(row) != (entry.group, entry.user):
            _remove(plan, row, links[row.pk])
            row = None
        if _names_nobody(plan, entry, roles):
            continue
        if row is None:
            _add(plan, entry, roles)
        else:
            _change(plan, entry, row, links[row.pk], roles)
    gone = [row for row in rows.values() if links[row.pk].keys() <= set(named)]
    for row in gone:
        _remove(plan, row, links[row.pk])
    plan.left["delegation"] = len(rows) - len(gone)


def _names_nobody(plan: Plan, entry: DelegationEntry, roles: Mapping[str, Role]) -> bool:
    """Note what an entry names that is not there; tell whether there is such a thing."""
    wrong = [
        f"Role {quoted(arn)} is not in the catalogue. Write it under roles." for arn in entry.roles if arn not in roles
    ]
    wrong += [
        f"Group {quoted(group)} is not in the catalogue. Write it under groups."
        for group in dict.fromkeys((entry.group, entry.columns.get("recipients", "")))
        if group and group not in plan.by_name
    ]
    rota = entry.columns.get(ROTA, "")
    if rota and rota not in plan.rotas:
        wrong.append(f"There is no rota {quoted(rota)}. Add it at the page Rota first, or mend the name.")
    if entry.user and entry.user not in plan.people:
        wrong.append(f"There is no person {quoted(entry.user)}. Make the person first, or mend the name.")
    for words in wrong:
        plan.wrong(entry.line, words)
    return bool(wrong)


def _add(plan: Plan, entry: DelegationEntry, roles: Mapping[str, Role]) -> None:
    new = Delegation(name=entry.name, group=plan.by_name.get(entry.group))
    new.user_id = plan.people[entry.user][0] if entry.user else None
    for name, value in entry.columns.items():
        put(new, name, value, plan.by_name, plan.rotas)
    change = Change("delegation", "added", new, after=_whole(new, _names(entry.group, entry.user), entry.roles))
    holder = {"group": entry.group, "user": entry.user}
    plan.add(plan.delegations, new, change, _title(entry.name), holder | entry.columns)
    _link(plan, new, entry.roles, roles)


def _change(
    plan: Plan, entry: DelegationEntry, row: Delegation, links: Mapping[str, int], roles: Mapping[str, Role]
) -> None:
    change = Change("delegation", "changed", row)
    if links.keys() == set(entry.roles):
        plan.change(plan.delegations, row, change, _title(entry.name), entry.columns)
        return
    change.before["roles"], change.after["roles"] = sorted(links), list(entry.roles)
    plan.change(plan.delegations, row, change, _title(entry.name), entry.columns, anyway=True)
    _link(plan, row, [arn for arn in entry.roles if arn not in links], roles)
    gone = sorted(links.keys() - set(entry.roles))
    plan.links.removed += [links[arn] for arn in gone]
    plan.lines += [f"- role {arn} of {_title(row.name)}" for arn in gone]


def _remove(plan: Plan, row: Delegation, links: Collection[str]) -> None:
    before = _whole(row, _names(*_holder(row)), sorted(links))
    plan.changes.append(Change("delegation", "removed", row, before=before))
    plan.delegations.removed.append(row.pk)
    plan.lines.append(f"- {_title(row.name)}")


def _link(plan: Plan, row: Delegation, arns: Collection[str], roles: Mapping[str, Role]) -> None:
    plan.links.new += [Link(delegation=row, role=roles[arn]) for arn in arns]
    plan.lines += [f"+ role {arn} of {_title(row.name)}" for arn in arns]


def _whole(row: Delegation, holder: dict[str, str], arns: Collection[str]) -> dict[str, Any]:
    """Return all values of a row that say something, for the audit."""
    values = {name: written(value) for name, value in values_of(row, DELEGATION_VALUES).items() if value not in NOTHING}
    return {"name": row.name, **holder, "roles": list(arns), **values}


def _holder(row: Delegation) -> tuple[str, str]:
    return row.group.name if row.group else "", row.user.username if row.user else ""


def _names(group: str, user: str) -> dict[str, str]:
    return {"group": group} if group else {"user": user}


def _title(name: str) -> str:
    return f"delegation {quoted(name)}"
