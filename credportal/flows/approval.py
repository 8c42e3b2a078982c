"""The journey of a request that needs approval: it waits, others decide (deciding.py), the requester collects.

Whatever is decided is decided on the database's rows, with the clock as it is now. Every step
commits its event with it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from credportal.access import approvals
from credportal.access.models import Approval, ApprovalState, User
from credportal.access.selectors import actor_of
from credportal.access.selectors import requests as access
from credportal.audit import record
from credportal.audit import selectors as audit
from credportal.audit.models import EventKind
from credportal.domain.durations import describe_duration
from credportal.domain.narrowing import describe
from credportal.domain.policy import decide
from credportal.domain.types import Approved, Granted, NeedsApproval, Origin
from credportal.flows.about import about_approval
from credportal.flows.answers import AlreadySubmitted, Answer, AuditUnavailable, Waiting
from credportal.flows.minting import Attempt, Once, attempt_of, carry_out, unavailable

log = structlog.get_logger(__name__)

APPROVAL_EXPIRES = timedelta(hours=3)
"""How long a request waits for its approvers."""


@dataclass(frozen=True, slots=True)
class NotDone:
    """Nothing has changed. ``why`` is for the person; ``status`` is HTTP's."""

    why: str
    status: int


MOVED = NotDone(
    "This request has moved on: somebody was faster, or its time is over. It stands below as it is now.", 409
)


def let_wait(user: User, attempt: Attempt, now: datetime) -> Waiting | AuditUnavailable:
    """Commit a request that needs approval. The same rendered form leads to the same request."""
    role, asked = attempt.facts.role, attempt.asked
    if role is None:
        raise AssertionError("what needs approval has a role")
    try:
        with record.committed():
            approval = approvals.ask(user=user, asked=asked, expires_at=now + APPROVAL_EXPIRES)
            kept = {"role": role.name, "account": role.account_name, "duration": describe_duration(asked.duration)}
            kept |= {"reason": asked.reason, "ticket": asked.ticket, "narrowed": ", ".join(describe(asked.narrowing))}
            after = {name: text for name, text in kept.items() if text}
            about = about_approval(approval, role)
            append(EventKind.APPROVAL_REQUESTED, approval, user, attempt.origin, detail={"after": after}, about=about)
    except approvals.AlreadyAsked:
        earlier = access.approval_of_submission(user, asked.submission)
        if earlier is None:
            return unavailable(attempt)
        approval = earlier
    except record.AuditUnavailable as error:
        return unavailable(attempt, error)
    log.info("approval.requested", approval_id=approval.id, actor=user.handle)
    return Waiting(approval.id, role, role.approvers, role.approvals_needed, approval.expires_at)


def collect(
    *,
    user: User,
    approval_id: str,
    submission: str,
    origin: Origin,
    now: datetime,
    signed_in_at: datetime | None = None,
) -> Answer | NotDone | None:
    """Issue the credentials of one's own approved request, once. Rights are computed anew, and the duration begins now.

    None where there is no such request for this person.
    """
    approval = access.approval(approval_id)
    if approval is None or approval.requester_id != user.pk:
        return None
    if approval.state != ApprovalState.APPROVED or access.is_over(approval, now):
        return _collected_before(approval)
    asked = replace(access.request_in(approval), submission=submission)
    attempt = attempt_of(user, asked, origin, signed_in_at)
    approved = Approved(approval.id, asked.duration, _names(approval))
    attempt = replace(attempt, facts=replace(attempt.facts, approved=approved))
    decision = decide(asked, attempt.facts, issuance_id=attempt.issuance_id, now=now)
    if isinstance(decision, NeedsApproval):
        return MOVED  # Never so: the approval is among the facts.
    if isinstance(decision, Granted):
        # A row that needs no approval any more grants by itself; the approval is used up all the same.
        decision = replace(decision, approval_id=approval.id)
    try:
        return carry_out(attempt, decision, _collection_of(approval, user, origin, now))
    except approvals.Moved:
        return _collected_before(access.approval(approval.id) or approval)


def expire_overdue(*, now: datetime) -> list[str]:
    """Write down that requests have ended whose time is over; return their ids. Raises AuditUnavailable."""
    expired = []
    for approval in access.overdue(now=now):
        try:
            with record.committed():
                approvals.expire(approval.id, now=now)
                change = {"before": {"state": approval.state}, "after": {"state": ApprovalState.EXPIRED.value}}
                append(EventKind.APPROVAL_EXPIRED, approval, None, Origin(), detail=change)
        except approvals.Moved:
            continue
        expired.append(approval.id)
    return expired


def _collection_of(approval: Approval, user: User, origin: Origin, now: datetime) -> Once:
    """Take the approval with the intent, and give it back where AWS minted nothing."""

    def take(issuance_id: str) -> None:
        approvals.collect(approval.id, issuance_id=issuance_id, now=now)
        append(EventKind.APPROVAL_COLLECTED, approval, user, origin, issuance_id=issuance_id)

    def give_back(issuance_id: str) -> None:
        approvals.give_back(approval.id, issuance_id=issuance_id)
        detail = {"after": {"why": "AWS issued nothing."}}
        append(EventKind.APPROVAL_RETURNED, approval, user, origin, detail=detail, issuance_id=issuance_id)

    return Once(take, give_back)


def _collected_before(approval: Approval) -> AlreadySubmitted | NotDone:
    """Say what became of an approval that is not there to collect."""
    issuance = audit.issuance(approval.issuance_id) if approval.issuance_id else None
    return AlreadySubmitted(issuance) if issuance else MOVED


def _names(approval: Approval) -> str:
    return ", ".join(str(decision.approver) for decision in approval.decisions.all() if decision.agrees)


def append(
    kind: EventKind,
    approval: Approval,
    user: User | None,
    origin: Origin,
    *,
    detail: dict[str, Any] | None = None,
    issuance_id: str = "",
    about: record.About | None = None,
) -> None:
    """Append one event about a request, inside ``record.committed``. ``user`` is None where the portal acts."""
    actor, whose = actor_of(user) if user else None, approval.requester.handle
    about = about or about_approval(approval)
    event = record.NewEvent(kind, f"approval:{approval.id}", actor, origin, detail or {}, issuance_id, whose, about)
    record.append(event)
