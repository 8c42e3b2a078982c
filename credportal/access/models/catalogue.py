"""The catalogue: which roles there are, and who may ask for them for how long."""

import secrets
from datetime import timedelta
from functools import cache
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from credportal.access.models.people import User
from credportal.domain.durations import MAX_DURATION, MIN_DURATION
from credportal.domain.naming import (
    account_number_from,
    arn_problem,
    is_role_arn,
    issuance_id_from,
    partition_from,
    role_name_from,
)
from credportal.domain.types import Environment, Identity, Needs, Preset

MOST_APPROVALS = 5
NAME_MAX_LENGTH = 64


def new_public_id() -> str:
    """Make an id that pages may show: random, so that nobody can count or guess."""
    return issuance_id_from(secrets.token_bytes(8))


def new_external_id() -> str:
    """Make an ExternalId: random, ours, one per account. AWS allows 2 to 1224 characters."""
    return secrets.token_urlsafe(24)


def assumable_role_arn(value: str) -> None:
    """Refuse what STS could never assume for a person, whoever the portal is."""
    problem = arn_problem(value, Identity())
    if problem:
        raise ValidationError(problem)


@cache
def presets_allowed(*, read_only: bool, my_address: bool, one_region: bool) -> frozenset[Preset]:
    """Return the session-policy presets that three ticks allow."""
    allowed = {Preset.READ_ONLY: read_only, Preset.MY_ADDRESS: my_address, Preset.ONE_REGION: one_region}
    return frozenset(preset for preset, value in allowed.items() if value)


class Versioned(models.Model):
    """A row that two people may edit at once: ``version`` counts its changes, so that the second one is told."""

    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class Account(Versioned):
    """An AWS account. Its number is text: twelve digits, leading zeros count."""

    number = models.CharField(
        primary_key=True, max_length=12, validators=[RegexValidator(r"\A[0-9]{12}\Z", "Write twelve digits.")]
    )
    name = models.CharField(max_length=64, unique=True)
    environment = models.CharField(max_length=16, choices=[(item.value, item.value) for item in Environment])
    owner = models.CharField(max_length=120, blank=True, help_text="Whom to ask about this account.")
    external_id = models.CharField(max_length=64, default=new_external_id, editable=False)
    enabled = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class Requirements(models.Model):
    """What a request has to bring along. A role and a row of it add up."""

    needs_reason = models.BooleanField(default=False)
    needs_ticket = models.BooleanField(default=False)
    needs_approval = models.BooleanField(default=False)
    needs_step_up = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def needs(self) -> Needs:
        """Return the requirements as a value."""
        return Needs(
            reason=self.needs_reason,
            ticket=self.needs_ticket,
            approval=self.needs_approval,
            step_up=self.needs_step_up,
        )


class Role(Versioned, Requirements):
    """An IAM role. The capability flags say what its trust policy allows beside AssumeRole."""

    id = models.CharField(primary_key=True, max_length=16, default=new_public_id, editable=False)
    arn = models.CharField("ARN", max_length=600, unique=True, validators=[assumable_role_arn])
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="roles", editable=False)
    label = models.CharField(max_length=64, blank=True, help_text="Shown in place of the name in the ARN.")
    description = models.CharField(max_length=200, blank=True)
    tags = models.CharField(max_length=200, blank=True, help_text="Words to find the role by, with spaces between.")
    max_session_duration = models.DurationField(
        default=timedelta(hours=1), help_text="The role's MaxSessionDuration in AWS, 1 to 12 hours (HH:MM:SS)."
    )
    default_region = models.CharField(max_length=32, validators=[RegexValidator(r"\A[a-z0-9-]+\Z", "Name a region.")])
    accepts_source_identity = models.BooleanField(
        default=False, help_text="The trust policy allows the portal sts:SetSourceIdentity."
    )
    accepts_session_tags = models.BooleanField(
        default=False, help_text="The trust policy allows the portal sts:TagSession."
    )
    ticket_pattern = models.CharField(max_length=200, blank=True, help_text="Such as INC-# CHG-#; empty takes any.")
    approvers = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="approves")
    approvals_needed = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_APPROVALS)]
    )
    allows_read_only = models.BooleanField(default=True)
    allows_my_address = models.BooleanField(default=True)
    allows_one_region = models.BooleanField(default=True)
    outsider_duration = models.DurationField(
        null=True, blank=True, help_text="Longest duration to hand out to outsiders; empty: to no outsiders."
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="role_outsider_duration_15m_to_12h",
                condition=models.Q(outsider_duration__isnull=True)
                | models.Q(outsider_duration__range=(MIN_DURATION, MAX_DURATION)),
                violation_error_message="AWS allows 15 minutes to 12 hours.",
            ),
            models.CheckConstraint(
                name="role_max_session_duration_1h_to_12h",
                condition=models.Q(max_session_duration__range=(timedelta(hours=1), MAX_DURATION)),
                violation_error_message="AWS allows 1 to 12 hours.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} in {self.account_id}"

    @property
    def name(self) -> str:
        """Return what people call the role: its label, or the last segment of the ARN, without the path.

        Of a text that is no role ARN and came past the forms it is the end: the rule book refuses it later.
        """
        return self.label or (role_name_from(self.arn) if is_role_arn(self.arn) else self.arn[-NAME_MAX_LENGTH:])

    @property
    def partition(self) -> str:
        """Return the ARN's partition, such as ``aws``; empty where the text is no role ARN."""
        return partition_from(self.arn) if is_role_arn(self.arn) else ""

    @property
    def narrowings(self) -> frozenset[Preset]:
        """Return the session-policy presets that may be asked for."""
        return presets_allowed(
            read_only=self.allows_read_only, my_address=self.allows_my_address, one_region=self.allows_one_region
        )

    def clean(self) -> None:
        """Tie the role to the account that its ARN names."""
        if not is_role_arn(self.arn):
            return  # The field's own message says it.
        number = account_number_from(self.arn)
        if not Account.objects.filter(number=number).exists():
            raise ValidationError({"arn": f"Account {number} is not in the catalogue. Add the account first."})
        self.account_id = number


class Eligibility(Versioned, Requirements):
    """One row: a group or a person may have a role, up to a duration. One row must allow a whole request."""

    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="eligibilities")
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="eligibilities")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="eligibilities")
    max_duration = models.DurationField(help_text="Longest duration, 15 minutes to 12 hours (HH:MM:SS).")
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    break_glass_duration = models.DurationField(
        null=True, blank=True, help_text="Longest duration by break-glass, without approval; empty: not allowed."
    )
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "eligibilities"
        constraints = [
            models.CheckConstraint(
                name="eligibility_group_or_user",
                condition=models.Q(group__isnull=True) ^ models.Q(user__isnull=True),
                violation_error_message="Name a group or a person, not both.",
            ),
            models.CheckConstraint(
                name="eligibility_max_duration_15m_to_12h",
                condition=models.Q(max_duration__range=(MIN_DURATION, MAX_DURATION)),
                violation_error_message="AWS allows 15 minutes to 12 hours.",
            ),
            models.CheckConstraint(
                name="eligibility_break_glass_15m_to_12h",
                condition=models.Q(break_glass_duration__isnull=True)
                | models.Q(break_glass_duration__range=(MIN_DURATION, MAX_DURATION)),
                violation_error_message="AWS allows 15 minutes to 12 hours.",
            ),
            models.UniqueConstraint(
                name="eligibility_once_per_group", fields=["role", "group"], condition=models.Q(group__isnull=False)
            ),
            models.UniqueConstraint(
                name="eligibility_once_per_user", fields=["role", "user"], condition=models.Q(user__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.group or self.user}: {self.role}"


class Favourite(models.Model):
    """A role that a person starred."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="favourites")
    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="favourites")

    class Meta:
        constraints = [models.UniqueConstraint(name="favourite_once", fields=["user", "role"])]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role_id}"


class Probe(models.Model):
    """What the doctor last found about one role. Never a credential: those are thrown away at once."""

    role = models.OneToOneField(Role, on_delete=models.CASCADE, primary_key=True, related_name="probe")
    probed_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=False, help_text="The role can be assumed without the ExternalId.")
    findings: Any = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.role_id} at {self.probed_at:%Y-%m-%dT%H:%M:%SZ}"
