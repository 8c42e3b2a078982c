"""How a link that cannot be claimed is told: what happened, why, what next."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.dateformat import format as date_format

from credportal.access.models import Handout, User
from credportal.flows.claim_door import Unclaimed
from credportal.web.letters import Link

Mark = tuple[str, str, str]
"""Icon, word and kind of what came of it, as ``portal.outcome`` draws them."""
REFUSED: Mark = ("refused", "Not claimed", "refused")
FAILED: Mark = ("failed", "Not claimed", "failed")
UNKNOWN: Mark = ("unknown", "Unknown", "unknown")
STATUS = {
    Unclaimed.NO_TOKEN: 422,
    Unclaimed.NO_HANDOUT: 404,
    Unclaimed.FROM_ELSEWHERE: 403,
    Unclaimed.SIGNED_OUT: 403,
    Unclaimed.WRONG_PERSON: 403,
    Unclaimed.NO_CODE: 422,
    Unclaimed.WRONG_CODE: 422,
    Unclaimed.TOO_MANY: 429,
    Unclaimed.CLAIMED: 409,
    Unclaimed.EXPIRED: 410,
    Unclaimed.CANCELLED: 410,
    Unclaimed.LOCKED: 410,
}
ANEW = "If you still need it, ask {issuer} to hand it out anew."


@dataclass(frozen=True, slots=True)
class ClaimLetter:
    """One page about a link that gave no credentials.

    ``handout`` is there where the reader may read about it. ``again`` offers to open the hand-out again, as the first
    thing to do where ``is_worth_it``, ``report`` to say that it was not them, ``paste`` to paste another link.
    ``is_over`` says that nothing comes of this link any more, so that the browser may forget it.
    """

    status: int
    mark: Mark
    headline: str
    what: str
    why: str
    next_step: str
    handout: Handout | None = None
    link: Link | None = None
    again: bool = False
    is_worth_it: bool = True
    paste: bool = False
    report: bool = False
    is_over: bool = False
    reference: str = ""

    @property
    def leads_on(self) -> bool:
        """Tell whether the link is the first thing to do."""
        return not self.report and not self.again


def at(moment: datetime | None, reader: User | None) -> str:
    """Say a moment by the reader's clock, with the zone where nobody told us theirs; nothing where there is none."""
    if moment is None:
        return "an unknown time"
    local = timezone.localtime(moment)
    day = "today" if local.date() == timezone.localdate() else date_format(local, "D j M,")
    zone = "" if reader else f" {local:%Z}"
    return f"{day} {local:%H:%M}{zone}"


def obstacle(why: Unclaimed, handout: Handout | None, reader: User | None, *, token: str) -> ClaimLetter:
    """Say why a link cannot be claimed, before any rule is asked."""
    status = STATUS[why]
    match why:
        case Unclaimed.SIGNED_OUT:
            return _sign_in(status, token)
        case Unclaimed.WRONG_PERSON:
            return _wrong_person(status, handout, reader)
        case Unclaimed.FROM_ELSEWHERE:
            return _from_elsewhere(status)
        case Unclaimed.TOO_MANY:
            return _too_many(status)
        case _ if handout is None:
            return _no_handout(STATUS[Unclaimed.NO_HANDOUT])
        case _:
            return _ended(status, why, handout, reader)


def _sign_in(status: int, token: str) -> ClaimLetter:
    # The token travels in the fragment, which no server and no log sees.
    query = urlencode({"next": reverse("claim")})
    return ClaimLetter(
        status,
        ("people", "For a colleague", ""),
        "This link is for a colleague",
        what="Nothing was claimed, and the link is as good as before.",
        why="Only the person it was made for can claim it, and you are not signed in.",
        next_step="Sign in, and you come back here. If this page has forgotten the link by then, open it again.",
        link=Link("Sign in to claim it", f"{reverse('account_login')}?{query}#{token}"),
    )


def _wrong_person(status: int, handout: Handout | None, reader: User | None) -> ClaimLetter:
    if handout is not None:
        return ClaimLetter(
            status,
            ("people", "Yours to look after", ""),
            "You handed this out",
            what=f"It is for {handout.recipient_name}, and only they can claim it.",
            why="Nobody claims what they handed out themselves.",
            next_step="The board shows how it stands. There you can cancel it or make a new link.",
            handout=handout,
            link=Link("Show the hand-out", reverse("handout", args=[handout.id])),
            is_over=True,
        )
    name = f"You are signed in as {reader}. " if reader else ""
    return ClaimLetter(
        status,
        REFUSED,
        "This is for somebody else",
        what="Nothing was claimed. The link stays good for the person it was made for, and this try is recorded.",
        why=f"{name}The link was made for somebody else, so the portal does not say what it is.",
        next_step="If it was sent to you, ask whoever sent it to hand it out to you. If you found it, leave it alone.",
        is_over=True,
    )


def _from_elsewhere(status: int) -> ClaimLetter:
    return ClaimLetter(
        status,
        REFUSED,
        "This form is too old, or came from elsewhere",
        what="Nothing was claimed, and the link is as good as before.",
        why="The portal takes a claim only from a page that it made for you in this browser.",
        next_step="Open the link that you were sent once more, and claim it there. It needs your browser’s cookies.",
        paste=True,
    )


def _too_many(status: int) -> ClaimLetter:
    return ClaimLetter(
        status,
        FAILED,
        "Too many tries, please wait",
        what="This try was not looked at, and the link is as good as before.",
        why="There were many tries from your address that could not be claimed, and the portal slows such tries down.",
        next_step="Wait five minutes, then open your link again.",
        paste=True,
    )


def _no_handout(status: int) -> ClaimLetter:
    return ClaimLetter(
        status,
        ("unknown", "No such link", ""),
        "No hand-out has this link",
        what="Nothing was claimed.",
        why="It may be mistyped or cut short, or a newer link took its place.",
        next_step="Open it from the newest message that you have, or ask whoever sent it for a new link.",
        paste=True,
        is_over=True,
    )


def _ended(status: int, why: Unclaimed, handout: Handout, reader: User | None) -> ClaimLetter:
    issuer = handout.issuer
    anew = ANEW.format(issuer=issuer)
    match why:
        case Unclaimed.CLAIMED:
            mark, headline = ("check", "Used", ""), "This link has been used"
            place = f" from {handout.claimed_from}" if reader and handout.claimed_from else ""
            what = f"It was claimed {at(handout.claimed_at, reader)}{place}."
            reason = "A link gives credentials once. They are kept nowhere, so nobody can show them again."
            next_step = f"If it was you, ask {issuer} should you need it anew. If it was not you, say so now."
        case Unclaimed.EXPIRED:
            mark, headline = ("clock", "Expired", ""), "This link has expired"
            what = f"Nobody claimed it, and it could be claimed until {at(handout.expires_at, reader)}."
            reason, next_step = "A link is good for a short time only.", anew
        case Unclaimed.CANCELLED:
            mark, headline = ("close", "Cancelled", ""), "This link was cancelled"
            what = f"It was taken back {at(handout.ended_at, reader)}, before anybody claimed it."
            reason, next_step = f"{issuer}, an admin or the portal itself ended it.", anew
        case _:
            mark, headline = ("refused", "Locked", "refused"), "This link is locked"
            what = f"It was locked {at(handout.ended_at, reader)}, and nobody claimed it."
            reason = "Too many wrong codes were typed, so it opens to nobody any more."
            next_step = f"{anew} If somebody else typed them, say so now."
    return ClaimLetter(
        status,
        mark,
        headline,
        what=what,
        why=reason,
        next_step=next_step,
        handout=handout,
        link=record_of(handout.issuance_id, reader) if why is Unclaimed.CLAIMED else None,
        report=why in {Unclaimed.CLAIMED, Unclaimed.LOCKED} and handout.reported_at is None,
        is_over=True,
    )


def record_of(issuance_id: str, reader: User | None) -> Link | None:
    """Lead to the reader's page of an issuance; outsiders have none."""
    return Link("The record", reverse("session", args=[issuance_id])) if reader else None
