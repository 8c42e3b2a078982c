"""The journey of one issuance. The only place where rights, the audit and AWS meet.

Facts, decision, and then what was decided: minting.py issues or refuses, approval.py lets the
request wait. Every way out is a value; see docs/architecture.md.
"""

from dataclasses import replace
from datetime import datetime

from credportal.access import reviews
from credportal.access.models import User
from credportal.domain import refusals
from credportal.domain.policy import decide
from credportal.domain.types import Granted, IssuanceRequest, NeedsApproval, Origin, Source
from credportal.flows.answers import (
    AlreadySubmitted,
    Answer,
    AuditUnavailable,
    Failed,
    Issued,
    Refused,
    Waiting,
)
from credportal.flows.approval import let_wait
from credportal.flows.minting import Attempt, attempt_of, carry_out
from credportal.flows.reviews import glass_of

__all__ = [
    "AlreadySubmitted",
    "Answer",
    "AuditUnavailable",
    "Failed",
    "Issued",
    "Refused",
    "Waiting",
    "issue",
]


def issue(
    *, user: User, asked: IssuanceRequest, origin: Origin, now: datetime, signed_in_at: datetime | None = None
) -> Answer:
    """Issue credentials to the signed-in person, or say why not. ``now`` and ``signed_in_at`` are aware UTC."""
    attempt = attempt_of(user, asked, origin, signed_in_at)
    decision = decide(asked, attempt.facts, issuance_id=attempt.issuance_id, now=now)
    if isinstance(decision, NeedsApproval):
        return let_wait(user, attempt, now)
    if isinstance(decision, Granted) and decision.source is Source.BREAK_GLASS:
        return _break_glass(user, attempt, decision)
    return carry_out(attempt, decision)


def _break_glass(user: User, attempt: Attempt, granted: Granted) -> Answer:
    """Issue by break-glass. Of two at once, one is issued and the other meets the review of the first."""
    try:
        return carry_out(attempt, granted, glass_of(user, attempt))
    except reviews.ReviewOpen:
        facts = replace(attempt.facts, open_review=True)
        return carry_out(replace(attempt, facts=facts), refusals.REVIEW_OPEN)
