"""How allauth behaves here: nobody signs up, and the client address is the one we trust."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from credportal.web.http import client_address


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types.
    """Accounts are made by an admin."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse every sign-up."""
        del request
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that throttling counts by; allauth's own reading of proxies is not used."""
        return client_address(request) or "unknown"

    def is_safe_url(self, url: str | None) -> bool:
        """Tell whether a sign-in may lead there: to this very host only. What cannot be parsed is not safe either."""
        secure = self.request.is_secure()
        return url_has_allowed_host_and_scheme(url, allowed_hosts={self.request.get_host()}, require_https=secure)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Keep no messages: each page says itself what happened."""
