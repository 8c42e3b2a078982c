"""A browser that runs a claim link's scripts, and presses nothing, leaves the link as it was."""

import pytest
from playwright.sync_api import expect

from bench.previews import GESTURES, watch
from credportal.access.models import Handout
from tests.browser.conftest import OpenDesk
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import handed_out, support, token_of
from tests.support.requests import story


@pytest.mark.parametrize("gesture", GESTURES)
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_browser_that_presses_nothing_leaves_the_link_to_its_reader(
    open_desk: OpenDesk, cast: Cast, catalogue: Catalogue, gesture: str, signed_in: bool
) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    scanner = open_desk(cast.charlie if signed_in else None)
    address = f"{scanner.url}/claim/#{token_of(given)}"
    watch(scanner.page.context, address, gesture)
    assert story(f"handout:{given.handout.id}") == ["handout:made"]
    assert Handout.objects.get().state == "open"
    reader = open_desk(cast.charlie)
    reader.page.goto(address)
    reader.page.get_by_role("button", name="Get credentials").click()
    expect(reader.page.locator("[data-issuance]")).to_be_visible()
    assert Handout.objects.get().state == "claimed"
