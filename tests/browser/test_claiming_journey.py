"""Somebody opens a link in a real browser, with scripts and without, signed in or not, and claims it once."""

import re
from typing import Any

import pytest
from playwright.sync_api import Request, expect

from credportal.access.models import Handout, Role
from credportal.audit.models import Event
from credportal.flows.handout import HandedOut
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.support.cast import PASSWORD, Cast, Catalogue
from tests.support.handouts import handed_out, state, token_of


def open_link(desk: Desk, given: HandedOut) -> Any:
    return desk.goto(f"/claim/#{token_of(given)}")


def press(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Get credentials").click()


def _note_origin(request: Request, origins: list[str | None]) -> None:
    if request.method == "POST":
        origins.append(request.all_headers().get("origin"))


def test_a_colleague_opens_the_link_and_claims_it_and_the_address_forgets_it(
    open_desk: OpenDesk, cast: Cast, to_charlie: HandedOut
) -> None:
    desk = open_desk(cast.charlie)
    open_link(desk, to_charlie)
    expect(desk.page.get_by_role("heading", name="Bob Osei hands you PaymentsReadOnly")).to_be_focused()
    assert token_of(to_charlie) in desk.page.url, "a reload shows it again"
    assert (state(to_charlie), desk.sts.ledger.mints) == ("open", [])
    press(desk)
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    expect(desk.page.locator("[data-countdown]")).to_have_text(re.compile(r"^(1:00:00|59:\d\d)$"))
    assert desk.snippet("bash").startswith("export AWS_ACCESS_KEY_ID='ASIA")
    assert desk.page.url == f"{desk.url}/claim/"
    assert (state(to_charlie), len(desk.sts.ledger.mints)) == ("claimed", 1)
    open_link(desk, to_charlie)
    expect(desk.page.get_by_role("heading", name="This link has been used")).to_be_visible()


def test_a_colleague_signs_in_on_the_way_and_comes_back_with_the_link(
    open_desk: OpenDesk, to_charlie: HandedOut
) -> None:
    desk = open_desk()
    page = desk.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.headers}"))
    open_link(desk, to_charlie)
    page.get_by_role("link", name="Sign in to claim it").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("User name").fill("charlie")
    page.get_by_label("Password").fill("wrong once")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Bob Osei hands you PaymentsReadOnly")).to_be_visible()
    press(desk)
    expect(page.locator("[data-issuance]")).to_be_visible()
    sent = [line.replace(f"#{token_of(to_charlie)}", "") for line in asked]
    assert not [line for line in sent if token_of(to_charlie) in line], "only the fragment has it, which is not sent"


def test_a_colleague_confirms_on_the_way_and_comes_back_with_the_link(
    open_desk: OpenDesk, cast: Cast, catalogue: Catalogue, to_charlie: HandedOut
) -> None:
    Role.objects.filter(pk=catalogue.read_only.pk).update(needs_step_up=True)
    desk = open_desk(cast.charlie)
    open_link(desk, to_charlie)
    press(desk)
    desk.page.get_by_role("link", name="Confirm it is you").click()
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.page.get_by_role("button", name="Confirm").click()
    expect(desk.page.get_by_role("heading", name="Bob Osei hands you PaymentsReadOnly")).to_be_visible()
    assert state(to_charlie) == "open"


def test_an_outsider_types_the_code_and_claims(open_desk: OpenDesk, to_vera: HandedOut) -> None:
    desk = open_desk()
    open_link(desk, to_vera)
    code = desk.page.get_by_label("Code")
    code.fill("1234" if to_vera.code != "1234" else "4321")
    press(desk)
    expect(desk.page.locator(".wrong")).to_have_text("That is not the code. 4 tries are left, then the link is locked.")
    expect(desk.page.get_by_label("Code")).to_be_focused()
    expect(desk.page.get_by_label("Code")).to_have_value("")
    desk.page.get_by_label("Code").fill(to_vera.code)
    press(desk)
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    expect(desk.page.locator("nav, [type=search], .who")).to_have_count(0)


def test_without_scripts_the_link_is_pasted_and_claimed_by_plain_forms(
    open_desk: OpenDesk, cast: Cast, to_charlie: HandedOut
) -> None:
    desk = open_desk(cast.charlie, java_script_enabled=False)
    origins: list[str | None] = []
    desk.page.on("request", lambda request: _note_origin(request, origins))
    open_link(desk, to_charlie)
    desk.page.get_by_label("Link or token").fill(f" {to_charlie.address} ")
    desk.page.get_by_role("button", name="Look at it").click()
    expect(desk.page.get_by_role("heading", name="Bob Osei hands you PaymentsReadOnly")).to_be_visible()
    press(desk)
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert origins == ["null", "null"], "so the browser does under no-referrer, and the claim pages take it"
    answer = desk.page.reload()
    assert answer is not None
    assert answer.status == 409
    assert len(desk.sts.ledger.mints) == 1


def test_without_scripts_an_outsider_claims_too(open_desk: OpenDesk, to_vera: HandedOut) -> None:
    desk = open_desk(java_script_enabled=False)
    desk.goto("/claim/")
    desk.page.get_by_label("Link or token").fill(token_of(to_vera))
    desk.page.get_by_role("button", name="Look at it").click()
    desk.page.get_by_label("Code").fill(to_vera.code)
    press(desk)
    expect(desk.page.locator("[data-issuance]")).to_be_visible()


def test_a_form_on_another_site_claims_nothing(open_desk: OpenDesk, cast: Cast, to_charlie: HandedOut) -> None:
    desk = open_desk(cast.charlie)
    desk.watch.expected += ["evil.example", "form-action"]
    form = f"""<form method="post" action="{desk.url}/claim/"><input name="token" value="{token_of(to_charlie)}">
        <button>Win</button></form>"""
    desk.page.route("http://evil.example/**", lambda route: route.fulfill(body=form, content_type="text/html"))
    desk.page.goto("http://evil.example/")
    desk.page.get_by_role("button", name="Win").click()
    expect(desk.page.get_by_role("heading", name="This form is too old, or came from elsewhere")).to_be_visible()
    assert (state(to_charlie), desk.sts.ledger.mints) == ("open", [])
    assert Event.objects.filter(kind="handout:refused", code="claim_from_elsewhere").count() == 1


def test_whoever_runs_the_pages_scripts_and_presses_nothing_uses_nothing_up(
    open_desk: OpenDesk, to_charlie: HandedOut, to_vera: HandedOut
) -> None:
    desk = open_desk(user_agent="Mozilla/5.0 (compatible; HeadlessChrome; a link scanner)")
    before = Event.objects.count()
    for given in (to_charlie, to_vera, to_charlie, to_vera):
        desk.goto("/account/login/")
        open_link(desk, given)
        expect(desk.page.locator("[data-claim-paste]")).to_have_count(0)
    assert (state(to_charlie), state(to_vera)) == ("open", "open")
    assert Event.objects.count() == before


@pytest.mark.parametrize("fragment", ["", "#", "#half", "#" + "x" * 44, "#%3Cb%3E"])
def test_an_empty_or_broken_fragment_shows_the_form_to_paste(open_desk: OpenDesk, cast: Cast, fragment: str) -> None:
    desk = open_desk()
    desk.goto(f"/claim/{fragment}")
    expect(desk.page.get_by_label("Link or token")).to_have_value("")
    expect(desk.page.locator(".wrong")).to_have_count(0)


def test_another_link_in_the_same_tab_is_looked_at_too(
    open_desk: OpenDesk, cast: Cast, catalogue: Catalogue, to_charlie: HandedOut
) -> None:
    second = handed_out(cast.bob, catalogue.read_only, cast.charlie, minutes=30, submission="another-form-of-bobs")
    desk = open_desk(cast.charlie)
    open_link(desk, to_charlie)
    expect(desk.page.get_by_text("1 h, from the moment")).to_be_visible()
    open_link(desk, second)
    expect(desk.page.get_by_text("30 min, from the moment")).to_be_visible()


def test_a_claim_that_was_not_theirs_is_reported(open_desk: OpenDesk, cast: Cast, to_charlie: HandedOut) -> None:
    desk = open_desk(cast.charlie)
    open_link(desk, to_charlie)
    press(desk)
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    open_link(desk, to_charlie)
    desk.page.get_by_role("button", name="This was not me").click()
    expect(desk.page.get_by_role("heading", name="Thank you, they are told")).to_be_focused()
    assert desk.page.url == f"{desk.url}/claim/"
    assert Handout.objects.get().reported_at is not None
