"""By keyboard alone: everything is reached, the focus is seen, and it is never lost."""

import re

from playwright.sync_api import Page, expect

from tests.browser.desk import Desk

MOST_TABS = 120
FOCUSED = """() => {
  const el = document.activeElement;
  const style = getComputedStyle(el);
  const box = el.matches("input.show-secrets, .seg input") ? el.parentElement : el;
  const around = el.matches(".seg input") ? getComputedStyle(el.nextElementSibling) : style;
  return {
    name: el.tagName === "BODY" ? "BODY" : el.id || el.textContent.trim() || el.name || el.tagName,
    outlined: around.outlineStyle !== "none" && parseFloat(around.outlineWidth) >= 2,
    inside: box.getBoundingClientRect().width > 0,
  };
}"""
# A swap moves the focus a frame later. After blur() alone Tab would go on from where the focus was.
FROM_THE_TOP = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  await frame(); await frame();
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
  scrollTo(0, 0);
}"""
REACHABLE = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, summary, textarea, [tabindex='0']")]
  .filter((el) => el.checkVisibility({visibilityProperty: true}) && el.tabIndex >= 0 && !el.disabled)
  .filter((el) => el.type !== "radio" || el.checked)
  .map((el) => { el.dataset.reach ||= String(Math.random()); return el.dataset.reach; })"""


def everything_is_reached(page: Page) -> None:
    """Walk the page by Tab from its top: each thing gets the focus, and each shows it."""
    wanted = set(page.evaluate(REACHABLE))
    page.evaluate(FROM_THE_TOP)
    reached = set()
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at["name"] == "BODY":
            break
        assert at["outlined"], f"no visible focus on {at['name']}"
        assert at["inside"], f"the focus is on something invisible: {at['name']}"
        reached.add(page.evaluate("() => document.activeElement.dataset.reach"))
    assert wanted <= reached, f"{len(wanted - reached)} of {len(wanted)} are out of reach"


def test_tab_reaches_everything_on_the_home_page(desk: Desk) -> None:
    desk.issue()
    desk.goto("/")
    everything_is_reached(desk.page)


def test_tab_reaches_everything_in_an_open_request(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.on_call.id}/")
    everything_is_reached(desk.page)


def test_tab_reaches_everything_on_the_credentials_page(desk: Desk) -> None:
    desk.issue()
    everything_is_reached(desk.page)


def test_the_first_tab_offers_to_skip_to_the_content(desk: Desk) -> None:
    desk.goto("/")
    desk.page.keyboard.press("Tab")
    skip = desk.page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#main")).to_be_focused()


def test_credentials_are_got_without_a_pointer(desk: Desk) -> None:
    keyboard = desk.page.keyboard
    desk.goto("/")
    keyboard.press("/")
    expect(desk.page.locator("#q")).to_be_focused()
    keyboard.type("oncall")
    expect(desk.page.locator(".role")).to_have_count(1)
    opener = desk.page.locator(f"#open-{desk.catalogue.on_call.id}")
    while desk.focused() != f"open-{desk.catalogue.on_call.id}":
        keyboard.press("Tab")
    keyboard.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(desk.page.get_by_label("1 h", exact=True)).to_be_focused()
    keyboard.press("ArrowRight")
    expect(desk.page.get_by_role("radio", name=re.compile("^2 h"))).to_be_checked()
    while desk.focused() != f"reason-{desk.catalogue.on_call.id}":
        keyboard.press("Tab")
    keyboard.type("INC-9")
    keyboard.press("Enter")
    expect(desk.page.locator("#issued-h")).to_be_focused()
    assert desk.sts.ledger.mints[-1].duration == 7200


def test_escape_closes_the_request_and_gives_the_focus_back_to_its_button(desk: Desk) -> None:
    form = desk.open_request(desk.catalogue.on_call.id)
    form.get_by_label("Reason").focus()
    desk.page.keyboard.press("Escape")
    opener = desk.page.locator(f"#open-{desk.catalogue.on_call.id}")
    expect(form).to_have_count(0)
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(opener).to_have_text(re.compile("^Get credentials"))


def test_escape_closes_the_menu_and_gives_the_focus_back(desk: Desk) -> None:
    desk.goto("/")
    summary = desk.page.locator(".who summary")
    summary.focus()
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("button", name="Sign out")).to_be_visible()
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_slash_in_a_field_is_a_slash(desk: Desk) -> None:
    form = desk.open_request(desk.catalogue.on_call.id)
    form.get_by_label("Ticket").press_sequentially("OPS/7")
    expect(form.get_by_label("Ticket")).to_have_value("OPS/7")


def test_arrow_keys_walk_the_tabs_and_go_round(desk: Desk) -> None:
    desk.issue()
    page = desk.page
    page.locator("#tab-bash").focus()
    for key, tab in (("ArrowRight", "fish"), ("End", "values"), ("ArrowRight", "bash"), ("ArrowLeft", "values")):
        page.keyboard.press(key)
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        expect(page.locator(f"#panel-{tab}")).to_be_visible()
        expect(page.get_by_role("tabpanel")).to_have_count(1)
    page.keyboard.press("Home")
    expect(page.locator("#tab-bash")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Tab")
    assert not desk.focused().startswith("tab-"), "the tabs are one stop"


def test_the_focus_stays_on_the_page_after_every_swap(desk: Desk) -> None:
    page = desk.page
    form = desk.open_request(desk.catalogue.on_call.id)
    assert desk.focused() != "BODY"
    form.get_by_label("Reason").fill("x" * 600)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_focused()

    desk.sts.fault("access_denied")
    desk.ask()
    expect(page.locator("#letter-h")).to_be_focused()

    desk.issue()
    expect(page.locator("#issued-h")).to_be_focused()
    page.get_by_role("button", name="Renew").press("Enter")
    expect(page.locator("#issued-h")).to_be_focused()

    desk.goto("/")
    star = page.get_by_role("button", name="Favourite: PaymentsOnCall")
    star.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()

    page.locator("#q").fill("sand")
    expect(page.locator(".role")).to_have_count(1)
    expect(page.locator("#q")).to_be_focused()


def test_search_narrows_as_you_type_and_says_how_many_are_left(desk: Desk) -> None:
    desk.goto("/")
    expect(desk.page.locator(".role")).to_have_count(4)
    desk.page.locator("#q").press_sequentially("payments readonly", delay=30)
    expect(desk.page.locator(".role")).to_have_count(1)
    expect(desk.page.get_by_role("status")).to_have_text("1 of 4 roles in 3 accounts")
    desk.page.locator("#q").fill("")
    expect(desk.page.locator(".role")).to_have_count(4)


def test_search_finds_without_accents_case_or_order(desk: Desk) -> None:
    desk.goto("/?q=DRÀIN%20onCALL")
    expect(desk.page.locator(".role")).to_have_count(1)
    expect(desk.page.locator("#q")).to_have_value("DRÀIN onCALL")
