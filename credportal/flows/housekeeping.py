"""What a timer runs: nothing here is urgent, all of it may be repeated."""

from dataclasses import dataclass

import structlog
from django.contrib.sessions.backends.db import SessionStore

from credportal.audit import record

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one run did: the issuances that became ``unknown``, and what stopped it, if anything did."""

    reaped: tuple[str, ...] = ()
    fault: str = ""


def keep_house() -> Kept:
    """Turn intents that lost their worker into ``unknown``, and drop sign-ins that have ended."""
    try:
        reaped = record.reap_stale_intents()
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", cause=str(error))
        return Kept(fault=f"The audit cannot be written ({error}). What is committed stays.")
    for issuance_id in reaped:
        log.warning("issuance.unknown", issuance_id=issuance_id, code="no_outcome")
    SessionStore.clear_expired()
    return Kept(reaped=tuple(reaped))
