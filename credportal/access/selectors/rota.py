"""Reads of rotas: who is on duty, whose turn it is when. Computed for a moment; every list is bounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, Q

from credportal.access.models import Delegation, Rota, RotaSlot, User
from credportal.domain.rota import Slot, slot_at, slot_of, slots_between

MOST_ROTAS = 20
MOST_MEMBERS = 50
"""Of a group, the people who can take turns. Each slot offers all of them."""
WEEKS_SHOWN, WEEKS_ASSIGNED = 4, 8
MOST_DATES = 5
MANY_DATES = 200
_LOOK_BACK = timedelta(days=9)


@dataclass(frozen=True, slots=True)
class Turn:
    """A slot of a rota and whose it is. ``is_member`` says whether the person is in the rota's group."""

    rota: Rota
    slot: Slot
    person: User | None = None
    is_member: bool = True

    @property
    def is_filled(self) -> bool:
        """Tell whether somebody is on duty in this slot."""
        return self.person is not None and self.person.is_active and self.is_member

    @property
    def lack(self) -> str:
        """Say why nobody is on duty in this slot; empty where somebody is."""
        if self.person is None:
            return "Nobody"
        if not self.person.is_active:
            return f"{self.person} is switched off"
        return "" if self.is_member else f"{self.person} has left the group"


def rotas() -> list[Rota]:
    """Return the rotas by name, each with its group."""
    return list(Rota.objects.select_related("group").order_by("name")[:MOST_ROTAS])


def rota(rota_id: int) -> Rota | None:
    """Return one rota with its group."""
    return Rota.objects.select_related("group").filter(pk=rota_id).first()


def rota_choices() -> list[tuple[int, str]]:
    """Return every rota's id and name, by name."""
    return list(Rota.objects.order_by("name").values_list("pk", "name"))


def members_of(found: Rota) -> list[User]:
    """Return who can take turns: the active members of the rota's group by name, up to MOST_MEMBERS."""
    active = User.objects.filter(groups=found.group_id, is_active=True)
    return list(active.order_by("name", "username")[:MOST_MEMBERS])


def members_in(group: Group) -> int:
    """Count the active members of a group, no further than to one more than can take turns."""
    return User.objects.filter(groups=group, is_active=True)[: MOST_MEMBERS + 1].count()


def rotas_on_duty(user: User, some: Iterable[Rota], *, now: datetime) -> frozenset[int]:
    """Return the ids of those rotas on which this person is on duty at a moment (aware UTC): one statement.

    Nothing is stored that could go stale: whose slot it is, whether they are active and still in the group counts as
    it is now.
    """
    slots = {found.pk: slot_at(found.plan, now) for found in some}
    theirs = Q()
    for rota_id, slot in slots.items():
        if slot is not None:
            theirs |= Q(rota_id=rota_id, day=slot.day)
    if not theirs:
        return frozenset()
    mine = RotaSlot.objects.filter(theirs, person=user, person__is_active=True, rota__group__user=user)
    return frozenset(mine.values_list("rota_id", flat=True))


def on_duty(user: User, found: Rota, *, now: datetime) -> bool:
    """Tell whether this person is on duty at a moment (aware UTC)."""
    return found.pk in rotas_on_duty(user, [found], now=now)


def delegations_by(found: Rota) -> list[Delegation]:
    """Return the delegations that count only while on duty by this rota."""
    return list(found.delegations.select_related("group", "user").order_by("name")[:MANY_DATES])


def turns(some: Sequence[Rota], begin: datetime, end: datetime) -> dict[int, list[Turn]]:
    """Return, by rota, the slots that have a moment of ``begin`` to just before ``end``, and whose: one statement."""
    slots = {found.pk: slots_between(found.plan, begin, end) for found in some}
    days = [slot.day for several in slots.values() for slot in several]
    if not days:
        return {found.pk: [] for found in some}
    people = _people(slots, min(days), max(days))
    return {
        found.pk: [Turn(found, slot, *people.get((found.pk, slot.day), (None, True))) for slot in slots[found.pk]]
        for found in some
    }


def next_turns(user: User, *, now: datetime, most: int = MOST_DATES) -> list[Turn]:
    """Return the next slots of a person, the one that runs first: one statement."""
    if not user.is_active:
        return []
    rows = RotaSlot.objects.filter(person=user, rota__group__user=user, day__gte=(now - _LOOK_BACK).date())
    found = [
        Turn(row.rota, slot, user)
        for row in rows.select_related("rota").order_by("day", "rota__name")[:MANY_DATES]
        if (slot := slot_of(row.rota.plan, row.day)) is not None and now < slot.ends
    ]
    return sorted(found, key=lambda turn: (turn.slot.starts, turn.rota.name))[:most]


def _people(rota_ids: Iterable[int], first: date, last: date) -> dict[tuple[int, date], tuple[User, bool]]:
    memberships = User.groups.through.objects
    is_member = memberships.filter(user_id=OuterRef("person_id"), group_id=OuterRef("rota__group_id"))
    rows = RotaSlot.objects.filter(rota__in=list(rota_ids), day__range=(first, last)).select_related("person")
    return {(row.rota_id, row.day): (row.person, row.is_member) for row in rows.annotate(is_member=Exists(is_member))}
