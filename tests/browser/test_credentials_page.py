"""The credentials page: masked, copied, remembered, counted down, and wiped at its end."""

import json
import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from credportal.domain.snippets import LEGACY_VARIABLE, VARIABLES, unset_snippet
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk, axe
from tests.fault_sts import CANARY
from tests.support.cast import Cast

CLIPBOARD = ["clipboard-read", "clipboard-write"]
TABS = ("bash", "fish", "powershell", "cmd", "profile", "dotenv", "process", "values")
DAY = 24 * 3600
OLD_NAME = {
    "bash": "export AWS_SECURITY_TOKEN='{token}'",
    "fish": "set -gx AWS_SECURITY_TOKEN '{token}'",
    "powershell": "$Env:AWS_SECURITY_TOKEN = '{token}'",
    "cmd": 'set "AWS_SECURITY_TOKEN={token}"',
    "dotenv": "AWS_SECURITY_TOKEN={token}",
}
UNSET = {"bash": "unset", "fish": "unset-fish", "powershell": "unset-powershell", "cmd": "unset-cmd"}


def clipboard(page: Page) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def masked(locator: Locator) -> bool:
    """Tell whether the paint hides the text, whatever the text is."""
    return bool(locator.evaluate("el => getComputedStyle(el).webkitTextSecurity === 'disc'"))


def seconds_shown(page: Page) -> int:
    total = 0
    for part in page.locator("[data-issuance] [data-countdown]").inner_text().split(":"):
        total = total * 60 + int(part)
    return total


def test_secrets_are_masked_until_they_are_shown_and_hidden_from_screen_readers_as_long(desk: Desk) -> None:
    desk.issue()
    secrets = desk.page.locator(".secret:visible")
    assert secrets.count() == 2
    assert all(masked(secret) for secret in secrets.all())
    assert CANARY not in desk.page.locator("main").aria_snapshot()

    desk.page.get_by_label("Show the secrets").check()
    assert not any(masked(secret) for secret in secrets.all())
    assert CANARY in desk.page.locator("main").aria_snapshot()


def test_copying_works_while_masked_in_every_tab_and_gives_exactly_the_snippet(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.alice, permissions=CLIPBOARD)
    desk.issue()
    for tab in TABS[:-1]:
        desk.page.locator(f"#tab-{tab}").click()
        desk.page.locator(f"#panel-{tab}").get_by_role("button", name="Copy").click()
        expect(desk.page.locator(f"#panel-{tab}").get_by_role("button")).to_contain_text("Copied")
        assert clipboard(desk.page) == desk.snippet(tab)
        assert desk.sts.ledger.mints[-1].secret_access_key in clipboard(desk.page).replace("\\/", "/")


def test_a_single_value_is_copied_without_anything_around_it(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.alice, permissions=CLIPBOARD)
    desk.issue()
    desk.page.locator("#tab-values").click()
    desk.page.get_by_role("button", name="Copy session token").click()
    expect(desk.page.get_by_role("status")).to_have_text("Copied: session token")
    assert clipboard(desk.page) == desk.sts.ledger.mints[-1].session_token


def test_a_browser_that_does_not_let_copy_says_what_to_do_instead(desk: Desk) -> None:
    desk.page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    desk.issue()
    desk.page.get_by_role("tabpanel").get_by_role("button", name="Copy").click()
    expect(desk.page.get_by_role("status")).to_contain_text("select the text and copy it yourself")


def test_the_tab_is_remembered_and_nothing_else_is(desk: Desk) -> None:
    desk.issue()
    desk.page.locator("#tab-fish").click()
    desk.issue()
    expect(desk.page.locator("#tab-fish")).to_have_attribute("aria-selected", "true")
    expect(desk.page.locator("#panel-fish")).to_be_visible()
    expect(desk.page.locator("#panel-bash")).to_be_hidden()
    kept = json.loads(desk.page.evaluate("() => JSON.stringify({...localStorage})"))
    assert kept == {"credportal-tab": "tab-fish"}
    # htmx notes the path that it stands on.
    in_session = json.loads(desk.page.evaluate("() => JSON.stringify({...sessionStorage})"))
    assert in_session in ({}, {"htmx-current-path-for-history": "/"})


def test_each_tab_has_no_violation_of_axe_while_masked_and_while_shown(desk: Desk) -> None:
    desk.issue()
    for tab in TABS:
        desk.page.locator(f"#tab-{tab}").click()
        assert axe(desk.page, within=".stage") == []
    desk.page.get_by_label("Show the secrets").check()
    assert axe(desk.page, within=".stage") == []


def test_another_profile_name_changes_the_snippet_and_the_example(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.alice, permissions=CLIPBOARD)
    desk.issue()
    desk.page.locator("#tab-profile").click()
    name = desk.page.get_by_label("Profile name")
    name.fill("my work;rm*x")
    assert desk.snippet("profile").startswith("[my-work-rm-x]\naws_access_key_id = ")
    expect(desk.page.locator("#profile-hint")).to_have_text("Then: aws s3 ls --profile my-work-rm-x")
    desk.page.locator("#panel-profile").get_by_role("button", name="Copy").click()
    expect(desk.page.get_by_role("status")).to_contain_text("Copied")
    assert clipboard(desk.page) == desk.snippet("profile")
    name.fill("")
    assert desk.snippet("profile").startswith("[payments-prod-PaymentsReadOnly]\n")


def test_the_old_variable_name_is_one_exact_line_more_and_goes_again(desk: Desk) -> None:
    desk.issue()
    token = desk.sts.ledger.mints[-1].session_token
    legacy = desk.page.get_by_text("for tools from before 2014")
    before = {tab: desk.snippet(tab).split("\n") for tab in OLD_NAME}
    unset = {tab: desk.snippet(name) for tab, name in UNSET.items()}
    legacy.click()
    for tab, line in OLD_NAME.items():
        at = 1 + next(number for number, text in enumerate(before[tab]) if "AWS_SESSION_TOKEN" in text)
        expected = [*before[tab][:at], line.format(token=token), *before[tab][at:]]
        assert desk.snippet(tab).split("\n") == expected
    names = [*VARIABLES[:3], LEGACY_VARIABLE, *VARIABLES[3:]]
    for tab, name in UNSET.items():
        assert desk.snippet(name) == unset_snippet(tab, names)
    legacy.click()
    assert before == {tab: desk.snippet(tab).split("\n") for tab in OLD_NAME}
    assert unset == {tab: desk.snippet(name) for tab, name in UNSET.items()}


def test_unset_follows_the_tab_and_is_away_where_it_means_nothing(desk: Desk) -> None:
    desk.issue()
    after = desk.page.locator(".after")
    expect(after.locator("[data-snippet]:visible")).to_have_text(re.compile("^unset AWS_ACCESS_KEY_ID"))
    desk.page.locator("#tab-powershell").click()
    expect(after.locator("[data-snippet]:visible")).to_have_text(re.compile("^Remove-Item"))
    desk.page.locator("#tab-process").click()
    expect(after).to_be_hidden()


@pytest.mark.parametrize("off", [-DAY, DAY], ids=["a day slow", "a day fast"])
def test_the_countdown_is_right_where_the_clock_of_the_browser_is(desk: Desk, off: int) -> None:
    desk.page.clock.install(time=time.time() + off)
    desk.issue()
    began = time.monotonic()
    desk.page.clock.run_for(90_000)
    left = 3600 - 90 - (time.monotonic() - began)
    assert abs(seconds_shown(desk.page) - left) <= 2


def test_the_countdown_shows_what_is_left_where_the_machine_slept(desk: Desk) -> None:
    desk.page.clock.install()
    desk.issue()
    desk.page.clock.fast_forward(1200_000)  # Timers fire once, late, as after a sleep.
    assert abs(seconds_shown(desk.page) - 2400) <= 3


def test_warnings_come_at_ten_five_and_one_minute_and_the_end_wipes_every_secret(desk: Desk) -> None:
    page = desk.page
    page.clock.install()
    desk.issue(minutes=15)
    status, renew = page.get_by_role("status"), page.get_by_role("button", name="Renew")
    page.clock.run_for(4 * 60_000)
    expect(status).to_have_text("")
    expect(renew).not_to_have_class(re.compile(r"\bmain\b"))
    for left, minutes in ((600, 10), (300, 5), (60, 1)):
        page.clock.run_for((seconds_shown(page) - left) * 1000 + 100)
        expect(status).to_have_text(f"These credentials end in {minutes} min.")
        expect(page.locator(".desk")).to_have_class(re.compile(r"\bsoon\b"))
    page.get_by_role("tabpanel").get_by_role("button", name="Copy").focus()
    page.clock.run_for((seconds_shown(page)) * 1000 + 100)
    expect(status).to_have_text("These credentials have ended. Renew to get new ones.")
    assert CANARY not in page.content()
    assert desk.sts.ledger.mints[-1].access_key_id not in page.content()
    expect(page.locator("[data-countdown]")).to_have_text("0:00")
    expect(page.get_by_role("tabpanel").get_by_role("button", name="Copy")).to_be_hidden()
    expect(renew).to_have_class(re.compile(r"\bmain\b"))
    assert desk.focused() != "BODY"


def test_renew_gives_new_credentials_for_the_same(desk: Desk) -> None:
    desk.issue(minutes=30)
    first = desk.sts.ledger.mints[-1]
    desk.page.get_by_role("button", name="Renew").click()
    expect(desk.page.locator("[data-issuance]")).not_to_contain_text(first.session_name)
    expect(desk.page.get_by_text(first.session_name)).to_have_count(0)
    second = desk.sts.ledger.mints[-1]
    assert (second.role_arn, second.duration) == (first.role_arn, 1800)
    assert second.secret_access_key in desk.snippet("bash")
    assert first.secret_access_key not in desk.page.content()


def test_countdowns_of_live_sessions_run_on_the_home_page_and_say_their_end(desk: Desk) -> None:
    desk.page.clock.install()
    desk.issue(minutes=15)
    desk.goto("/")
    card = desk.page.locator(".live-list .live")
    desk.page.clock.run_for(6 * 60_000)
    expect(card).to_have_class(re.compile(r"\bsoon\b"))
    desk.page.clock.run_for(10 * 60_000)
    expect(card).to_contain_text("Ended")
    expect(card).to_contain_text("0:00")
