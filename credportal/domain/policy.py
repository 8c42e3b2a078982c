"""Decide: may this person have this role, for this long, now? This is the rule book.

Pure: facts and the time come in, a decision goes out. Rights are never the union over
rows: one eligibility must allow the whole request. Nothing that the form carries can
widen what the rows allow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credportal.domain import refusals
from credportal.domain.durations import MIN_DURATION
from credportal.domain.limits import Maximum, break_glass_maximum, effective_maximum, maximum_for, needs_of
from credportal.domain.naming import arn_problem
from credportal.domain.refusals import STEP_UP_WINDOW
from credportal.domain.spec import session_spec
from credportal.domain.tickets import ticket_example, ticket_fits
from credportal.domain.types import (
    DenialReason,
    Denied,
    EligibilityFacts,
    Facts,
    Granted,
    IssuanceRequest,
    Needs,
    NeedsApproval,
    RoleFacts,
    Source,
    TriedRow,
)

__all__ = [
    "STEP_UP_WINDOW",
    "Decision",
    "Maximum",
    "Standing",
    "best_first",
    "break_glass_maximum",
    "decide",
    "effective_maximum",
    "is_fresh",
    "longest",
    "needs_of",
    "standing",
    "valid_rows",
]

Decision = Granted | NeedsApproval | Denied

_NO_ISSUANCE = "000000000000"


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody gets who brings along everything asked of them.

    ``row`` gives the longest duration among the rows that answer as the decision does, ``maximum`` and ``needs``
    are that row's. Both are None where the decision is a refusal.
    """

    decision: Decision
    maximum: Maximum | None
    row: EligibilityFacts | None
    needs: Needs


def decide(asked: IssuanceRequest, facts: Facts, *, issuance_id: str, now: datetime) -> Decision:
    """Decide one request. ``now`` is aware UTC; the issuance id goes into the session name and tags.

    A row that gives all of it outright is taken before one that needs an approval, and that before a refusal.
    While an approval is collected, it opens and caps only the rows that need one, and every rule is checked again:
    a row that needs none grants as it always does, by ``Source.STANDARD`` and without an approval's id.
    """
    refusal = _refuse_outright(asked, facts)
    role = facts.role
    if refusal is not None or role is None:
        return refusal or refusals.NOT_ELIGIBLE
    tried: list[TriedRow] = []
    for row in best_first(facts, role, break_glass=asked.break_glass):
        refused = _refuse_row(row, role, asked, facts, now)
        if refused is not None:
            tried.append(refused)
            continue
        # The rows that need no approval come first, so nothing after this one grants outright.
        if not _needs(row, role, break_glass=asked.break_glass).approval:
            source = Source.BREAK_GLASS if asked.break_glass else Source.STANDARD
            return Granted(session_spec(asked, facts.actor, role, issuance_id), source, row)
        if facts.approved is None:
            return NeedsApproval(row)
        spec = session_spec(asked, facts.actor, role, issuance_id)
        return Granted(spec, Source.APPROVAL, row, approval_id=facts.approved.id)
    return refusals.by_rows(tried, role, longest(facts, now, break_glass=asked.break_glass))


def best_first(facts: Facts, role: RoleFacts, *, break_glass: bool = False) -> list[EligibilityFacts]:
    """Order the rows: what asks for less comes first, then what allows longer, then the older row.

    Least of all is asked where no approval is needed, then no step-up, no ticket, no reason.
    """

    def rank(row: EligibilityFacts) -> tuple[bool, bool, bool, bool, timedelta, int]:
        needs = _needs(row, role, break_glass=break_glass)
        maximum = maximum_for(row, role, facts, break_glass=break_glass)
        duration = maximum.duration if maximum else timedelta(0)
        return needs.approval, needs.step_up, needs.ticket, needs.reason, -duration, row.id

    return sorted(facts.eligibilities, key=rank)


def valid_rows(facts: Facts, now: datetime) -> list[EligibilityFacts]:
    """Return the rows whose time has come and not passed."""
    return [row for row in facts.eligibilities if refusals.outside_validity(row, now) is None]


def longest(facts: Facts, now: datetime, *, break_glass: bool = False) -> tuple[Maximum, EligibilityFacts] | None:
    """Return the longest duration that any one row gives now, by approval too, with the row.

    None where no row gives what AWS would issue. Among equals the row that asks for less wins.
    """
    role = facts.role
    if role is None or not role.enabled or arn_problem(role.arn, facts.identity):
        return None
    valid = valid_rows(facts, now)
    rows = [row for row in best_first(facts, role, break_glass=break_glass) if row in valid]
    return _longest_of(rows, role, facts, break_glass=break_glass)


def standing(facts: Facts, *, now: datetime) -> Standing:
    """Return what a person gets who asks for the shortest duration, with all that is asked of them. See ``decide``."""
    role = facts.role
    ticket = ticket_example(role.ticket_pattern) if role else ""
    asked = IssuanceRequest(role_id=role.id if role else "", duration=MIN_DURATION, reason="-", ticket=ticket or "-")
    willing = replace(facts, signed_in_at=now, approved=None)
    decision = decide(asked, willing, issuance_id=_NO_ISSUANCE, now=now)
    if role is None or isinstance(decision, Denied):
        return Standing(decision, None, None, Needs())
    waits = isinstance(decision, NeedsApproval)
    alike = [row for row in best_first(willing, role) if needs_of(row, role).approval == waits]
    valid = valid_rows(willing, now)
    best = _longest_of([row for row in alike if row in valid], role, willing, break_glass=False)
    if best is None:
        raise AssertionError("a row that gives the shortest duration has a longest one")
    return Standing(decision, best[0], best[1], needs_of(best[1], role))


def _longest_of(
    rows: list[EligibilityFacts], role: RoleFacts, facts: Facts, *, break_glass: bool
) -> tuple[Maximum, EligibilityFacts] | None:
    """Return the longest of these rows, the first one among equals."""
    best: tuple[Maximum, EligibilityFacts] | None = None
    for row in rows:
        maximum = maximum_for(row, role, facts, break_glass=break_glass)
        if maximum is None or maximum.duration < MIN_DURATION:
            continue
        if _needs(row, role, break_glass=break_glass).approval and not role.approvers:
            continue
        if best is None or maximum.duration > best[0].duration:
            best = maximum, row
    return best


def _needs(row: EligibilityFacts, role: RoleFacts, *, break_glass: bool) -> Needs:
    """Return what the request has to bring along. Break-glass waits for nobody and no ticket, but says why."""
    needs = needs_of(row, role)
    return Needs(reason=True, step_up=needs.step_up) if break_glass else needs


def _refuse_outright(asked: IssuanceRequest, facts: Facts) -> Denied | None:
    """Refuse what no row could allow, in the order in which a person would have it mended."""
    role = facts.role
    if not facts.actor.is_active:
        return refusals.INACTIVE
    if role is None or not facts.eligibilities:
        return refusals.NOT_ELIGIBLE
    if not role.enabled:
        return refusals.ROLE_DISABLED
    problem = arn_problem(role.arn, facts.identity)
    if problem:
        return refusals.unfit(problem)
    return _refuse_request(asked, role, facts)


def _refuse_request(asked: IssuanceRequest, role: RoleFacts, facts: Facts) -> Denied | None:
    if asked.duration < MIN_DURATION:
        return refusals.DURATION_TOO_SHORT
    if not asked.narrowing.presets <= role.narrowings:
        return refusals.not_offered(asked.narrowing.presets, role)
    may_break_glass = any(row.break_glass_duration is not None for row in facts.eligibilities)
    if asked.break_glass and may_break_glass and facts.open_review:
        return refusals.REVIEW_OPEN
    return None


def _refuse_row(
    row: EligibilityFacts, role: RoleFacts, asked: IssuanceRequest, facts: Facts, now: datetime
) -> TriedRow | None:
    """Say why one row does not allow the whole request, or None where it does, be it after an approval."""
    maximum = maximum_for(row, role, facts, break_glass=asked.break_glass)
    if maximum is None:
        return TriedRow(row, DenialReason.NO_BREAK_GLASS, "It does not allow break-glass.")
    outside = refusals.outside_validity(row, now)
    if outside is not None:
        return outside
    if asked.duration > maximum.duration:
        return refusals.too_long(row, asked.duration, maximum)
    return _refuse_for_needs(row, role, asked, facts, now)


def _refuse_for_needs(
    row: EligibilityFacts, role: RoleFacts, asked: IssuanceRequest, facts: Facts, now: datetime
) -> TriedRow | None:
    """Say what the request does not bring along that this row needs, or None."""
    needs = _needs(row, role, break_glass=asked.break_glass)
    if needs.reason and not asked.reason.strip():
        return TriedRow(row, DenialReason.REASON_REQUIRED, "It asks for a reason.")
    if needs.ticket and not asked.ticket:
        return TriedRow(row, DenialReason.TICKET_REQUIRED, "It asks for a ticket.")
    # A ticket that nobody asked for still has to be one that AWS takes as a session tag.
    if asked.ticket and not ticket_fits(role.ticket_pattern if needs.ticket else "", asked.ticket):
        return TriedRow(row, DenialReason.TICKET_MALFORMED, "The ticket is not one that it takes.")
    if needs.step_up and not is_fresh(facts.signed_in_at, now):
        minutes = refusals.minutes_of(STEP_UP_WINDOW)
        return TriedRow(row, DenialReason.STEP_UP_REQUIRED, f"It asks for a sign-in of the last {minutes} min.")
    if needs.approval and not role.approvers:
        return TriedRow(row, DenialReason.NO_APPROVERS, "It needs an approval, and the role has no approvers.")
    return None


def is_fresh(signed_in_at: datetime | None, now: datetime) -> bool:
    """Tell whether somebody proved who they are a moment ago, as a step-up asks for."""
    # Two servers' clocks differ a little, so a sign-in may seem to come a moment after now.
    return signed_in_at is not None and abs(now - signed_in_at) <= STEP_UP_WINDOW
