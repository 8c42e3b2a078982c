"""Which mails an event makes: about a hand-out, to whom, and with which words. No mail holds a token, code or secret.

Whoever is switched off or has no address gets none.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from credportal.access.models import Handout, User
from credportal.access.selectors import handouts as access
from credportal.access.selectors import people
from credportal.audit import selectors as audit
from credportal.audit.models import Event, EventKind
from credportal.domain.sentences import sentence_for
from credportal.domain.types import DenialReason, Source
from credportal.flows.addresses import claim_address, handout_address, session_address
from credportal.flows.handout_words import moment, words_of
from credportal.flows.mail import Mail, compose

ISSUER, RECIPIENT, ADMINS = "issuer", "recipient", "admins"
# Each kind of event with its mails: whom, and by which template.
LETTERS: dict[str, tuple[tuple[str, str], ...]] = {
    EventKind.HANDOUT_MADE: ((RECIPIENT, "made"),),
    EventKind.ISSUED: ((ISSUER, "claimed"),),
    EventKind.HANDOUT_RETURNED: ((ISSUER, "returned"), (RECIPIENT, "returned_recipient")),
    EventKind.HANDOUT_BURNED: ((ISSUER, "burned"), (RECIPIENT, "burned_recipient")),
    EventKind.HANDOUT_REFUSED: ((ISSUER, "refused"),),
    EventKind.HANDOUT_WRONG_PERSON: ((ISSUER, "wrong_person"), (ADMINS, "wrong_person")),
    EventKind.HANDOUT_WRONG_CODE: ((ISSUER, "wrong_code"),),
    EventKind.HANDOUT_LOCKED: ((ISSUER, "locked"),),
    EventKind.HANDOUT_EXPIRED: ((ISSUER, "expired"),),
    EventKind.HANDOUT_CANCELLED: ((ISSUER, "cancelled"), (RECIPIENT, "cancelled_recipient")),
    EventKind.HANDOUT_REPORTED: ((ISSUER, "reported"), (ADMINS, "reported")),
}
# What one person can do over and over: the same again within this time makes no second mail.
REPEATED = (
    EventKind.HANDOUT_RETURNED,
    EventKind.HANDOUT_REFUSED,
    EventKind.HANDOUT_WRONG_PERSON,
    EventKind.HANDOUT_WRONG_CODE,
)
AGAIN_WITHIN = timedelta(hours=1)
_RULES = {reason.value for reason in DenialReason}


def mails_about(event: Event, *, now: datetime) -> list[Mail]:
    """Return the mails that an event makes, none where nobody needs to know: one for each address."""
    handout = _handout_of(event)
    if handout is None or not _is_news(event, handout, now):
        return []
    mails: dict[str, Mail] = {}
    for party, template in LETTERS[event.kind]:
        for reader, address in _readers(party, handout):
            if address and not _knows(party, event, handout):
                words = _words(party, event, handout, reader)
                mails.setdefault(address.lower(), compose(template, address, words, key=f"notice {event.id}"))
    return list(mails.values())


def _handout_of(event: Event) -> Handout | None:
    if event.kind == EventKind.ISSUED:
        return access.handout_of_issuance(event.issuance_id) if event.source == Source.HANDOUT.value else None
    kind, _, handout_id = event.subject.partition(":")
    return access.handout(handout_id) if kind == "handout" else None


def _is_news(event: Event, handout: Handout, now: datetime) -> bool:
    """Tell whether an event is worth a mail at all."""
    if event.kind == EventKind.HANDOUT_MADE:
        # Whom the link was mailed to knows already, and one that has ended needs no announcement.
        is_mailed = "mailed" in event.detail.get("after", {})
        return not is_mailed and now < handout.expires_at
    if event.kind == EventKind.HANDOUT_REFUSED and event.code not in _RULES:
        return False
    return event.kind not in REPEATED or not _is_again(event)


def _is_again(event: Event) -> bool:
    same = Event.objects.filter(subject=event.subject, kind=event.kind, code=event.code)
    return same.filter(id__lt=event.id, at__gt=event.at - AGAIN_WITHIN, actor_handle=event.actor_handle).exists()


def _readers(party: str, handout: Handout) -> Iterator[tuple[User | None, str]]:
    """Yield who gets a mail, with their address; an outsider is nobody the portal knows."""
    if party == RECIPIENT and handout.is_for_outsider:
        yield None, handout.outsider_email
    elif party == ADMINS:
        yield from ((admin, admin.email) for admin in people.catalogue_admins())
    else:
        person = handout.issuer if party == ISSUER else handout.recipient
        if person is not None and person.is_active:
            yield person, person.email


def _knows(party: str, event: Event, handout: Handout) -> bool:
    """Tell whether these readers know already, for they did it themselves."""
    is_own = event.actor_handle == handout.issuer.handle
    return party == ISSUER and event.kind == EventKind.HANDOUT_CANCELLED and is_own


def _words(party: str, event: Event, handout: Handout, reader: User | None) -> dict[str, Any]:
    issuance = audit.issuance(event.issuance_id) if event.issuance_id else None
    page = handout_address(handout.id)
    if party == RECIPIENT:
        is_theirs = event.kind == EventKind.HANDOUT_BURNED and not handout.is_for_outsider
        page = session_address(event.issuance_id) if is_theirs else claim_address()
    return {
        **words_of(handout, reader),
        "who": event.actor_name or "the portal",
        "from": event.address,
        "when": moment(event.at, reader),
        "ends": moment(event.expiration, reader) if event.expiration else "",
        "why": event.detail.get("after", {}).get("why", "") or (sentence_for(event.code) if event.code else ""),
        "session_name": issuance.session_name if issuance else "",
        "page": page,
    }
