"""From the roles to the credentials, and what can come instead."""

from playwright.sync_api import expect

from credportal.access.models import Favourite
from tests.browser.desk import Desk
from tests.browser.states.core import away, letter, state
from tests.support.cast import allow


@state()
def first_visit(desk: Desk) -> None:
    desk.goto("/")


@state()
def roles_with_live_favourite_and_recent(desk: Desk) -> None:
    Favourite.objects.create(user=desk.cast.alice, role=desk.catalogue.deployer)
    Favourite.objects.create(user=desk.cast.alice, role=desk.catalogue.on_call)
    desk.issue()
    desk.issue(desk.catalogue.administrator.id, minutes=15)
    desk.goto("/")
    expect(desk.page.get_by_role("heading", name="Live")).to_be_visible()
    expect(desk.page.get_by_role("heading", name="Favourites")).to_be_visible()
    expect(desk.page.get_by_role("heading", name="Recent")).to_be_visible()


@state("charlie")
def no_roles(desk: Desk) -> None:
    desk.goto("/")
    expect(desk.page.get_by_text("You have no roles yet")).to_be_visible()


@state()
def search_without_hits(desk: Desk) -> None:
    desk.goto("/?q=warehouse")
    expect(desk.page.get_by_text("No role matches")).to_be_visible()


@state()
def search_with_hits(desk: Desk) -> None:
    desk.goto("/?q=deploy")


@state()
def request_in_place(desk: Desk) -> None:
    desk.open_request(desk.catalogue.on_call.id)


@state()
def request_page(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")


@state()
def request_with_errors(desk: Desk) -> None:
    form = desk.open_request(desk.catalogue.on_call.id)
    form.get_by_label("Other duration, in minutes").fill("3")
    form.get_by_label("Reason").fill("x" * 600)
    form.get_by_label("Ticket").fill("no ticket at all")
    form.get_by_role("button", name="Get credentials").click()
    expect(desk.page.get_by_role("alert")).to_be_focused()


@state()
def request_page_with_errors(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.on_call.id}/")
    desk.send_whole(duration="0", reason="")
    expect(desk.page.get_by_role("alert")).to_be_focused()


@state()
def credentials(desk: Desk) -> None:
    desk.issue()


@state()
def credentials_narrowed(desk: Desk) -> None:
    form = desk.open_request(desk.catalogue.on_call.id)
    form.get_by_label("Reason").fill("INC-7: the queue is stuck")
    form.get_by_label("Ticket").fill("INC-7")
    form.get_by_label("Read-only").check()
    form.get_by_label("Only from").check()
    form.get_by_role("button", name="Get credentials").click()
    expect(desk.page.locator("[data-issuance]")).to_be_visible()


@state()
def credentials_revealed(desk: Desk) -> None:
    desk.issue()
    desk.page.get_by_text("Show the secrets").click()


@state()
def credentials_soon_over(desk: Desk) -> None:
    desk.page.clock.install()
    desk.issue(minutes=15)
    desk.page.clock.run_for(6 * 60_000)
    expect(desk.page.locator(".desk.soon")).to_be_visible()


@state()
def credentials_ended(desk: Desk) -> None:
    desk.page.clock.install()
    desk.issue(minutes=15)
    desk.page.clock.run_for(901_000)
    expect(desk.page.locator(".desk.ended")).to_be_visible()


@state()
def refused_not_eligible(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.cast.alice.groups.clear()
    desk.send_whole()
    letter(desk)


@state()
def refused_too_long(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.send_whole(duration="43200")
    letter(desk)


@state()
def failed_denied(desk: Desk) -> None:
    desk.sts.fault("access_denied")
    desk.ask()


@state("dana")
def failed_denied_for_an_admin(desk: Desk) -> None:
    allow(desk.catalogue.deployer, desk.cast.dana)
    desk.sts.fault("access_denied")
    desk.ask(desk.catalogue.deployer.id)
    desk.page.get_by_text("AWS’s own words").click()


@state()
def failed_throttled(desk: Desk) -> None:
    desk.sts.fault("throttling", count=None)
    desk.ask()


@state()
def unknown(desk: Desk) -> None:
    desk.sts.fault("reset_after_mint")
    desk.ask()


@state()
def already_issued(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.send_whole()
    desk.page.reload()
    letter(desk)


@state()
def audit_away(desk: Desk) -> None:
    desk.open_request(desk.catalogue.read_only.id)
    with away("audit_event"):
        desk.page.locator(".ask").get_by_role("button", name="Get credentials").click()
        letter(desk)
