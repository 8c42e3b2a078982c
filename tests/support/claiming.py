"""Claims as a browser sends them: look, press, report."""

from typing import Any

from django.conf import settings
from django.test import Client

from credportal.access.models import User
from credportal.audit.models import Event
from credportal.flows.handout import HandedOut
from tests.support.handouts import token_of

UNKNOWN = "x" * 43
"""The token of no link."""


def look(client: Client, given: HandedOut | str, **more: Any) -> Any:
    """Look at what a link leads to."""
    token = given if isinstance(given, str) else token_of(given)
    return client.post("/claim/look/", {"token": token}, **more)


def press(client: Client, given: HandedOut | str, code: str = "", **more: Any) -> Any:
    """Claim with a link, or with a token."""
    token = given if isinstance(given, str) else token_of(given)
    return client.post("/claim/", {"token": token, **({"code": code} if code else {})}, **more)


def report(client: Client, given: HandedOut | str) -> Any:
    """Say that a claim was not the recipient’s."""
    return client.post("/claim/report/", {"token": given if isinstance(given, str) else token_of(given)})


def wrong(given: HandedOut) -> str:
    """Return a code that is not the one."""
    return "00000000" if given.code != "00000000" else "11111111"


def text(answer: Any) -> str:
    """Return a page with its white space made even."""
    return " ".join(answer.content.decode().split())


def refusals() -> list[tuple[str, str, str]]:
    """Return kind, code and actor of each event since the hand-out was made."""
    rows = Event.objects.exclude(kind="handout:made").order_by("id")
    return list(rows.values_list("kind", "code", "actor_handle"))


def strict(user: User | None) -> Client:
    """Return a client for which the CSRF check is on, as it is for every browser."""
    client = Client(enforce_csrf_checks=True)
    if user is not None:
        client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client
