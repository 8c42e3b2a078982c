"""Attempts to get credentials: one row each, which changes once."""

from django.db import models
from django.db.models.functions import Now

from credportal.domain.sentences import sentence_for
from credportal.domain.types import Source, Status


class Issuance(models.Model):
    """One attempt to get credentials, with everything as it was then. It holds no secret."""

    id = models.CharField(primary_key=True, max_length=16)
    submission = models.CharField(max_length=32)
    status = models.CharField(max_length=10, choices=[(status.value, status.value) for status in Status])
    requested_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    actor_id = models.BigIntegerField()
    actor_handle = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=150)
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=256, blank=True)
    request_id = models.CharField(max_length=32, blank=True)

    role_id = models.CharField(max_length=64)
    role_arn = models.CharField(max_length=600, blank=True)
    role_name = models.CharField(max_length=64, blank=True)
    account_number = models.CharField(max_length=12, blank=True)
    account_name = models.CharField(max_length=64, blank=True)
    environment = models.CharField(max_length=16, blank=True)

    duration_asked = models.DurationField()
    reason = models.CharField(max_length=500, blank=True)
    ticket = models.CharField(max_length=64, blank=True)
    narrowing = models.CharField(max_length=200, blank=True)

    source = models.CharField(max_length=16, blank=True)
    eligibility = models.CharField(max_length=300, blank=True)
    eligibility_id = models.BigIntegerField(null=True)
    approval_id = models.CharField(max_length=16, blank=True)
    code = models.CharField(max_length=40, blank=True)
    session_name = models.CharField(max_length=64, blank=True)
    source_identity = models.CharField(max_length=64, blank=True)

    duration_given = models.DurationField(null=True)
    expiration = models.DateTimeField(null=True)
    access_key_id = models.CharField(max_length=128, blank=True)
    assumed_role_id = models.CharField(max_length=200, blank=True)
    packed_policy_size = models.SmallIntegerField(null=True)
    aws_request_id = models.CharField(max_length=64, blank=True)
    aws_words = models.CharField(max_length=1000, blank=True)

    class Meta:
        constraints = [
            # One rendered form mints once: the second POST of it meets this constraint.
            models.UniqueConstraint(name="issuance_once_per_submission", fields=["actor_id", "submission"])
        ]
        indexes = [
            models.Index(name="issuance_by_actor", fields=["actor_handle", "-requested_at", "-id"]),
            # When was this row of the catalogue last used?
            models.Index(
                name="issuance_by_eligibility",
                fields=["eligibility_id", "-requested_at"],
                condition=models.Q(status=Status.ISSUED.value),
            ),
            models.Index(
                name="issuance_open", fields=["requested_at"], condition=models.Q(status=Status.REQUESTED.value)
            ),
            # What nobody can know until somebody looks into CloudTrail.
            models.Index(
                name="issuance_unknown",
                fields=["-requested_at", "-id"],
                condition=models.Q(status=Status.UNKNOWN.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.status}"

    @property
    def why(self) -> str:
        """Return the sentence for a refusal or failure, or the reason the person gave."""
        return sentence_for(self.code) if self.code else self.reason

    def was_handed_out_by(self, handle: str) -> bool:
        """Tell whether the person with this handle handed it out. Hand-outs are deleted one day, this stays."""
        # record/issuances.py ends it with the issuer's handle in brackets, which no handle has.
        return self.source == Source.HANDOUT.value and self.eligibility.endswith(f" ({handle})")

    @property
    def cloudtrail_command(self) -> str:
        """Return the look-up that finds this session's calls in the role's account; empty where none was begun.

        ``Username`` is one of LookupEvents' attribute keys; for a role session it is the session name.
        https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
        """
        if not self.session_name:
            return ""
        attribute = f"AttributeKey=Username,AttributeValue={self.session_name}"
        return f"aws cloudtrail lookup-events --lookup-attributes {attribute}"
