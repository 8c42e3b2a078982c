"""People, their groups' duties, and what they may do in the portal itself."""

import zoneinfo
from datetime import time
from functools import cached_property
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import connection, models
from django.db.models.functions import Now
from django.utils import timezone

from credportal.domain.naming import handle_for
from credportal.domain.types import Duty

APPROVER, AWAITED = "approver", "awaited"
# Every page with a menu asks this, and the ORM takes longer to build it than to run it.
PARTS = """
    SELECT duty.duty FROM access_groupduty duty
    JOIN access_user_groups member ON member.group_id = duty.group_id WHERE member.user_id = %s
    UNION
    SELECT 'approver' FROM access_role role
    JOIN access_user_groups member ON member.group_id = role.approvers_id WHERE member.user_id = %s
    UNION
    SELECT 'awaited' FROM access_approval approval
    JOIN access_role role ON role.id = approval.role_id
    JOIN access_user_groups member ON member.group_id = role.approvers_id
    WHERE member.user_id = %s AND approval.state = 'waiting' AND approval.expires_at > %s
      AND approval.requester_id <> %s
      AND NOT EXISTS (SELECT 1 FROM access_approvaldecision decision
                      WHERE decision.approval_id = approval.id AND decision.approver_id = %s)
"""


def known_time_zone(value: str) -> None:
    """Refuse a name that the IANA time zone database does not have."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError("Choose a time zone from the list, such as Europe/Berlin.")


class People(BaseUserManager["User"]):
    """Makes people."""

    def create(self, **fields: Any) -> "User":
        """Make a person, with the handle that belongs to the user name."""
        return super().create(**{"handle": handle_for(fields["username"]), **fields})

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person who signs in with this password; None lets nobody sign in."""
        handle = handle_for(username)
        return super().create(username=username, handle=handle, password=make_password(password), **fields)


class User(AbstractBaseUser):
    """A person. The handle stands for them in AWS; it is made once and never changes.

    What a person may do comes from their groups: eligibilities, duties, approvals. A row may
    also name the person. Django's own permissions, its staff and its superuser are not used.
    """

    username = models.CharField(
        "user name", max_length=150, unique=True, validators=[RegexValidator(r"\A[^\x00-\x20\x7f]+\Z", "No spaces.")]
    )
    handle = models.CharField(max_length=51, unique=True, editable=False)
    name = models.CharField("name", max_length=150, blank=True)
    email = models.EmailField(blank=True)
    groups = models.ManyToManyField(Group, blank=True, related_name="user_set", related_query_name="user")
    is_active = models.BooleanField("active", default=True, help_text="Untick instead of deleting a person.")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[known_time_zone])
    day_ends = models.TimeField("my day ends at", default=time(17, 30))
    date_joined = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = People()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name or self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new user gets the handle, whoever makes them."""
        if not self.handle:
            self.handle = handle_for(self.username)
        super().save(*args, **kwargs)

    @cached_property
    def _parts(self) -> frozenset[str]:
        """Return the duties of this person's groups, ``approver`` and ``awaited``: one statement, once a request."""
        if not self.is_active:
            return frozenset()
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        with connection.cursor() as cursor:
            cursor.execute(PARTS, [self.pk, self.pk, self.pk, now, self.pk, self.pk])
            return frozenset(part for (part,) in cursor.fetchall())

    @property
    def duties(self) -> frozenset[Duty]:
        """Return what this person's groups let them do in the portal itself."""
        return frozenset(Duty(part) for part in self._parts - {APPROVER, AWAITED})

    @property
    def is_approver(self) -> bool:
        """Tell whether a group of this person approves requests for any role."""
        return APPROVER in self._parts

    @property
    def is_awaited(self) -> bool:
        """Tell whether a request waits for this person's yes or no."""
        return AWAITED in self._parts

    @property
    def may_review(self) -> bool:
        """Tell whether this person may read the audit of everybody."""
        return not self.duties.isdisjoint({Duty.AUDITOR, Duty.CATALOGUE_ADMIN})

    @property
    def is_catalogue_admin(self) -> bool:
        """Tell whether this person looks after accounts, roles and eligibilities."""
        return Duty.CATALOGUE_ADMIN in self.duties

    @property
    def is_support(self) -> bool:
        """Tell whether this person hands out access to others."""
        return Duty.SUPPORT in self.duties

    @property
    def is_user_admin(self) -> bool:
        """Tell whether this person looks after people and groups."""
        return Duty.USER_ADMIN in self.duties


class GroupDuty(models.Model):
    """One duty that a group gives its members."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="duties")
    duty = models.CharField(max_length=16, choices=[(duty.value, duty.value) for duty in Duty])

    class Meta:
        verbose_name_plural = "group duties"
        constraints = [models.UniqueConstraint(name="group_duty_once", fields=["group", "duty"])]

    def __str__(self) -> str:
        return f"{self.group}: {self.duty}"
