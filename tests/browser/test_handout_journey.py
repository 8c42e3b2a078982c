"""A hand-out from end to end: two people, two browsers, one session. This module runs on every database."""

import re

from django.utils import timezone
from playwright.sync_api import expect

from credportal.audit.models import Event
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.browser.test_journey import run_in_bash
from tests.support.cast import Cast
from tests.support.handouts import support

CLIPBOARD = ["clipboard-read", "clipboard-write"]


def hand_out(desk: Desk) -> str:
    """Hand a role to whom the form names, as far as the link; return what the Copy button gave."""
    page = desk.page
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied: the link")
    copied = str(page.evaluate("() => navigator.clipboard.readText()"))
    assert copied == page.locator("[data-field=claim-link]").evaluate("el => el.textContent")
    return copied


def claim(desk: Desk) -> dict[str, str]:
    """Press on the page of a claim, copy the snippet and paste it into a real shell; return its variables."""
    page = desk.page
    page.get_by_role("button", name="Get credentials").click()
    expect(page.locator("[data-issuance]")).to_be_visible()
    page.get_by_role("tabpanel").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied: bash / zsh snippet")
    return run_in_bash(str(page.evaluate("() => navigator.clipboard.readText()")))


def test_support_hands_a_role_to_a_colleague_who_claims_it_in_another_browser(open_desk: OpenDesk, cast: Cast) -> None:
    bob = open_desk(cast.bob, permissions=CLIPBOARD)
    role = bob.catalogue.read_only
    support(cast, role)
    bob.page.clock.install(time=timezone.now())
    bob.goto("/")
    bob.page.get_by_role("link", name="Hand-outs").click()
    bob.page.get_by_role("link", name="Hand out").first.click()
    expect(bob.page.get_by_role("radio", name=role.name)).to_be_checked()
    bob.page.get_by_label("Colleague", exact=True).fill("charlie")
    bob.page.get_by_label("15 min").first.check()
    bob.page.get_by_label("Reason").fill("Case 4711: look at the queue")
    link = hand_out(bob)
    assert bob.sts.ledger.mints == [], "nothing is issued before somebody claims"
    bob.page.get_by_role("link", name="Follow it").click()
    expect(bob.page.locator("#handout-now")).to_contain_text("Open")

    charlie = open_desk(cast.charlie, permissions=CLIPBOARD)
    charlie.page.goto(link)
    expect(charlie.page.get_by_role("heading", level=1)).to_contain_text("Bob Osei")
    pasted = claim(charlie)
    (mint,) = bob.sts.ledger.mints
    assert pasted["AWS_ACCESS_KEY_ID"] == mint.access_key_id
    assert pasted["AWS_SECRET_ACCESS_KEY"] == mint.secret_access_key
    assert pasted["AWS_SESSION_TOKEN"] == mint.session_token
    assert re.fullmatch("charlie\\+bob-[0-9a-z]{12}", mint.session_name)
    assert (mint.source_identity, mint.duration) == ("charlie", 900)

    with bob.page.expect_response(lambda response: "seen=" in response.url and response.status == 200):
        bob.page.clock.run_for(6_000)
    expect(bob.page.locator("#handout-now")).to_contain_text("Claimed")
    expect(bob.page.locator("#handout-facts")).to_contain_text("Claimed by charlie")
    assert mint.secret_access_key not in bob.page.content()
    assert mint.access_key_id not in bob.page.content()

    charlie.page.goto("about:blank")
    charlie.page.goto(link)
    expect(charlie.page.get_by_role("button", name="Get credentials")).to_have_count(0)
    assert len(bob.sts.ledger.mints) == 1

    erin = open_desk(cast.erin)
    erin.goto("/handouts/")
    erin.page.get_by_role("row").filter(has_text="Charlie Novak").get_by_role("link").click()
    erin.page.locator("#handout-facts").get_by_role("link").first.click()
    expect(erin.page.get_by_text(mint.session_name, exact=True)).to_be_visible()
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    steps = ["handout:made", "issuance:requested", "handout:claimed", "issuance:issued"]
    assert sorted(kind for kind in kinds if kind in steps) == sorted(steps)


def test_support_hands_a_role_to_an_outsider_who_claims_with_link_and_code(open_desk: OpenDesk, cast: Cast) -> None:
    bob = open_desk(cast.bob, permissions=CLIPBOARD)
    support(cast, bob.catalogue.read_only, outsider_minutes=30)
    bob.goto("/handouts/new/")
    bob.page.get_by_label("An outsider").check()
    bob.page.get_by_label("Name", exact=True).fill("Vera Vendor")
    bob.page.get_by_label("E-mail address").fill("vera@vendor.example")
    bob.page.get_by_label("Reason").fill("Case 4711: look at the queue")
    link = hand_out(bob)
    code = str(bob.page.locator("[data-field=claim-code]").evaluate("el => el.textContent"))
    assert re.fullmatch("[0-9]{8}", code)
    assert code not in link

    vera = open_desk(permissions=CLIPBOARD)
    vera.page.goto(link)
    vera.page.get_by_label("Code").fill(f"{code[:4]} {code[4:]}")
    pasted = claim(vera)
    (mint,) = bob.sts.ledger.mints
    assert pasted["AWS_ACCESS_KEY_ID"] == mint.access_key_id
    assert (mint.source_identity, mint.duration) == ("outsider+vera@vendor.example", 1800)
    bob.goto("/handouts/")
    expect(bob.page.get_by_role("row").filter(has_text="Vera Vendor")).to_contain_text(
        "Claimed from the address it was handed out from"
    )
