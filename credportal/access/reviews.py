"""Writers of the reviews of break-glass. Each runs inside the transaction that records it."""

from datetime import datetime

from django.db import IntegrityError

from credportal.access.models import Review, User


class ReviewOpen(Exception):  # noqa: N818 -- not an error: the answer to a second break-glass.
    """An earlier break-glass of this person still waits for its review."""


def open_review(*, user: User, role_id: str, issuance_id: str, reason: str) -> Review:
    """Open the review of one break-glass. Raises ReviewOpen where this person has another open one."""
    try:
        return Review.objects.create(user=user, role_id=role_id, issuance_id=issuance_id, reason=reason)
    except IntegrityError as error:
        raise ReviewOpen from error


def take_back(review_id: str) -> bool:
    """Delete the open review of a break-glass that gave nothing; False where somebody has closed it."""
    deleted, _ = Review.objects.filter(id=review_id, closed_at__isnull=True).delete()
    return deleted == 1


def close(review_id: str, *, by: User, comment: str, now: datetime) -> bool:
    """Close an open review by somebody else. Two at once: exactly one gets True."""
    still_open = Review.objects.filter(id=review_id, closed_at__isnull=True).exclude(user=by)
    return still_open.update(closed_at=now, closed_by=by, comment=comment) == 1
