"""What a role asks for: on the roles list, on the request page, and in the letters that refuse it."""

from datetime import timedelta

from django.contrib.auth.models import Group
from playwright.sync_api import expect

from credportal.access.models import Account, Eligibility, Review, Role
from tests.browser.desk import Desk
from tests.browser.states.core import letter, state
from tests.support.cast import allow, make_role

EVERYTHING = {"needs_reason": True, "needs_ticket": True, "needs_approval": True}


def strict(desk: Desk, **fields: object) -> Role:
    """Let a role ask for all that there is, and have a glass to break."""
    role = desk.catalogue.on_call
    leads = Group.objects.create(name="payments-leads")
    leads.user_set.add(desk.cast.erin, desk.cast.dana)
    asked = {**EVERYTHING, "ticket_pattern": "INC-# CHG-#", "approvers": leads, "approvals_needed": 2, **fields}
    Role.objects.filter(pk=role.pk).update(tags="queues on-call", **asked)
    Eligibility.objects.filter(role=role).update(break_glass_duration=timedelta(minutes=30))
    role.refresh_from_db()
    return role


def review_of(desk: Desk, role: Role) -> None:
    Review.objects.create(issuance_id="0123456789ab", user=desk.cast.alice, role=role, reason="The queue is stuck")


@state()
def roles_that_ask_for_more(desk: Desk) -> None:
    strict(desk, needs_step_up=True)
    allow(desk.catalogue.deployer, desk.cast.alice, hours=2)
    Eligibility.objects.filter(role=desk.catalogue.deployer, user=None).update(needs_reason=True)
    desk.goto("/")
    expect(desk.page.get_by_text("Break-glass possible")).to_be_visible()


@state()
def roles_by_the_dozen(desk: Desk) -> None:
    for number in range(16):
        account = Account.objects.create(
            number=f"{200000000000 + number}", name=f"team-{number:02}", environment="sandbox"
        )
        for name in ("Reader", "Writer", "Deployer", "Owner", "Auditor"):
            allow(make_role(account, name), desk.catalogue.engineers)
    desk.goto("/")
    expect(desk.page.get_by_role("link", name="Show all 84 roles")).to_be_visible()


@state()
def request_for_approval_in_place(desk: Desk) -> None:
    role = strict(desk)
    form = desk.open_request(role.id)
    expect(form.get_by_role("button", name="Ask for approval")).to_be_visible()


@state()
def request_for_approval_with_errors(desk: Desk) -> None:
    role = strict(desk)
    desk.goto(f"/roles/{role.id}/")
    desk.send_whole(ticket="JIRA-1", reason="The queue is stuck")
    expect(desk.page.get_by_role("alert")).to_be_focused()


@state()
def request_to_confirm(desk: Desk) -> None:
    role = strict(desk, needs_step_up=True, needs_approval=False, allows_my_address=False, allows_one_region=False)
    desk.goto(f"/roles/{role.id}/")
    expect(desk.page.get_by_role("link", name="Confirm it is you")).to_be_visible()


@state()
def request_confirmed(desk: Desk) -> None:
    role = strict(desk, needs_step_up=True, needs_approval=False)
    desk.goto(f"/account/confirm/?next=/roles/{role.id}/")
    desk.page.get_by_label("Password").fill("correct horse battery staple")
    desk.page.get_by_role("button", name="Confirm").click()
    expect(desk.page.get_by_text("You have confirmed who you are")).to_be_visible()


@state()
def request_partly_for_approval(desk: Desk) -> None:
    role = strict(
        desk, needs_reason=False, needs_ticket=False, needs_approval=False, max_session_duration=timedelta(hours=12)
    )
    Eligibility.objects.filter(role=role).update(
        needs_approval=True, needs_reason=True, max_duration=timedelta(hours=8)
    )
    allow(role, desk.cast.alice, hours=2)
    desk.goto(f"/roles/{role.id}/")
    expect(desk.page.get_by_text("Needs approval over 2 h")).to_be_visible()


@state()
def glass(desk: Desk) -> None:
    role = strict(desk)
    desk.goto(f"/roles/{role.id}/")
    desk.page.locator(".glass summary").click()
    expect(desk.page.get_by_role("button", name="Break glass and get credentials")).to_be_visible()


@state()
def glass_with_errors(desk: Desk) -> None:
    role = strict(desk)
    desk.open_request(role.id)
    desk.page.locator(".glass summary").click()
    form = desk.page.locator(".glass form")
    form.get_by_label("Reason").fill("x" * 600)
    form.get_by_role("button", name="Break glass and get credentials").click()
    expect(desk.page.get_by_role("alert")).to_be_focused()


@state()
def glass_before_its_review(desk: Desk) -> None:
    role = strict(desk)
    review_of(desk, role)
    desk.goto(f"/roles/{role.id}/")
    desk.page.locator(".glass summary").click()
    expect(desk.page.get_by_text("still waits for its review")).to_be_visible()


@state()
def refused_review_open(desk: Desk) -> None:
    role = strict(desk)
    desk.open_request(role.id)
    review_of(desk, role)
    desk.page.locator(".glass summary").click()
    form = desk.page.locator(".glass form")
    form.get_by_label("Reason").fill("It is stuck again")
    form.get_by_role("button", name="Break glass and get credentials").click()
    letter(desk)


@state()
def refused_step_up(desk: Desk) -> None:
    role = strict(desk, needs_step_up=True)
    desk.goto(f"/roles/{role.id}/")
    desk.send_whole(reason="The queue is stuck", ticket="INC-7")
    letter(desk)
    expect(desk.page.get_by_role("link", name="Confirm it is you")).to_be_visible()


@state()
def refused_narrowing(desk: Desk) -> None:
    desk.goto(f"/roles/{desk.catalogue.deployer.id}/")
    Role.objects.filter(pk=desk.catalogue.deployer.pk).update(allows_read_only=False)
    desk.send_whole(narrowing="read-only")
    letter(desk)
