"""Letting the portal into a role: the texts, their warnings, and where there are none."""

from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.states.core import state


def _open(desk: Desk, query: str = "") -> None:
    desk.goto(f"/catalogue/roles/{desk.catalogue.read_only.id}/trust/{query}")
    expect(desk.page.get_by_role("heading", level=1)).to_contain_text("Let the portal into")


@state("dana")
def onboarding(desk: Desk) -> None:
    _open(desk)
    expect(desk.page.locator("[data-policy]:visible")).to_have_count(2)


@state("dana")
def onboarding_with_every_format_and_a_warning(desk: Desk) -> None:
    _open(desk, "?reach=account")
    expect(desk.page.get_by_role("note").first).to_contain_text("Without the ExternalId")
    for summary in desk.page.locator(".formats details:not([open]) > summary").all()[::-1]:
        summary.click()
    expect(desk.page.locator("[data-policy]:visible")).to_have_count(9)


@state("dana")
def onboarding_mistaken(desk: Desk) -> None:
    _open(desk, "?reach=world")
    expect(desk.page.get_by_role("alert")).to_be_visible()


@state("dana")
def onboarding_of_another_partition(desk: Desk) -> None:
    desk.catalogue.read_only.arn = "arn:aws-cn:iam::491200653381:role/PaymentsReadOnly"
    desk.catalogue.read_only.save()
    _open(desk)
    expect(desk.page.get_by_role("alert")).to_contain_text("partition aws-cn")
