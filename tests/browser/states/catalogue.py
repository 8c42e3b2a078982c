"""The catalogue: accounts, roles, eligibilities."""

from datetime import timedelta

from django.contrib.auth.models import Group
from django.utils import timezone
from playwright.sync_api import expect

from credportal.access.models import Account, Eligibility, Favourite, Probe, Role
from credportal.domain.types import Origin
from credportal.flows.catalogue_pages import By, change_role
from tests.browser.desk import Desk
from tests.browser.states.core import state


def _dressed(desk: Desk) -> None:
    """Give the catalogue of the tests some of everything."""
    catalogue, now = desk.catalogue, timezone.now()
    Role.objects.filter(id=catalogue.on_call.id).update(
        label="Payments on call",
        tags="incident pager",
        needs_reason=True,
        needs_ticket=True,
        ticket_pattern="INC-# CHG-#",
        needs_approval=True,
        needs_step_up=True,
        approvers=catalogue.support,
    )
    Role.objects.filter(id=catalogue.nobody.id).update(enabled=False)
    Account.objects.filter(pk=catalogue.sandbox.pk).update(enabled=False)
    Probe.objects.create(role=catalogue.read_only, probed_at=now, worked_at=now)
    Probe.objects.create(role=catalogue.on_call, probed_at=now, worked_at=now, is_open=True)
    row = catalogue.on_call.eligibilities.get()
    row.break_glass_duration, row.note = timedelta(minutes=30), "The pager goes round the whole team."
    row.valid_from, row.valid_until = now - timedelta(days=3), now + timedelta(days=90)
    row.save()
    Eligibility.objects.create(
        role=catalogue.on_call,
        user=desk.cast.bob,
        max_duration=timedelta(hours=1),
        valid_until=now - timedelta(days=2),
        needs_ticket=True,
    )
    Eligibility.objects.create(
        role=catalogue.on_call,
        user=desk.cast.charlie,
        max_duration=timedelta(hours=1),
        valid_from=now + timedelta(days=2),
    )


def _emptied() -> None:
    for model in (Favourite, Eligibility, Role, Account):
        model.objects.all().delete()


@state("dana")
def catalogue_empty(desk: Desk) -> None:
    _emptied()
    desk.goto("/catalogue/")
    expect(desk.page.get_by_text("No roles yet.")).to_be_visible()


@state("dana")
def catalogue_roles(desk: Desk) -> None:
    _dressed(desk)
    desk.goto("/catalogue/")
    expect(desk.page.locator(".cat")).to_have_count(5)


@state("dana", axe=False)
def catalogue_roles_searched(desk: Desk) -> None:
    desk.goto("/catalogue/")
    desk.page.get_by_role("searchbox", name="Search roles of the catalogue").press_sequentially("oncall")
    expect(desk.page.locator(".cat")).to_have_count(1)
    expect(desk.page.locator("#status")).to_have_text("1 role")


@state("dana", axe=False)
def catalogue_roles_none_found(desk: Desk) -> None:
    desk.goto("/catalogue/?q=zzz")


@state("dana")
def catalogue_role(desk: Desk) -> None:
    _dressed(desk)
    desk.goto(f"/catalogue/roles/{desk.catalogue.on_call.id}/")
    expect(desk.page.get_by_role("heading", name="Who may have it")).to_be_visible()


@state("dana")
def catalogue_role_added(desk: Desk) -> None:
    desk.goto("/catalogue/roles/new/?account=602217449035")
    desk.page.get_by_label("ARN").fill("arn:aws:iam::602217449035:role/team/Reader")
    desk.page.get_by_label("Default region").select_option("eu-west-1")
    desk.page.get_by_role("button", name="Add the role").click()
    expect(desk.page.get_by_text("The role is added.")).to_be_visible()


@state("dana")
def catalogue_role_mistaken(desk: Desk) -> None:
    desk.goto("/catalogue/roles/new/")
    desk.page.get_by_label("ARN").fill("arn:aws:iam::001122334455:role/Аuditor")
    desk.page.get_by_label("Default region").select_option("eu-west-1")
    desk.page.get_by_label("Maximum session duration").fill("13 h")
    desk.page.get_by_label("Approval", exact=True).check()
    desk.page.get_by_role("button", name="Add the role").click()
    expect(desk.page.get_by_role("alert")).to_be_visible()


@state("dana")
def catalogue_role_conflict(desk: Desk) -> None:
    role = desk.catalogue.read_only
    desk.goto(f"/catalogue/roles/{role.id}/")
    values = {"label": "Look at payments", "description": "Nothing but reading.", "needs_reason": True}
    change_role(by=By(desk.cast.erin, Origin()), role_id=role.id, version=1, values=values)
    desk.page.get_by_label("Label").fill("Payments, read only")
    desk.page.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_role("button", name="Save over it")).to_be_visible()


@state("dana")
def catalogue_accounts(desk: Desk) -> None:
    _dressed(desk)
    desk.goto("/catalogue/accounts/")
    expect(desk.page.get_by_role("row")).to_have_count(4)


@state("dana")
def catalogue_account(desk: Desk) -> None:
    desk.goto(f"/catalogue/accounts/{desk.catalogue.production.number}/")
    desk.page.get_by_label("Owner").fill("Treasury")
    desk.page.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_text("Saved.")).to_be_visible()


@state("dana")
def catalogue_account_new(desk: Desk) -> None:
    desk.goto("/catalogue/accounts/new/?number=001122334455")


@state("dana")
def catalogue_eligibilities(desk: Desk) -> None:
    _dressed(desk)
    desk.goto("/catalogue/eligibilities/?ended=1")
    expect(desk.page.locator(".holder")).to_have_count(7)


@state("dana")
def catalogue_eligibility(desk: Desk) -> None:
    _dressed(desk)
    row = desk.catalogue.on_call.eligibilities.get(group=Group.objects.get(name="engineers"))
    desk.goto(f"/catalogue/eligibilities/{row.pk}/")
    expect(desk.page.get_by_role("heading", name="What it gives")).to_be_visible()


@state("dana")
def catalogue_eligibility_new(desk: Desk) -> None:
    desk.goto(f"/catalogue/eligibilities/new/?role={desk.catalogue.read_only.id}&user=charlie")


@state("dana")
def catalogue_eligibility_choose(desk: Desk) -> None:
    desk.goto("/catalogue/eligibilities/new/")
    expect(desk.page.locator(".cat")).to_have_count(5)
