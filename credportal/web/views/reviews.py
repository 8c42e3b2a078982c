"""PLACEHOLDER: its owner replaces this file."""

from django.http import Http404, HttpResponse

from credportal.web.http import PortalRequest


def review_list(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def review_close(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404
