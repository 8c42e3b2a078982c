"""PLACEHOLDER: its owner replaces this file."""

from django.http import Http404, HttpResponse

from credportal.web.http import PortalRequest


def role_list(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def role_new(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def role_page(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404
