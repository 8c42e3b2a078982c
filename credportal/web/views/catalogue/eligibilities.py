"""PLACEHOLDER: its owner replaces this file."""

from django.http import Http404, HttpResponse

from credportal.web.http import PortalRequest


def eligibility_list(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def eligibility_new(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def eligibility_page(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def eligibility_end(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404
