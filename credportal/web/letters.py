"""How a refusal or a failure is told: what happened, why, what next, and a reference."""

from dataclasses import dataclass
from datetime import datetime

from credportal.domain.durations import describe_duration
from credportal.domain.types import DenialReason, IssuanceRequest, RoleFacts, Status, TriedRow
from credportal.flows.console import ConsoleFailed
from credportal.flows.issue import Failed, Refused
from credportal.web.offers import Offer, offer_of

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
    tried: tuple[TriedRow, ...] = ()
    session_name: str = ""
    aws_words: str = ""
    offer: Offer | None = None
    again: Offer | None = None


def refusal(answer: Refused, asked: IssuanceRequest, *, now: datetime) -> Letter:
    """Tell what the rule book refused, and what it would have allowed."""
    denied, role = answer.denied, answer.role
    name = role.name if role else "this role"
    asked_for = describe_duration(asked.duration) if asked.duration else "it"
    too_long = denied.reason is DenialReason.DURATION_TOO_LONG and denied.longest is not None
    headline = f"You may not have {name}"
    if too_long and denied.longest is not None:
        headline = f"You may have {name} for {describe_duration(denied.longest)}, not {asked_for}"
    elif denied.reason is not DenialReason.NOT_ELIGIBLE:
        headline = f"You cannot have {name} now"
    return Letter(
        outcome=Status.DENIED.value,
        headline=headline,
        role=role,
        what=f"You asked for {asked_for}. AWS was not called and nothing was issued.",
        why=denied.why,
        next_step=denied.next_step,
        issuance_id=answer.issuance_id,
        at=now,
        tried=denied.tried,
        offer=offer_of(asked, label=f"Get {describe_duration(denied.longest)}", duration=denied.longest)
        if too_long and denied.longest is not None
        else None,
    )


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
