"""What becomes of a hand-out until somebody claims it (claim.py): a new link, a shorter window, an end.

Views see to it who may: the issuer everything, a catalogue admin the end.
"""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from credportal.access import handouts
from credportal.access.models import Handout, User
from credportal.access.selectors import actor_of
from credportal.access.selectors import handouts as access
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.audit.turn import fair_turn
from credportal.domain.types import Origin
from credportal.flows.answers import AuditUnavailable
from credportal.flows.handout import HandedOut, given
from credportal.flows.handout_events import Changed, NotChanged, append, change, written

log = structlog.get_logger(__name__)

ISSUER_OFF = "Whoever handed it out was switched off."
NOT_SUPPORT = "Whoever handed it out is not in support any more."
RECIPIENT_OFF = "The recipient was switched off."


def make_link(
    *, user: User, handout: Handout, origin: Origin, now: datetime, mail_link: bool = False
) -> HandedOut | NotChanged | AuditUnavailable:
    """Make a new link, and for an outsider a new code; the old ones are dead. ``mail_link`` as in ``hand_out``."""
    token = handouts.new_token()
    code = handouts.new_code() if handout.is_for_outsider else ""

    def write() -> None:
        handouts.make_link(handout, token=token, code=code, now=now)
        mailed = {"after": {"mailed": "the link"}} if mail_link else {}
        append(EventKind.HANDOUT_LINKED, handout, actor_of(user), origin, detail=mailed)

    answer = change(handout, write)
    return given(answer.handout, token, code, mail_link=mail_link) if isinstance(answer, Changed) else answer


def shorten(
    *, user: User, handout: Handout, until: datetime, origin: Origin, now: datetime
) -> Changed | NotChanged | AuditUnavailable:
    """End the claim window sooner, at ``until`` (aware UTC)."""

    def write() -> None:
        handouts.shorten(handout.id, until=until, now=now)
        change_of_end = {"before": {"until": written(handout.expires_at)}, "after": {"until": written(until)}}
        append(EventKind.HANDOUT_SHORTENED, handout, actor_of(user), origin, detail=change_of_end)

    return change(handout, write)


def cancel(*, user: User, handout: Handout, origin: Origin, now: datetime) -> Changed | NotChanged | AuditUnavailable:
    """End a hand-out that nobody has claimed."""
    return change(handout, lambda: write_cancelled(handout, user, origin, now=now))


def cancel_all(*, user: User, issuer: User, origin: Origin, now: datetime) -> int | AuditUnavailable:
    """End all that one person has open, in one transaction; return how many there were."""
    try:
        with record.committed():
            found = [(handout, "") for handout in access.open_handouts_of(issuer)]
            return len(_write_each_cancelled(found, user, origin, now=now))
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", actor=user.handle, cause=str(error))
        return AuditUnavailable(minted=False, issuance_id="")


def write_stranded_cancelled(user: User | None, origin: Origin, *, now: datetime) -> list[str]:
    """Cancel what can be claimed no more because of a person, inside ``record.committed``; return the ids.

    That is what an issuer has open who is switched off or not in support any more, and what is open for a recipient
    who is switched off. The rules would refuse each such claim; so it ends at once, and is told.
    """
    found = [(handout, _why_stranded(handout)) for handout in access.stranded_handouts()]
    return _write_each_cancelled(found, user, origin, now=now)


def cancel_stranded(*, now: datetime) -> list[str]:
    """End what another change has left behind; return the ids. Raises AuditUnavailable."""
    if not access.stranded_handouts():
        return []
    with record.committed():
        return write_stranded_cancelled(None, Origin(), now=now)


def delete_ended(*, now: datetime) -> int:
    """Delete hand-outs that ended long ago, with the name and address of each outsider; return how many."""
    with fair_turn():
        return handouts.delete_ended(made_before=now - timedelta(days=settings.HANDOUT_DAYS))


def write_cancelled(handout: Handout, user: User | None, origin: Origin, *, now: datetime, why: str = "") -> None:
    """Cancel one with its event, inside ``record.committed``. Raises ``handouts.Moved``."""
    handouts.cancel(handout.id, by=user, now=now)
    actor = actor_of(user) if user else None
    append(EventKind.HANDOUT_CANCELLED, handout, actor, origin, detail={"after": {"why": why}} if why else {})


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


def _why_stranded(handout: Handout) -> str:
    if handout.recipient is not None and not handout.recipient.is_active:
        return RECIPIENT_OFF
    return NOT_SUPPORT if handout.issuer.is_active else ISSUER_OFF


def _write_each_cancelled(
    found: Iterable[tuple[Handout, str]], user: User | None, origin: Origin, *, now: datetime
) -> list[str]:
    """Cancel each with why, inside ``record.committed``; return the ids of those that nobody was faster with."""
    cancelled = []
    for handout, why in found:
        with suppress(handouts.Moved):
            write_cancelled(handout, user, origin, now=now, why=why)
            cancelled.append(handout.id)
    return cancelled
