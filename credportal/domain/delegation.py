"""Decide whether a support person may hand a role to a recipient, and whether the recipient may have it now.

Pure, like ``policy.py``. A delegation is not an eligibility: it gives its holder nothing. One row must allow the
whole hand-out. At the claim every rule is checked again, but for what was over once the hand-out was made: the
counts, the duty, the window.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from credportal.domain import refusals
from credportal.domain import unhanded as no
from credportal.domain.durations import MIN_DURATION
from credportal.domain.handouts import (
    MAX_WINDOW,
    MIN_WINDOW,
    Delegated,
    DelegationFacts,
    GrantedClaim,
    HandoutFacts,
    HandoutRequest,
    Recipient,
)
from credportal.domain.limits import Maximum, said, smallest
from credportal.domain.naming import arn_problem
from credportal.domain.policy import is_fresh
from credportal.domain.spec import session_spec
from credportal.domain.tickets import ticket_fits
from credportal.domain.types import Denied, IssuanceRequest, RoleFacts


def decide_handout(asked: HandoutRequest, facts: HandoutFacts, *, now: datetime) -> Delegated | Denied:
    """Decide whether a hand-out may be made. ``now`` is aware UTC."""
    role, recipient = facts.role, facts.recipient
    refusal = _refuse_people(facts) or _refuse_role(facts)
    if refusal is not None or role is None or recipient is None:
        return refusal or no.NOT_DELEGATED
    refusal = _refuse_request(asked, role, recipient) or _refuse_window(asked)
    if refusal is not None:
        return refusal
    if role.needs.step_up and not is_fresh(facts.issuer.signed_in_at, now):
        return no.step_up(role)
    refused = [(row, _refuse_row(row, role, recipient, asked.duration, facts)) for row in best_first(facts)]
    return next((Delegated(row) for row, reason in refused if reason is None), None) or no.nearest(
        [reason for _, reason in refused if reason is not None]
    )


def decide_claim(
    asked: HandoutRequest, facts: HandoutFacts, *, address: str, issuance_id: str, now: datetime
) -> GrantedClaim | Denied:
    """Decide whether the recipient may claim now what was handed out. ``address`` is the one that claims."""
    role, recipient = facts.role, facts.recipient
    refusal = _refuse_people(facts, claiming=True) or _refuse_role(facts)
    if refusal is None and role is not None and recipient is not None:
        refusal = _refuse_request(asked, role, recipient) or _refuse_claim(asked, facts, role, address, now)
    if refusal is not None or role is None or recipient is None:
        return no.at_claim(refusal or no.NOT_DELEGATED, facts.issuer.actor.name)
    refusals_of_rows = []
    for row in best_first(facts):
        reason = _refuse_row(row, role, recipient, asked.duration, facts, claiming=True)
        if reason is None:
            spec = session_spec(
                request_of(asked, address), recipient.actor, role, issuance_id, issued_by=facts.issuer.actor.handle
            )
            return GrantedClaim(spec, row, facts.handout_id, facts.issuer.actor)
        refusals_of_rows.append(reason)
    return no.at_claim(no.nearest(refusals_of_rows), facts.issuer.actor.name)


def request_of(asked: HandoutRequest, address: str) -> IssuanceRequest:
    """Return what a claim from this IP address asks for."""
    return IssuanceRequest(
        role_id=asked.role_id,
        duration=asked.duration,
        reason=asked.reason,
        ticket=asked.ticket,
        narrowing=asked.narrowing(address),
        submission=asked.submission,
    )


def best_first(facts: HandoutFacts) -> list[DelegationFacts]:
    """Order the rows: what allows longer comes first, then the older row."""
    return sorted(facts.delegations, key=lambda row: (-row.max_duration, row.id))


def longest_for(row: DelegationFacts, role: RoleFacts, chaining_ceiling: timedelta | None) -> Maximum:
    """Return the longest duration that one row gives a colleague, and why it is the longest."""
    holder = f"Limit for {row.holder}." if row.group else "Your own limit for handing out."
    return smallest(Maximum(row.max_duration, holder), role, chaining_ceiling)


def longest_for_outsiders(row: DelegationFacts, role: RoleFacts, chaining_ceiling: timedelta | None) -> Maximum | None:
    """Return the longest duration that one row gives an outsider; None where it or the role gives none at all."""
    if row.outsider_duration is None or role.outsider_duration is None or role.needs.step_up:
        return None
    limits = [
        longest_for(row, role, chaining_ceiling),
        Maximum(
            row.outsider_duration, f"{f'Limit for {row.holder}' if row.group else 'Your own limit'}, for outsiders."
        ),
        Maximum(role.outsider_duration, f"Limit of {role.name} for outsiders."),
    ]
    return min(limits, key=lambda limit: limit.duration)


def _refuse_people(facts: HandoutFacts, *, claiming: bool = False) -> Denied | None:
    issuer, recipient = facts.issuer, facts.recipient
    if not issuer.actor.is_active or not issuer.is_support:
        return no.ISSUER_GONE if claiming else (refusals.INACTIVE if not issuer.actor.is_active else no.NOT_SUPPORT)
    if recipient is None:
        return no.RECIPIENT_UNKNOWN
    if recipient.is_colleague_by_email and not claiming:
        return no.RECIPIENT_IS_COLLEAGUE
    if not recipient.is_outsider and recipient.actor.id == issuer.actor.id:
        return no.HANDOUT_TO_SELF
    if not recipient.actor.is_active:
        return no.recipient_inactive(recipient.actor.name)
    return None


def _refuse_role(facts: HandoutFacts) -> Denied | None:
    role = facts.role
    if role is None or not facts.delegations:
        return no.NOT_DELEGATED
    if not role.enabled:
        return refusals.ROLE_DISABLED
    problem = arn_problem(role.arn, facts.identity)
    if problem:
        return refusals.unfit(problem)
    return no.approval_needed(role) if role.needs.approval else None


def _refuse_request(asked: HandoutRequest, role: RoleFacts, recipient: Recipient) -> Denied | None:
    if asked.duration < MIN_DURATION:
        return refusals.DURATION_TOO_SHORT
    if not asked.presets <= role.narrowings:
        return no.not_offered(asked.presets, role)
    if not asked.reason.strip():
        return no.REASON_REQUIRED
    if recipient.is_outsider and (role.outsider_duration is None or role.needs.step_up):
        return no.outsiders_not_allowed(role)
    return _refuse_ticket(asked.ticket, role)


def _refuse_ticket(ticket: str, role: RoleFacts) -> Denied | None:
    if role.needs.ticket and not ticket:
        return no.ticket_required(role)
    # A ticket that nobody asked for still has to be one that AWS takes as a session tag.
    fits = not ticket or ticket_fits(role.ticket_pattern if role.needs.ticket else "", ticket)
    return None if fits else no.ticket_malformed(role)


def _refuse_window(asked: HandoutRequest) -> Denied | None:
    if asked.window < MIN_WINDOW:
        return no.WINDOW_TOO_SHORT
    return no.WINDOW_TOO_LONG if asked.window > MAX_WINDOW else None


def _refuse_claim(
    asked: HandoutRequest, facts: HandoutFacts, role: RoleFacts, address: str, now: datetime
) -> Denied | None:
    if asked.from_claim_address and not address:
        return no.ADDRESS_UNKNOWN
    if role.needs.step_up and not is_fresh(facts.recipient_signed_in_at, now):
        return no.step_up(role)
    return None


def _refuse_row(
    row: DelegationFacts,
    role: RoleFacts,
    recipient: Recipient,
    duration: timedelta,
    facts: HandoutFacts,
    *,
    claiming: bool = False,
) -> Denied | None:
    """Say why one row does not allow the whole hand-out, or None where it does."""
    if recipient.is_outsider:
        maximum = longest_for_outsiders(row, role, facts.chaining_ceiling)
        if maximum is None:
            return no.outsiders_not_delegated(role)
    else:
        maximum = longest_for(row, role, facts.chaining_ceiling)
        if row.recipients and row.recipients not in recipient.groups:
            return no.recipient_not_allowed(recipient.actor.name, row.recipients, role)
    if duration > maximum.duration:
        return no.too_long(role, maximum, said(duration))
    return None if claiming else _refuse_count(row)


def _refuse_count(row: DelegationFacts) -> Denied | None:
    if row.rota and not row.on_duty:
        return no.off_duty(row.rota)
    if row.open_now >= row.max_open:
        return no.too_many_open(row.max_open)
    if row.made_lately >= row.max_per_day:
        return no.too_many_today(row.max_per_day)
    return None
