"""How an answer becomes HTML: a whole page, or its fragment for htmx."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from credportal.web.http import PortalRequest
from credportal.web.letters import RETRY_AFTER_SECONDS

CONFLICT, UNPROCESSABLE = 409, 422


def show(
    request: PortalRequest, page: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a page, or for htmx its fragment: ``roles/issued.html`` includes ``roles/_issued.html``."""
    folder, _, name = page.rpartition("/")
    fragment = f"{folder}/_{name}" if folder else f"_{name}"
    return render(request, fragment if request.htmx else page, context, status=status)


def show_unrecorded(request: PortalRequest, headline: str, why: str) -> HttpResponse:
    """Say that the audit could not be written, so that nothing was done or nothing is shown."""
    response = show(request, "503.html", {"headline": headline, "why": why}, status=503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def show_unchanged(request: PortalRequest) -> HttpResponse:
    """Say that nothing was changed, because it could not be recorded."""
    why = "The portal could not write its audit, so it left everything as it was. No change stays unrecorded."
    return show_unrecorded(request, "Nothing was changed", why)
