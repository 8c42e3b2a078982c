"""What opens a link before its reader does: previews of chats, crawlers, scanners of mail, prefetches.

``KINDS`` are those that HTTP alone can play. ``GESTURES`` are for a real browser that runs the page's scripts.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

MOST_LINKS = 20  # How many addresses of a page a scanner follows.
_CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
_APPLE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of opener: what it sends, and whether it goes on to every address in the page."""

    name: str
    agent: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    follows: bool = False


KINDS = (
    Kind(
        "Slack, expanding", "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", headers={"Range": "bytes=0-"}
    ),
    Kind("Slack", "Slackbot 1.0 (+https://api.slack.com/robots)"),
    Kind("Twitter", "Twitterbot/1.0"),
    Kind("Facebook", "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"),
    Kind("WhatsApp", "WhatsApp/2.23.20.0 A"),
    Kind("Telegram", "TelegramBot (like TwitterBot)"),
    Kind("Discord", "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"),
    Kind("LinkedIn", "LinkedInBot/1.0 (compatible; Mozilla/5.0; +http://www.linkedin.com)"),
    Kind("Teams", "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com"),
    Kind("Google", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    Kind("Bing", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
    Kind("Apple", f"{_APPLE} Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)"),
    Kind("Barracuda", "BarracudaSentinel (EE)", method="HEAD"),
    Kind("Proofpoint", f"{_CHROME} Proofpoint-URLDefense", follows=True),
    Kind("Mimecast", f"{_CHROME} Mimecast-URL-Protect", follows=True),
    Kind("curl", "curl/8.5.0"),
    Kind("wget, all that the page links", "Wget/1.21.4", follows=True),
    Kind("prefetch", _CHROME, headers={"Purpose": "prefetch", "X-Moz": "prefetch"}),
    Kind("prerender", _CHROME, headers={"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Mode": "navigate"}),
    Kind("HEAD", "Mozilla/5.0 (compatible; link-checker)", method="HEAD"),
    Kind("OPTIONS", _CHROME, method="OPTIONS", headers={"Access-Control-Request-Method": "POST"}),
    Kind("a scanner that sends forms", _CHROME, method="POST"),
)


def visit(kind: Kind, url: str, *, cookies: str = "") -> Iterator[int]:
    """Open a page as this kind does, and what it links where it follows links; yield the statuses."""
    status, page = _open(kind, url, cookies)
    yield status
    if not kind.follows:
        return
    found = re.findall(r'(?:href|src|action|hx-(?:get|post))="([^"#]+)"', page)
    for address in list(dict.fromkeys(found))[:MOST_LINKS]:
        whole = urljoin(url, address)
        if urlsplit(whole).netloc == urlsplit(url).netloc:
            yield _open(kind, whole, cookies)[0]


GESTURES = ("runs scripts", "moves and tabs")


def watch(context: BrowserContext, address: str, gesture: str) -> None:
    """Open a link in a real browser until nothing moves any more, and press nothing.

    ``moves and tabs`` also moves the mouse over the page, scrolls, and walks over what can have the focus. Raises
    Playwright's Error.
    """
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    if gesture == GESTURES[1]:
        for step in range(12):
            page.mouse.move(100 + 60 * step, 80 + 50 * step)
            page.keyboard.press("Tab")
        page.mouse.wheel(0, 2000)
        page.wait_for_load_state("networkidle")
    page.close()


def _open(kind: Kind, url: str, cookies: str) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    sent = {"User-Agent": kind.agent, **kind.headers, **({"Cookie": cookies} if cookies else {})}
    try:
        # What stands after # is for the client alone: none of them sends it.
        connection.request(kind.method, f"{parts.path}{'?' if parts.query else ''}{parts.query}", headers=sent)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()
