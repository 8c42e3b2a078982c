"""A person at a running portal, over plain sockets: what came is kept, also where it broke off."""

import http.client
import re
import secrets
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.test import Client

from credportal.access.models import User
from tests.support.html import hidden

TIMEOUT_SECONDS = 30
Fields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``status`` is 0 where nothing did, and ``whole`` False where it broke off."""

    status: int
    text: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    whole: bool = True

    def header(self, name: str) -> str:
        """Return a header's value, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def access_key_ids(self) -> set[str]:
        """Return every access key id that arrived, in a whole page or in a part of one."""
        return set(re.findall(r"\bASIA[A-Z2-7]{16}\b", self.text))


def new_submission() -> str:
    """Make a one-time id as a rendered form carries one."""
    return secrets.token_urlsafe(16)


class Visitor:
    """Speaks to one portal with one jar of cookies. Each request has a connection of its own."""

    def __init__(self, url: str, user: User | None = None) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self.csrf = ""
        if user is not None:
            client = Client()
            client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
            name = settings.SESSION_COOKIE_NAME
            self.cookies[name] = client.cookies[name].value

    def ask(
        self, method: str, path: str, *, body: str | bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send one request. What breaks on the way is an answer too."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**({"Cookie": cookie} if cookie else {}), **(headers or {})}
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            self._keep(response)
            try:
                return Answer(response.status, response.read().decode(errors="replace"), response.getheaders())
            except http.client.IncompleteRead as broken:
                part = broken.partial.decode(errors="replace")
                return Answer(response.status, part, response.getheaders(), whole=False)
        except (OSError, http.client.HTTPException):
            return Answer(0, whole=False)
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, fields: dict[str, str] | Fields) -> Answer:
        """Send a form, with the token of the last form that was opened."""
        pairs = list(fields.items()) if isinstance(fields, dict) else fields
        body = urlencode([("csrfmiddlewaretoken", self.csrf), *pairs])
        return self.ask("POST", path, body=body, headers={"Content-Type": "application/x-www-form-urlencoded"})

    def open_form(self, path: str) -> str:
        """Open a page with a form and keep its token; return the page."""
        answer = self.get(path)
        assert answer.status == 200, (answer.status, answer.text[:300])
        self.csrf = hidden(answer.text, "csrfmiddlewaretoken")
        return answer.text

    def issue(self, role_id: str, *, act: str = "issue", submission: str = "", **fields: str) -> Answer:
        """Ask for a role for one hour, with a one-time id that nobody used yet; ``act`` may be ``console``."""
        asked = {"duration": "3600", "submission": submission or new_submission(), **fields}
        return self.post(f"/roles/{role_id}/{act}/", asked)

    def _keep(self, response: http.client.HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
