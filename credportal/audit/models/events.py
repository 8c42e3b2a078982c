"""What happened, one row each, which never changes."""

from django.db import models
from django.db.models.functions import NullIf
from django.db.models.lookups import IsNull

from credportal.audit.jsontext import JSONText

_OTHER_ACTOR = NullIf("actor_handle", "on_behalf_of")


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
                _OTHER_ACTOR,
                models.F("at").desc(),
                models.F("id").desc(),
                name="event_by_other_actor",
                condition=models.Q(IsNull(_OTHER_ACTOR, False)),
            ),
            models.Index(
                _OTHER_ACTOR,
                models.F("role_name"),
                models.F("at").desc(),
                models.F("id").desc(),
                name="event_by_other_actor_and_role",
                condition=models.Q(IsNull(_OTHER_ACTOR, False)),
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
