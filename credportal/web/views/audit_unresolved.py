"""Issuances of which nobody knows yet whether AWS minted, and closing them."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from credportal.audit import selectors
from credportal.audit.models import Issuance
from credportal.audit.paging import BadCursor
from credportal.audit.selectors import unresolved
from credportal.domain.lookups import minting_lookup, session_lookup
from credportal.flows import unresolved as flow
from credportal.flows.answers import AuditUnavailable
from credportal.flows.audit_reading import note_read
from credportal.web.forms.unresolved import CloseUnknownForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import UNPROCESSABLE, show, show_unchanged, show_unrecorded
from credportal.web.views.audit_detail import UNREAD, WHY_UNREAD


@dataclass(frozen=True, slots=True)
class Item:
    """One unknown issuance, what to look for in CloudTrail, and the form that closes it."""

    issuance: Issuance
    until: datetime
    is_over: bool
    session_lookup: str
    minting_lookup: str
    is_mine: bool
    form: CloseUnknownForm


def unresolved_list(request: PortalRequest) -> HttpResponse:
    """Show what nobody has looked into yet, newest first."""
    return _render(request)


def unresolved_close(request: PortalRequest, issuance_id: str) -> HttpResponse:
    """Close one unknown issuance with a comment."""
    form = CloseUnknownForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""
    outcome = flow.close_unknown(user=request.user, issuance_id=issuance_id, comment=comment, origin=origin_of(request))
    match outcome:
        case None:
            raise Http404
        case AuditUnavailable():
            return show_unchanged(request)
        case flow.NotClosed(status=status) if status == UNPROCESSABLE:
            return _render(request, sent={issuance_id: form}, status=status)
        case flow.NotClosed():
            return _render(request, refused=outcome, wrote=comment, status=outcome.status)
    return redirect("audit_unresolved")


def _render(
    request: PortalRequest,
    *,
    sent: dict[str, CloseUnknownForm] | None = None,
    refused: flow.NotClosed | None = None,
    wrote: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show the list once that is recorded, around what was refused too."""
    if not note_read(user=request.user, origin=origin_of(request), subject="audit:unresolved"):
        return show_unrecorded(request, UNREAD, WHY_UNREAD)
    try:
        page = unresolved.unknown(cursor=request.GET.get("cursor", ""))
    except BadCursor as error:
        return render(request, "400.html", {"why": str(error)}, status=400)
    sent = sent or {}
    # What was just sent stands first where it is on another page, so that nothing that was typed is lost.
    elsewhere = [row for one in sent if (row := selectors.issuance(one)) and row not in page.rows]
    context = {
        "items": [_item(row, request, sent) for row in [*elsewhere, *page.rows]],
        "open": [_item(row, request, sent) for row in unresolved.without_outcome()] if not page.newer else [],
        "older_url": f"?cursor={page.older}" if page.older else "",
        "newer_url": f"?cursor={page.newer}" if page.newer else "",
        "first_at": page.rows[0].requested_at if page.rows else None,
        "last_at": page.rows[-1].requested_at if page.rows else None,
        "why": refused.why if refused else "",
        "wrote": wrote,
    }
    return show(request, "audit/unresolved.html", context, status=status)


def _item(issuance: Issuance, request: PortalRequest, sent: dict[str, CloseUnknownForm]) -> Item:
    form = sent.get(issuance.id) or CloseUnknownForm()
    form.auto_id = f"{issuance.id}_%s"
    until = unresolved.could_live_until(issuance)
    return Item(
        issuance=issuance,
        until=until,
        is_over=until <= timezone.now(),
        session_lookup=session_lookup(issuance.session_name),
        minting_lookup=minting_lookup(issuance.session_name, issuance.requested_at),
        is_mine=flow.is_own(request.user, issuance),
        form=form,
    )
