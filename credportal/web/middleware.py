"""What happens around every view."""

import re
import secrets
import time
import zoneinfo
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django_htmx.http import HttpResponseClientRedirect

from credportal.web.http import PortalRequest, client_address

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

# What no answer may lack, also where Django's own middleware did not get to set it: a refused
# host name and the redirect to https leave before that.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), interest-cohort=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


class RequestMiddleware:
    """Gives each request an id, writes one log line for it, and sets the headers no answer may lack.

    It is the outermost: answers to errors and static files pass here too. The query string
    is not logged.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, with all that around it."""
        began = time.perf_counter()
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]  # web/http.py declares it.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]  # as above
        response = self.get_response(request)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if not response.has_header("Cache-Control"):  # WhiteNoise sets its own on files.
            patch_cache_control(response, no_store=True, private=True)
        log.info(
            "http.request",
            method=request.method,
            path=request.path[:200],
            status=response.status_code,
            address=client_address(request),
            ms=round((time.perf_counter() - began) * 1000, 1),
        )
        return response


class ProbeMiddleware:
    """Lets a load balancer or a container ask for health by address: ALLOWED_HOSTS knows names only.

    The two pages tell nobody anything, and nothing of them depends on the host.
    """

    PATHS = frozenset({"/healthz", "/readyz"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a probe as if it had asked for the portal by its name."""
        if request.path in self.PATHS:
            request.META["HTTP_HOST"] = urlsplit(settings.PORTAL_URL).netloc
        return self.get_response(request)


class InputMiddleware:
    """Refuses NUL and other control characters in addresses and in the session cookie, and charsets but UTF-8.

    No page of ours sends such things. PostgreSQL raises an error for NUL where SQLite stores it,
    and several of Python's codecs raise instead of decoding, so this is settled before either.
    """

    FORBIDDEN = re.compile(r"[\x00-\x1f\x7f]|%(?:0[0-9a-fA-F]|1[0-9a-fA-F]|7[fF])")
    CHARSETS = {"", "utf-8", "utf8"}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 400 where the request itself is unreadable."""
        texts = (request.path, request.META.get("QUERY_STRING", ""), request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        charset = (request.content_params or {}).get("charset", "").lower()
        if charset not in self.CHARSETS or any(self.FORBIDDEN.search(text or "") for text in texts):
            return HttpResponse(render_to_string("400.html"), status=400)
        return self.get_response(request)


class PersonMiddleware:
    """Shows times in the person's time zone, and gives two kinds of answer what they lack.

    An htmx request without a sign-in goes to the sign-in page, and a wrong method gets a page of ours.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer in the person's time."""
        user: Any = request.user
        if user.is_authenticated:
            timezone.activate(zoneinfo.ZoneInfo(user.time_zone))
        else:
            timezone.deactivate()
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            response.content = render_to_string("405.html", request=request)
        to_sign_in = response.status_code == HTTPStatus.FOUND and response["Location"].startswith(
            resolve_url(settings.LOGIN_URL)
        )
        if to_sign_in and request.headers.get("HX-Request") == "true":
            # A fragment cannot hold the sign-in page: the whole page goes there, and afterwards back to where it is.
            here = cast("PortalRequest", request).htmx.current_url_abs_path
            query = f"?{urlencode({REDIRECT_FIELD_NAME: here})}" if here else ""
            return HttpResponseClientRedirect(f"{resolve_url(settings.LOGIN_URL)}{query}")
        return response
