"""Exports of the audit, and what the page says while one is on its way and at its end."""

from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.history import write_history


def _export(desk: Desk, name: str) -> None:
    with desk.page.expect_download():
        desk.page.get_by_role("link", name=name).click()


@state("erin")
def export(desk: Desk) -> None:
    desk.goto("/audit/export/")
    expect(desk.page.get_by_text("Nobody has exported anything yet.")).to_be_visible()


@state("erin")
def export_filtered_and_complete(desk: Desk) -> None:
    write_history({"actor_handle": "alice", "reason": f"Look at {number}"} for number in range(1500))
    desk.goto("/audit/export/?person=alice&format=jsonl")
    _export(desk, "Download JSON lines")
    expect(desk.page.get_by_text("1,500 rows, complete")).to_be_visible()
    expect(desk.page.get_by_role("cell", name="1,500, complete")).to_be_visible()
    expect(desk.page.locator("#download-jsonl")).to_have_class("btn main")
    expect(desk.page.get_by_role("searchbox")).to_have_value("")


@state("erin")
def export_twice_from_one_page(desk: Desk) -> None:
    write_history([{"actor_handle": "alice"}])
    desk.goto("/audit/export/")
    _export(desk, "Download CSV")
    expect(desk.page.get_by_text("1 row, complete")).to_be_visible()
    expect(desk.page.locator("#download-csv")).to_be_focused()
    write_history([{"actor_handle": "alice"}])
    _export(desk, "Download CSV")
    expect(desk.page.locator("#export-progress")).to_contain_text("rows, complete")


@state("erin")
def export_mistaken(desk: Desk) -> None:
    desk.goto("/audit/export/?day=tomorrow")
    expect(desk.page.get_by_role("alert")).to_be_visible()
