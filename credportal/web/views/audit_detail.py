"""One issuance of anybody's, for auditors and admins."""

from django.http import Http404, HttpResponse
from django.shortcuts import render

from credportal.audit import selectors as audit
from credportal.web.http import PortalRequest


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
