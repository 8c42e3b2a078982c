"""Sessions and the audit."""

from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.cast import allow


@state()
def no_sessions(desk: Desk) -> None:
    desk.goto("/sessions/")
    expect(desk.page.get_by_text("No sessions yet")).to_be_visible()


@state()
def sessions(desk: Desk) -> None:
    desk.issue()
    desk.sts.fault("access_denied")
    desk.ask()
    desk.goto("/sessions/")
    expect(desk.page.get_by_role("heading", name="Live")).to_be_visible()


@state()
def session_live(desk: Desk) -> None:
    desk.issue()
    desk.page.get_by_role("link", name="The record").click()
    expect(desk.page.get_by_role("heading", name="What happened")).to_be_visible()


@state()
def session_failed(desk: Desk) -> None:
    desk.sts.fault("reset_after_mint")
    desk.ask()
    desk.goto("/sessions/")
    desk.page.get_by_role("row").last.get_by_role("link").click()
    expect(desk.page.get_by_role("heading", name="What happened")).to_be_visible()


@state("erin")
def audit_empty(desk: Desk) -> None:
    desk.goto("/audit/")
    expect(desk.page.get_by_text("Nothing has been asked yet")).to_be_visible()


def _some_history(desk: Desk) -> None:
    """Let Dana ask, be refused and fail: an admin has an audit and roles."""
    allow(desk.catalogue.read_only, desk.cast.dana, hours=1)
    desk.issue()
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.send_whole(duration="7200", reason="A long look")
    for fault in ("access_denied", "reset_after_mint"):
        desk.sts.fault(fault)
        desk.ask()


@state("dana")
def audit(desk: Desk) -> None:
    _some_history(desk)
    desk.goto("/audit/")
    expect(desk.page.locator("td.c-out")).to_have_count(4)


@state("dana")
def audit_filtered(desk: Desk) -> None:
    _some_history(desk)
    desk.goto("/audit/?person=dana&outcome=denied")
    expect(desk.page.locator("td.c-out")).to_have_count(1)


@state("dana")
def audit_filtered_to_nothing(desk: Desk) -> None:
    desk.goto("/audit/?person=nobody&day=2026-01-01")


@state("dana")
def audit_filter_mistaken(desk: Desk) -> None:
    desk.goto("/audit/?day=tomorrow")


@state("dana")
def audit_entry(desk: Desk) -> None:
    _some_history(desk)
    desk.goto("/audit/?outcome=unknown")
    desk.page.locator("td.c-id a").click()
    expect(desk.page.get_by_role("heading", name="Find it in CloudTrail")).to_be_visible()
