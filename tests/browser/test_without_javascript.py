"""Everything but copying and the countdown works where no script runs."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.support.cast import Cast

SNIPPETS = ("bash", "fish", "powershell", "cmd", "profile", "dotenv", "process", "unset")


@pytest.fixture
def plain_desk(open_desk: OpenDesk, cast: Cast) -> Desk:
    """Alice's page in a browser that runs no scripts."""
    return open_desk(cast.alice, java_script_enabled=False)


def get_credentials(desk: Desk) -> None:
    desk.goto("/")
    desk.page.get_by_role("link", name="Get credentials for PaymentsReadOnly").click()
    expect(desk.page).to_have_url(re.compile("/roles/"))
    desk.page.get_by_label("15 min").check()
    desk.page.get_by_role("button", name="Get credentials").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()


def test_a_person_signs_in_gets_credentials_and_signs_out(open_desk: OpenDesk) -> None:
    desk = open_desk(java_script_enabled=False)
    desk.sign_in()
    get_credentials(desk)
    assert desk.sts.ledger.mints[-1].duration == 900
    desk.page.locator("summary", has_text="Alice Engström").click()
    desk.page.get_by_role("button", name="Sign out").click()
    expect(desk.page.get_by_role("heading", name="Sign in")).to_be_visible()
    desk.goto("/")
    expect(desk.page).to_have_url(re.compile("/account/login/"))


def test_every_snippet_stands_under_the_other_and_nothing_offers_what_needs_a_script(plain_desk: Desk) -> None:
    get_credentials(plain_desk)
    page = plain_desk.page
    for key in SNIPPETS:
        expect(page.locator(f'[data-snippet="{key}"]')).to_be_visible()
    expect(page.locator('[data-field="session-token"]')).to_be_visible()
    for away in ("[data-copy]", "[role=tablist]", "[data-legacy]", "[data-profile-input]", ".theme", ".keys"):
        assert page.locator(away).count() > 0
        expect(page.locator(f"{away}:visible")).to_have_count(0)
    expect(page.locator("[data-countdown]")).to_have_text(re.compile(r"^1[45]:\d\d$"))


def test_secrets_are_masked_and_can_be_shown(plain_desk: Desk) -> None:
    get_credentials(plain_desk)
    secret = plain_desk.page.locator('[data-snippet="bash"] .secret').first
    hidden = secret.bounding_box()
    plain_desk.page.get_by_text("Show the secrets").click()
    shown = secret.bounding_box()
    assert hidden is not None
    assert shown is not None
    assert hidden["width"] < shown["width"], "masked dots are cut, the value is not"
    picture = plain_desk.page.locator('[data-snippet="bash"]').screenshot()
    plain_desk.page.get_by_text("Show the secrets").click()
    assert plain_desk.page.locator('[data-snippet="bash"]').screenshot() != picture


def test_a_reload_of_the_credentials_says_already_issued_and_mints_nothing(plain_desk: Desk) -> None:
    get_credentials(plain_desk)
    answer = plain_desk.page.reload()
    assert answer is not None
    assert answer.status == 409
    expect(plain_desk.page.get_by_role("heading", name="This form already got its credentials")).to_be_visible()
    assert len(plain_desk.sts.ledger.mints) == 1


def test_a_mistake_is_said_on_the_page_of_the_form(plain_desk: Desk) -> None:
    plain_desk.goto(f"/roles/{plain_desk.catalogue.on_call.id}/")
    plain_desk.page.get_by_label("Other", exact=True).check()
    plain_desk.page.get_by_label("Other duration, in minutes").fill("3")
    plain_desk.page.get_by_label("Reason").fill("To see")
    plain_desk.page.get_by_role("button", name="Get credentials").click()
    expect(plain_desk.page.get_by_role("alert")).to_contain_text("The shortest duration AWS allows is 15 min.")
    expect(plain_desk.page.get_by_label("Reason")).to_have_value("To see")


def test_search_finds_by_the_address_alone(plain_desk: Desk) -> None:
    plain_desk.goto("/")
    plain_desk.page.get_by_label("Search roles and accounts").fill("staging")
    plain_desk.page.get_by_label("Search roles and accounts").press("Enter")
    expect(plain_desk.page).to_have_url(re.compile(r"/\?q=staging$"))
    expect(plain_desk.page.locator(".role")).to_have_count(1)


def test_a_favourite_is_set_and_gives_credentials_again_in_one_press(plain_desk: Desk) -> None:
    plain_desk.goto("/?q=deploy")
    plain_desk.page.get_by_role("button", name="Favourite: Deployer").click()
    expect(plain_desk.page).to_have_url(re.compile(r"/\?q=deploy$"))
    plain_desk.goto("/")
    plain_desk.page.get_by_role("button", name="of Deployer in payments-staging").click()
    expect(plain_desk.page.locator("[data-issuance]")).to_be_visible()
    assert plain_desk.sts.ledger.mints[-1].role_arn == plain_desk.catalogue.deployer.arn
