"""Asking: once per press, with a word while AWS is asked, and a way on when something is slow or over."""

import re

from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from credportal.audit.models import Issuance
from tests.browser.conftest import DEADLINE_SECONDS
from tests.browser.desk import Desk
from tests.browser.states import away
from tests.support.cast import PASSWORD


def get_button(desk: Desk) -> str:
    """Open a request in place; return the selector of its button."""
    role = desk.catalogue.read_only.id
    desk.open_request(role)
    return f"#ask-{role} button[type=submit]"


def test_two_quick_clicks_get_credentials_once(desk: Desk) -> None:
    desk.sts.latency_seconds = 0.3
    desk.page.locator(get_button(desk)).dblclick()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    desk.page.wait_for_timeout(500)
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert len(desk.sts.ledger.mints) == 1
    assert Issuance.objects.count() == 1


def test_two_clicks_within_one_task_of_the_page_get_credentials_once(desk: Desk) -> None:
    desk.sts.latency_seconds = 0.2
    desk.page.locator(get_button(desk)).evaluate("button => { button.click(); button.click(); }")
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert len(desk.sts.ledger.mints) == 1


def test_the_same_form_in_two_tabs_gets_credentials_once_and_the_second_says_why(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    submission = str(desk.page.locator("[name=submission]").input_value())
    desk.send_whole()
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.page.locator("[name=submission]").evaluate("(el, value) => { el.value = value; }", submission)
    desk.page.get_by_role("button", name="Get credentials").click()
    expect(desk.page.get_by_role("heading", name="This form already got its credentials")).to_be_focused()
    assert len(desk.sts.ledger.mints) == 1


def test_the_page_says_that_aws_is_asked_and_then_stops_saying_so(desk: Desk) -> None:
    desk.sts.latency_seconds = 0.6
    button = get_button(desk)
    desk.page.locator(button).click()
    expect(desk.page.locator(button)).to_be_disabled()
    expect(desk.page.locator(button)).to_have_text(re.compile("Asking AWS…"))
    expect(desk.page.locator(f"{button} .idle")).to_be_hidden()
    expect(desk.page.get_by_role("status")).to_have_text("Asking AWS…")
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert desk.page.get_by_role("status").inner_text() == ""
    desk.page.wait_for_timeout(200)
    assert desk.page.get_by_role("status").inner_text() == ""


def test_a_fast_answer_is_never_followed_by_the_word_that_aws_is_asked(desk: Desk) -> None:
    desk.goto("/")
    desk.page.evaluate(
        """() => {
            window.said = [];
            new MutationObserver(() => window.said.push(
                [document.querySelector("#status").textContent, Boolean(document.querySelector("[data-issuance]"))]
            )).observe(document.querySelector("#status"), {childList: true, characterData: true, subtree: true});
        }"""
    )
    desk.page.locator(f"#open-{desk.catalogue.read_only.id}").click()
    desk.page.locator(".ask").get_by_role("button", name="Get credentials").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    desk.page.wait_for_timeout(200)
    assert ["Asking AWS…", True] not in desk.page.evaluate("() => window.said")
    assert desk.page.get_by_role("status").inner_text() == ""


def test_an_aws_that_hangs_ends_in_a_letter_in_place(desk: Desk) -> None:
    desk.sts.fault("hang", count=None)
    desk.page.locator(get_button(desk)).click()
    expect(desk.page.locator("#letter-h")).to_be_focused(timeout=(DEADLINE_SECONDS + 10) * 1000)
    expect(desk.page.locator(".letter .out")).to_have_text("Unknown")
    expect(desk.page).to_have_title(re.compile(" · credportal$"))
    assert desk.page.get_by_role("status").inner_text() == ""
    desk.sts.heal()
    desk.page.get_by_role("button", name="Try again").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()


def test_a_portal_that_does_not_answer_says_that_sending_again_is_safe_and_it_is(desk: Desk) -> None:
    button = get_button(desk)
    desk.watch.expected += ["ERR_FAILED", "ERR_INTERNET_DISCONNECTED", "htmx:sendError", "htmx:afterRequest"]
    desk.page.context.set_offline(True)
    desk.page.locator(button).click()
    expect(desk.page.get_by_role("alert")).to_contain_text("The portal did not answer.")
    expect(desk.page.locator(button)).to_be_focused()
    desk.page.context.set_offline(False)
    desk.page.locator(button).click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert len(desk.sts.ledger.mints) == 1


def test_an_audit_that_cannot_be_written_shows_its_letter_in_place_and_mints_nothing(desk: Desk) -> None:
    button = get_button(desk)
    with away("audit_event"):
        desk.page.locator(button).click()
        expect(desk.page.get_by_role("heading", name="Nothing was issued that we could record")).to_be_focused()
    assert desk.sts.ledger.mints == []


def sign_in_again(page: Page) -> None:
    expect(page).to_have_url(re.compile("/account/login/"))
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def test_a_sign_in_that_ran_out_leads_to_the_sign_in_page_and_from_there_back(desk: Desk) -> None:
    role = desk.catalogue.read_only
    desk.goto(f"/roles/{role.id}/")
    Session.objects.all().delete()
    desk.page.get_by_role("button", name="Get credentials").click()
    sign_in_again(desk.page)
    expect(desk.page).to_have_url(f"{desk.url}/roles/{role.id}/")
    assert desk.sts.ledger.mints == []
    desk.page.get_by_role("button", name="Get credentials").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()


def test_opening_a_request_after_the_sign_in_ran_out_leads_there_too(desk: Desk) -> None:
    desk.goto("/?q=payments")
    Session.objects.all().delete()
    desk.page.locator(f"#open-{desk.catalogue.on_call.id}").click()
    sign_in_again(desk.page)
    expect(desk.page).to_have_url(f"{desk.url}/?q=payments")


def test_a_bookmarked_page_comes_after_the_sign_in(desk: Desk) -> None:
    Session.objects.all().delete()
    desk.goto("/sessions/")
    sign_in_again(desk.page)
    expect(desk.page.get_by_role("heading", name="Sessions", exact=True)).to_be_visible()


def test_a_star_makes_a_favourite_and_a_favourite_gives_credentials_in_one_click(desk: Desk) -> None:
    desk.issue(desk.catalogue.deployer.id, minutes=45)
    desk.goto("/")
    star = desk.page.get_by_role("button", name="Favourite: Deployer")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(desk.page.get_by_role("status")).to_have_text("Deployer is now a favourite.")
    desk.goto("/")
    favourites = desk.page.get_by_role("region", name="Favourites")
    favourites.get_by_role("button", name="Get 45 min of Deployer in payments-staging").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()
    assert [mint.duration for mint in desk.sts.ledger.mints] == [2700, 2700]
    desk.goto("/")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    expect(desk.page.get_by_role("status")).to_have_text("Deployer is no longer a favourite.")


def test_the_sentence_under_the_request_follows_what_is_chosen(desk: Desk) -> None:
    form = desk.open_request(desk.catalogue.read_only.id)
    form.get_by_label("Other duration, in minutes").fill("90")
    expect(form.get_by_label("Other", exact=True)).to_be_checked()
    form.get_by_label("Read-only").check()
    form.get_by_label("Only in").select_option("region:eu-central-1")
    said = form.locator(".sum p", has_text="until")
    expect(said).to_have_text(
        re.compile(r"PaymentsReadOnly for 1 h 30 min, until \d\d:\d\d, read-only, only in eu-central-1\.")
    )
    form.get_by_role("button", name="Get credentials").click()
    expect(desk.page.get_by_role("complementary", name="This session")).to_contain_text("eu-central-1")
    assert desk.sts.ledger.mints[-1].duration == 5400


def test_a_theme_is_chosen_and_stays_without_a_flash_of_the_other(desk: Desk) -> None:
    desk.goto("/")
    desk.page.get_by_role("button", name="Dark").click()
    expect(desk.page.locator("html")).to_have_attribute("data-theme", "dark")
    answer = desk.page.reload()
    assert answer is not None
    assert 'data-theme="dark"' in answer.text()
    expect(desk.page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
