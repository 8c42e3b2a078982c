"""How a refusal or a failure is told: what happened, why, what next, and a reference."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from credportal.domain.durations import describe_duration
from credportal.domain.policy import needs_of
from credportal.domain.types import DenialReason, Denied, IssuanceRequest, Needs, RoleFacts, Status, TriedRow
from credportal.flows.console import ConsoleFailed
from credportal.flows.issue import Failed, Refused
from credportal.web.offers import Offer, confirm_url, offer_of, request_url

# Where a person who tries again may well get an answer. Elsewhere somebody has to mend something first.
WORTH_TRYING_AGAIN = {
    "sts_throttled",
    "sts_unavailable",
    "sts_timeout",
    "sts_connection_lost",
    "sts_unreachable",
    "sts_bad_response",
}
RETRY_AFTER_SECONDS = 5

# Refusals that another try on the request page mends, and what the link to it says.
MENDED_ON_PAGE = {
    DenialReason.DURATION_TOO_SHORT: "Choose another duration",
    DenialReason.REASON_REQUIRED: "Give a reason",
    DenialReason.TICKET_REQUIRED: "Name a ticket",
    DenialReason.TICKET_MALFORMED: "Name another ticket",
    DenialReason.NARROWING_NOT_ALLOWED: "Choose again",
    DenialReason.NO_BREAK_GLASS: "Ask the usual way",
    DenialReason.REVIEW_OPEN: "Ask the usual way",
}


@dataclass(frozen=True, slots=True)
class Link:
    """Where to go next, and what the link says."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Tried:
    """One row that was tried: whom it names, what it gives, what it asks for, and why that was not enough."""

    holder: str
    longest: timedelta
    asks: str
    why: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The page of a refusal or a failure."""

    outcome: str
    headline: str
    role: RoleFacts | None
    what: str
    why: str
    next_step: str
    issuance_id: str
    at: datetime
    tried: tuple[Tried, ...] = ()
    link: Link | None = None
    session_name: str = ""
    aws_words: str = ""
    offer: Offer | None = None
    again: Offer | None = None


def refusal(answer: Refused, asked: IssuanceRequest, *, now: datetime) -> Letter:
    """Tell what the rule book refused, and what it would have allowed."""
    denied, role = answer.denied, answer.role
    asked_for = describe_duration(asked.duration) if asked.duration else "it"
    return Letter(
        outcome=Status.DENIED.value,
        headline=_headline(denied, role.name if role else "this role", asked, asked_for),
        role=role,
        what=f"You asked for {asked_for}{_how(asked)}. AWS was not called and nothing was issued.",
        why=denied.why,
        next_step=_next_step(denied, role),
        issuance_id=answer.issuance_id,
        at=now,
        tried=tuple(_tried(row, role, asked) for row in denied.tried) if role else (),
        link=_link(denied, asked) if role else None,
        offer=offer_of(asked, label=f"Get {describe_duration(denied.longest)}", duration=denied.longest)
        if denied.reason is DenialReason.DURATION_TOO_LONG and denied.longest is not None
        else None,
    )


def _how(asked: IssuanceRequest) -> str:
    return " by break-glass" if asked.break_glass else ""


def _headline(denied: Denied, name: str, asked: IssuanceRequest, asked_for: str) -> str:
    match denied.reason:
        case DenialReason.DURATION_TOO_LONG if denied.longest is not None:
            return f"You may have {name} for {describe_duration(denied.longest)}{_how(asked)}, not {asked_for}"
        case DenialReason.NOT_ELIGIBLE:
            return f"You may not have {name}"
        case DenialReason.STEP_UP_REQUIRED:
            return f"Confirm it is you, then ask for {name} again"
        case DenialReason.NO_BREAK_GLASS:
            return f"You may not break the glass for {name}"
        case DenialReason.REVIEW_OPEN:
            return "Your last break-glass has to be reviewed first"
        case _:
            return f"You cannot have {name} now"


def _next_step(denied: Denied, role: RoleFacts | None) -> str:
    if denied.reason is not DenialReason.REVIEW_OPEN:
        return denied.next_step
    approvers = f"Somebody in the group {role.approvers}, an auditor" if role and role.approvers else "An auditor"
    return f"{approvers} or a catalogue admin can close it, never you. Or ask for the role the usual way."


def _link(denied: Denied, asked: IssuanceRequest) -> Link | None:
    """Lead to where the person mends it alone, with what was typed; None where somebody else has to."""
    if denied.reason is DenialReason.STEP_UP_REQUIRED:
        return Link("Confirm it is you", confirm_url(request_url(asked)))
    label = MENDED_ON_PAGE.get(denied.reason)
    return Link(label, request_url(asked)) if label else None


def _tried(row: TriedRow, role: RoleFacts, asked: IssuanceRequest) -> Tried:
    eligibility, needs = row.eligibility, needs_of(row.eligibility, role)
    longest = eligibility.max_duration
    if asked.break_glass and eligibility.break_glass_duration is not None:
        longest, needs = eligibility.break_glass_duration, Needs(reason=True, step_up=needs.step_up)
    words = {
        "a reason": needs.reason,
        "a ticket": needs.ticket,
        "a fresh sign-in": needs.step_up,
        "an approval": needs.approval,
    }
    asks = [word for word, asked_for in words.items() if asked_for]
    listed = " and ".join([*([", ".join(asks[:-1])] if asks[:-1] else []), *asks[-1:]])
    return Tried(eligibility.holder, longest, listed, row.why)


def failure(answer: Failed, asked: IssuanceRequest, *, now: datetime, for_admin: bool) -> Letter:
    """Tell what went wrong at AWS. Only admins read AWS's own words: they name ARNs."""
    failed = answer.failure
    unknown = failed.outcome is Status.UNKNOWN
    what = (
        "You may have this role, and the portal asked for it. No whole answer came back, so nothing is shown."
        if unknown
        else "You may have this role, but the portal did not get it from AWS. Nothing was issued."
    )
    return Letter(
        outcome=failed.outcome.value,
        headline=failed.headline,
        role=answer.role,
        what=what,
        why=failed.why,
        next_step=failed.next_step,
        issuance_id=answer.issuance_id,
        at=now,
        session_name=answer.spec.session_name if unknown else "",
        aws_words=f"{failed.aws_code}: {failed.aws_words}" if for_admin and failed.aws_words else "",
        again=offer_of(asked, label="Try again", duration=asked.duration)
        if failed.code in WORTH_TRYING_AGAIN
        else None,
    )


def console_failure(answer: ConsoleFailed, asked: IssuanceRequest, *, now: datetime) -> Letter:
    """Tell that a session was issued, but that AWS's sign-in did not open the console with it."""
    partition_has_none = answer.code == "console_not_in_partition"
    return Letter(
        outcome=Status.FAILED.value,
        headline="The console could not be opened",
        role=answer.role,
        what="A session was issued for the console. Nobody has seen its credentials, and it ends by itself.",
        why="This part of AWS has no console sign-in that the portal knows."
        if partition_has_none
        else "AWS’s sign-in service gave no token for it.",
        next_step="Get credentials for the command line instead."
        if partition_has_none
        else "Try again in a minute, or get credentials for the command line instead.",
        issuance_id=answer.issuance_id,
        at=now,
        again=None if partition_has_none else offer_of(asked, label="Get credentials", duration=asked.duration),
    )
