"""PLACEHOLDER: its owner replaces this file."""

from django.http import Http404, HttpResponse

from credportal.web.http import PortalRequest


def matrix(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def by_role(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def by_person(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404


def why(request: PortalRequest, **kwargs: object) -> HttpResponse:
    """Answer 404."""
    raise Http404
