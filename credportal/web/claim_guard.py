"""What stands around the claim pages: their referrer policy, and what a browser does to a form under it."""

from collections.abc import Callable
from typing import Any, cast

from django.http import HttpRequest, HttpResponse

from credportal.web import claims
from credportal.web.http import PortalRequest

PATHS = "/claim/"


class ClaimMiddleware:
    """Keeps claim pages out of every Referer, and takes a form from them nevertheless.

    Under ``no-referrer`` a browser sends ``Origin: null`` with a plain form (Fetch, "append a request Origin
    header"), which Django refuses. Where the browser itself says ``Sec-Fetch-Site: same-origin``, a header that no
    page can set, the form is from this very origin, and is taken as such. The form's CSRF token is checked as ever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request, if to a claim page with all that around it."""
        if not request.path.startswith(PATHS):
            return self.get_response(request)
        if request.headers.get("Origin") == "null" and request.headers.get("Sec-Fetch-Site") == "same-origin":
            request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"
        response = self.get_response(request)
        response["Referrer-Policy"] = "no-referrer"
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse what claims or reports ahead of a person, as a browser that fetches in advance would."""
        del view, args, kwargs
        purpose = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}".lower()
        if request.method == "POST" and request.path.startswith(PATHS) and "prefetch" in purpose:
            return claims.refuse_from_elsewhere(cast("PortalRequest", request))
        return None
