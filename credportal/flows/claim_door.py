"""Who is at the door with a link: the recipient or not, with the right code or not. Every no is recorded."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from credportal.access import handouts
from credportal.access.models import Handout, User
from credportal.access.selectors import actor_of
from credportal.access.selectors import handouts as access
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.handouts import MOST_WRONG_CODES, HandoutState
from credportal.domain.types import Origin
from credportal.flows.answers import AuditUnavailable
from credportal.flows.handout_events import append

log = structlog.get_logger(__name__)


class Unclaimed(StrEnum):
    """Why a claim does not even get as far as the rules. The sentences stand in ``domain/sentences.py``."""

    NO_TOKEN = "claim_without_token"  # noqa: S105 -- the code of a refusal.
    NO_HANDOUT = "claim_of_no_handout"
    FROM_ELSEWHERE = "claim_from_elsewhere"
    SIGNED_OUT = "claim_signed_out"
    WRONG_PERSON = "claim_by_another"
    NO_CODE = "claim_without_code"
    WRONG_CODE = "claim_with_wrong_code"
    TOO_MANY = "claim_throttled"
    CLAIMED = "handout_claimed"
    EXPIRED = "handout_expired"
    CANCELLED = "handout_cancelled"
    LOCKED = "handout_locked"


ENDED = {
    HandoutState.CLAIMED: Unclaimed.CLAIMED,
    HandoutState.EXPIRED: Unclaimed.EXPIRED,
    HandoutState.CANCELLED: Unclaimed.CANCELLED,
    HandoutState.LOCKED: Unclaimed.LOCKED,
}


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """The claim was refused before the rules, and that is committed. ``tries_left`` counts codes, where it matters.

    ``handout`` is None where there is none, and where it is not for this person to read about.
    """

    why: Unclaimed
    handout: Handout | None = None
    tries_left: int | None = None


def wrong_person(handout: Handout, user: User | None) -> Unclaimed | None:
    """Say why this is not the recipient, None where it may be. An outsider is nobody who is signed in."""
    if handout.is_for_outsider:
        return None if user is None else Unclaimed.WRONG_PERSON
    if user is None:
        return Unclaimed.SIGNED_OUT
    return None if user.pk == handout.recipient_id else Unclaimed.WRONG_PERSON


def check_code(handout: Handout, code: str, origin: Origin, now: datetime) -> NotClaimed | AuditUnavailable | None:
    """Refuse a wrong code, and lock the hand-out at the last one. A try is spent before the code is looked at."""
    if not code:
        return refuse(Unclaimed.NO_CODE, handout, None, origin, now)
    try:
        with record.committed():
            tries = handouts.spend_try(handout.id, now=now)
            if handouts.is_code(handout, code):
                handouts.forgive_tries(handout.id)
                return None
            handouts.note_refusal(handout.id, code=Unclaimed.WRONG_CODE, now=now)
            append(EventKind.HANDOUT_WRONG_CODE, handout, None, origin, code=Unclaimed.WRONG_CODE)
            if tries >= MOST_WRONG_CODES:
                handouts.lock(handout.id, now=now)
                append(EventKind.HANDOUT_LOCKED, handout, None, origin, code=Unclaimed.LOCKED)
    except handouts.Moved:
        return refuse(obstacle_now(handout, now), handout, None, origin, now)
    except record.AuditUnavailable as error:
        return unavailable(error, handout)
    log.warning("handout.wrong_code", handout_id=handout.id, tries=tries)
    if tries >= MOST_WRONG_CODES:
        return NotClaimed(Unclaimed.LOCKED, access.handout(handout.id))
    return NotClaimed(Unclaimed.WRONG_CODE, handout, tries_left=MOST_WRONG_CODES - tries)


def obstacle_now(handout: Handout, now: datetime) -> Unclaimed:
    """Say what became of a hand-out that somebody else was faster to take, or that got a new link."""
    fresh = access.handout(handout.id)
    if fresh is None or fresh.token_hash != handout.token_hash:
        return Unclaimed.NO_HANDOUT
    return ENDED.get(access.state_of(fresh, now), Unclaimed.LOCKED)


def refuse(
    why: Unclaimed, handout: Handout | None, user: User | None, origin: Origin, now: datetime
) -> NotClaimed | AuditUnavailable:
    """Commit that a claim was refused. A wrong person is an alarm; the link stays good for the right one."""
    kind = EventKind.HANDOUT_WRONG_PERSON if why is Unclaimed.WRONG_PERSON else EventKind.HANDOUT_REFUSED
    actor = actor_of(user) if user else None
    try:
        with record.committed():
            if handout is None:
                record.append(record.NewEvent(kind, "", actor, origin, about=record.About(code=why)))
            else:
                handouts.note_refusal(handout.id, code=why, now=now)
                append(kind, handout, actor, origin, code=why)
    except record.AuditUnavailable as error:
        return unavailable(error, handout)
    level = log.warning if why is Unclaimed.WRONG_PERSON else log.info
    level("handout.refused", handout_id=handout.id if handout else "", reason=why.value)
    seen = None if why in {Unclaimed.WRONG_PERSON, Unclaimed.SIGNED_OUT} else handout
    return NotClaimed(why, access.handout(seen.id) if seen else None)


def unavailable(error: Exception, handout: Handout | None) -> AuditUnavailable:
    """Log that the audit could not be written, and return the value that says so."""
    log.error("audit.unavailable", handout_id=handout.id if handout else "", cause=str(error), exc_info=error)
    return AuditUnavailable(minted=False, issuance_id="")
