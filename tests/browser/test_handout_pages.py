"""Support's pages in a browser: what is shown once leaves with the page, and what turns by itself disturbs nobody."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from credportal.access.models import Handout, Role
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.support.cast import Cast, make_role
from tests.support.handouts import VENDOR, claim, delegate, handed_out, support

LEFT = """() => [document.documentElement.outerHTML, location.href, document.cookie,
                JSON.stringify(localStorage), JSON.stringify(sessionStorage), JSON.stringify(history.state)].join()"""


@pytest.fixture
def bob(open_desk: OpenDesk, cast: Cast) -> Desk:
    """Bob's page; he may hand one role to colleagues for two hours, and to outsiders for thirty minutes."""
    desk = open_desk(cast.bob)
    support(cast, desk.catalogue.read_only, outsider_minutes=30)
    return desk


def made(desk: Desk, *, outsider: bool = True) -> tuple[str, str]:
    """Hand out by the form; return the link's token and the code."""
    page = desk.page
    desk.goto("/handouts/new/")
    if outsider:
        page.get_by_label("An outsider").check()
        page.get_by_label("Name", exact=True).fill(VENDOR.name)
        page.get_by_label("E-mail address").fill(VENDOR.email)
    else:
        page.get_by_label("Colleague", exact=True).fill("charlie")
    page.get_by_label("Reason").fill("Case 4711")
    page.get_by_role("button", name="Make the link").click()
    link = page.locator("[data-field=claim-link]")
    expect(link).to_be_visible()
    code = page.locator("[data-field=claim-code]")
    return str(link.evaluate("el => el.textContent")).partition("#")[2], str(code.text_content()) if outsider else ""


def ticks(page: Page, milliseconds: int = 6_000) -> None:
    page.clock.run_for(milliseconds)


def test_leaving_the_page_takes_link_code_and_drawing_out_of_it(bob: Desk) -> None:
    token, code = made(bob)
    assert token in bob.page.evaluate(LEFT)
    bob.page.evaluate("() => dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    left = bob.page.evaluate(LEFT)
    assert token not in left
    assert code not in left
    assert bob.page.locator(".handout-qr svg").count() == 0
    expect(bob.page.get_by_text("You left this page, so the link is gone from it")).to_be_visible()
    expect(bob.page.get_by_role("button", name="Copy")).to_have_count(0)


def test_link_and_code_are_in_no_address_storage_or_history(bob: Desk) -> None:
    token, code = made(bob)
    kept = """() => [location.href, document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage),
                     JSON.stringify(history.state)].join()"""
    assert token not in bob.page.evaluate(kept)
    assert code not in bob.page.evaluate(kept)
    bob.page.get_by_role("link", name="Follow it").click()
    expect(bob.page.locator("#handout-now")).to_be_visible()
    bob.page.go_back()
    bob.page.wait_for_load_state()
    left = bob.page.evaluate(LEFT)
    assert token not in left
    assert code not in left


def test_the_form_follows_the_role_and_the_recipient(bob: Desk, cast: Cast) -> None:
    page, ticketed = bob.page, bob.catalogue.deployer
    Role.objects.filter(pk=ticketed.pk).update(needs_ticket=True)
    delegate(cast.bob, ticketed, hours=8)
    bob.goto("/handouts/new/")
    page.get_by_role("radio", name=bob.catalogue.read_only.name).check()
    expect(page.locator("[data-durations] label:visible")).to_have_count(4)  # 15 min, 1 h, 2 h, Other
    page.get_by_label("An outsider").check()
    expect(page.locator("[name=duration]:checked")).to_have_value("1800")
    expect(page.get_by_label("Colleague", exact=True)).to_be_hidden()
    page.get_by_role("radio", name=ticketed.name).check()
    expect(page.locator("[data-ticket-needed]")).to_have_text("(needed)")
    expect(page.locator("[data-sum-role]")).to_contain_text("payments-staging")


def test_a_role_is_found_among_many(bob: Desk, cast: Cast) -> None:
    page = bob.page
    delegate(cast.bob, *[make_role(bob.catalogue.staging, f"Role{number:02}") for number in range(30)])
    bob.goto("/handouts/new/")
    search = page.get_by_role("searchbox", name="Search these roles")
    search.fill("role17")
    expect(page.locator(".picks > li:visible")).to_have_count(1)
    search.press("Enter")
    expect(page).to_have_url(f"{bob.url}/handouts/new/")
    page.get_by_role("radio", name="Role17").check()
    expect(page.locator("[data-sum-role]")).to_contain_text("payments-staging")


def test_a_refusal_keeps_what_was_typed_and_one_press_mends_it(bob: Desk) -> None:
    page = bob.page
    bob.goto("/handouts/new/")
    page.get_by_label("Colleague", exact=True).fill("charlie")
    page.get_by_label("Reason").fill("Case 4711")
    page.get_by_label("Other duration, in minutes").fill("600")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator(".errors")).to_be_focused()
    expect(page.get_by_label("Reason")).to_have_value("Case 4711")
    expect(page.get_by_label("Other duration, in minutes")).to_have_value("600")
    page.get_by_role("button", name="Hand it out for 2 h").click()
    expect(page.locator("[data-field=claim-link]")).to_be_visible()
    assert Handout.objects.get().duration == timedelta(hours=2)


def test_the_board_turns_by_itself_and_the_focus_stays(bob: Desk, cast: Cast) -> None:
    page = bob.page
    given = handed_out(cast.bob, bob.catalogue.read_only, cast.charlie)
    page.clock.install(time=timezone.now())
    bob.goto("/handouts/")
    opener = page.locator(f"#handout-{given.handout.id}")
    opener.focus()
    with page.expect_response(lambda response: response.status == 204):
        ticks(page)
    expect(opener).to_be_focused()
    claim(cast.alice, given)
    with page.expect_response(lambda response: "seen=" in response.url and response.status == 200):
        ticks(page)
    expect(page.get_by_text("Somebody else tried to claim it")).to_be_visible()
    expect(opener).to_be_focused()
    assert re.fullmatch("[0-9]+:[0-9]{2}", page.locator("[data-countdown]").first.text_content() or "")


def test_whoever_is_choosing_keeps_their_choice_while_the_page_turns(bob: Desk, cast: Cast) -> None:
    page = bob.page
    given = handed_out(cast.bob, bob.catalogue.read_only, cast.charlie)
    page.clock.install(time=timezone.now())
    bob.goto(f"/handouts/{given.handout.id}/")
    page.get_by_text("Shorten the claim window").click()
    choice = page.get_by_label("30 min")
    choice.check()
    claim(cast.alice, given)
    with page.expect_response(lambda response: "seen=" in response.url and response.status == 200):
        ticks(page)
    expect(page.locator("#handout-facts")).to_contain_text("Claim by the wrong person")
    expect(choice).to_be_checked()
    expect(choice).to_be_focused()
    page.get_by_role("button", name="Shorten it").click()
    expect(page.locator("#handout-facts")).to_contain_text("Claim window shortened")


def test_buttons_that_go_away_leave_the_focus_on_the_heading(bob: Desk, cast: Cast) -> None:
    page = bob.page
    given = handed_out(cast.bob, bob.catalogue.read_only, cast.charlie)
    page.clock.install(time=timezone.now())
    bob.goto(f"/handouts/{given.handout.id}/")
    page.get_by_role("button", name="Cancel it").focus()
    Handout.objects.update(state="expired", ended_at=timezone.now())
    with page.expect_response(lambda response: "seen=" in response.url and response.status == 200):
        ticks(page)
    expect(page.get_by_role("button", name="Cancel it")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    expect(page.get_by_role("link", name="Hand it out anew")).to_be_visible()


def test_without_javascript_a_hand_out_is_made_and_cancelled(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.bob, java_script_enabled=False)
    support(cast, desk.catalogue.read_only)
    page = desk.page
    desk.goto("/handouts/new/")
    page.get_by_label("Colleague", exact=True).fill("charlie")
    page.get_by_label("Reason").fill("Case 4711")
    page.get_by_role("button", name="Make the link").click()
    expect(page.locator("[data-field=claim-link]")).to_contain_text("/claim/#")
    page.get_by_role("link", name="Follow it").click()
    page.get_by_role("button", name="Make a new link").click()
    expect(page.locator("[data-field=claim-link]")).to_contain_text("/claim/#")
    page.get_by_role("link", name="Follow it").click()
    page.get_by_role("button", name="Cancel it").click()
    expect(page.locator("#handout-now")).to_contain_text("Cancelled")
