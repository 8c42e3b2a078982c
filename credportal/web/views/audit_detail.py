"""One issuance of anybody's, for auditors and admins."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from credportal.audit import selectors as audit
from credportal.audit.models import Event
from credportal.web.http import PortalRequest
from credportal.web.pages import show

LARGEST = 2**63 - 1


def audit_detail(request: PortalRequest, issuance_id: str) -> HttpResponse:
    """Show the life of one issuance, with its neighbours by the same person."""
    issuance = audit.issuance(issuance_id)
    if issuance is None:
        raise Http404
    context = {
        "issuance": issuance,
        "events": audit.events_of(issuance.id),
        "neighbours": audit.neighbours_of(issuance),
    }
    return render(request, "audit/detail.html", context)


def audit_event(request: PortalRequest, number: int) -> HttpResponse:
    """Show one event by its sequence number."""
    event = Event.objects.filter(id=number).first() if number <= LARGEST else None
    if event is None:
        raise Http404
    return show(request, "audit/event.html", {"event": event})
