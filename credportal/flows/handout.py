"""The journey of a hand-out until somebody claims it (claim.py): it is made, changed, and it ends.

A hand-out is made in one transaction that holds the issuer: facts, decision, row and event, so that two at once are
counted one by one. The token is in the answer and nowhere else.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from credportal.access import handouts
from credportal.access.models import Handout, Role, User
from credportal.access.selectors import actor_of, person_named
from credportal.access.selectors import handouts as access
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.delegation import decide_handout
from credportal.domain.durations import describe_duration
from credportal.domain.handouts import HandoutFacts, HandoutRequest, Recipient
from credportal.domain.narrowing import describe
from credportal.domain.types import Denied, Origin, Source
from credportal.flows.addresses import claim_address
from credportal.flows.answers import AuditUnavailable
from credportal.flows.handout_events import append, written
from credportal.flows.identity import portal_identity
from credportal.flows.link_mail import mail_link as mail_the_link

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Addressee:
    """For whom, as a form says it: a colleague by handle, or an outsider by name and e-mail address."""

    handle: str = ""
    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """It is handed out. ``address`` is the link with its token, ``code`` an outsider's: both are shown this once.

    ``mailed`` tells whether the link went to the recipient by mail, None where nobody wanted that.
    """

    handout: Handout
    address: str = field(repr=False)
    code: str = field(repr=False, default="")
    mailed: bool | None = None


@dataclass(frozen=True, slots=True)
class NotHandedOut:
    """The rule book said no, and that is committed."""

    denied: Denied


@dataclass(frozen=True, slots=True)
class HandedOutBefore:
    """The rendered form has made this hand-out before. Its link is not shown again; a new one can be made."""

    handout: Handout


def hand_out(
    *,
    user: User,
    asked: HandoutRequest,
    addressee: Addressee,
    origin: Origin,
    now: datetime,
    signed_in_at: datetime | None = None,
    mail_link: bool = False,
) -> HandedOut | NotHandedOut | HandedOutBefore | AuditUnavailable:
    """Hand out a right to one session, or say why not. ``now`` and ``signed_in_at`` are aware UTC.

    With ``mail_link`` the link goes to the recipient by mail too, once all is committed.
    """
    identity = portal_identity()
    token = handouts.new_token()
    code = "" if addressee.handle else handouts.new_code()
    try:
        with record.committed():
            handouts.hold(user)
            handouts.once(user, asked.submission)
            colleague = person_named(addressee.handle) if addressee.handle else None
            recipient = _recipient(addressee, colleague)
            facts = access.facts_to_hand_out(user, asked.role_id, recipient, now=now, signed_in_at=signed_in_at)
            decision = decide_handout(asked, replace(facts, identity=identity), now=now)
            if isinstance(decision, Denied):
                _record_denied(user, asked, facts, decision, origin)
                return NotHandedOut(decision)
            handout = _new(user, asked, addressee, origin, now)
            handout.recipient, handout.delegation_id = colleague, decision.delegation.id
            handouts.make(handout, asked, token=token, code=code)
            told = {"after": _told(handout, asked, mail_link)}
            append(EventKind.HANDOUT_MADE, handout, actor_of(user), origin, detail=told)
    except handouts.AlreadyHandedOut:
        earlier = access.handout_of_submission(user, asked.submission)
        return HandedOutBefore(earlier) if earlier else _unavailable(user)
    except record.AuditUnavailable as error:
        return _unavailable(user, error)
    log.info("handout.made", handout_id=handout.id, actor=user.handle)
    return given(access.handout(handout.id) or handout, token, code, mail_link=mail_link)


def given(handout: Handout, token: str, code: str, *, mail_link: bool) -> HandedOut:
    """Return the answer with the link, after it is committed and, where that is wanted, mailed."""
    address = claim_address(token)
    return HandedOut(handout, address, code, mail_the_link(handout, address) if mail_link else None)


def _recipient(addressee: Addressee, colleague: User | None) -> Recipient | None:
    if addressee.handle:
        return access.colleague(colleague) if colleague else None
    return access.outsider(addressee.name, addressee.email) if addressee.email else None


def _new(user: User, asked: HandoutRequest, addressee: Addressee, origin: Origin, now: datetime) -> Handout:
    return Handout(
        issuer=user,
        outsider_name="" if addressee.handle else addressee.name,
        outsider_email="" if addressee.handle else addressee.email,
        role=Role.objects.select_related("account").get(id=asked.role_id),
        expires_at=now + asked.window,
        made_from=origin.address,
    )


def _told(handout: Handout, asked: HandoutRequest, mail_link: bool) -> dict[str, str]:
    """Return what the audit keeps of a new hand-out beside its columns. Of an outsider it keeps the address."""
    narrowed = list(describe(asked.narrowing("")))
    if asked.from_claim_address:
        narrowed.append("only from the address that claims it")
    told = {
        "recipient": handout.recipient_name,
        "email": handout.outsider_email,
        "window": describe_duration(asked.window),
        "until": written(handout.expires_at),
        "narrowed": ", ".join(narrowed),
        "mailed": "the link" if mail_link else "",
    }
    return {name: text for name, text in told.items() if text}


def _record_denied(user: User, asked: HandoutRequest, facts: HandoutFacts, denied: Denied, origin: Origin) -> None:
    role, recipient = facts.role, facts.recipient
    said: dict[str, Any] = {
        "duration_asked": asked.duration,
        "reason": asked.reason,
        "ticket": asked.ticket,
        "source": Source.HANDOUT.value,
        "code": denied.reason.value,
    }
    after = {"recipient": recipient.actor.name if recipient else "", "window": describe_duration(asked.window)}
    record.append(
        record.NewEvent(
            kind=EventKind.HANDOUT_DENIED,
            subject=f"role:{role.id}" if role else "",
            actor=actor_of(user),
            origin=origin,
            detail={"after": {name: text for name, text in after.items() if text}},
            on_behalf_of=recipient.actor.handle if recipient else "",
            about=record.about_role(role, **said) if role else record.About(**said),
        )
    )
    log.info("handout.denied", actor=user.handle, reason=denied.reason.value)


def _unavailable(user: User, error: Exception | None = None) -> AuditUnavailable:
    log.error("audit.unavailable", actor=user.handle, cause=str(error), exc_info=error)
    return AuditUnavailable(minted=False, issuance_id="")
