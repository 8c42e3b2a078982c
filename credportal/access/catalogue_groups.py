"""Compares the groups of a catalogue file with those that are there: their members, and their duties."""

from __future__ import annotations

from collections import defaultdict

from django.contrib.auth.models import Group

from credportal.access.catalogue_columns import DUTIES
from credportal.access.catalogue_entries import GroupEntry
from credportal.access.catalogue_plan import Change, Membership, Plan
from credportal.access.catalogue_rows import said
from credportal.access.catalogue_yaml import quoted
from credportal.access.models import GroupDuty


class _Now:
    """The members and duties of the groups that are there: for each the primary keys of its rows."""

    def __init__(self, groups: list[int]) -> None:
        self.members: dict[int, dict[int, int]] = defaultdict(dict)
        self.duties: dict[int, dict[str, int]] = defaultdict(dict)
        rows = Membership.objects.filter(group__in=groups).values_list("group_id", "user_id", "id")
        for group_id, user_id, row in rows:
            self.members[group_id][user_id] = row
        for group_id, duty, row in GroupDuty.objects.filter(group__in=groups).values_list("group_id", "duty", "id"):
            self.duties[group_id][duty] = row


def plan_groups(plan: Plan, entries: list[GroupEntry]) -> None:
    """Plan what the entries change. The plan knows all groups by name afterwards, the new ones too."""
    groups = plan.by_name
    plan.left["group"] = len(groups.keys() - {entry.name for entry in entries})
    now = _Now([groups[entry.name].pk for entry in entries if entry.name in groups])
    for entry in entries:
        there = groups.get(entry.name)
        group = groups.setdefault(entry.name, Group(name=entry.name))
        change = Change("group", "changed" if there else "added", group)
        if there is None:
            plan.add(plan.groups, group, change, f"group {quoted(entry.name)}", {})
        _plan_members(plan, entry, change, now.members[group.pk] if there else {})
        _plan_duties(plan, entry, change, now.duties[group.pk] if there else {})
        if there and change.after:
            plan.changes.append(change)
        plan.unchanged += bool(there and not change.after)


def _plan_members(plan: Plan, entry: GroupEntry, change: Change, now: dict[int, int]) -> None:
    people = plan.people
    for name, line in (entry.members or {}).items():
        if name not in people:
            plan.wrong(line, f"There is no person {quoted(name)}. Make the person first, or mend the user name.")
    if entry.members is None:
        return
    wanted = {people[name][0] for name in entry.members if name in people}
    if wanted == now.keys():
        return
    names = {number: (name, handle) for name, (number, handle) in people.items() if number in wanted | now.keys()}
    joining = sorted((names[user][0], user) for user in wanted - now.keys())
    leaving = sorted((names[user][0], user) for user in now.keys() - wanted)
    plan.members.new += [Membership(user_id=user, group=change.row) for _, user in joining]
    plan.members.removed += [now[user] for _, user in leaving]
    plan.lines += [f"+ member {quoted(name)} of {quoted(entry.name)}" for name, _ in joining]
    plan.lines += [f"- member {quoted(name)} of {quoted(entry.name)}" for name, _ in leaving]
    plan.moved |= wanted ^ now.keys()
    if change.done == "added":
        change.after["members"] = sorted(names[user][1] for user in wanted)
        return
    # Ten thousand members before and after would hide the one who joined, so only who moved is told.
    moves = {"joined": wanted - now.keys(), "left": now.keys() - wanted}
    change.after |= {name: sorted(names[user][1] for user in users) for name, users in moves.items() if users}


def _plan_duties(plan: Plan, entry: GroupEntry, change: Change, now: dict[str, int]) -> None:
    if entry.duties is None or set(entry.duties) == now.keys():
        return
    before = tuple(duty for duty in DUTIES if duty in now)
    plan.duties.new += [GroupDuty(group=change.row, duty=duty) for duty in entry.duties if duty not in now]
    plan.duties.removed += [row for duty, row in now.items() if duty not in entry.duties]
    plan.lines.append(f"~ duties of group {quoted(entry.name)}: {said(before)} → {said(entry.duties)}")
    change.after["duties"] = list(entry.duties)
    if change.done == "changed":
        change.before["duties"] = list(before)
