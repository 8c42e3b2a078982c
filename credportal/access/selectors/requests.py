"""Reads of requests that wait for somebody else, and of the reviews of break-glass. Every list is bounded."""

from datetime import datetime

from django.db.models import Q, QuerySet

from credportal.access.models import Approval, ApprovalState, Review, User
from credportal.domain.types import IssuanceRequest, Narrowing

MOST_REQUESTS = 50
MOST_REVIEWS = 50


def approval(approval_id: str) -> Approval | None:
    """Return one request with its role, its requester and what was decided."""
    return _approvals().filter(id=approval_id).prefetch_related("decisions__approver").first()


def approval_of_submission(user: User, submission: str) -> Approval | None:
    """Return the request that this person's rendered form has made."""
    return Approval.objects.filter(requester=user, submission=submission).first()


def queue_of(user: User, *, now: datetime) -> list[Approval]:
    """Return the requests that wait for this person's decision, the soonest end first."""
    waiting = _approvals().filter(state=ApprovalState.WAITING, expires_at__gt=now, role__approvers__user=user)
    mine_to_decide = waiting.exclude(requester=user).exclude(decisions__approver=user)
    return list(mine_to_decide.order_by("expires_at", "id")[:MOST_REQUESTS])


def requests_of(user: User) -> list[Approval]:
    """Return this person's own last requests, newest first."""
    return list(_approvals().filter(requester=user).order_by("-requested_at", "id")[:MOST_REQUESTS])


def overdue(*, now: datetime, most: int = 1000) -> list[Approval]:
    """Return the open requests whose time is over, with their roles and requesters."""
    waiting = Q(state=ApprovalState.WAITING, expires_at__lte=now)
    approved = Q(state=ApprovalState.APPROVED, collect_until__lte=now)
    return list(_approvals().filter(waiting | approved).order_by("expires_at", "id")[:most])


def is_over(approval: Approval, now: datetime) -> bool:
    """Tell whether an open request has reached its end, whether or not housekeeping has seen it."""
    ends = approval.expires_at if approval.state == ApprovalState.WAITING else approval.collect_until
    return ends is not None and now >= ends


def approves(user: User, group_id: int | None) -> bool:
    """Tell whether this person is in a role's group of approvers, and may sign in."""
    return group_id is not None and user.is_active and user.groups.filter(pk=group_id).exists()


def request_in(approval: Approval) -> IssuanceRequest:
    """Return what was asked, as a value, for as long as the approvers agreed to."""
    return IssuanceRequest(
        role_id=approval.role_id,
        duration=approval.max_duration or approval.duration_asked,
        reason=approval.reason,
        ticket=approval.ticket,
        narrowing=narrowing_of(approval),
        submission=approval.submission,
    )


def narrowing_of(approval: Approval) -> Narrowing:
    """Return what the requester gives up, as a value."""
    return Narrowing(read_only=approval.read_only, address=approval.address, region=approval.region)


def review(review_id: str) -> Review | None:
    """Return one review."""
    return _reviews().filter(id=review_id).first()


def open_reviews(user: User, *, everywhere: bool = False) -> list[Review]:
    """Return the open reviews that this person may see, the oldest first. ``everywhere``: whatever the role."""
    return list(_reviews_for(user, everywhere).filter(closed_at=None).order_by("opened_at", "id")[:MOST_REVIEWS])


def closed_reviews(user: User, *, everywhere: bool = False) -> list[Review]:
    """Return the last closed ones likewise, newest first."""
    closed = _reviews_for(user, everywhere).exclude(closed_at=None)
    return list(closed.order_by("-opened_at", "id")[:MOST_REVIEWS])


def _approvals() -> QuerySet[Approval]:
    return Approval.objects.select_related("requester", "role__account", "role__approvers")


def _reviews() -> QuerySet[Review]:
    return Review.objects.select_related("user", "closed_by", "role__account", "role__approvers")


def _reviews_for(user: User, everywhere: bool) -> QuerySet[Review]:
    return _reviews() if everywhere else _reviews().filter(role__approvers__user=user)
