"""How allauth behaves here: nobody signs up, the client address is the one we trust, and the audit tells of all."""

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import ratelimit
from allauth.core.exceptions import ImmediateHttpResponse
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from credportal.access import selectors as access
from credportal.access.models import User
from credportal.flows import signing_in
from credportal.web.http import PortalRequest, client_address, origin_of
from credportal.web.pages import show_unchanged, show_unrecorded


class ClosedAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types.
    """Accounts are made by an admin, and whoever comes in, or does not, is in the audit."""

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

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign a person in, once that is recorded."""
        if not signing_in.signed_in(user=user, origin=origin_of(request)):
            raise _unrecorded(request)
        super().login(request, user)

    def logout(self, request: HttpRequest) -> None:
        """Sign a person out, and then record it: a database that takes no events keeps nobody in."""
        user = request.user
        super().logout(request)
        if isinstance(user, User):
            signing_in.signed_out(user=user, origin=origin_of(request))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count a try, and record where it is one too many."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            note_throttled(request, credentials["username"])
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record a wrong user name or password before the page says so: no guess is answered without."""
        origin, code = origin_of(request), signing_in.WRONG_PASSWORD
        if isinstance(request.user, User):  # At the page that asks for the password once more.
            recorded = signing_in.confirmed(user=request.user, origin=origin, code=code)
        else:
            person = access.person_signing_in(credentials["username"])
            recorded = signing_in.kept_out(person=person, origin=origin, code=code)
        if not recorded:
            raise _unrecorded(request)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Record that somebody who is switched off has the right password, and say that they are."""
        if not signing_in.kept_out(person=user, origin=origin_of(request), code=signing_in.SWITCHED_OFF):
            raise _unrecorded(request)
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response

    def reauthenticate(self, user: User, password: str) -> bool:
        """Tell whether this is the person's password, once the answer is recorded."""
        is_right: bool = super().reauthenticate(user, password)
        if is_right and not signing_in.confirmed(user=user, origin=origin_of(self.request)):
            raise _unrecorded(self.request)
        return is_right

    def set_password(self, user: User, password: str) -> None:
        """Give a person the password that they chose, with its event."""
        if not signing_in.change_own_password(user=user, password=password, origin=origin_of(self.request)):
            raise ImmediateHttpResponse(show_unchanged(cast("PortalRequest", self.request)))


def note_throttled(request: HttpRequest, typed: str) -> None:
    """Record a try that was not even looked at, so seldom that whoever floods the door does not flood the audit.

    ACCOUNT_RATE_LIMITS says how seldom: for each person, for each address. The answer is the same
    where it cannot be written.
    """
    origin, code = origin_of(request), signing_in.THROTTLED
    if isinstance(request.user, User):
        if ratelimit.consume(request, action="throttled", key=f"confirming:{request.user.pk}"):
            signing_in.confirmed(user=request.user, origin=origin, code=code)
        return
    person = access.person_signing_in(typed)
    if ratelimit.consume(request, action="throttled", key=f"person:{person.pk}" if person else origin.address):
        signing_in.kept_out(person=person, origin=origin, code=code)


def too_many_tries(request: HttpRequest) -> HttpResponse:
    """Say that there were too many tries, from one address or of one person, and record it."""
    note_throttled(request, request.POST.get("login", "").strip())
    return render(request, "429.html", status=429)


def _unrecorded(request: HttpRequest) -> ImmediateHttpResponse:
    """Return the answer that nothing happened, because it could not be recorded."""
    headline = "Nothing was confirmed" if request.user.is_authenticated else "You are not signed in"
    why = "The portal could not write its audit, and it answers no password unrecorded."
    return ImmediateHttpResponse(show_unrecorded(cast("PortalRequest", request), headline, why))
