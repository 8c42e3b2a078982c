"""Writers of requests that wait for approval. Each runs inside the transaction that records it.

A change of state is one conditional UPDATE, and a decision holds the request's row while it
counts the others, so that two people at once give exactly one result.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError

from credportal.access.models import Approval, ApprovalDecision, ApprovalState, User
from credportal.access.selectors.requests import is_over
from credportal.domain.types import IssuanceRequest

OPEN = (ApprovalState.WAITING, ApprovalState.APPROVED)


class AlreadyAsked(Exception):  # noqa: N818 -- not an error: the answer to a second press.
    """The rendered form has made a request before."""


class Moved(Exception):  # noqa: N818 -- not an error: the answer to the slower of two.
    """The request is no longer as it would have to be: somebody was faster, or its time is over."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the approvers have said so far: how many agreed, and the shortest duration of theirs."""

    agreed: int
    max_duration: timedelta


def ask(*, user: User, asked: IssuanceRequest, expires_at: datetime) -> Approval:
    """Let a request wait. Raises AlreadyAsked."""
    narrowing = asked.narrowing
    try:
        return Approval.objects.create(
            submission=asked.submission,
            requester=user,
            role_id=asked.role_id,
            expires_at=expires_at,
            duration_asked=asked.duration,
            reason=asked.reason,
            ticket=asked.ticket,
            read_only=narrowing.read_only,
            address=narrowing.address,
            region=narrowing.region,
        )
    except IntegrityError as error:
        raise AlreadyAsked from error


def agree(approval: Approval, *, by: User, max_duration: timedelta, comment: str, now: datetime) -> Tally:
    """Keep that one approver agrees, and count. Raises Moved where they have decided, or nothing waits any more."""
    _hold(approval.id, now)
    _decide(approval, by, agrees=True, max_duration=max_duration, comment=comment)
    agreed = list(
        ApprovalDecision.objects.filter(approval=approval, agrees=True).values_list("max_duration", flat=True)
    )
    shortest = min(duration for duration in agreed if duration is not None)
    return Tally(len(agreed), min(shortest, approval.duration_asked))


def approve(approval_id: str, *, max_duration: timedelta, now: datetime, collect_until: datetime) -> None:
    """Let the requester collect. Raises Moved."""
    _move(
        approval_id,
        ApprovalState.WAITING,
        state=ApprovalState.APPROVED,
        max_duration=max_duration,
        decided_at=now,
        collect_until=collect_until,
    )


def deny(approval: Approval, *, by: User, comment: str, now: datetime) -> None:
    """End the request by one approver's no. Raises Moved."""
    _hold(approval.id, now)
    _decide(approval, by, agrees=False, max_duration=None, comment=comment)
    _move(approval.id, ApprovalState.WAITING, state=ApprovalState.DENIED, decided_at=now)


def withdraw(approval_id: str, *, now: datetime) -> None:
    """End the request by its requester. Raises Moved."""
    held = _hold(approval_id, now, OPEN)
    _move(approval_id, ApprovalState(held.state), state=ApprovalState.WITHDRAWN, decided_at=now)


def expire(approval_id: str, *, now: datetime) -> None:
    """End a request whose time is over. Raises Moved where it is not, or where somebody was faster."""
    held = Approval.objects.select_for_update().get(id=approval_id)
    if held.state not in OPEN or not is_over(held, now):
        raise Moved
    _move(approval_id, ApprovalState(held.state), state=ApprovalState.EXPIRED)


def collect(approval_id: str, *, issuance_id: str, now: datetime) -> None:
    """Take an approval for one issuance. Two at once: the second raises Moved."""
    ready = Approval.objects.filter(id=approval_id, state=ApprovalState.APPROVED, collect_until__gt=now)
    if ready.update(state=ApprovalState.COLLECTED, collected_at=now, issuance_id=issuance_id) != 1:
        raise Moved


def give_back(approval_id: str, *, issuance_id: str) -> None:
    """Give an approval back by which nothing was minted: it can be collected again as long as its time lasts."""
    taken = Approval.objects.filter(id=approval_id, state=ApprovalState.COLLECTED, issuance_id=issuance_id)
    taken.update(state=ApprovalState.APPROVED, collected_at=None, issuance_id="")


def _hold(approval_id: str, now: datetime, states: tuple[ApprovalState, ...] = (ApprovalState.WAITING,)) -> Approval:
    """Lock the request until the transaction ends. SQLite needs no lock: its transactions follow one another."""
    held = Approval.objects.select_for_update().get(id=approval_id)
    if held.state not in states or is_over(held, now):
        raise Moved
    return held


def _decide(approval: Approval, by: User, *, agrees: bool, max_duration: timedelta | None, comment: str) -> None:
    # The request is held, so nobody decides between this look and the row.
    if ApprovalDecision.objects.filter(approval=approval, approver=by).exists():
        raise Moved
    ApprovalDecision.objects.create(
        approval=approval, approver=by, agrees=agrees, max_duration=max_duration, comment=comment
    )


def _move(approval_id: str, before: ApprovalState, **columns: object) -> None:
    if Approval.objects.filter(id=approval_id, state=before).update(**columns) != 1:
        raise Moved
