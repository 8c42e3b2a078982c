"""How the rule book says that something is not handed out, or cannot be claimed: a sentence and the next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from credportal.domain.durations import MIN_DURATION, describe_duration
from credportal.domain.handouts import MAX_WINDOW, MIN_WINDOW
from credportal.domain.limits import Maximum, said
from credportal.domain.refusals import STEP_UP_WINDOW, minutes_of, ticket_step
from credportal.domain.types import DenialReason, Denied, Preset, RoleFacts

_PRESET_WORDS = {
    Preset.READ_ONLY: "read-only",
    Preset.MY_ADDRESS: "only from the address that claims it",
    Preset.ONE_REGION: "only in one region",
}
_ROW_REASONS = (
    DenialReason.DURATION_TOO_LONG,
    DenialReason.TOO_MANY_OPEN,
    DenialReason.TOO_MANY_TODAY,
    DenialReason.OFF_DUTY,
    DenialReason.RECIPIENT_NOT_ALLOWED,
    DenialReason.OUTSIDERS_NOT_ALLOWED,
)
"""The reasons of rows, what the person can mend alone first. The first one among the rows tried is told."""

NOT_SUPPORT = Denied(
    reason=DenialReason.NOT_DELEGATED,
    why="You are not in a group that does support.",
    next_step="Ask an admin of the portal for the duty support, if handing out is your work.",
)
NOT_DELEGATED = Denied(
    reason=DenialReason.NOT_DELEGATED,
    why="No delegation of yours covers this role. What you may use yourself is not yours to hand out.",
    next_step="Choose a role from the list, or ask an admin of the portal for a delegation.",
)
ISSUER_GONE = Denied(
    reason=DenialReason.ISSUER_GONE,
    why="Whoever handed this out may not hand out any more.",
    next_step="Ask support to hand it out anew.",
)
HANDOUT_TO_SELF = Denied(
    reason=DenialReason.HANDOUT_TO_SELF,
    why="Nobody hands out to themselves.",
    next_step="Choose somebody else. What you may use yourself is on your list of roles.",
)
RECIPIENT_UNKNOWN = Denied(
    reason=DenialReason.RECIPIENT_UNKNOWN,
    why="There is no such recipient.",
    next_step="Choose a colleague by name, or name an outsider with an e-mail address.",
)
RECIPIENT_IS_COLLEAGUE = Denied(
    reason=DenialReason.RECIPIENT_IS_COLLEAGUE,
    why="That e-mail address belongs to a user of the portal.",
    next_step="Hand it out to the colleague, who claims it signed in.",
)
REASON_REQUIRED = Denied(
    reason=DenialReason.REASON_REQUIRED,
    why="A hand-out says what it is for, and no reason was given.",
    next_step="Write what the recipient needs it for. One sentence is enough.",
)
WINDOW_TOO_SHORT = Denied(
    reason=DenialReason.WINDOW_TOO_SHORT,
    why=f"A hand-out can be claimed for {describe_duration(MIN_WINDOW)} at least.",
    next_step=f"Choose a claim window of {describe_duration(MIN_WINDOW)} to {describe_duration(MAX_WINDOW)}.",
)
WINDOW_TOO_LONG = Denied(
    reason=DenialReason.WINDOW_TOO_LONG,
    why=f"A hand-out can be claimed for {describe_duration(MAX_WINDOW)} at most.",
    next_step=f"Choose a claim window of {describe_duration(MIN_WINDOW)} to {describe_duration(MAX_WINDOW)}.",
)
ADDRESS_UNKNOWN = Denied(
    reason=DenialReason.NARROWING_NOT_ALLOWED,
    why="The session is to be tied to your address, and your address is not known here.",
    next_step="Ask for a hand-out that is not tied to an address.",
)


def not_offered(wanted: frozenset[Preset], role: RoleFacts) -> Denied:
    """Refuse a narrowing that the role does not offer."""
    words = ", ".join(_PRESET_WORDS[preset] for preset in Preset if preset in wanted - role.narrowings)
    return Denied(
        reason=DenialReason.NARROWING_NOT_ALLOWED,
        why=f"{role.name} does not offer to be narrowed to: {words}.",
        next_step="Hand it out without that, or choose another role.",
    )


def recipient_inactive(name: str) -> Denied:
    """Refuse a recipient who is switched off."""
    return Denied(
        reason=DenialReason.RECIPIENT_INACTIVE,
        why=f"{name} is switched off in the portal, and could not sign in to claim.",
        next_step="Choose somebody else, or ask an admin of the portal to switch them on again.",
    )


def recipient_not_allowed(name: str, group: str, role: RoleFacts) -> Denied:
    """Refuse a colleague whom the delegation is not for."""
    return Denied(
        reason=DenialReason.RECIPIENT_NOT_ALLOWED,
        why=f"You may hand {role.name} to members of the group {group}, and {name} is not in it.",
        next_step=f"Choose a member of {group}, or ask an admin of the portal.",
    )


def outsiders_not_allowed(role: RoleFacts) -> Denied:
    """Refuse an outsider for a role that is not for any."""
    why = f"{role.name} is not handed to anybody outside of the portal."
    if role.needs.step_up:
        why = f"{role.name} is given only to who confirms their password, and an outsider has none here."
    return Denied(
        reason=DenialReason.OUTSIDERS_NOT_ALLOWED,
        why=why,
        next_step="Hand it to a colleague, or choose another role.",
    )


def outsiders_not_delegated(role: RoleFacts) -> Denied:
    """Refuse an outsider where the role allows one and the delegation does not."""
    return Denied(
        reason=DenialReason.OUTSIDERS_NOT_ALLOWED,
        why=f"Your delegation for {role.name} is for colleagues only.",
        next_step="Hand it to a colleague, or ask an admin of the portal.",
    )


def approval_needed(role: RoleFacts) -> Denied:
    """Refuse a role that needs approval: a hand-out would go around the approvers."""
    return Denied(
        reason=DenialReason.APPROVAL_NOT_HANDED_OUT,
        why=f"{role.name} needs an approval, and a hand-out would go around it.",
        next_step="Let the person who needs it ask for it themselves.",
    )


def ticket_required(role: RoleFacts) -> Denied:
    """Refuse for want of a ticket."""
    return Denied(
        DenialReason.TICKET_REQUIRED, f"{role.name} asks for a ticket, and none was given.", ticket_step(role)
    )


def ticket_malformed(role: RoleFacts) -> Denied:
    """Refuse a ticket that the role does not take."""
    return Denied(DenialReason.TICKET_MALFORMED, f"That is not a ticket that {role.name} takes.", ticket_step(role))


def step_up(role: RoleFacts) -> Denied:
    """Refuse whoever has not just confirmed who they are."""
    return Denied(
        reason=DenialReason.STEP_UP_REQUIRED,
        why=f"{role.name} asks that you have just confirmed who you are.",
        next_step=f"Confirm who you are, then try again within {minutes_of(STEP_UP_WINDOW)} min.",
    )


def too_long(role: RoleFacts, maximum: Maximum, asked: str) -> Denied:
    """Refuse a duration above the row's maximum."""
    longest = said(maximum.duration)
    if maximum.duration < MIN_DURATION:
        return Denied(
            reason=DenialReason.DURATION_TOO_LONG,
            why=f"You may hand out {role.name} for up to {longest}, and AWS issues nothing under "
            f"{said(MIN_DURATION)}. {maximum.why}",
            next_step="Ask an admin of the portal to raise that limit.",
        )
    return Denied(
        reason=DenialReason.DURATION_TOO_LONG,
        why=f"You may hand out {role.name} for up to {longest}, not {asked}. {maximum.why}",
        next_step=f"Hand it out for {longest}.",
        longest=maximum.duration,
    )


def off_duty(rota: str) -> Denied:
    """Refuse who is not on duty."""
    return Denied(
        reason=DenialReason.OFF_DUTY,
        why=f"You may hand this out while you are on duty ({rota}), and you are not now.",
        next_step="Ask whoever is on duty, or come back when you are. The rota tells when.",
    )


def too_many_open(limit: int) -> Denied:
    """Refuse one more where as many as allowed are open."""
    return Denied(
        reason=DenialReason.TOO_MANY_OPEN,
        why=f"You may have {_times(limit, 'hand-out')} open at once, and you have.",
        next_step="Cancel one that nobody needs, or wait until one is claimed or expires.",
    )


def too_many_today(limit: int) -> Denied:
    """Refuse one more where as many as allowed were made in the last 24 hours."""
    return Denied(
        reason=DenialReason.TOO_MANY_TODAY,
        why=f"You may hand out {_times(limit, 'time')} in 24 hours, and you have.",
        next_step="Ask a colleague in support, or come back later.",
    )


def nearest(found: Sequence[Denied]) -> Denied:
    """Return the refusal that is nearest to a yes; of durations the longest one."""
    return min(found, key=lambda denied: (_ROW_REASONS.index(denied.reason), -(denied.longest or MIN_WINDOW)))


def at_claim(denied: Denied, issuer: str) -> Denied:
    """Say to the recipient what was decided: most of it only the issuer can mend."""
    if denied.reason is DenialReason.STEP_UP_REQUIRED or denied in (ISSUER_GONE, ADDRESS_UNKNOWN):
        return denied
    why = _SAID_TO_RECIPIENT.get(denied.reason, denied.why)
    return replace(denied, why=why, next_step=f"Ask {issuer} to hand it out anew.", longest=None)


_SAID_TO_RECIPIENT = {
    DenialReason.RECIPIENT_INACTIVE: "Your account on the portal is switched off.",
    DenialReason.NOT_DELEGATED: "This role may not be handed out any more.",
    DenialReason.ROLE_UNFIT: "This role cannot be used as it stands in the portal.",
    DenialReason.NARROWING_NOT_ALLOWED: "This role cannot be narrowed as it was handed out any more.",
    DenialReason.DURATION_TOO_LONG: "This role may not be handed out for so long any more.",
    DenialReason.RECIPIENT_NOT_ALLOWED: "This role may not be handed to you any more.",
    DenialReason.OUTSIDERS_NOT_ALLOWED: "This role is not handed to anybody outside of the portal any more.",
    DenialReason.APPROVAL_NOT_HANDED_OUT: "This role needs an approval now, so it is not handed out any more.",
    DenialReason.TICKET_REQUIRED: "This role asks for a ticket now, and the hand-out has none.",
    DenialReason.TICKET_MALFORMED: "This role does not take the hand-out’s ticket any more.",
}


def _times(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
