"""What a browser test works with: a page, the portal behind it, and a watch on everything it does."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.fault_sts import FaultSTS
from tests.support.cast import PASSWORD, Cast, Catalogue

# Tells the test about each violation at once: a list in the page would be lost with the page.
REPORTER = """
document.addEventListener("securitypolicyviolation", (event) => {
  reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`);
});
"""
# The browser writes a line for every answer of 400 and up. Those answers are what some tests are about.
# It also says so where a page repeats what cannot be a day or a time.
EXPECTED_LINES = (
    "Failed to load resource: the server responded with a status of",
    "Response Status Error Code",
    "does not conform to the required format",
)
FIT = "() => document.scrollingElement.scrollWidth - innerWidth"


@dataclass
class Watch:
    """Everything that must never happen, in any test: violations, script errors, requests to elsewhere."""

    violations: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext, url: str) -> None:
        """Watch all pages of a context, now and later."""
        context.expose_binding("reportViolation", lambda _source, text: self.violations.append(str(text)))
        context.add_init_script(REPORTER)
        context.on("console", lambda message: self._heard(message.type, message.text))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", lambda request: self._asked(request.url, url))

    def found(self) -> list[str]:
        """Return all that went wrong and was not expected."""
        every = [*self.violations, *self.errors, *self.foreign]
        return [line for line in every if not any(words in line for words in self.expected)]

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not any(words in text for words in EXPECTED_LINES):
            self.errors.append(text)

    def _asked(self, asked: str, url: str) -> None:
        if urlsplit(asked).scheme not in {"data", "blob"} and urlsplit(asked).netloc != urlsplit(url).netloc:
            self.foreign.append(asked)


@dataclass
class Desk:
    """A person's page of the portal. ``person`` is empty where nobody is signed in."""

    page: Page
    url: str
    sts: FaultSTS
    cast: Cast
    catalogue: Catalogue
    watch: Watch

    def goto(self, path: str = "/") -> None:
        self.page.goto(f"{self.url}{path}")

    def sign_in(self, name: str = "alice", password: str = PASSWORD) -> None:
        """Sign in by the form, as a person does."""
        self.goto("/account/login/")
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def open_request(self, role_id: str) -> Locator:
        """Open the request of a role in place; return its form."""
        self.goto("/")
        self.page.locator(f"#open-{role_id}").click()
        form = self.page.locator(f"#ask-{role_id} form[data-request]")
        expect(form).to_be_visible()
        self.settled()
        return form

    def issue(self, role_id: str = "", *, minutes: int = 0) -> None:
        """Get credentials from the home page; the page then shows them."""
        form = self.open_request(role_id or self.catalogue.read_only.id)
        if minutes:
            form.get_by_label("Other duration, in minutes").fill(str(minutes))
        form.get_by_role("button", name="Get credentials").click()
        expect(self.page.locator("[data-issuance]")).to_be_visible()
        self.settled()

    def ask(self, role_id: str = "") -> None:
        """Send the request of a role that will not be answered with credentials."""
        form = self.open_request(role_id or self.catalogue.read_only.id)
        form.get_by_role("button", name="Get credentials").click()
        expect(self.page.locator(".letter")).to_be_visible()
        self.settled()

    def settled(self) -> None:
        """Wait until the swap has moved the focus, which comes a moment after what it shows."""
        expect(self.page.locator("#main:focus, #main :focus")).to_have_count(1)

    def send_whole(self, **fields: str) -> None:
        """Send the form of the page past htmx, with some fields changed: the answer is a whole page."""
        form = self.page.locator("form[data-request]")
        with self.page.expect_navigation():
            form.evaluate(
                """(form, fields) => {
                    for (const [name, value] of Object.entries(fields)) {
                        const input = document.createElement("input");
                        input.type = "hidden"; input.name = name; input.value = value;
                        form.querySelectorAll(`[name="${name}"]`).forEach((old) => old.remove());
                        form.append(input);
                    }
                    form.submit();
                }""",
                fields,
            )

    def snippet(self, key: str) -> str:
        """Return the exact text of a snippet."""
        return str(self.page.locator(f'[data-snippet="{key}"]').evaluate("el => el.textContent"))

    def focused(self) -> str:
        """Return what has the focus, in a few words; ``BODY`` is where a lost focus ends."""
        return str(
            self.page.evaluate(
                "() => { const el = document.activeElement;"
                " return el.id || el.getAttribute('name') || el.textContent.trim().slice(0, 40) || el.tagName; }"
            )
        )


def axe(page: Page, rules: Iterable[str] = (), *, within: str = "html") -> list[str]:
    """Run axe on the page; return a line for each violation. ``rules`` limits the run to some."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    if not page.evaluate("() => Boolean(window.axe)"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(f"() => axe.run({json.dumps(within)}, {json.dumps(options)})")
    return [
        f"{violation['id']}: {node['target']} {node['html'][:160]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than its window."""
    return int(page.evaluate(FIT))
