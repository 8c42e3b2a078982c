"""Rotas as tests need them: round the clock in UTC unless said otherwise, so that there is a slot at any moment."""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from credportal.access.models import Rota, RotaSlot, User
from credportal.domain.rota import slot_at

EVERY_DAY, WORKDAYS = "1234567", "12345"


def make_rota(group: Group, **fields: Any) -> Rota:
    usual = {"name": "Support Europe", "time_zone": "UTC", "days": EVERY_DAY, "starts": time(0)}
    return Rota.objects.create(group=group, **{**usual, **fields})


def give_turn(rota: Rota, person: User, at: datetime | None = None, *, days: int = 0) -> RotaSlot:
    """Give somebody the slot at a moment, now unless said otherwise, or so many days later."""
    slot = slot_at(rota.plan, (at or timezone.now()) + timedelta(days=days))
    assert slot is not None
    row, _ = RotaSlot.objects.update_or_create(rota=rota, day=slot.day, defaults={"person": person})
    return row
