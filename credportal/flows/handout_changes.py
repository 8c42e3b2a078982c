"""What becomes of a hand-out until somebody claims it (claim.py): a new link, a shorter window, an end.

Views see to it who may: the issuer everything, a catalogue admin the end.
"""

from datetime import datetime

import structlog

from credportal.access import handouts
from credportal.access.models import Handout, User
from credportal.access.selectors import handouts as access
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Origin
from credportal.flows.answers import AuditUnavailable
from credportal.flows.handout import HandedOut, given
from credportal.flows.handout_events import Changed, NotChanged, append, change, written

log = structlog.get_logger(__name__)


def make_link(
    *, user: User, handout: Handout, origin: Origin, now: datetime, mail_link: bool = False
) -> HandedOut | NotChanged | AuditUnavailable:
    """Make a new link, and for an outsider a new code; the old ones are dead. ``mail_link`` as in ``hand_out``."""
    token = handouts.new_token()
    code = handouts.new_code() if handout.is_for_outsider else ""

    def write() -> None:
        handouts.make_link(handout, token=token, code=code, now=now)
        mailed = {"after": {"mailed": "the link"}} if mail_link else {}
        append(EventKind.HANDOUT_LINKED, handout, user, origin, detail=mailed)

    answer = change(handout, write)
    return given(answer.handout, token, code, mail_link=mail_link) if isinstance(answer, Changed) else answer


def shorten(
    *, user: User, handout: Handout, until: datetime, origin: Origin, now: datetime
) -> Changed | NotChanged | AuditUnavailable:
    """End the claim window sooner, at ``until`` (aware UTC)."""

    def write() -> None:
        handouts.shorten(handout.id, until=until, now=now)
        change_of_end = {"before": {"until": written(handout.expires_at)}, "after": {"until": written(until)}}
        append(EventKind.HANDOUT_SHORTENED, handout, user, origin, detail=change_of_end)

    return change(handout, write)


def cancel(*, user: User, handout: Handout, origin: Origin, now: datetime) -> Changed | NotChanged | AuditUnavailable:
    """End a hand-out that nobody has claimed."""
    return change(handout, lambda: write_cancelled(handout, user, origin, now=now))


def cancel_all(*, user: User, issuer: User, origin: Origin, now: datetime) -> int | AuditUnavailable:
    """End all that one person has open, in one transaction; return how many there were."""
    try:
        with record.committed():
            return len(write_all_cancelled(issuer, user, origin, now=now))
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", actor=user.handle, cause=str(error))
        return AuditUnavailable(minted=False, issuance_id="")


def write_all_cancelled(issuer: User, user: User | None, origin: Origin, *, now: datetime, why: str = "") -> list[str]:
    """Cancel all that one person has open, inside ``record.committed``; return their ids."""
    cancelled = []
    for handout in access.open_handouts_of(issuer):
        try:
            write_cancelled(handout, user, origin, now=now, why=why)
        except handouts.Moved:
            continue
        cancelled.append(handout.id)
    return cancelled


def write_cancelled(handout: Handout, user: User | None, origin: Origin, *, now: datetime, why: str = "") -> None:
    """Cancel one with its event, inside ``record.committed``. Raises ``handouts.Moved``."""
    handouts.cancel(handout.id, by=user, now=now)
    append(EventKind.HANDOUT_CANCELLED, handout, user, origin, detail={"after": {"why": why}} if why else {})


def expire_overdue(*, now: datetime) -> list[str]:
    """Write down that hand-outs have ended whose window is over; return their ids. Raises AuditUnavailable."""
    expired = []
    for handout in access.overdue_handouts(now=now):
        try:
            with record.committed():
                handouts.expire(handout.id, now=now)
                append(EventKind.HANDOUT_EXPIRED, handout, None, Origin())
        except handouts.Moved:
            continue
        expired.append(handout.id)
    return expired
