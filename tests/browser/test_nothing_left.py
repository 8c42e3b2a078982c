"""Invariant 2 in the browser: a secret lives in one response, and leaves nothing behind.

Every secret that the tests' STS makes contains ``FAKE-``, so one search finds any of them.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserType, Error, Page, expect

from tests.browser.conftest import FLAGS, OpenDesk
from tests.browser.desk import Desk
from tests.fault_sts import CANARY
from tests.support.cast import Cast

EVERYWHERE = """async () => {
  const found = [document.documentElement.outerHTML, location.href, JSON.stringify(history.state), window.name];
  for (const field of document.querySelectorAll("input, textarea, select")) found.push(field.value);
  for (const storage of [localStorage, sessionStorage]) found.push(JSON.stringify({...storage}));
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) found.push(request.url, await (await cache.match(request)).text());
  }
  for (const {name} of await indexedDB.databases()) {
    const database = await new Promise((resolve) => {
      indexedDB.open(name).onsuccess = (event) => resolve(event.target.result);
    });
    for (const store of database.objectStoreNames) {
      found.push(await new Promise((resolve) => {
        database.transaction(store).objectStore(store).getAll().onsuccess = (event) =>
          resolve(JSON.stringify(event.target.result));
      }));
    }
  }
  return [...found, document.cookie].join("\\n");
}"""
PLANT = """async (canary) => {
  localStorage.planted = canary + "local";
  sessionStorage.planted = canary + "session";
  await (await caches.open("planted")).put("/planted", new Response(canary + "cache"));
  await new Promise((resolve) => {
    const opening = indexedDB.open("planted");
    opening.onupgradeneeded = (event) => event.target.result.createObjectStore("planted", {autoIncrement: true});
    opening.onsuccess = (event) => {
      const writing = event.target.result.transaction("planted", "readwrite");
      writing.objectStore("planted").add(canary + "indexed");
      writing.oncomplete = resolve;
    };
  });
}"""


def secrets_in(page: Page) -> list[str]:
    """Return every trace of a secret that a script of the page could find."""
    return re.findall(rf"{CANARY}\w*", str(page.evaluate(EVERYWHERE)))


def test_the_search_finds_what_is_planted_in_each_place(desk: Desk) -> None:
    desk.goto("/")
    desk.page.evaluate(PLANT, CANARY)
    assert secrets_in(desk.page) == [f"{CANARY}{place}" for place in ("local", "session", "cache", "indexed")]


def issue_in_place(desk: Desk) -> None:
    desk.issue()


def issue_as_a_whole_page(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.send_whole()


def go_back(desk: Desk) -> None:
    """Go back. The answer to a form is not kept, so the browser asks whether to send it again: then go home."""
    try:
        desk.page.go_back()
    except Error as error:
        assert "ERR_CACHE_MISS" in str(error)  # noqa: PT017 -- it may go well, too.
        desk.page.wait_for_url("chrome-error://**")
        assert CANARY not in desk.page.content()
        desk.goto("/")


def away(desk: Desk) -> None:
    desk.page.get_by_role("link", name="Sessions").click()
    expect(desk.page).to_have_url(re.compile("/sessions/"))


def back(desk: Desk) -> None:
    away(desk)
    go_back(desk)


def back_and_forward(desk: Desk) -> None:
    desk.goto("/account/")
    go_back(desk)
    desk.page.go_forward()


def reload(desk: Desk) -> None:
    desk.page.reload()


def sign_out(desk: Desk) -> None:
    desk.page.locator(".who summary").click()
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page.get_by_role("heading", name="Sign in")).to_be_visible()


def sign_out_and_back(desk: Desk) -> None:
    sign_out(desk)
    go_back(desk)


def open_another_role(desk: Desk) -> None:
    desk.goto("/")
    desk.page.locator("#q").fill("payments")


Leave = Callable[[Desk], None]
WAYS: list[Leave] = [away, back, back_and_forward, reload, sign_out, sign_out_and_back, open_another_role]


@pytest.mark.parametrize(
    "leave",
    [away, back, back_and_forward, reload, sign_out, sign_out_and_back, open_another_role],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("issue", [issue_in_place, issue_as_a_whole_page], ids=["in place", "whole page"])
def test_no_secret_is_in_the_browser_after_leaving_the_page(desk: Desk, issue: Leave, leave: Leave) -> None:
    issue(desk)
    assert desk.sts.ledger.mints[-1].secret_access_key in desk.page.content()
    leave(desk)
    assert secrets_in(desk.page) == []
    assert len(desk.sts.ledger.mints) == 1, "going about mints nothing"


def test_a_secret_is_in_no_storage_while_it_is_shown(desk: Desk) -> None:
    desk.issue()
    desk.page.get_by_label("Show the secrets").check()
    desk.page.locator("#tab-values").click()
    desk.page.evaluate("() => document.querySelector('main').replaceChildren()")
    assert secrets_in(desk.page) == []
    # No address of ours is pushed by htmx today. One that is must not copy the page into storage.
    assert desk.page.evaluate("() => htmx.config.historyCacheSize") == 0


def test_leaving_wipes_the_page_itself(desk: Desk) -> None:
    desk.issue()
    desk.page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    assert CANARY not in desk.page.content()
    expect(desk.page.locator('[data-snippet="bash"]')).to_have_text(re.compile("^You left this page"))


def test_a_page_that_comes_back_from_the_cache_of_the_browser_holds_nothing_and_says_so(desk: Desk) -> None:
    desk.issue()
    desk.page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    assert CANARY not in desk.page.content()
    expect(desk.page.get_by_role("status")).to_have_text(re.compile("^You left this page"))
    expect(desk.page.get_by_role("button", name="Renew")).to_have_class(re.compile(r"\bmain\b"))


def test_an_answer_that_takes_the_place_of_credentials_wipes_them_first(desk: Desk) -> None:
    desk.issue()
    kept = desk.page.locator('[data-snippet="bash"]').element_handle()
    desk.page.get_by_role("button", name="Renew").click()
    expect(desk.page.get_by_text(desk.sts.ledger.mints[0].session_name)).to_have_count(0)
    assert CANARY not in str(kept.evaluate("el => el.textContent")), "also what a script still holds"


def test_no_line_of_the_console_and_no_address_ever_holds_a_secret(desk: Desk) -> None:
    seen: list[str] = []
    desk.page.on("console", lambda message: seen.append(message.text))
    desk.page.on("request", lambda request: seen.append(f"{request.url} {request.post_data or ''}"))
    desk.issue()
    desk.page.get_by_label("Show the secrets").check()
    desk.page.get_by_role("button", name="Renew").click()
    expect(desk.page.get_by_text(desk.sts.ledger.mints[0].session_name)).to_have_count(0)
    away(desk)
    assert len(seen) > 2
    assert not [line for line in seen if CANARY in line]


def raw_hits(folder: Path, needle: str) -> list[str]:
    """Return the files under a folder that hold the text, as UTF-8 or as UTF-16."""
    needles = (needle.encode(), needle.encode("utf-16-le"))
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [str(path.relative_to(folder)) for path in files if any(raw in path.read_bytes() for raw in needles)]


def test_no_secret_is_in_the_folder_of_the_browser_after_it_was_closed(
    open_desk: OpenDesk, chromium: BrowserType, browser_path: str, cast: Cast, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    with chromium.launch_persistent_context(profile, executable_path=browser_path, args=FLAGS) as context:
        desk = open_desk(cast.alice, context=context)
        for issue in (issue_in_place, issue_as_a_whole_page):
            for leave in (reload, back, away):
                issue(desk)
                leave(desk)
        issue_in_place(desk)
        desk.page.get_by_label("Show the secrets").check()
        # What is planted must be found, or the search proves nothing.
        desk.page.evaluate("() => { localStorage.planted = 'PLANTED-in-the-browser'; }")
        desk.page.wait_for_timeout(500)
    assert len(desk.sts.ledger.mints) == 7
    assert raw_hits(profile, "PLANTED-in-the-browser")
    assert raw_hits(profile, CANARY) == []


def test_signing_out_has_the_browser_forget_its_storage_too(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.alice)
    desk.goto("/")
    desk.page.evaluate("() => { localStorage.planted = 'yes'; }")
    sign_out(desk)
    desk.page.wait_for_function("() => localStorage.planted === undefined")
