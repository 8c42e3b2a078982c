"""What happened. Rows are written by ``record/`` alone and outlive the catalogue: they keep text, not keys.

Database triggers (see the migrations) let an issuance change only from ``requested``
to an outcome, and let an event change or vanish never.
"""

from django.db import models
from django.db.models.functions import Now

from credportal.audit.jsontext import JSONText
from credportal.domain.sentences import sentence_for
from credportal.domain.types import Status


class EventKind(models.TextChoices):
    """``subject:action``. docs/audit.md gives each a sentence; retired names would stay here as comments."""

    REQUESTED = "issuance:requested"
    DENIED = "issuance:denied"
    RETRIED = "issuance:retried"
    ISSUED = "issuance:issued"
    FAILED = "issuance:failed"
    UNKNOWN = "issuance:unknown"
    CONSOLE_OPENED = "console:opened"
    CONSOLE_FAILED = "console:failed"
    ACCOUNT_ADDED = "account:added"
    ACCOUNT_CHANGED = "account:changed"
    ROLE_ADDED = "role:added"
    ROLE_CHANGED = "role:changed"
    ELIGIBILITY_ADDED = "eligibility:added"
    ELIGIBILITY_CHANGED = "eligibility:changed"
    ELIGIBILITY_REMOVED = "eligibility:removed"
    GROUP_ADDED = "group:added"
    GROUP_CHANGED = "group:changed"
    PERSON_ADDED = "person:added"
    PERSON_CHANGED = "person:changed"
    PASSWORD_SET = "person:password-set"  # noqa: S105 -- the name of an event.
    PROBE_STARTED = "probe:started"
    PROBE_PASSED = "probe:passed"
    PROBE_REFUSED = "probe:refused"
    PROBE_FAILED = "probe:failed"
    APPROVAL_REQUESTED = "approval:requested"
    APPROVAL_AGREED = "approval:agreed"
    APPROVAL_APPROVED = "approval:approved"
    APPROVAL_DENIED = "approval:denied"
    APPROVAL_WITHDRAWN = "approval:withdrawn"
    APPROVAL_EXPIRED = "approval:expired"
    APPROVAL_COLLECTED = "approval:collected"
    APPROVAL_RETURNED = "approval:returned"
    REVIEW_OPENED = "review:opened"
    REVIEW_RETURNED = "review:returned"
    REVIEW_CLOSED = "review:closed"
    CLOSED = "issuance:closed"
    SIGNED_IN = "sign-in:succeeded"
    SIGN_IN_FAILED = "sign-in:failed"
    SIGNED_OUT = "sign-in:ended"
    CONFIRMED = "sign-in:confirmed"
    CONFIRM_FAILED = "sign-in:not-confirmed"
    PASSWORD_CHANGED = "person:password-changed"  # noqa: S105 -- the name of an event.
    AUDIT_READ = "audit:read"
    EXPORT_STARTED = "audit:export-started"
    EXPORT_FINISHED = "audit:export-finished"
    ARCHIVED = "audit:archived"


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


class Event(models.Model):
    """One thing that happened, with everything as it was then: appended, chained, and never touched again.

    ``id`` is the sequence number, without gaps, and with ``at`` and ``hash`` it is given in the database's turn
    (chain.py). ``actor`` did it, ``on_behalf_of`` is the handle of the person whose access it is about.
    ``columns.py`` fixes the order of the columns. It holds no secret.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=32)  # One of EventKind; a retired one stays readable.
    issuance_id = models.CharField(max_length=16, blank=True, default="")
    subject = models.CharField(max_length=120, blank=True, default="")
    actor_id = models.BigIntegerField(null=True)
    actor_handle = models.CharField(max_length=64, blank=True, default="")
    actor_name = models.CharField(max_length=150, blank=True, default="")
    on_behalf_of = models.CharField(max_length=64, blank=True, default="")

    account_number = models.CharField(max_length=12, blank=True, default="")
    account_name = models.CharField(max_length=64, blank=True, default="")
    environment = models.CharField(max_length=16, blank=True, default="")
    role_arn = models.CharField(max_length=600, blank=True, default="")
    role_name = models.CharField(max_length=64, blank=True, default="")

    duration_asked = models.DurationField(null=True)
    duration_given = models.DurationField(null=True)
    reason = models.CharField(max_length=500, blank=True, default="")
    ticket = models.CharField(max_length=64, blank=True, default="")
    source = models.CharField(max_length=16, blank=True, default="")
    code = models.CharField(max_length=40, blank=True, default="")
    aws_request_id = models.CharField(max_length=64, blank=True, default="")
    access_key_id = models.CharField(max_length=128, blank=True, default="")
    assumed_role_id = models.CharField(max_length=200, blank=True, default="")
    expiration = models.DateTimeField(null=True)

    address = models.CharField(max_length=45, blank=True, default="")
    user_agent = models.CharField(max_length=256, blank=True, default="")
    request_id = models.CharField(max_length=32, blank=True, default="")
    detail = JSONText(default=dict)
    hash = models.BinaryField(max_length=32)

    class Meta:
        # One index for each filter of the audit page, in the order in which the page reads: newest first. Where
        # most events have nothing in a column, they are left out of its index.
        indexes = [
            models.Index(name="event_newest", fields=["-at", "-id"]),
            models.Index(name="event_by_person", fields=["on_behalf_of", "-at", "-id"]),
            models.Index(name="event_by_person_and_role", fields=["on_behalf_of", "role_name", "-at", "-id"]),
            models.Index(name="event_by_role", fields=["role_name", "-at", "-id"]),
            models.Index(name="event_by_role_arn", fields=["role_arn", "-at", "-id"]),
            models.Index(name="event_by_account", fields=["account_number", "-at", "-id"]),
            models.Index(name="event_by_account_name", fields=["account_name", "-at", "-id"]),
            models.Index(name="event_by_environment", fields=["environment", "-at", "-id"]),
            models.Index(name="event_by_kind", fields=["kind", "-at", "-id"]),
            models.Index(name="event_by_address", fields=["address", "-at", "-id"]),
            models.Index(name="event_by_subject", fields=["subject", "-id"], condition=~models.Q(subject="")),
            models.Index(name="event_by_issuance", fields=["issuance_id", "id"], condition=~models.Q(issuance_id="")),
            models.Index(name="event_by_source", fields=["source", "-at", "-id"], condition=~models.Q(source="")),
            models.Index(name="event_by_ticket", fields=["ticket", "-at", "-id"], condition=~models.Q(ticket="")),
            models.Index(
                name="event_by_access_key",
                fields=["access_key_id", "-at", "-id"],
                condition=~models.Q(access_key_id=""),
            ),
            # Who acted for somebody else. Everybody else is found by event_by_person.
            models.Index(
                name="event_by_other_actor",
                fields=["actor_handle", "-at", "-id"],
                condition=~models.Q(actor_handle=models.F("on_behalf_of")),
            ),
        ]
        constraints = [
            # Of two admins who close an unknown issuance at once, one does.
            models.UniqueConstraint(
                name="event_closed_once", fields=["issuance_id"], condition=models.Q(kind="issuance:closed")
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.at:%Y-%m-%dT%H:%M:%SZ} {self.kind}"


class Checkpoint(models.Model):
    """Where the log begins since its older part was archived. Deleting is possible up to ``through`` only.

    The event ``audit:archived`` says the same within the chain.
    """

    through = models.BigIntegerField(primary_key=True)
    hash = models.BinaryField(max_length=32)
    before = models.DateTimeField()

    def __str__(self) -> str:
        return f"through {self.through}"


class Tally(models.Model):
    """How many issuances came to which end in one quarter of an hour: what the chart is drawn from.

    ``quarter`` counts quarters of an hour since 1970, UTC. Derived from the events, and made anew from them.
    """

    quarter = models.BigIntegerField(primary_key=True)
    issued = models.BigIntegerField(default=0)
    denied = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    unknown = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"quarter {self.quarter}"


class Progress(models.Model):
    """How far a reader of the events has come, by sequence number: the tallies, a shipping target."""

    reader = models.CharField(primary_key=True, max_length=64)
    through = models.BigIntegerField(default=0)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.reader} through {self.through}"
