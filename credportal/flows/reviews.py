"""The journey of a broken glass: its review opens with the intent, and somebody else closes it."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from credportal.access import reviews
from credportal.access.models import Review, User
from credportal.access.selectors import actor_of
from credportal.access.selectors import requests as access
from credportal.audit import record
from credportal.audit import selectors as audit
from credportal.audit.models import EventKind
from credportal.domain.types import Origin, Source
from credportal.flows.about import about_role
from credportal.flows.answers import AuditUnavailable
from credportal.flows.minting import Attempt, Once

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Closed:
    """The review is closed, and the person may break the glass again."""


@dataclass(frozen=True, slots=True)
class NotClosed:
    """The review stays as it is. ``why`` is for the person; ``status`` is HTTP's."""

    why: str
    status: int


def glass_of(user: User, attempt: Attempt) -> Once:
    """Return the review that opens with a break-glass, and is taken back where AWS minted nothing."""
    opened: list[Review] = []
    about = _about_glass(attempt)

    def take(issuance_id: str) -> None:
        asked = attempt.asked
        review = reviews.open_review(user=user, role_id=asked.role_id, issuance_id=issuance_id, reason=asked.reason)
        opened.append(review)
        append(EventKind.REVIEW_OPENED, review, {"break_glass": True, "after": {"reason": asked.reason}})

    def give_back(issuance_id: str) -> None:
        del issuance_id
        review = opened[0]
        review_id = review.id
        if reviews.take_back(review_id):
            append(EventKind.REVIEW_RETURNED, review, {"after": {"why": "AWS issued nothing."}})

    def append(kind: EventKind, review: Review, detail: dict[str, object]) -> None:
        subject, actor = f"review:{review.id}", attempt.facts.actor
        record.append(
            record.NewEvent(kind, subject, actor, attempt.origin, detail, review.issuance_id, actor.handle, about)
        )

    return Once(take, give_back)


def may_close(user: User, review: Review) -> bool:
    """Tell whether this person may close the review: one who may see it, never the one who broke the glass."""
    return user.pk != review.user_id and may_see(user, review)


def may_see(user: User, review: Review) -> bool:
    """Tell whether this review is for this person at all."""
    return user.may_review or access.approves(user, review.role.approvers_id)


def close_review(
    *, user: User, review_id: str, comment: str, origin: Origin, now: datetime
) -> Closed | NotClosed | AuditUnavailable | None:
    """Close a review with a comment. None where there is no such review for this person. ``now`` is aware UTC."""
    review = access.review(review_id)
    if review is None or not may_see(user, review):
        return None
    if not may_close(user, review):
        log.warning("review.refused", review_id=review.id, actor=user.handle)
        return NotClosed(
            "Somebody else has to look at your break-glass. Ask an approver of the role, or an auditor.", 403
        )
    if not comment.strip():
        return NotClosed("Write what you found. One sentence is enough.", 422)
    event = record.NewEvent(
        EventKind.REVIEW_CLOSED,
        f"review:{review.id}",
        actor_of(user),
        origin,
        {"after": {"comment": comment}},
        review.issuance_id,
        review.user.handle,
        _about_issued(review),
    )
    try:
        with record.committed():
            if not reviews.close(review.id, by=user, comment=comment, now=now):
                return NotClosed("Somebody else has just closed it.", 409)
            record.append(event)
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", review_id=review.id, cause=str(error))
        return AuditUnavailable(minted=False, issuance_id="")
    return Closed()


def _about_glass(attempt: Attempt) -> record.About:
    role, asked = attempt.facts.role, attempt.asked
    if role is None:
        raise AssertionError("a broken glass has a role")
    return record.about_role(
        role,
        duration_asked=asked.duration,
        reason=asked.reason,
        ticket=asked.ticket,
        source=Source.BREAK_GLASS.value,
    )


def _about_issued(review: Review) -> record.About:
    """Return what was issued by the broken glass. An outcome's own code says nothing about the review."""
    issuance = audit.issuance(review.issuance_id)
    if issuance is None:
        return about_role(review.role, reason=review.reason, source=Source.BREAK_GLASS.value)
    return record.about_issuance(issuance, code="")
