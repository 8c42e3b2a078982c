"""Every page and state: readable by everybody, in both themes, at every width.

CREDPORTAL_TEST_PICTURES=folder keeps a picture of each, for a person to look at.
"""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenDesk
from tests.browser.desk import axe, sideways
from tests.browser.states import STATES, State
from tests.support.cast import Cast

PICTURES = os.environ.get("CREDPORTAL_TEST_PICTURES", "")
WIDE = {"width": 1280, "height": 800}
PHONES = (360, 320)


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=page.viewport_size != WIDE)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_a_state_has_no_violation_of_axe_in_either_theme_and_fits_a_phone(
    state: State, open_desk: OpenDesk, cast: Cast
) -> None:
    person = getattr(cast, state.person) if state.person else None
    # Without motion, so that no colour is measured on its way to another.
    desk = open_desk(person, viewport=WIDE, color_scheme="light", reduced_motion="reduce")
    page = desk.page
    state.steps(desk)
    picture(page, f"{state.name}-light")
    if state.axe:
        assert axe(page) == []

    page.emulate_media(color_scheme="dark")
    picture(page, f"{state.name}-dark")
    if state.axe:
        assert axe(page, ["color-contrast"]) == []

    page.emulate_media(color_scheme="light")
    for width in PHONES:
        page.set_viewport_size({"width": width, "height": 800})
        assert sideways(page) <= 0, f"sideways scroll at {width} px"
        if width == PHONES[0]:
            picture(page, f"{state.name}-{width}")
            assert axe(page, ["target-size", "scrollable-region-focusable"]) == []
