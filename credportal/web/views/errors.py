"""Error pages. They must render without a database and without a person."""

import sys
from typing import cast

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import page_not_found, permission_denied

from credportal.web import claim_guard, claims
from credportal.web.http import PortalRequest
from credportal.web.letters import RETRY_AFTER_SECONDS

__all__ = ["bad_request", "csrf_failure", "page_not_found", "permission_denied", "server_error"]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that the request made no sense. The exception's text is for the log."""
    del exception
    return render(request, "400.html", status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Say that the portal made a mistake, or that its database is away.

    Django calls this while it handles the exception, wherever that was raised: a view, the
    session, the person. The pages are rendered without the request, so that neither is asked again.
    """
    del request
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(render_to_string("503.html"), status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    return HttpResponse(render_to_string("500.html"), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that the form came from elsewhere or from an old page. Nothing was done."""
    del reason
    if request.path.startswith(claim_guard.PATHS):
        return claims.refuse_from_elsewhere(cast("PortalRequest", request))
    return render(request, "403_csrf.html", status=403)
