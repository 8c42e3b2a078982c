"""How a claim becomes a page, and how many tries an address has."""

import hashlib
from dataclasses import replace
from typing import Any

import structlog
from allauth.core import ratelimit
from django.core.cache import cache
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from credportal.access.models import Handout, User
from credportal.access.selectors import handouts as access
from credportal.domain.narrowing import describe
from credportal.flows import claim as flow
from credportal.flows.answers import AuditUnavailable, Failed, Issued, Refused
from credportal.flows.claim import Claimed, Found, Reported
from credportal.flows.claim_door import NotClaimed, Unclaimed
from credportal.web import claim_letters, claim_outcomes, issued
from credportal.web.claim_letters import STATUS, ClaimLetter
from credportal.web.forms.claim import mistake_in
from credportal.web.http import PortalRequest, client_address, origin_of, printable
from credportal.web.letters import RETRY_AFTER_SECONDS
from credportal.web.pages import show

log = structlog.get_logger(__name__)

SHUT_SECONDS = 300
"""How long an address, or a dead link, is not listened to once it had too many tries."""
MOST_OF_DEAD_LINK = 60
"""How many tries of a used or ended link are looked at and recorded, in about five minutes."""
ENDED = {Unclaimed.CLAIMED, Unclaimed.EXPIRED, Unclaimed.CANCELLED, Unclaimed.LOCKED}


def person_of(request: PortalRequest) -> User | None:
    """Return who is signed in; None for everybody else, such as an outsider."""
    user: Any = request.user
    return user if user.is_authenticated else None


def may_look(request: PortalRequest) -> bool:
    """Count one look at a link; tell whether this address has any left."""
    return bool(ratelimit.consume(request, action="claim_look"))


def is_shut(request: PortalRequest, token: str = "") -> bool:
    """Tell whether this address, or this link, had too many tries. One read, so that a claim waits for no counter."""
    keys = {_shut_key(request): True, _dead_key(token): MOST_OF_DEAD_LINK}
    found = cache.get_many(keys)
    return any(found.get(key, 0) >= most for key, most in keys.items())


def note_refused(request: PortalRequest, why: Unclaimed, token: str = "") -> None:
    """Count a refused claim. Too many from one address shut the door to it, and the audit tells that once.

    A link that has ended is counted by itself: whoever has it is no stranger, and many may press it at once.
    """
    if why in ENDED:
        key = _dead_key(token)
        cache.set(key, cache.get(key, 0) + 1, SHUT_SECONDS)
    elif not ratelimit.consume(request, action="claim_refused") and cache.add(_shut_key(request), 1, SHUT_SECONDS):
        log.warning("claim.shut", address=client_address(request))
        _record(request, Unclaimed.TOO_MANY)


def refuse_from_elsewhere(request: PortalRequest) -> HttpResponse:
    """Refuse what no page of ours sent, or no person. A claim is recorded, as seldom as any other refused one."""
    if request.path == reverse("claim") and not is_shut(request):
        _record(request, Unclaimed.FROM_ELSEWHERE)
        note_refused(request, Unclaimed.FROM_ELSEWHERE)
    return show_obstacle(request, Unclaimed.FROM_ELSEWHERE)


def show_paste(request: PortalRequest, typed: str | None = None) -> HttpResponse:
    """Show the form that takes a link; with ``typed``, in which there is none, say so."""
    if typed is None:
        return show(request, "claim/paste.html")
    context = {"typed": printable(typed[:300]), "mistake": mistake_in(typed)}
    return show(request, "claim/paste.html", context, status=STATUS[Unclaimed.NO_TOKEN])


def show_found(request: PortalRequest, answer: Found | AuditUnavailable, token: str) -> HttpResponse:
    """Answer a look: what can be claimed, or why it cannot."""
    reader = person_of(request)
    if isinstance(answer, AuditUnavailable):
        return show_letter(request, claim_outcomes.unrecorded(answer, None, reader), token)
    if answer.obstacle is None and answer.handout is not None:
        return _show_offer(request, answer.handout, token)
    why = answer.obstacle or Unclaimed.NO_HANDOUT
    return show_letter(request, claim_letters.obstacle(why, answer.handout, reader, token=token), token)


def show_claimed(request: PortalRequest, answer: Claimed | NotClaimed | AuditUnavailable, token: str) -> HttpResponse:
    """Answer a press: credentials, or why there are none."""
    reader = person_of(request)
    match answer:
        case Claimed():
            return _show_answer(request, answer, reader, token)
        case AuditUnavailable():
            return show_letter(request, claim_outcomes.unrecorded(answer, None, reader), token)
        case NotClaimed(why=Unclaimed.NO_TOKEN):
            note_refused(request, answer.why)
            return show_paste(request, "")
        case NotClaimed(why=why, handout=handout):
            note_refused(request, why, token)
            if why in {Unclaimed.NO_CODE, Unclaimed.WRONG_CODE} and handout is not None:
                return _show_offer(request, handout, token, refused=answer)
            return show_letter(request, claim_letters.obstacle(why, handout, reader, token=token), token)


def show_reported(request: PortalRequest, answer: Reported | NotClaimed | AuditUnavailable, token: str) -> HttpResponse:
    """Answer "this was not me": who was told, or why nobody was."""
    reader = person_of(request)
    match answer:
        case Reported(handout=handout):
            return show(request, "claim/reported.html", {"handout": handout})
        case AuditUnavailable():
            return show_letter(request, claim_outcomes.unrecorded(answer, None, reader), token)
        case NotClaimed(why=Unclaimed.NO_TOKEN):
            return show_paste(request, "")
        case NotClaimed(why=why, handout=handout):
            note_refused(request, why, token)
            return show_letter(request, claim_letters.obstacle(why, handout, reader, token=token), token)


def show_obstacle(request: PortalRequest, why: Unclaimed) -> HttpResponse:
    """Say that a claim was not even looked at."""
    return show_letter(request, claim_letters.obstacle(why, None, person_of(request), token=""), "")


def show_letter(request: PortalRequest, letter: ClaimLetter, token: str) -> HttpResponse:
    """Answer with the page of a claim that gave no credentials. The token stays in it where it may still be good."""
    context = {"letter": letter, "token": token, "now": timezone.now()}
    response = show(request, "claim/letter.html", context, status=letter.status)
    if letter.status == 503 and letter.again:  # noqa: PLR2004 -- HTTP's own number.
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _show_offer(
    request: PortalRequest, handout: Handout, token: str, *, refused: NotClaimed | None = None
) -> HttpResponse:
    context = {
        "handout": handout,
        "narrowed": _narrowed(request, handout),
        "token": token,
        "until": claim_letters.at(handout.expires_at, person_of(request)),
        "refused": refused,
    }
    status = STATUS[refused.why] if refused else 200
    return show(request, "claim/offer.html", context, status=status)


def _narrowed(request: PortalRequest, handout: Handout) -> tuple[str, ...]:
    asked = access.request_in(handout)
    address = client_address(request)
    tied = asked.from_claim_address and not address
    return describe(asked.narrowing(address)) + (("only from your address",) if tied else ())


def _show_answer(request: PortalRequest, claimed: Claimed, reader: User | None, token: str) -> HttpResponse:
    handout, answer = claimed.handout, claimed.answer
    match answer:
        case Issued():
            page = issued.issued_page(answer, claimed.asked, now=timezone.now())
            page = replace(page, renew=None, console=None, issuer=str(handout.issuer), has_record=reader is not None)
            return show(request, "claim/issued.html", {"issued": page})
        case Refused():
            letter = claim_outcomes.refusal(answer, handout, reader, token=token)
        case Failed():
            letter = claim_outcomes.failure(answer, handout, reader)
        case AuditUnavailable():
            letter = claim_outcomes.unrecorded(answer, handout, reader)
        case _:
            raise AssertionError("a claim neither waits nor is asked twice by one form")
    return show_letter(request, letter, token)


def _record(request: PortalRequest, why: Unclaimed) -> None:
    flow.note_refused(why=why, user=person_of(request), origin=origin_of(request), now=timezone.now())


def _shut_key(request: PortalRequest) -> str:
    return f"claim:shut:{client_address(request)}"


def _dead_key(token: str) -> str:
    return f"claim:dead:{hashlib.sha256(token.encode()).hexdigest()}"
