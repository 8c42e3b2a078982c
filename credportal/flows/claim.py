"""The journey of a claim: somebody has a link, and a press makes a session of it, once.

Looking changes nothing, so whatever opens links ahead of people can open this one. Who presses is checked first: the
recipient, signed in, or an outsider with the code. Then the rules are checked again, and one conditional UPDATE takes
the hand-out in the transaction of the intent, so that there is never the one without the other. What cannot be
claimed is recorded too. From the intent on it is the same journey as every issuance (minting.py).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from credportal.access import handouts
from credportal.access.models import Handout, User
from credportal.access.selectors import actor_of
from credportal.access.selectors import handouts as access
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.delegation import decide_claim, request_of
from credportal.domain.types import Actor, Denied, Facts, IssuanceRequest, Origin
from credportal.flows.answers import Answer, AuditUnavailable, Issued
from credportal.flows.claim_door import (
    ENDED,
    NotClaimed,
    Unclaimed,
    check_code,
    obstacle_now,
    refuse,
    unavailable,
    wrong_person,
)
from credportal.flows.handout_events import append
from credportal.flows.identity import portal_identity
from credportal.flows.minting import Attempt, Once, carry_out, new_issuance_id

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """What a link leads to, for whoever looks. ``obstacle`` is None where a press may claim it.

    ``handout`` is None where there is none, and where it is not for this person to read about.
    """

    handout: Handout | None
    obstacle: Unclaimed | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The claim went the way of every issuance; ``answer`` says how that ended, ``asked`` what it was for."""

    handout: Handout
    asked: IssuanceRequest
    answer: Answer


@dataclass(frozen=True, slots=True)
class Reported:
    """Issuer and admins are told that a claim was not the recipient's."""

    handout: Handout


def look(*, token: str, user: User | None, origin: Origin, now: datetime) -> Found | AuditUnavailable:
    """Say what a link leads to. Nothing changes by it, but that a wrong person looked is recorded as an alarm."""
    handout = access.handout_with(handouts.hash_of(token)) if token else None
    if handout is None:
        return Found(None, Unclaimed.NO_HANDOUT if token else Unclaimed.NO_TOKEN)
    obstacle = wrong_person(handout, user)
    if obstacle is Unclaimed.WRONG_PERSON and user != handout.issuer:
        refused = refuse(obstacle, handout, user, origin, now)
        if isinstance(refused, AuditUnavailable):
            return refused
    if obstacle is not None:
        return Found(None if user != handout.issuer else handout, obstacle)
    return Found(handout, ENDED.get(access.state_of(handout, now)))


def claim(
    *,
    token: str,
    code: str,
    user: User | None,
    origin: Origin,
    now: datetime,
    signed_in_at: datetime | None = None,
) -> Claimed | NotClaimed | AuditUnavailable:
    """Claim what was handed out, or say why not. ``now`` and ``signed_in_at`` are aware UTC, ``user`` is signed in."""
    if not token:
        return refuse(Unclaimed.NO_TOKEN, None, user, origin, now)
    handout = access.handout_with(handouts.hash_of(token))
    if handout is None:
        return refuse(Unclaimed.NO_HANDOUT, None, user, origin, now)
    obstacle = wrong_person(handout, user) or ENDED.get(access.state_of(handout, now))
    if obstacle is not None:
        return refuse(obstacle, handout, user, origin, now)
    if handout.is_for_outsider:
        refused = check_code(handout, code, origin, now)
        if refused is not None:
            return refused
    return _carry_out(handout, user, origin, now, signed_in_at)


def note_refused(*, why: Unclaimed, user: User | None, origin: Origin, now: datetime) -> None:
    """Record a claim that did not get as far as this flow, such as one from another site."""
    refuse(why, None, user, origin, now)


def report(*, token: str, user: User | None, origin: Origin, now: datetime) -> Reported | NotClaimed | AuditUnavailable:
    """Record that a claim was not the recipient's. Whoever has the link may say so, a colleague signed in."""
    handout = access.handout_with(handouts.hash_of(token)) if token else None
    if handout is None:
        return NotClaimed(Unclaimed.NO_HANDOUT if token else Unclaimed.NO_TOKEN)
    obstacle = wrong_person(handout, user)
    if obstacle is not None:
        return refuse(obstacle, handout, user, origin, now)
    try:
        with record.committed():
            handouts.report(handout.id, now=now)
            append(EventKind.HANDOUT_REPORTED, handout, _actor(handout, user), origin)
    except handouts.Moved:
        return Reported(handout)
    except record.AuditUnavailable as error:
        return unavailable(error, handout)
    log.warning("handout.reported", handout_id=handout.id)
    return Reported(handout)


def write_burned(issuance_id: str) -> None:
    """Write that a claim lost its worker, so that nobody knows whether it minted, inside ``record.committed``."""
    handout = access.handout_of_issuance(issuance_id)
    if handout is not None:
        append(EventKind.HANDOUT_BURNED, handout, None, Origin(), issuance_id=issuance_id, code="no_outcome")


def _carry_out(
    handout: Handout, user: User | None, origin: Origin, now: datetime, signed_in_at: datetime | None
) -> Claimed | NotClaimed | AuditUnavailable:
    recipient = access.recipient_of(handout)
    facts = access.facts_to_claim(handout.issuer, handout.role_id, recipient)
    facts = replace(
        facts, identity=portal_identity(), handout_id=handout.id, recipient_signed_in_at=signed_in_at if user else None
    )
    issuance_id = new_issuance_id()
    # The hand-out itself is what can be used once, so the form needs no id of its own.
    asked = replace(access.request_in(handout), submission=secrets.token_urlsafe(16))
    wanted = request_of(asked, origin.address)
    actor = recipient.actor
    attempt = Attempt(
        issuance_id,
        Facts(actor, facts.role, (), facts.chaining_ceiling, facts.identity, signed_in_at),
        wanted,
        origin,
        handed_out=True,
    )
    decision = decide_claim(asked, facts, address=origin.address, issuance_id=issuance_id, now=now)
    try:
        once = _claim_of(handout, actor, origin, now)
        if isinstance(decision, Denied):
            once = Once(refuse=_refusal_of(handout, actor, origin, now, decision))
        answer = carry_out(attempt, decision, once)
    except handouts.Moved:
        return refuse(obstacle_now(handout, now), handout, user, origin, now)
    # Credentials that are recorded as issued are shown: no further read can be in their way.
    seen = handout if isinstance(answer, Issued) else access.handout(handout.id)
    return Claimed(seen or handout, wanted, answer)


def _claim_of(handout: Handout, actor: Actor, origin: Origin, now: datetime) -> Once:
    """Take the hand-out with the intent, give it back where AWS minted nothing, and record how it ended otherwise."""
    # Whoever handed out to an outsider knows link and code, and could be the outsider themselves.
    is_same = handout.is_for_outsider and origin.address != "" and origin.address == handout.made_from
    same = {"from_issuers_address": True} if is_same else {}

    def take(issuance_id: str) -> None:
        handouts.claim(handout, issuance_id=issuance_id, address=origin.address, now=now)
        append(EventKind.HANDOUT_CLAIMED, handout, actor, origin, detail=same, issuance_id=issuance_id)

    def give_back(issuance_id: str) -> None:
        handouts.give_back(handout.id, issuance_id=issuance_id)
        handouts.note_refusal(handout.id, code="claim_returned", now=now)
        why = {"after": {"why": "AWS issued nothing."}}
        append(EventKind.HANDOUT_RETURNED, handout, actor, origin, detail=why, issuance_id=issuance_id)

    def burn(issuance_id: str) -> None:
        append(EventKind.HANDOUT_BURNED, handout, actor, origin, issuance_id=issuance_id)

    return Once(take, give_back, burn)


def _refusal_of(handout: Handout, actor: Actor, origin: Origin, now: datetime, denied: Denied) -> Callable[[str], None]:
    """Record with the refusal by the rules that the hand-out was not claimed. The link stays good."""

    def write(issuance_id: str) -> None:
        handouts.note_refusal(handout.id, code=denied.reason.value, now=now)
        append(EventKind.HANDOUT_REFUSED, handout, actor, origin, issuance_id=issuance_id, code=denied.reason.value)

    return write


def _actor(handout: Handout, user: User | None) -> Actor:
    return actor_of(user) if user else access.recipient_of(handout).actor
