"""Adding a delegation among many roles, with JavaScript and without."""

from playwright.sync_api import expect

from credportal.access.models import Delegation
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.support.cast import Cast, make_role

NEW = "/catalogue/delegations/new/?group=support"


def _many_roles(desk: Desk) -> None:
    for number in range(60):
        make_role(desk.catalogue.staging, f"Reader{number:02}")


def test_an_admin_finds_some_of_many_roles_by_words_and_ticks_them(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.dana)
    _many_roles(desk)
    desk.goto(NEW)
    page = desk.page
    page.get_by_label("Name").fill("Readers")
    find = page.get_by_role("searchbox", name="Find a role")
    reader = page.get_by_role("checkbox", name="Reader07")
    expect(reader).to_be_hidden()
    find.press_sequentially("STAGING reader07")
    expect(reader).to_be_visible()
    reader.check()
    expect(page.get_by_text("1 of 61 ticked")).to_be_visible()
    find.press("Enter")
    expect(find).to_be_focused()
    find.fill("nothing of that kind")
    expect(page.get_by_text("No role matches.")).to_be_visible()
    find.fill("")
    expect(reader).to_be_visible()
    expect(page.get_by_role("checkbox", name="PaymentsReadOnly")).to_be_hidden()
    page.get_by_role("button", name="Add the delegation").click()
    expect(page.get_by_text("The delegation is added.")).to_be_visible()
    assert [role.name for role in Delegation.objects.get().roles.all()] == ["Reader07"]


def test_without_javascript_an_admin_opens_an_account_and_ticks(open_desk: OpenDesk, cast: Cast) -> None:
    desk = open_desk(cast.dana, java_script_enabled=False)
    _many_roles(desk)
    desk.goto(NEW)
    page = desk.page
    expect(page.get_by_role("searchbox", name="Find a role")).to_be_hidden()
    page.get_by_label("Name").fill("Readers")
    page.locator("summary", has_text="payments-staging").click()
    page.get_by_role("checkbox", name="Reader07").check()
    page.get_by_role("checkbox", name="Reader08").check()
    page.get_by_label("Longest duration").fill("13 h")
    page.get_by_role("button", name="Add the delegation").click()
    expect(page.get_by_role("checkbox", name="Reader08")).to_be_checked()
    page.get_by_label("Longest duration").fill("1 h")
    page.get_by_role("button", name="Add the delegation").click()
    expect(page.get_by_text("The delegation is added.")).to_be_visible()
    page.get_by_role("link", name="Remove this delegation").click()
    page.get_by_role("button", name="Remove the delegation").click()
    expect(page.get_by_text("Removed.")).to_be_visible()
    assert not Delegation.objects.exists()
