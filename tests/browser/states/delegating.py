"""Delegations: who may hand out which roles, as the catalogue's admins see them."""

from datetime import timedelta

from playwright.sync_api import expect

from credportal.access.models import Delegation, Role
from credportal.domain.types import Origin
from credportal.flows.catalogue_pages import By, change_delegation
from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.cast import make_person, make_role
from tests.support.handouts import delegate, handed_out, support


def _delegated(desk: Desk) -> Delegation:
    """Give support a delegation with some of everything, of which some has no effect."""
    catalogue = desk.catalogue
    roles = [catalogue.read_only, catalogue.on_call, catalogue.deployer]
    row = support(desk.cast, *roles, outsider_minutes=45, name="Support cases", recipients=catalogue.engineers)
    Role.objects.filter(pk=catalogue.on_call.pk).update(needs_approval=True, approvers=catalogue.engineers)
    Role.objects.filter(pk=catalogue.deployer.pk).update(outsider_duration=None, label="Deploy by hand")
    return row


@state("dana")
def delegations_empty(desk: Desk) -> None:
    desk.goto("/catalogue/delegations/")
    expect(desk.page.get_by_role("heading", name="Nobody hands anything out yet")).to_be_visible()


@state("dana")
def delegations_some(desk: Desk) -> None:
    _delegated(desk)
    handed_out(desk.cast.bob, desk.catalogue.read_only, desk.cast.alice)
    long = make_person("a-very-long-user-name-that-somebody-chose", "Wolfeschlegelsteinhausenbergerdorff the Younger")
    delegate(long, desk.catalogue.read_only, name="ADelegationWithAVeryLongNameThatNobodyCouldEverBreakIntoParts")
    for number in range(12):
        delegate(desk.catalogue.engineers, desk.catalogue.deployer, name=f"Team number {number}")
    desk.goto("/catalogue/delegations/")
    expect(desk.page.get_by_role("row")).to_have_count(15)


@state("dana", axe=False)
def delegations_none_found(desk: Desk) -> None:
    _delegated(desk)
    desk.goto("/catalogue/delegations/?q=zzz")


@state("dana")
def delegation_new(desk: Desk) -> None:
    desk.goto("/catalogue/delegations/new/?group=support")
    expect(desk.page.get_by_role("searchbox", name="Find a role")).to_be_visible()


@state("dana")
def delegation_new_mistaken(desk: Desk) -> None:
    desk.goto("/catalogue/delegations/new/")
    desk.page.get_by_label("Name").fill("Cаses")
    desk.page.get_by_label("For outsiders, up to").fill("3 h")
    desk.page.get_by_label("Open at once").fill("500")
    desk.page.get_by_role("button", name="Add the delegation").click()
    expect(desk.page.get_by_role("alert")).to_be_focused()


@state("dana")
def delegation_with_many_roles(desk: Desk) -> None:
    for number in range(140):
        make_role(desk.catalogue.staging, f"Reader{number:03}")
        make_role(desk.catalogue.production, f"team/AVeryLongRoleNameThatSomebodyMadeUp{number:03}")
    row = _delegated(desk)
    desk.goto(f"/catalogue/delegations/{row.pk}/")
    desk.page.get_by_role("searchbox", name="Find a role").press_sequentially("staging reader01")
    expect(desk.page.get_by_role("checkbox", name="Reader010")).to_be_visible()
    expect(desk.page.locator(".role-ticks li:visible")).to_have_count(10)
    expect(desk.page.locator("#status")).to_have_text("10 roles")


@state("dana")
def delegation(desk: Desk) -> None:
    row = _delegated(desk)
    desk.goto(f"/catalogue/delegations/{row.pk}/")
    desk.page.get_by_label("Open at once").fill("9")
    desk.page.get_by_role("checkbox", name="Administrator").check()
    desk.page.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_text("Saved.")).to_be_visible()


@state("dana")
def delegation_that_does_not_count(desk: Desk) -> None:
    row = delegate(desk.catalogue.engineers, desk.catalogue.read_only, name="Half done")
    desk.goto(f"/catalogue/delegations/{row.pk}/")
    expect(desk.page.get_by_text("does not give the duty support")).to_be_visible()


@state("dana")
def delegation_conflict(desk: Desk) -> None:
    row = _delegated(desk)
    desk.goto(f"/catalogue/delegations/{row.pk}/")
    values = {"max_duration": timedelta(hours=4), "roles": frozenset({desk.catalogue.read_only})}
    change_delegation(by=By(desk.cast.erin, Origin()), delegation_id=row.pk, version=1, values=values)
    desk.page.get_by_label("Longest duration").fill("1 h")
    desk.page.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_role("button", name="Save over it")).to_be_visible()


@state("dana")
def delegation_remove(desk: Desk) -> None:
    row = _delegated(desk)
    handed_out(desk.cast.bob, desk.catalogue.read_only, desk.cast.alice)
    desk.goto(f"/catalogue/delegations/{row.pk}/")
    desk.page.get_by_role("link", name="Remove this delegation").click()
    expect(desk.page.get_by_text("1 hand-out of it is open")).to_be_visible()


@state("dana", axe=False)
def delegation_removed(desk: Desk) -> None:
    row = _delegated(desk)
    desk.goto(f"/catalogue/delegations/{row.pk}/end/")
    desk.page.get_by_role("button", name="Remove the delegation").click()
    expect(desk.page.get_by_role("status").get_by_text("Removed.")).to_be_visible()


@state("dana")
def role_that_is_handed_out(desk: Desk) -> None:
    _delegated(desk)
    delegate(desk.cast.charlie, desk.catalogue.read_only, name="Charlie's own, for the migration of the spring")
    desk.goto(f"/catalogue/roles/{desk.catalogue.read_only.id}/")
    desk.page.get_by_label("May be handed to outsiders").fill("5 min")
    desk.page.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_role("alert")).to_be_focused()


@state("erin")
def who_role_hands_out(desk: Desk) -> None:
    _delegated(desk)
    delegate(desk.cast.charlie, desk.catalogue.on_call, name="Charlie's own")
    desk.goto(f"/who/roles/{desk.catalogue.on_call.id}/")
    expect(desk.page.get_by_role("heading", name="Who may hand it out")).to_be_visible()


@state("erin")
def who_person_hands_out(desk: Desk) -> None:
    _delegated(desk)
    desk.goto("/who/people/bob/")
    expect(desk.page.get_by_role("heading", name="What they may hand out")).to_be_visible()


@state("erin")
def who_why_hands_out(desk: Desk) -> None:
    _delegated(desk)
    desk.goto(f"/who/why/?person=bob&role={desk.catalogue.read_only.id}")
    expect(desk.page.get_by_text("Yes, to somebody else")).to_be_visible()


@state("dana", axe=False)
def group_that_hands_out(desk: Desk) -> None:
    _delegated(desk)
    desk.goto(f"/groups/{desk.catalogue.support.pk}/")
    expect(desk.page.get_by_text("3 roles, up to 2 h")).to_be_visible()
