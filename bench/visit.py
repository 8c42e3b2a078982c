"""Signs in as a person would, and keeps what the next request needs."""

from __future__ import annotations

import http.cookiejar
import re
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.cookiejar import Cookie

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([A-Za-z0-9]{64})"')


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person: what every request of theirs carries."""

    host: str  # With the port.
    cookies: str
    csrf_token: str
    jar: tuple[Cookie, ...]


def sign_in(url: str, username: str, password: str) -> Visitor:
    """Sign in over HTTP. Raises RuntimeError where the portal does not let this person in."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def page(path: str, fields: dict[str, str] | None = None) -> str:
        body = urllib.parse.urlencode(fields).encode("ascii") if fields else None
        with opener.open(f"{url}{path}", body, timeout=30) as answer:
            return str(answer.read().decode())

    token = _token(page("/account/login/"))
    page("/account/login/", {"login": username, "password": password, "csrfmiddlewaretoken": token})
    signed_in = page("/")
    if 'action="/account/logout/"' not in signed_in:
        raise RuntimeError(f"{username} could not sign in")
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    return Visitor(urllib.parse.urlsplit(url).netloc, cookies, _token(signed_in), tuple(jar))


def stranger(url: str) -> Visitor:
    """Open the claim page as somebody who has no account. Raises RuntimeError where it holds no form."""
    jar = http.cookiejar.CookieJar()
    with urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(
        f"{url}/claim/", timeout=30
    ) as answer:
        token = _token(answer.read().decode())
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    return Visitor(urllib.parse.urlsplit(url).netloc, cookies, token, tuple(jar))


def _token(page: str) -> str:
    found = TOKEN.search(page)
    if found is None:
        raise RuntimeError("a page of the portal holds no CSRF token")
    return found[1]
