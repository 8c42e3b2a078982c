"""Hand-outs: who may hand out which roles, and each right to one session that was handed out."""

from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from credportal.access.models.catalogue import Role, Versioned, new_public_id
from credportal.access.models.people import User
from credportal.access.models.rota import Rota
from credportal.domain.durations import MAX_DURATION, MIN_DURATION
from credportal.domain.handouts import HandoutState
from credportal.domain.naming import outsider_handle_for

MOST_OPEN, MOST_PER_DAY = 100, 1000


class Delegation(Versioned):
    """One row: a group or a person may hand out these roles, up to a duration and so many times.

    It gives its holder no role. It counts for people with the duty support only, and one row must allow a whole
    hand-out.
    """

    name = models.CharField(max_length=64, unique=True)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, blank=True, related_name="delegations")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="delegations")
    roles = models.ManyToManyField(Role, related_name="delegations")
    max_duration = models.DurationField(help_text="Longest duration to hand out, 15 minutes to 12 hours (HH:MM:SS).")
    outsider_duration = models.DurationField(
        null=True, blank=True, help_text="Longest duration for outsiders; empty: for colleagues only."
    )
    recipients = models.ForeignKey(
        Group, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: any colleague."
    )
    max_open = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(MOST_OPEN)]
    )
    max_per_day = models.PositiveSmallIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(MOST_PER_DAY)]
    )
    rota = models.ForeignKey(
        Rota, on_delete=models.PROTECT, null=True, blank=True, related_name="delegations", help_text="Empty: always."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="delegation_group_or_user",
                condition=models.Q(group__isnull=True) ^ models.Q(user__isnull=True),
                violation_error_message="Name a group or a person, not both.",
            ),
            models.CheckConstraint(
                name="delegation_max_duration_15m_to_12h",
                condition=models.Q(max_duration__range=(MIN_DURATION, MAX_DURATION)),
                violation_error_message="AWS allows 15 minutes to 12 hours.",
            ),
            models.CheckConstraint(
                name="delegation_outsider_duration_15m_to_12h",
                condition=models.Q(outsider_duration__isnull=True)
                | models.Q(outsider_duration__range=(MIN_DURATION, MAX_DURATION)),
                violation_error_message="AWS allows 15 minutes to 12 hours.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Handout(models.Model):
    """A single-use right of one recipient to one session, until ``expires_at``. It holds no credential.

    Of the link's token and an outsider's code it keeps hashes. Either ``recipient`` is there or an outsider's name
    and address. ``refusal`` is the code of the last claim that was refused, ``claimed_from`` the address of the one
    that was not.
    """

    id = models.CharField(primary_key=True, max_length=16, default=new_public_id, editable=False)
    submission = models.CharField(max_length=32)
    issuer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="handouts")
    delegation = models.ForeignKey(Delegation, on_delete=models.SET_NULL, null=True, related_name="handouts")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="handouts")
    recipient = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="received")
    outsider_name = models.CharField(max_length=150, blank=True)
    outsider_email = models.EmailField(blank=True)
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in HandoutState], default=HandoutState.OPEN.value
    )
    made_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    duration = models.DurationField()
    reason = models.CharField(max_length=500)
    ticket = models.CharField(max_length=64, blank=True)
    read_only = models.BooleanField(default=False)
    region = models.CharField(max_length=32, blank=True)
    from_claim_address = models.BooleanField(default=False)
    made_from = models.CharField(max_length=45, blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    code_hash = models.CharField(max_length=64, blank=True)
    links_made = models.PositiveSmallIntegerField(default=1)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    refusal = models.CharField(max_length=40, blank=True)
    refused_at = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    claimed_from = models.CharField(max_length=45, blank=True)
    issuance_id = models.CharField(max_length=16, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reported_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # One rendered form hands out once, as one mints once.
            models.UniqueConstraint(name="handout_once_per_submission", fields=["issuer", "submission"]),
            models.CheckConstraint(
                name="handout_colleague_or_outsider",
                condition=models.Q(recipient__isnull=True) ^ models.Q(outsider_email=""),
            ),
        ]
        indexes = [
            models.Index(name="handout_newest", fields=["-made_at", "-id"]),
            models.Index(name="handout_by_issuer", fields=["issuer", "-made_at", "-id"]),
            models.Index(name="handout_open", fields=["expires_at"], condition=models.Q(state="open")),
            models.Index(name="handout_by_issuance", fields=["issuance_id"], condition=~models.Q(issuance_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"

    @property
    def is_for_outsider(self) -> bool:
        """Tell whether the recipient is no user of the portal."""
        return self.recipient_id is None

    @property
    def recipient_name(self) -> str:
        """Return what people call the recipient."""
        return str(self.recipient) if self.recipient else self.outsider_name

    @property
    def recipient_handle(self) -> str:
        """Return the handle that stands for the recipient in AWS and in the audit."""
        return self.recipient.handle if self.recipient else outsider_handle_for(self.outsider_email)
