"""From the press to painted credentials, in a real browser, beside the AWS CLI as a whole process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.processes import environment
from bench.raw import ARGUMENTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from bench.visit import Visitor

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The press is the click's own time, as the browser stamped it; window.name survives the way to
# the next page. Painted is the second frame after the secret stands in the page.
CLOCK = """
addEventListener("click", (event) => { window.name = performance.timeOrigin + event.timeStamp; }, true);
const watch = () => {
  if (!document.querySelector('[data-field="secret-access-key"]')) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => {
    document.documentElement.dataset.painted = performance.timeOrigin + performance.now() - Number(window.name);
  }));
};
const observer = new MutationObserver(watch);
observer.observe(document, { childList: true, subtree: true });
"""


def browser_path() -> str | None:
    """Return the system's Chromium, or None where there is none."""
    names = (os.environ.get("CREDPORTAL_TEST_BROWSER", ""), *NAMES)
    return next((found for name in names if name and (found := shutil.which(name))), None)


def aws_path() -> str | None:
    """Return the AWS CLI beside this Python, or the one on PATH, or None."""
    beside = Path(sys.executable).with_name("aws")
    return str(beside) if beside.exists() else shutil.which("aws")


def aws_seconds(aws: str, endpoint: str) -> float:
    """Return how long ``aws sts assume-role`` takes as a whole process. Raises CalledProcessError."""
    command = [aws, "sts", "assume-role", "--role-arn", str(ARGUMENTS["RoleArn"])]
    command += ["--role-session-name", str(ARGUMENTS["RoleSessionName"]), "--endpoint-url", endpoint]
    began = time.perf_counter()
    subprocess.run(command, env=environment(), capture_output=True, check=True)
    return time.perf_counter() - began


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser. Raises Playwright's Error where it does not start."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- only the dev lock has it.

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def signed_in_page(browser: Browser, visitor: Visitor, *, plain: bool) -> Iterator[Page]:
    """Open a page as this person. ``plain``: the portal's scripts never arrive, so the form posts by itself."""
    context = browser.new_context()
    url = f"http://{visitor.host}"
    context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": url} for cookie in visitor.jar])
    context.add_init_script(CLOCK)
    page = context.new_page()
    if plain:
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.setBlockedURLs", {"urls": ["*.js", "*.js?*"]})
    try:
        yield page
    finally:
        context.close()


def press(page: Page, url: str) -> float:
    """Open a request form, press its button, and return the seconds until the credentials were painted."""
    page.goto(url)
    page.click("form[data-request] button[type=submit]")
    painted = page.locator("html[data-painted]").get_attribute("data-painted", timeout=30_000)
    return float(painted or "nan") / 1000
