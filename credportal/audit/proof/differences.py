"""Whether the issuances say what the events say: people's own pages read the issuances, the chain proves the events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection

from credportal.audit.models import Checkpoint, EventKind
from credportal.audit.proof.verify import CHUNK, Place
from credportal.domain.types import Status

OUTCOMES = {
    EventKind.DENIED.value: Status.DENIED.value,
    EventKind.ISSUED.value: Status.ISSUED.value,
    EventKind.FAILED.value: Status.FAILED.value,
    EventKind.UNKNOWN.value: Status.UNKNOWN.value,
}
# Columns of an issuance, and the event's that says the same.
SAME = {
    "actor_handle": "on_behalf_of",
    "role_arn": "role_arn",
    "role_name": "role_name",
    "account_number": "account_number",
    "account_name": "account_name",
    "environment": "environment",
    "reason": "reason",
    "ticket": "ticket",
    "source": "source",
    "code": "code",
    "aws_request_id": "aws_request_id",
    "access_key_id": "access_key_id",
    "assumed_role_id": "assumed_role_id",
    "expiration": "expiration",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """An issuance that is not what the log says, in words."""

    issuance_id: str
    text: str


def differences(start: Place, end: int) -> Iterator[Difference]:
    """Give each issuance that differs from its outcome's event between two places, or that no event tells of."""
    for low in range(start.number, end, CHUNK):
        yield from differences_between(low, min(low + CHUNK, end))
    yield from _untold()


def differences_between(low: int, high: int) -> Iterator[Difference]:
    """Give each issuance that differs from its outcome's event, for the events above ``low`` up to ``high``."""
    with connection.cursor() as cursor:
        cursor.execute(_differing(), [low, high])
        for issuance_id, number, missing in cursor.fetchall():
            what = f"is missing, and event {number} tells of it" if missing else f"differs from event {number}"
            yield Difference(issuance_id, f"issuance {issuance_id} {what}")


def _untold() -> Iterator[Difference]:
    """Give each issuance whose outcome, or that itself, stands in no event. What is older was archived."""
    newest = Checkpoint.objects.order_by("-through").first()
    before = connection.ops.adapt_datetimefield_value(newest.before if newest else datetime(1970, 1, 1, tzinfo=UTC))
    last = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [last, CHUNK])
            page_end = cursor.fetchone()[0]
            if page_end is None:
                return
            cursor.execute(UNTOLD, [last, page_end, before])
            for issuance_id, status in cursor.fetchall():
                yield Difference(issuance_id, f"issuance {issuance_id} is {status}, and no event says so")
        last = page_end


def _differing() -> str:
    distinct = "IS DISTINCT FROM" if connection.vendor == "postgresql" else "IS NOT"
    status = " ".join(f"WHEN '{kind}' THEN '{status}'" for kind, status in OUTCOMES.items())
    differ = [f'issuance."{ours}" {distinct} event."{theirs}"' for ours, theirs in SAME.items()]
    return f"""
        SELECT event.issuance_id, event.id, issuance.id IS NULL
        FROM audit_event event LEFT JOIN audit_issuance issuance ON issuance.id = event.issuance_id
        WHERE event.id > %s AND event.id <= %s AND event.kind || '' IN ({KINDS})
            AND (issuance.id IS NULL OR issuance.status <> CASE event.kind {status} END OR {" OR ".join(differ)})
        ORDER BY event.id
    """  # noqa: S608 -- our own columns and kinds.


KINDS = ", ".join(f"'{kind}'" for kind in OUTCOMES)
PAGE = "SELECT max(id) FROM (SELECT id FROM audit_issuance WHERE id > %s ORDER BY id LIMIT %s) page"
UNTOLD = f"""
    SELECT id, status FROM audit_issuance
    WHERE id > %s AND id <= %s AND requested_at >= %s AND NOT EXISTS (
        SELECT 1 FROM audit_event
        WHERE issuance_id = audit_issuance.id AND NOT (issuance_id = '')
            AND (kind || '' IN ({KINDS}) OR audit_issuance.status = 'requested')
    )
    ORDER BY id
"""  # noqa: S608 -- our own kinds.
