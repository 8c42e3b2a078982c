"""What keeps the audit whole beside the issuances: intents that lost their worker, and whether it can be written."""

from datetime import timedelta

from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models.functions import Now

from credportal.audit import chain
from credportal.audit.models import Event, EventKind, Issuance
from credportal.audit.record.issuances import Alongside, about_issuance, close_intent, nothing
from credportal.audit.record.writing import AuditUnavailable, NewEvent, append, committed
from credportal.audit.turn import fair_turn
from credportal.domain.types import Origin, Status

# Longer than any issuance can take (the STS deadline and two waits for the database),
# so that an intent this old has lost its worker.
STALE_AFTER = timedelta(seconds=30)


def reap_stale_intents(*, limit: int = 1000, alongside: Alongside = nothing) -> list[str]:
    """Turn intents that lost their worker into ``unknown``; return their issuance ids.

    Each is its own transaction, so that a crash half-way keeps what was done; ``alongside`` writes into it what
    belongs to that outcome. Raises AuditUnavailable.
    """
    stale = Issuance.objects.filter(status=Status.REQUESTED.value, requested_at__lt=Now() - STALE_AFTER)
    reaped = []
    for issuance in stale.order_by("requested_at")[:limit]:
        with committed():
            if not close_intent(issuance.id, status=Status.UNKNOWN.value, code="no_outcome"):
                continue  # Its own worker was faster.
            about = about_issuance(issuance, code="no_outcome")
            detail = {"session_name": issuance.session_name}
            append(NewEvent(EventKind.UNKNOWN, "", None, Origin(), detail, issuance.id, issuance.actor_handle, about))
            alongside(issuance.id)
        reaped.append(issuance.id)
    return reaped


def probe_writable() -> None:
    """Prove that an event could be written now, and write none. Raises AuditUnavailable."""
    try:
        with fair_turn(), transaction.atomic():
            chain.extend([Event(kind=EventKind.REQUESTED.value)])
            transaction.set_rollback(True)
    except DatabaseError as error:
        raise AuditUnavailable(type(error).__name__) from error
