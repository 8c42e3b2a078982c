"""Takes the pictures beside this file: ``bin/screenshot``.

Starts a demo on a free port with a state folder of its own, walks through it as Alice, Bob, Erin
and Dana, and stops it again. The credentials on the pictures are the demo's own, and masked.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DEMO = str(ROOT / "bin" / "demo")
# A browser that talks to nobody but the page.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTH, HEIGHT = 1280, 900
START_SECONDS = 180


def main() -> None:
    """Take all pictures."""
    program = os.environ.get("CREDPORTAL_TEST_BROWSER") or shutil.which("chromium")
    with running_demo() as (url, passwords), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        alice = sign_in(browser, url, "alice", passwords["alice"])
        open_request(alice, url, account="sandbox", role="Developer")
        ask(alice, hours=4, expect="[data-issuance]")
        open_request(alice, url, account="production", role="LegacyBatch")
        ask(alice, hours=1, expect="article.letter")  # AWS refuses: this role does not trust the portal.
        open_request(alice, url, account="production", role="Data analyst")
        ask(alice, hours=1, reason="Month-end figures for finance", ticket="FIN-318", expect="[data-issuance]")
        open_request(alice, url, account="staging", role="PaymentsReadOnly")
        ask(alice, hours=10, expect="article.letter")  # The portal refuses: eight hours are the most.
        open_request(alice, url, account="staging", role="PaymentsReadOnly")
        ask(alice, hours=1, ticket="PAY-2071", expect="[data-issuance]")
        take(alice, "credentials", height=750)
        alice.goto(url)
        alice.get_by_role("button", name="Favourite: PaymentsReadOnly").last.click()
        alice.wait_for_selector("[data-favourite] [aria-pressed=true]")
        alice.goto(url)
        take(alice, "roles")
        bob = sign_in(browser, url, "bob", passwords["bob"], path="/handouts/new/")
        hand_out(bob, role="PaymentsReadOnly", to="charlie", reason="Case 4711: why is order 88213 stuck?")
        take(bob, "hand-out", height=750)
        take(sign_in(browser, url, "erin", passwords["erin"], path="/audit/"), "audit", height=760)
        dana = sign_in(browser, url, "dana", passwords["dana"], path="/catalogue/")
        dana.get_by_role("link", name="PaymentsReadOnly").first.click()
        dana.get_by_role("button", name="Probe now").click()
        dana.wait_for_selector(".findings")
        take(dana, "catalogue", height=860)
        browser.close()


@contextmanager
def running_demo() -> Iterator[tuple[str, dict[str, str]]]:
    """Start bin/demo, give its address and passwords, and stop it in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="credportal-pictures-") as folder:
        env = {**os.environ, "CREDPORTAL_DEMO_DIR": folder}
        command = [DEMO, "--no-browser", "--port", str(port)]
        demo = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script.
        try:
            if not demo.stdout or not any("Ctrl-C stops everything" in line for line in demo.stdout):
                sys.exit("bin/demo did not start; it said why above.")
            users = subprocess.run([DEMO, "--users"], env=env, capture_output=True, text=True, check=True)  # noqa: S603 - as above.
            yield f"http://127.0.0.1:{port}", dict(line.split(" ", 1) for line in users.stdout.splitlines())
        finally:
            demo.terminate()
            demo.wait(timeout=60)


def sign_in(browser: Browser, url: str, name: str, password: str, *, path: str = "/") -> Page:
    """Open a window of somebody's own, in light colours, at a page."""
    context = browser.new_context(
        color_scheme="light",
        viewport={"width": WIDTH, "height": HEIGHT},
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{url}{path}")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_selector("nav[aria-label=Main]")
    return page


def open_request(page: Page, url: str, *, account: str, role: str) -> None:
    """Open the request form of a role of an account, on a page of its own."""
    page.goto(url)
    section = page.locator("section.acct").filter(has=page.get_by_role("heading", name=account, exact=True))
    opener = section.locator(".role").filter(has_text=role).locator("[data-opens]").first
    page.goto(f"{url}{opener.get_attribute('href')}")


def ask(page: Page, *, hours: int, expect: str, reason: str = "", ticket: str = "") -> None:
    """Fill the open request form in, send it, and wait for the answer that is expected."""
    page.check("input[name=duration][value=custom]")
    page.fill("input[name=duration_minutes]", str(hours * 60))
    page.fill("input[name=reason]", reason)
    page.fill("input[name=ticket]", ticket)
    page.get_by_role("button", name="Get credentials").click()
    page.wait_for_selector(expect)


def hand_out(page: Page, *, role: str, to: str, reason: str) -> None:
    """Fill the open form in and send it. Nobody claims the link that is then on the page."""
    page.get_by_role("radio", name=role).check()
    page.get_by_label("Colleague", exact=True).fill(to)
    page.fill("input[name=reason]", reason)
    page.get_by_role("button", name="Make the link").click()
    page.wait_for_selector("[data-handout]")


def take(page: Page, name: str, *, height: int = HEIGHT) -> None:
    """Write one picture, ``height`` pixels high."""
    page.wait_for_load_state("networkidle")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.screenshot(
        path=HERE / f"{name}.png", clip={"x": 0, "y": 0, "width": WIDTH, "height": height}, animations="disabled"
    )


if __name__ == "__main__":
    main()
