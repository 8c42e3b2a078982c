"""How the rule book says no: for each reason a sentence, and the next step that names the real thing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from credportal.domain.limits import Maximum, said
from credportal.domain.tickets import ticket_example, ticket_examples
from credportal.domain.types import DenialReason, Denied, EligibilityFacts, Preset, RoleFacts, TriedRow

STEP_UP_WINDOW = timedelta(minutes=5)
"""How long ago a person may have proved who they are, where a step-up is asked for."""

NEAREST_FIRST = (
    DenialReason.STEP_UP_REQUIRED,
    DenialReason.TICKET_MALFORMED,
    DenialReason.TICKET_REQUIRED,
    DenialReason.REASON_REQUIRED,
    DenialReason.DURATION_TOO_LONG,
    DenialReason.NO_APPROVERS,
    DenialReason.NOT_YET_VALID,
    DenialReason.NO_LONGER_VALID,
    DenialReason.NO_BREAK_GLASS,
)
"""The reasons of rows, what the person can mend alone first. The first one among the rows tried is told."""

_PRESET_WORDS = {
    Preset.READ_ONLY: "read-only",
    Preset.MY_ADDRESS: "only from my address",
    Preset.ONE_REGION: "only in one region",
}


INACTIVE = Denied(
    reason=DenialReason.INACTIVE,
    why="Your account on the portal is switched off.",
    next_step="Ask an admin of the portal to switch your account on again.",
)
NOT_ELIGIBLE = Denied(
    reason=DenialReason.NOT_ELIGIBLE,
    why="No group of yours has this role, and you do not have it yourself.",
    next_step="Ask whoever leads your team which group gives it, or choose a role from your list.",
)
ROLE_DISABLED = Denied(
    reason=DenialReason.ROLE_DISABLED,
    why="This role is switched off in the portal.",
    next_step="Choose another role, or ask an admin of the portal why this one is switched off.",
)
DURATION_TOO_SHORT = Denied(
    reason=DenialReason.DURATION_TOO_SHORT,
    why="AWS issues nothing shorter than 15 min.",
    next_step="Ask for 15 min or more.",
)
REVIEW_OPEN = Denied(
    reason=DenialReason.REVIEW_OPEN,
    why="Your last break-glass still waits for its review, and there is one at a time.",
    next_step="Ask a colleague who reviews to close it, or ask for the role the usual way.",
)


def unfit(problem: str) -> Denied:
    """Refuse a role whose ARN came past the forms. ``problem`` is the sentence of ``naming.arn_problem``."""
    return Denied(
        reason=DenialReason.ROLE_UNFIT,
        why=f"The role’s ARN in the catalogue cannot be used. {problem}",
        next_step="Ask an admin of the portal to mend the role’s ARN in the catalogue.",
    )


def not_offered(wanted: frozenset[Preset], role: RoleFacts) -> Denied:
    """Refuse a narrowing that the role does not offer."""
    offered = _preset_words(role.narrowings)
    return Denied(
        reason=DenialReason.NARROWING_NOT_ALLOWED,
        why=f"{role.name} does not offer to be narrowed to: {_preset_words(wanted - role.narrowings)}.",
        next_step=f"Ask without it. {role.name} offers: {offered}." if offered else "Ask without narrowing.",
    )


def by_rows(tried: Sequence[TriedRow], role: RoleFacts, longest: tuple[Maximum, EligibilityFacts] | None) -> Denied:
    """Give the reason that is nearest to a yes, with the longest duration that would have been allowed."""
    nearest = min(tried, key=lambda row: NEAREST_FIRST.index(row.reason))
    return Denied(
        reason=nearest.reason,
        why=_why(nearest, role, longest),
        next_step=_next_step(nearest, role, longest),
        tried=tuple(tried),
        longest=longest[0].duration if longest else None,
    )


def outside_validity(row: EligibilityFacts, now: datetime) -> TriedRow | None:
    """Refuse a row whose time has not come or has passed, else None."""
    if row.valid_from is not None and now < row.valid_from:
        return TriedRow(row, DenialReason.NOT_YET_VALID, f"It begins on {_moment(row.valid_from)}.")
    if row.valid_until is not None and now >= row.valid_until:
        return TriedRow(row, DenialReason.NO_LONGER_VALID, f"It ended on {_moment(row.valid_until)}.")
    return None


def too_long(row: EligibilityFacts, asked: timedelta, maximum: Maximum) -> TriedRow:
    """Refuse a duration above the row's maximum."""
    over = f"{said(asked)} is over {said(maximum.duration)}. {maximum.why}"
    return TriedRow(row, DenialReason.DURATION_TOO_LONG, over)


def minutes_of(window: timedelta) -> int:
    """Return a window in whole minutes."""
    return int(window.total_seconds()) // 60


def _why(row: TriedRow, role: RoleFacts, longest: tuple[Maximum, EligibilityFacts] | None) -> str:
    over = "The longest that any of your rows gives is under 15 min, the shortest that AWS issues."
    if longest is not None:
        over = f"You may have {role.name} for up to {said(longest[0].duration)}. {longest[0].why}"
    sentences = {
        DenialReason.DURATION_TOO_LONG: over,
        DenialReason.REASON_REQUIRED: "This role asks for a reason, and none was given.",
        DenialReason.TICKET_REQUIRED: "This role asks for a ticket, and none was given.",
        DenialReason.TICKET_MALFORMED: f"That is not a ticket that {role.name} takes.",
        DenialReason.STEP_UP_REQUIRED: f"{role.name} is given only to who has just confirmed who they are.",
        DenialReason.NO_APPROVERS: f"{role.name} needs an approval, and nobody is named who could give it.",
        DenialReason.NO_BREAK_GLASS: f"None of your rows allows break-glass for {role.name}.",
    }
    return sentences.get(row.reason, row.why)


def _next_step(row: TriedRow, role: RoleFacts, longest: tuple[Maximum, EligibilityFacts] | None) -> str:
    eligibility = row.eligibility
    whose = f"the eligibility of {eligibility.holder}" if eligibility.group else "your eligibility"
    shorter = f"Ask an admin of the portal to raise the limit of {whose}."
    if longest is not None:
        shorter = f"Take {said(longest[0].duration)} now and renew it when it ends."
    begins = f", on {_moment(eligibility.valid_from)}" if eligibility.valid_from else ""
    approvers = f" Approvals come from the group {role.approvers}." if role.approvers else ""
    return {
        DenialReason.DURATION_TOO_LONG: shorter,
        DenialReason.REASON_REQUIRED: "Write what you need the role for. One sentence is enough.",
        DenialReason.TICKET_REQUIRED: ticket_step(role),
        DenialReason.TICKET_MALFORMED: ticket_step(role),
        DenialReason.STEP_UP_REQUIRED: (
            f"Confirm who you are, then ask again within {minutes_of(STEP_UP_WINDOW)} min."
        ),
        DenialReason.NO_APPROVERS: f"Ask an admin of the portal to name a group of approvers for {role.name}.",
        DenialReason.NO_BREAK_GLASS: f"Ask for it the usual way.{approvers}",
        DenialReason.NOT_YET_VALID: f"Come back when {whose} begins{begins}.",
        DenialReason.NO_LONGER_VALID: f"Ask an admin of the portal to extend {whose}.",
    }[row.reason]


def ticket_step(role: RoleFacts) -> str:
    """Say which ticket the role wants, by example."""
    if not role.ticket_pattern.strip():
        return f"Name the ticket you work on, such as {ticket_example('')}."
    examples = ticket_examples(role.ticket_pattern)
    if not examples:
        return f"Ask an admin of the portal to mend the ticket pattern of {role.name}."
    return f"Name the ticket you work on. It looks like {' or '.join(examples[:3])}."


def _preset_words(presets: frozenset[Preset]) -> str:
    return ", ".join(_PRESET_WORDS[preset] for preset in Preset if preset in presets)


def _moment(moment: datetime) -> str:
    return f"{moment:%d %b %Y, %H:%M} UTC"
