"""Requests that wait for approval: the approvers' queue, one's own, and one of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from credportal.access.selectors import requests as access
from credportal.flows import approval as flow
from credportal.flows import deciding
from credportal.flows.answers import AuditUnavailable
from credportal.web import approvals
from credportal.web.answers import render_answer
from credportal.web.forms.approvals import CollectForm, DecideForm
from credportal.web.http import PortalRequest, origin_of, signed_in_at_of
from credportal.web.pages import UNPROCESSABLE, show, show_unchanged

LOST_ID = "The form had lost its one-time id. It has a new one now: send it again."


def approval_list(request: PortalRequest) -> HttpResponse:
    """Show what waits for me, and my own requests."""
    user, now = request.user, timezone.now()
    context = {
        "queue": [approvals.row_of(found, now=now) for found in access.queue_of(user, now=now)],
        "mine": [approvals.row_of(found, now=now) for found in access.requests_of(user)],
        "open_reviews": access.open_reviews(user, everywhere=user.may_review),
    }
    return show(request, "approvals/list.html", context)


def approval_page(request: PortalRequest, approval_id: str) -> HttpResponse:
    """Show one request. A page that watches it says what it has ``seen``, and gets nothing (204) until that changes."""
    page = _page(request, approval_id)
    if request.htmx and request.GET.get("seen") == page.version:
        return HttpResponse(status=204)
    return _render(request, page)


def approval_decide(request: PortalRequest, approval_id: str) -> HttpResponse:
    """Approve or deny a request as one of its approvers."""
    page = _page(request, approval_id)
    form = DecideForm(request.POST, longest=page.row.approval.duration_asked)
    if not form.is_valid():
        if not page.may_decide:
            raise PermissionDenied
        return _render(request, page, form=form, status=UNPROCESSABLE)
    decide: Callable[..., deciding.Step] = deciding.deny
    if form.cleaned_data["decision"] == "approve":
        decide = partial(deciding.agree, max_duration=form.cleaned_data["duration"])
    outcome = decide(
        user=request.user,
        approval_id=approval_id,
        comment=form.cleaned_data["comment"],
        origin=origin_of(request),
        now=timezone.now(),
    )
    return _stepped(request, approval_id, outcome)


def approval_withdraw(request: PortalRequest, approval_id: str) -> HttpResponse:
    """Withdraw one of my requests."""
    outcome = deciding.withdraw(
        user=request.user, approval_id=approval_id, origin=origin_of(request), now=timezone.now()
    )
    return _stepped(request, approval_id, outcome)


def approval_collect(request: PortalRequest, approval_id: str) -> HttpResponse:
    """Collect the credentials of one of my approved requests, once."""
    # Read before: nothing may fail once credentials are issued.
    page = _page(request, approval_id)
    form = CollectForm(request.POST)
    if not form.is_valid():
        return _render(request, page, why=LOST_ID, status=UNPROCESSABLE)
    answer = flow.collect(
        user=request.user,
        approval_id=approval_id,
        submission=form.cleaned_data["submission"],
        origin=origin_of(request),
        now=timezone.now(),
        signed_in_at=signed_in_at_of(request),
    )
    if answer is None or isinstance(answer, flow.NotDone):
        return _stepped(request, approval_id, answer)
    asked = replace(access.request_in(page.row.approval), submission=form.cleaned_data["submission"])
    return render_answer(request, answer, asked)


def _page(request: PortalRequest, approval_id: str) -> approvals.ApprovalPage:
    """Return the page of a request. Raises Http404: what is not for this person does not exist for them."""
    page = approvals.page_of(approval_id, request.user, now=timezone.now())
    if page is None:
        raise Http404
    return page


def _stepped(request: PortalRequest, approval_id: str, outcome: deciding.Step) -> HttpResponse:
    match outcome:
        case None:
            raise Http404
        case AuditUnavailable():
            return show_unchanged(request)
        case flow.NotDone():
            return _render(request, _page(request, approval_id), why=outcome.why, status=outcome.status)
    return redirect("approval", approval_id)


def _render(
    request: PortalRequest,
    page: approvals.ApprovalPage,
    *,
    form: DecideForm | None = None,
    why: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {**approvals.context_of(page, form), "why": why}
    return show(request, "approvals/waiting.html", context, status=status)
