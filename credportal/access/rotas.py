"""Writers of rotas: their settings, and whose each slot is.

They stand inside the transaction of their audit event, which the flow opens. A rota is never deleted: events name it.
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError

from credportal.access.models import Rota, RotaSlot, User
from credportal.access.people import Change
from credportal.domain.rota import WEEKDAYS

Assigned = Mapping[date, User | None]
"""Whose each slot is to be, by the day on which it begins; None for nobody's."""


class Stale(Exception):  # noqa: N818 -- the name says what happened.
    """Somebody else changed the rota since it was read."""


class Taken(Exception):  # noqa: N818 -- as above.
    """Another rota has this name."""


def add(values: dict[str, Any]) -> tuple[Rota, Change]:
    """Make a rota with these columns. Raises Taken."""
    rota = Rota(**values)
    _refuse_namesake(rota)
    try:
        rota.save(force_insert=True)
    except IntegrityError as error:
        raise Taken from error
    return rota, Change({}, {_word(name): _told(name, value) for name, value in values.items() if value is not None})


def change(rota_id: int, *, version: int, values: dict[str, Any], assigned: Assigned) -> tuple[Rota, Change]:
    """Give a rota these columns and its slots these people; where nothing differs, nothing is written.

    ``version`` is the one that the person saw. Raises Rota.DoesNotExist, Stale, Taken.
    """
    rota = Rota.objects.select_for_update(of=("self",)).select_related("group").get(pk=rota_id)
    different = [name for name, value in values.items() if getattr(rota, name) != value]
    before = {_word(name): _told(name, getattr(rota, name)) for name in different}
    after = {_word(name): _told(name, values[name]) for name in different}
    there = {slot.day: slot for slot in rota.slots.filter(day__in=list(assigned)).select_related("person")}
    moved = {day: person for day, person in assigned.items() if _person_of(there.get(day)) != person}
    if not different and not moved:
        return rota, Change({}, {})
    if rota.version != version:
        raise Stale
    for name in different:
        setattr(rota, name, values[name])
    _refuse_namesake(rota)
    rota.version += 1
    try:
        rota.save(update_fields=[*different, "version"])
    except IntegrityError as error:
        raise Taken from error
    for day in sorted(moved):
        before[f"slot {day}"], after[f"slot {day}"] = _handle(_person_of(there.get(day))), _handle(moved[day])
    _move(rota, moved)
    return rota, Change(before, after)


def _move(rota: Rota, moved: Assigned) -> None:
    """Write the slots that change hands: two statements, however many."""
    rota.slots.filter(day__in=list(moved)).delete()
    taken = (RotaSlot(rota=rota, day=day, person=person) for day, person in moved.items() if person is not None)
    RotaSlot.objects.bulk_create(taken)


def _refuse_namesake(rota: Rota) -> None:
    if Rota.objects.filter(name=rota.name).exclude(pk=rota.pk).exists():
        raise Taken


def _person_of(slot: RotaSlot | None) -> User | None:
    return slot.person if slot else None


def _handle(person: User | None) -> str | None:
    return person.handle if person else None


def _word(name: str) -> str:
    return {"days": "hand-over on", "starts": "hand-over at", "ends": "over at"}.get(name, name)


def _told(name: str, value: Any) -> Any:
    """Return a value of a column as the audit keeps it, and as a person reads it."""
    if name == "days":
        return [WEEKDAYS[int(digit) - 1] for digit in value]
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return value.name if isinstance(value, Group) else value
