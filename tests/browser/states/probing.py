"""What the doctor says on a role's page."""

from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.fault_sts import RoleRule


def _probe(desk: Desk) -> None:
    desk.goto(f"/catalogue/roles/{desk.catalogue.read_only.id}/")
    desk.page.get_by_role("button", name="Probe now").click()
    expect(desk.page.locator("#probe .findings")).to_be_visible()


@state("dana")
def probe_passed(desk: Desk) -> None:
    role = desk.catalogue.read_only
    desk.sts.roles[role.arn] = RoleRule(external_id=role.account.external_id)
    _probe(desk)
    expect(desk.page.locator("#probe")).to_contain_text("AWS lets the portal into this role")


@state("dana")
def probe_found_the_role_open_and_statements_missing(desk: Desk) -> None:
    desk.sts.roles[desk.catalogue.read_only.arn] = RoleRule(accepts_tags=False, accepts_source_identity=False)
    _probe(desk)
    expect(desk.page.locator("#probe .errors")).to_contain_text("works without the ExternalId")
