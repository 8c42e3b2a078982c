"""Writes of groups: their names, their duties, who is in them.

They stand inside the transaction of their audit event, which the flow opens.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import F

from credportal.access.models import GroupDuty, User
from credportal.access.people import Change, Stale, one_at_a_time, refuse_lock_out
from credportal.domain.types import Duty

Ids = frozenset[int]


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What a write did to the group, and by it to people: each person's groups before and after."""

    group: Change
    people: dict[str, Change] = field(default_factory=dict)
    """By handle."""


def state_of(group: Group) -> str:
    """Return a mark of all that the group's page shows: it differs once name, duties or members do."""
    members = sorted(group.user_set.values_list("pk", flat=True))
    duties = sorted(GroupDuty.objects.filter(group=group).values_list("duty", flat=True))
    shown = json.dumps([group.name, duties, members])
    return hashlib.sha256(shown.encode(errors="surrogatepass")).hexdigest()[:32]


def make_group(*, name: str, duties: frozenset[Duty], members: Ids) -> tuple[Group, GroupChange]:
    """Make a group. Raises ValidationError where the name is taken."""
    one_at_a_time()
    _refuse_namesake(name)
    group = Group.objects.create(name=name)
    _set_duties(group, duties)
    people = _move(group, joining=members, leaving=frozenset())
    after: dict[str, Any] = {"name": name, "duties": sorted(duties), "members": sorted(people)}
    return group, GroupChange(Change({}, {key: value for key, value in after.items() if value}), people)


def change_group(
    group: Group, *, state: str, name: str, duties: frozenset[Duty], joining: Ids, leaving: Ids
) -> GroupChange:
    """Give a group this name and these duties, and let people (ids) join and leave.

    ``state`` is what was seen (``state_of``). Where nothing differs, nothing is written. Raises Stale, LockedOut, and
    ValidationError where the name is taken.
    """
    one_at_a_time()
    group = Group.objects.select_for_update().get(pk=group.pk)
    if state_of(group) != state:
        raise Stale
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if name != group.name:
        _refuse_namesake(name, group)
        before["name"], after["name"] = group.name, name
        group.name = name
        group.save(update_fields=["name"])
    duties_now = _duties_of(group)
    if duties_now != duties:
        before["duties"], after["duties"] = sorted(duties_now), sorted(duties)
        _set_duties(group, duties)
    people = _move(group, joining=joining, leaving=leaving)
    joined = [handle for handle, change in people.items() if name in change.after["groups"]]
    left = [handle for handle in people if handle not in joined]
    # Ten thousand members before and after would hide the one who joined, so only who moved is told.
    after |= {key: sorted(handles) for key, handles in (("joined", joined), ("left", left)) if handles}
    if before or after:
        refuse_lock_out()
    return GroupChange(Change(before, after), people)


def _move(group: Group, *, joining: Ids, leaving: Ids) -> dict[str, Change]:
    """Let people join and leave; return what that changed for each, by handle. Who is in already just stays."""
    inside = set(group.user_set.filter(pk__in=joining | leaving).values_list("pk", flat=True))
    moving = (joining - leaving - inside) | (leaving & inside)
    people = User.objects.filter(pk__in=moving).prefetch_related("groups").order_by("pk")
    changes = {}
    for person in people:
        now = sorted(found.name for found in person.groups.all())
        then = [name for name in now if name != group.name] if person.pk in inside else sorted([*now, group.name])
        changes[person.handle] = Change({"groups": now}, {"groups": then})
    group.user_set.add(*(joining - leaving - inside))
    group.user_set.remove(*(leaving & inside))
    # Whoever has one of their pages open is told that the groups are others now.
    User.objects.filter(pk__in=moving).update(version=F("version") + 1)
    return changes


def _duties_of(group: Group) -> frozenset[Duty]:
    return frozenset(Duty(duty) for duty in GroupDuty.objects.filter(group=group).values_list("duty", flat=True))


def _set_duties(group: Group, duties: frozenset[Duty]) -> None:
    kept = _duties_of(group)
    GroupDuty.objects.filter(group=group, duty__in=[duty.value for duty in kept - duties]).delete()
    GroupDuty.objects.bulk_create(GroupDuty(group=group, duty=duty.value) for duty in sorted(duties - kept))


def _refuse_namesake(name: str, group: Group | None = None) -> None:
    spellings = {name.lower(), name.upper(), name.casefold()}
    others = Group.objects.exclude(pk=group.pk) if group else Group.objects.all()
    if (others.filter(name__iexact=name) | others.filter(name__in=spellings)).exists():
        raise ValidationError({"name": "There is a group with this name already. Choose another."})
