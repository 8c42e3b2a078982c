"""Who is on duty when: a rota, and the people of its slots."""

from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group
from django.core.validators import RegexValidator
from django.db import models

from credportal.access.models.catalogue import NAME_MAX_LENGTH, Versioned
from credportal.access.models.people import User, known_time_zone
from credportal.domain.rota import RotaPlan, plan_words

SLOT_DAYS = RegexValidator(r"\A1?2?3?4?5?6?7?\Z", "Write the days of the week once each, 1 for Monday to 7 for Sunday.")


class Rota(Versioned):
    """A rota: the people of a group take turns, from one hand-over to the next, by the clocks of one time zone.

    ``days`` are the days of the week on which a slot begins, as digits of ISO 8601 (``12345`` is Monday to Friday).
    ``ends`` is empty where each slot lasts until the next one begins.
    """

    name = models.CharField(max_length=NAME_MAX_LENGTH, unique=True)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="rotas")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[known_time_zone])
    days = models.CharField(max_length=7, default="12345", validators=[SLOT_DAYS])
    starts = models.TimeField()
    ends = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="rota_has_days", condition=~models.Q(days="")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def plan(self) -> RotaPlan:
        """Return when it hands over, as a value."""
        days = frozenset(int(digit) - 1 for digit in self.days)
        return RotaPlan(ZoneInfo(self.time_zone), days, self.starts, self.ends)

    @property
    def words(self) -> str:
        """Say when it hands over."""
        return plan_words(self.plan)


class RotaSlot(models.Model):
    """Who has the slot that begins on a day, by the rota's time zone.

    Whether they are on duty is computed at the moment that asks. A row of a day on which no slot begins any more
    counts for nothing, nor does one of somebody who has left the group or is switched off.
    """

    rota = models.ForeignKey(Rota, on_delete=models.CASCADE, related_name="slots")
    day = models.DateField()
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="rota_slots")

    class Meta:
        constraints = [models.UniqueConstraint(name="rota_slot_has_one_person", fields=["rota", "day"])]
        indexes = [models.Index(name="rota_slot_of_person", fields=["person", "day"])]

    def __str__(self) -> str:
        return f"{self.rota_id} {self.day}"
