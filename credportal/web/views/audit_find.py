"""Whose key is this: from what turns up somewhere to the issuance it belongs to."""

from django.http import HttpResponse

from credportal.web.http import PortalRequest
from credportal.web.pages import show


def audit_find(request: PortalRequest) -> HttpResponse:
    """Show the box that takes an access key id, a session or an issuance id."""
    return show(request, "audit/find.html")
