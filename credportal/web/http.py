"""Small facts about an HTTP request."""

import ipaddress
import unicodedata
from datetime import UTC, datetime
from typing import cast

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from credportal.access.models import User
from credportal.domain.types import Origin


class PortalRequest(HttpRequest):
    """A request after the middleware: somebody is signed in."""

    user: User  # LoginRequiredMiddleware lets nobody else through.
    htmx: HtmxDetails
    request_id: str


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address as the outermost trusted proxy saw it, or empty text.

    Proxies append to X-Forwarded-For, so with N of ours in front the N-th entry from the
    right is the one that our outermost proxy wrote; what stands before it is the client's
    own claim. A header with fewer entries did not come through all our proxies, and then
    the peer of the connection is the truth.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    hops = settings.TRUSTED_PROXIES
    entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
    candidate = entries[-hops] if 0 < hops <= len(entries) else peer
    try:
        # The zone of a link-local IPv6 address is a name of the host's own, of any length.
        return str(ipaddress.ip_address(candidate.partition("%")[0]))
    except ValueError:
        return ""


def is_internal(address: str) -> bool:
    """Tell whether the internet, and so AWS, cannot see this address as it is: a private or loopback one."""
    return bool(address) and not ipaddress.ip_address(address).is_global


def origin_of(request: HttpRequest) -> Origin:
    """Return where the request came from, capped and without control characters."""
    return Origin(
        address=client_address(request),
        user_agent=printable(request.headers.get("User-Agent", ""))[:256],
        request_id=cast("PortalRequest", request).request_id,
    )


def signed_in_at_of(request: HttpRequest) -> datetime | None:
    """Return when the person last proved in this session who they are (aware UTC), None where nothing tells.

    allauth keeps a record of each sign-in and each confirmation by password in the session.
    """
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or [{}]
    at = records[-1].get("at")
    return datetime.fromtimestamp(at, UTC) if isinstance(at, int | float) else None


def printable(text: str) -> str:
    """Replace control, format and surrogate characters by a visible mark: they forge lines and hide text."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in {"Cc", "Cf", "Cs"} else char for char in text
    )
