"""Decide: may this person have this role, for this long, now? This is the rule book.

Pure: facts and the time come in, a decision goes out. Rights are never the union over
rows: one eligibility must allow the whole request. Nothing that the form carries can
widen what the rows allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from credportal.domain.durations import MAX_DURATION, MIN_DURATION, describe_duration
from credportal.domain.naming import partition_from, session_name, session_tags
from credportal.domain.narrowing import session_policy
from credportal.domain.types import (
    DenialReason,
    Denied,
    EligibilityFacts,
    Facts,
    Granted,
    IssuanceRequest,
    RoleFacts,
    SessionSpec,
    Source,
    TriedRow,
)

NEXT_STEPS = {
    DenialReason.INACTIVE: "Ask an admin of the portal to switch your account on again.",
    DenialReason.NOT_ELIGIBLE: "Ask whoever leads your team which group gives it, or choose a role from your list.",
    DenialReason.ROLE_DISABLED: "Choose another role, or ask an admin of the portal why this one is switched off.",
    DenialReason.DURATION_TOO_SHORT: "Ask for 15 min or more.",
    DenialReason.DURATION_TOO_LONG: "Take the longest you may have now and renew it when it ends.",
    DenialReason.REASON_REQUIRED: "Write what you need the role for. One sentence is enough.",
    DenialReason.NOT_YET_VALID: "Come back when your eligibility begins.",
    DenialReason.NO_LONGER_VALID: "Ask whoever gave it to you to extend it.",
}


@dataclass(frozen=True, slots=True)
class Maximum:
    """The longest duration one row gives, and the sentence that says which limit set it."""

    duration: timedelta
    why: str


def effective_maximum(row: EligibilityFacts, role: RoleFacts, chaining_ceiling: timedelta | None) -> Maximum:
    """Return the smallest of the limits on one row. On a tie the limit a person can have changed is named."""
    holder = f"Limit for {row.holder}." if row.group else "Your own limit."
    limits = [Maximum(row.max_duration, holder)]
    limits.append(Maximum(role.max_session_duration, "The role’s own maximum in AWS."))
    if chaining_ceiling is not None:
        limits.append(Maximum(chaining_ceiling, f"AWS stops chained roles at {describe_duration(chaining_ceiling)}."))
    limits.append(Maximum(MAX_DURATION, "AWS issues nothing longer."))
    return min(limits, key=lambda limit: limit.duration)


def decide(asked: IssuanceRequest, facts: Facts, *, issuance_id: str, now: datetime) -> Granted | Denied:
    """Decide one request. ``now`` is aware UTC; the issuance id goes into the session name and tags."""
    if not facts.actor.is_active:
        return _denied(DenialReason.INACTIVE, "Your account on the portal is switched off.")
    role = facts.role
    if role is None or not facts.eligibilities:
        return _denied(DenialReason.NOT_ELIGIBLE, "No group of yours has this role, and you do not have it yourself.")
    if not role.enabled:
        return _denied(DenialReason.ROLE_DISABLED, "This role is switched off in the portal.")
    if asked.duration < MIN_DURATION:
        return _denied(DenialReason.DURATION_TOO_SHORT, "AWS issues nothing shorter than 15 min.")

    tried: list[TriedRow] = []
    for row in best_first(facts, role):
        refusal = _refuse_row(row, role, asked, facts.chaining_ceiling, now)
        if refusal is None:
            return Granted(_session_spec(asked, facts, role, issuance_id), Source.STANDARD, row)
        tried.append(refusal)
    return _denied_by_rows(tried, role, facts, now)


def best_first(facts: Facts, role: RoleFacts) -> list[EligibilityFacts]:
    """Order the rows: what asks for less comes first, then what allows longer, then the older row."""

    def rank(row: EligibilityFacts) -> tuple[bool, timedelta, int]:
        return row.needs.reason, -effective_maximum(row, role, facts.chaining_ceiling).duration, row.id

    return sorted(facts.eligibilities, key=rank)


def valid_rows(facts: Facts, now: datetime) -> list[EligibilityFacts]:
    """Return the rows whose time has come and not passed."""
    return [row for row in facts.eligibilities if _outside_validity(row, now) is None]


def longest(facts: Facts, now: datetime) -> tuple[Maximum, EligibilityFacts] | None:
    """Return the longest duration that any one row gives now, with the row; None where none does.

    Among equals the row that asks for less wins.
    """
    if facts.role is None or not facts.role.enabled:
        return None
    best: tuple[Maximum, EligibilityFacts] | None = None
    for row in sorted(valid_rows(facts, now), key=lambda row: (row.needs.reason, row.id)):
        maximum = effective_maximum(row, facts.role, facts.chaining_ceiling)
        if best is None or maximum.duration > best[0].duration:
            best = maximum, row
    return best


def _refuse_row(
    row: EligibilityFacts, role: RoleFacts, asked: IssuanceRequest, chaining_ceiling: timedelta | None, now: datetime
) -> TriedRow | None:
    """Say why one row does not allow the whole request, or None where it does."""
    outside = _outside_validity(row, now)
    if outside is not None:
        return outside
    maximum = effective_maximum(row, role, chaining_ceiling)
    if asked.duration > maximum.duration:
        over = f"{describe_duration(asked.duration)} is over {describe_duration(maximum.duration)}. {maximum.why}"
        return TriedRow(row, DenialReason.DURATION_TOO_LONG, over)
    if row.needs.reason and not asked.reason.strip():
        return TriedRow(row, DenialReason.REASON_REQUIRED, "It asks for a reason.")
    return None


def _outside_validity(row: EligibilityFacts, now: datetime) -> TriedRow | None:
    if row.valid_from is not None and now < row.valid_from:
        return TriedRow(row, DenialReason.NOT_YET_VALID, f"It begins on {row.valid_from:%d %b %Y, %H:%M} UTC.")
    if row.valid_until is not None and now >= row.valid_until:
        return TriedRow(row, DenialReason.NO_LONGER_VALID, f"It ended on {row.valid_until:%d %b %Y, %H:%M} UTC.")
    return None


def _denied_by_rows(tried: list[TriedRow], role: RoleFacts, facts: Facts, now: datetime) -> Denied:
    """Give the reason that is nearest to a yes: a missing reason, then the duration, then the validity."""
    nearness = [
        DenialReason.REASON_REQUIRED,
        DenialReason.DURATION_TOO_LONG,
        DenialReason.NOT_YET_VALID,
        DenialReason.NO_LONGER_VALID,
    ]
    nearest = min(tried, key=lambda row: nearness.index(row.reason))
    best = longest(facts, now)
    why = {
        DenialReason.REASON_REQUIRED: "This role asks for a reason, and none was given.",
        DenialReason.DURATION_TOO_LONG: "It is longer than any one of your rows allows.",
    }.get(nearest.reason, nearest.why)
    if nearest.reason is DenialReason.DURATION_TOO_LONG and best is not None:
        why = f"You may have {role.name} for up to {describe_duration(best[0].duration)}. {best[0].why}"
    return Denied(
        reason=nearest.reason,
        why=why,
        next_step=NEXT_STEPS[nearest.reason],
        tried=tuple(tried),
        longest=best[0].duration if best else None,
    )


def _denied(reason: DenialReason, why: str) -> Denied:
    return Denied(reason=reason, why=why, next_step=NEXT_STEPS[reason])


def _session_spec(asked: IssuanceRequest, facts: Facts, role: RoleFacts, issuance_id: str) -> SessionSpec:
    """Build AssumeRole's arguments from the catalogue. From the form come only duration, ticket and narrowing."""
    policy, policy_arns = session_policy(asked.narrowing, partition_from(role.arn))
    handle = facts.actor.handle
    return SessionSpec(
        role_arn=role.arn,
        session_name=session_name(handle, issuance_id),
        duration=asked.duration,
        external_id=role.external_id,
        source_identity=handle if role.accepts_source_identity else "",
        session_tags=session_tags(issuance_id, asked.ticket, handle) if role.accepts_session_tags else (),
        session_policy=policy,
        session_policy_arns=policy_arns,
    )
