"""The list of the audit in a browser: it follows live without taking anything away, and the chart leads on."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.browser.states.reviewing import busy_month
from tests.support.cast import Cast
from tests.support.history import write_history

ONE = {"actor_handle": "alice", "actor_name": "Alice Engström", "issuance_id": "000000000001", "reason": "The first"}
TWO = {**ONE, "issuance_id": "000000000002", "reason": "The second"}


def erin_at(open_desk: OpenDesk, cast: Cast, path: str, **options: object) -> Desk:
    desk = open_desk(cast.erin, **options)
    desk.goto(path)
    return desk


def test_a_live_list_shows_what_happens_says_so_and_leaves_the_focus(open_desk: OpenDesk, cast: Cast) -> None:
    write_history([ONE])
    desk = erin_at(open_desk, cast, "/audit/")
    desk.page.get_by_role("link", name="Follow live").click()
    desk.page.get_by_role("link", name="000000000001").focus()
    write_history([TWO])
    expect(desk.page.get_by_role("link", name="000000000002")).to_be_visible()
    expect(desk.page.get_by_role("status")).to_have_text("1 new")
    assert desk.focused() == "e1"
    expect(desk.page.locator("tr.fresh")).to_have_count(1)
    desk.page.get_by_role("link", name="Stop").click()
    expect(desk.page.get_by_role("link", name="Follow live")).to_be_visible()


def test_a_live_list_that_nobody_looks_at_asks_for_nothing(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.erin)
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    desk.page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => true })")
    write_history([ONE])
    desk.goto("/audit/?live=1")
    desk.page.wait_for_timeout(4000)
    assert not [url for url in asked if "seen=" in url]


def test_a_bar_narrows_the_list_by_pointer_and_by_keyboard(open_desk: OpenDesk, cast: Cast) -> None:
    busy_month()
    desk = erin_at(open_desk, cast, "/audit/?range=30d", viewport={"width": 1280, "height": 900})
    bar = desk.page.locator(".bar-links a").nth(-2)
    words = bar.get_attribute("title") or ""
    bar.click()
    expect(desk.page.locator(".chip.on")).to_have_count(2)
    expect(desk.page.locator(".bars")).to_be_visible()
    desk.page.go_back()
    bar.focus()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator(".chip.on")).to_have_count(2)
    assert f"{desk.page.locator('.key .issued dd').inner_text()} issued" in words


def test_the_chart_of_a_filtered_list_comes_by_itself(open_desk: OpenDesk, cast: Cast) -> None:
    busy_month()
    desk = erin_at(open_desk, cast, "/audit/?person=alice")
    expect(desk.page.locator("#chart .bars")).to_be_visible()
    desk.page.get_by_text("The same as a table").click()
    expect(desk.page.get_by_role("table", name="Outcomes by day")).to_be_visible()


def test_slash_searches_reasons_and_keeps_the_filters(open_desk: OpenDesk, cast: Cast) -> None:
    write_history([ONE, TWO, {**ONE, "actor_handle": "bob"}])
    desk = erin_at(open_desk, cast, "/audit/?person=alice")
    desk.page.keyboard.press("/")
    assert desk.focused() == "q"
    desk.page.keyboard.type("second")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("td.c-id")).to_have_text(["000000000002"])
    expect(desk.page.locator(".chip.on")).to_have_text(
        ["Person: alice, remove", "Words in reason or ticket: second, remove"]
    )
    desk.page.locator(".chip.on").first.click()
    expect(desk.page.locator(".chip.on")).to_have_count(1)


def test_without_javascript_everything_is_a_link_or_a_form(open_desk: OpenDesk, cast: Cast) -> None:
    busy_month()
    desk = erin_at(open_desk, cast, "/audit/?person=alice", java_script_enabled=False)
    desk.page.get_by_role("link", name="Draw these over time").click()
    expect(desk.page.locator("#chart .bars")).to_be_visible()
    desk.page.get_by_text("More filters").click()
    desk.page.get_by_label("Ticket", exact=True).fill("INC-2207")
    desk.page.get_by_role("button", name="Filter").click()
    expect(desk.page.locator(".chip.on")).to_have_count(2)
    expect(desk.page.get_by_label("Ticket", exact=True)).to_have_value("INC-2207")
    expect(desk.page.get_by_role("link", name="Follow live")).to_be_hidden()
    desk.page.get_by_role("link", name="Older").click()
    expect(desk.page.get_by_role("link", name="Newer")).to_be_visible()
