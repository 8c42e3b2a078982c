"""How long one row lets a person have a role, and which of the limits on it says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from credportal.domain.durations import MAX_DURATION, describe_duration
from credportal.domain.types import EligibilityFacts, Facts, Needs, RoleFacts


@dataclass(frozen=True, slots=True)
class Maximum:
    """The longest duration one row gives, and the sentence that says which limit set it."""

    duration: timedelta
    why: str


def needs_of(row: EligibilityFacts, role: RoleFacts) -> Needs:
    """Return what a request by this row has to bring along: what the row asks for and what the role asks for."""
    return row.needs | role.needs


def effective_maximum(row: EligibilityFacts, role: RoleFacts, chaining_ceiling: timedelta | None) -> Maximum:
    """Return the smallest of the limits on one row. On a tie the limit a person can have changed is named."""
    holder = f"Limit for {row.holder}." if row.group else "Your own limit."
    return smallest(Maximum(row.max_duration, holder), role, chaining_ceiling)


def break_glass_maximum(row: EligibilityFacts, role: RoleFacts, chaining_ceiling: timedelta | None) -> Maximum | None:
    """Return the same for break-glass, where the row's own cap takes the place of its usual limit.

    None where the row does not allow break-glass.
    """
    if row.break_glass_duration is None:
        return None
    holder = f"Break-glass limit for {row.holder}." if row.group else "Your own break-glass limit."
    return smallest(Maximum(row.break_glass_duration, holder), role, chaining_ceiling)


def maximum_for(row: EligibilityFacts, role: RoleFacts, facts: Facts, *, break_glass: bool) -> Maximum | None:
    """Return the maximum that counts for one request by this row; None where the row gives none at all.

    What approvers agreed to caps only the rows that need them.
    """
    if break_glass:
        return break_glass_maximum(row, role, facts.chaining_ceiling)
    usual = effective_maximum(row, role, facts.chaining_ceiling)
    if facts.approved is None or not needs_of(row, role).approval:
        return usual
    agreed = f"Approved by {facts.approved.by} for up to {said(facts.approved.max_duration)}."
    return min(usual, Maximum(facts.approved.max_duration, agreed), key=lambda limit: limit.duration)


def said(duration: timedelta) -> str:
    """Say a duration that may have come past the forms; a negative one reads as none at all."""
    return describe_duration(max(duration, timedelta(0)))


def smallest(own: Maximum, role: RoleFacts, chaining_ceiling: timedelta | None) -> Maximum:
    """Return the smallest of a row's own limit and those of the role and of AWS. On a tie the row's own is named."""
    best = own
    if role.max_session_duration < best.duration:
        best = Maximum(role.max_session_duration, "The role’s own maximum in AWS.")
    if chaining_ceiling is not None and chaining_ceiling < best.duration:
        best = Maximum(chaining_ceiling, f"AWS stops chained roles at {said(chaining_ceiling)}.")
    return best if best.duration <= MAX_DURATION else Maximum(MAX_DURATION, "AWS issues nothing longer.")
