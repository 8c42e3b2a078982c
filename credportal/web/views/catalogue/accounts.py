"""PLACEHOLDER: its owner replaces this file."""

from django.http import Http404, HttpResponse

from credportal.web.http import PortalRequest


def account_list(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def account_new(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def account_page(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404
