"""The page of a request that waits: it looks by itself, disturbs nobody, and works without JavaScript."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenDesk
from tests.support.cast import Cast
from tests.support.requests import guard, say_yes, waiting


def test_the_waiting_page_turns_by_itself_and_then_asks_no_more(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.alice)
    approval_id = waiting(cast.alice, guard(desk.catalogue, cast.dana))
    desk.page.clock.install()
    desk.goto(f"/approvals/{approval_id}/")
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url))
    withdraw = desk.page.get_by_role("button", name="Withdraw")
    withdraw.focus()
    with desk.page.expect_response(lambda response: response.status == 204):
        desk.page.clock.fast_forward(5_000)
    expect(withdraw).to_be_focused()

    say_yes(cast.dana, approval_id)
    with desk.page.expect_response(lambda response: "seen=" in response.url and response.status == 200):
        desk.page.clock.fast_forward(5_000)
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text("is ready to collect")
    asked.clear()
    desk.page.clock.run_for(20_000)
    assert asked == [], "nothing is polled once it is decided"

    desk.page.get_by_role("button", name="Get credentials").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert len(desk.sts.ledger.mints) == 1


def test_an_approver_keeps_what_they_write_while_another_agrees(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.dana)
    approval_id = waiting(cast.alice, guard(desk.catalogue, cast.dana, cast.bob, needed=2))
    desk.page.clock.install()
    desk.goto(f"/approvals/{approval_id}/")
    comment = desk.page.get_by_label("Comment")
    comment.fill("Mind the freeze")
    say_yes(cast.bob, approval_id)
    with desk.page.expect_response(lambda response: response.status == 204):
        desk.page.clock.fast_forward(5_000)
    expect(comment).to_have_value("Mind the freeze")


def test_without_javascript_a_link_refreshes_and_a_button_collects(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.alice, java_script_enabled=False)
    approval_id = waiting(cast.alice, guard(desk.catalogue, cast.dana))
    desk.goto(f"/approvals/{approval_id}/")
    say_yes(cast.dana, approval_id)
    desk.page.get_by_role("link", name="Refresh").click()
    desk.page.get_by_role("button", name="Get credentials").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert len(desk.sts.ledger.mints) == 1
