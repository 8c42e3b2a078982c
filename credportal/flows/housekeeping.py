"""What a timer runs: nothing here is urgent, all of it may be repeated."""

from dataclasses import dataclass, field

import structlog
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from credportal.audit import record, tally
from credportal.flows import approval, claim, handout_changes
from credportal.flows.notices import Told, send_notices

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one run did: the issuances that became ``unknown``, what expired, and what stopped it."""

    reaped: tuple[str, ...] = ()
    expired: tuple[str, ...] = ()
    handouts_expired: tuple[str, ...] = ()
    handouts_cancelled: tuple[str, ...] = ()
    handouts_deleted: int = 0
    told: Told = field(default_factory=Told)
    fault: str = ""


def keep_house() -> Kept:
    """Turn intents that lost their worker into ``unknown``, let requests expire, and drop sign-ins that have ended.

    Then count the new events for the chart of the audit page, and mail notices: a mail server that is away stops
    nothing else.
    """
    try:
        reaped = record.reap_stale_intents(alongside=claim.write_burned)
        expired = approval.expire_overdue(now=timezone.now())
        handouts_expired = handout_changes.expire_overdue(now=timezone.now())
        stranded = handout_changes.cancel_stranded(now=timezone.now())
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", cause=str(error))
        return Kept(fault=f"The audit cannot be written ({error}). What is committed stays.")
    for issuance_id in reaped:
        log.warning("issuance.unknown", issuance_id=issuance_id, code="no_outcome")
    for approval_id in expired:
        log.info("approval.expired", approval_id=approval_id)
    for handout_id in handouts_expired:
        log.info("handout.expired", handout_id=handout_id)
    for handout_id in stranded:
        log.info("handout.cancelled", handout_id=handout_id)
    SessionStore.clear_expired()
    deleted = handout_changes.delete_ended(now=timezone.now())
    tally.count_new()
    return Kept(
        reaped=tuple(reaped),
        expired=tuple(expired),
        handouts_expired=tuple(handouts_expired),
        handouts_cancelled=tuple(stranded),
        handouts_deleted=deleted,
        told=send_notices(now=timezone.now()),
    )
