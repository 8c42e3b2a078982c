"""Requests that wait for somebody else: approvals, and the reviews of break-glass."""

from django.db import models
from django.db.models.functions import Now

from credportal.access.models.catalogue import Role, new_public_id
from credportal.access.models.people import User


class ApprovalState(models.TextChoices):
    """Where a request for approval stands. Only ``waiting`` and ``approved`` may still change."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    COLLECTED = "collected"


class Approval(models.Model):
    """One request that needs approval. It holds what was asked, and never a credential."""

    id = models.CharField(primary_key=True, max_length=16, default=new_public_id, editable=False)
    submission = models.CharField(max_length=32)
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="approvals")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="approvals")
    state = models.CharField(max_length=10, choices=ApprovalState.choices, default=ApprovalState.WAITING)
    requested_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    duration_asked = models.DurationField()
    reason = models.CharField(max_length=500, blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    read_only = models.BooleanField(default=False)
    address = models.CharField(max_length=45, blank=True)
    region = models.CharField(max_length=32, blank=True)
    max_duration = models.DurationField(null=True)
    decided_at = models.DateTimeField(null=True)
    collect_until = models.DateTimeField(null=True)
    collected_at = models.DateTimeField(null=True)
    issuance_id = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            # One rendered form asks once, as one mints once.
            models.UniqueConstraint(name="approval_once_per_submission", fields=["requester", "submission"])
        ]
        indexes = [
            models.Index(
                name="approval_open", fields=["expires_at"], condition=models.Q(state__in=["waiting", "approved"])
            ),
            models.Index(name="approval_by_requester", fields=["requester", "-requested_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


class ApprovalDecision(models.Model):
    """What one approver said to one request: yes up to a duration, or no with a comment."""

    approval = models.ForeignKey(Approval, on_delete=models.PROTECT, related_name="decisions")
    approver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    agrees = models.BooleanField()
    max_duration = models.DurationField(null=True)
    comment = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(name="approval_decided_once_each", fields=["approval", "approver"])]

    def __str__(self) -> str:
        return f"{self.approval_id}: {self.approver_id}"


class Review(models.Model):
    """One break-glass that somebody else has to look at. As long as it is open, the person has no other."""

    id = models.CharField(primary_key=True, max_length=16, default=new_public_id, editable=False)
    issuance_id = models.CharField(max_length=16, unique=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reviews")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="reviews")
    reason = models.CharField(max_length=500)
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    comment = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            # The database itself lets one person break the glass once before the review.
            models.UniqueConstraint(
                name="review_open_once_per_person", fields=["user"], condition=models.Q(closed_at__isnull=True)
            )
        ]
        indexes = [models.Index(name="review_newest", fields=["-opened_at"])]

    def __str__(self) -> str:
        return f"{self.issuance_id} of {self.user_id}"
