"""A person at the portal, as a script: plain HTTP, cookies, the page's own forms."""

import re
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

from tests.support.html import hidden


class Snippets(HTMLParser):
    """Collects the exact text of every element with ``data-snippet`` or ``data-field``."""

    VOID = frozenset({"br", "img", "input", "link", "meta", "hr", "use", "path"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: dict[str, str] = {}
        self._name = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._name:
            self._depth += tag not in self.VOID
            return
        names = dict(attrs)
        self._name = names.get("data-snippet") or names.get("data-field") or ""
        self._depth = 1
        if self._name:
            self.found.setdefault(self._name, "")

    def handle_endtag(self, tag: str) -> None:
        if self._name and tag not in self.VOID:
            self._depth -= 1
            if not self._depth:
                self._name = ""

    def handle_data(self, data: str) -> None:
        if self._name:
            self.found[self._name] += data


class Person:
    """Somebody signed in to the portal."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.url = url
        self.opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
        _, page = self.get("/account/login/")
        token = hidden(page, "csrfmiddlewaretoken")
        self.status, self.home = self.post("/account/login/", login=name, password=password, csrfmiddlewaretoken=token)

    def get(self, path: str) -> tuple[int, str]:
        """Return status and page."""
        return self._open(path, None)

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Return status and page, after redirects."""
        return self._open(path, urlencode(fields).encode())

    def role_path(self, name: str, account: str) -> str:
        """Return the path of the request form of a role on the home page."""
        _, home = self.get("/")
        paths: list[str] = re.findall(r"/roles/[^/\"]+/", home)
        for path in dict.fromkeys(paths):
            _, page = self.get(path)
            if f'data-title="{name}"' in page and account in page:
                return path
        raise AssertionError(f"{name} in {account} is not on the page")

    def issue(self, path: str, **fields: str) -> tuple[int, dict[str, str]]:
        """Submit the request form of a role; return status and what the page shows to copy."""
        _, form = self.get(path)
        tokens = {name: hidden(form, name) for name in ("csrfmiddlewaretoken", "submission")}
        status, page = self.post(f"{path}issue/", **tokens, **fields)
        snippets = Snippets()
        snippets.feed(page)
        snippets.close()
        return status, snippets.found

    def _open(self, path: str, data: bytes | None) -> tuple[int, str]:
        try:
            with self.opener.open(f"{self.url}{path}", data, timeout=20) as answer:
                return int(answer.status), str(answer.read(), "utf-8")
        except HTTPError as error:
            with error:
                return error.code, str(error.read(), "utf-8")
