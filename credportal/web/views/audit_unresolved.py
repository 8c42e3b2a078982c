"""Issuances of which nobody knows yet whether AWS minted, and closing them."""

from django.http import Http404, HttpResponse

from credportal.web.http import PortalRequest
from credportal.web.pages import show


def unresolved_list(request: PortalRequest) -> HttpResponse:
    """Show what nobody has looked into yet, newest first."""
    return show(request, "audit/unresolved.html")


def unresolved_close(request: PortalRequest, issuance_id: str) -> HttpResponse:
    """Close one unknown issuance with a comment."""
    raise Http404
