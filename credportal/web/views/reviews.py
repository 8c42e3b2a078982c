"""The reviews of break-glass: what is open, and closing it."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from credportal.access.models import Review, User
from credportal.access.selectors import requests as access
from credportal.audit import selectors as audit
from credportal.flows import reviews as flow
from credportal.flows.answers import AuditUnavailable
from credportal.web.forms.approvals import CloseForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import UNPROCESSABLE, show, show_unchanged


def review_list(request: PortalRequest) -> HttpResponse:
    """Show the open reviews and the last closed ones."""
    return _render(request)


def review_close(request: PortalRequest, review_id: str) -> HttpResponse:
    """Close one review with a comment."""
    form = CloseForm(request.POST)
    outcome = flow.close_review(
        user=request.user,
        review_id=review_id,
        comment=form.cleaned_data["comment"] if form.is_valid() else "",
        origin=origin_of(request),
        now=timezone.now(),
    )
    match outcome:
        case None:
            raise Http404
        case AuditUnavailable():
            return show_unchanged(request)
        case flow.NotClosed(status=status) if status == UNPROCESSABLE:
            return _render(request, sent={review_id: form}, status=status)
        case flow.NotClosed():
            return _render(request, why=outcome.why, status=outcome.status)
    return redirect("reviews")


def _render(
    request: PortalRequest, *, sent: dict[str, CloseForm] | None = None, why: str = "", status: int = 200
) -> HttpResponse:
    user: User = request.user
    still_open = access.open_reviews(user, everywhere=user.may_review)
    closed = access.closed_reviews(user, everywhere=user.may_review)
    issuances = audit.issuances_with(review.issuance_id for review in [*still_open, *closed])

    def shown(review: Review) -> dict[str, Any]:
        form = (sent or {}).get(review.id) or CloseForm(auto_id=f"{review.id}_%s")
        form.auto_id = f"{review.id}_%s"
        is_mine = review.user_id == user.pk
        return {"review": review, "issuance": issuances.get(review.issuance_id), "is_mine": is_mine, "form": form}

    context = {
        "open": [shown(review) for review in still_open],
        "closed": [shown(review) for review in closed],
        "wrong": sent,
        "why": why,
    }
    return show(request, "reviews/list.html", context, status=status)
