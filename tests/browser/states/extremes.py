"""Very many, very long, and from right to left."""

from datetime import timedelta

from django.db import transaction
from playwright.sync_api import expect

from credportal.access.models import Account, User
from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.cast import allow, make_role

LONG = "PlatformEngineeringBreakGlassReadOnlyAuditAccessForEveryone1"
RIGHT_TO_LEFT = "صلاحيات القراءة فقط لفريق المدفوعات"


@state(axe=False)
def three_hundred_roles(desk: Desk) -> None:
    with transaction.atomic():
        for number in range(12):
            account = Account.objects.create(
                number=f"{770000000000 + number}", name=f"account-{number}", environment="staging", owner="Platform"
            )
            for role in range(25):
                allow(make_role(account, f"Role{role}", description="One of many."), desk.catalogue.engineers)
    desk.goto("/")
    expect(desk.page.get_by_text("304 roles in 15 accounts")).to_be_visible()


@state()
def names_of_sixty_characters(desk: Desk) -> None:
    long_names(desk)
    desk.goto("/")
    desk.page.get_by_role("link", name=f"Get credentials for {LONG}").click()
    expect(desk.page.locator(".ask")).to_be_visible()


@state()
def credentials_of_sixty_characters(desk: Desk) -> None:
    desk.issue(long_names(desk))


@state()
def refused_of_sixty_characters(desk: Desk) -> None:
    desk.goto(f"/roles/{long_names(desk)}/")
    desk.send_whole(duration="43200")


@state()
def right_to_left_names(desk: Desk) -> None:
    User.objects.filter(pk=desk.cast.alice.pk).update(name="عائشة بنت محمد")
    account = Account.objects.create(number="990000000001", name=RIGHT_TO_LEFT, environment="production")
    role = make_role(account, "ReadOnly", description=RIGHT_TO_LEFT)
    allow(role, desk.catalogue.engineers)
    desk.open_request(role.id).get_by_label("Reason").fill(RIGHT_TO_LEFT)


def long_names(desk: Desk) -> str:
    """Give the account, the role, the person and the description names without a seam; return the role's id."""
    User.objects.filter(pk=desk.cast.alice.pk).update(name=LONG)
    account = Account.objects.create(number="990000000000", name=LONG, environment="production", owner=LONG)
    role = make_role(account, LONG, description=LONG * 3, max_session_duration=timedelta(hours=12))
    allow(role, desk.catalogue.engineers)
    return str(role.id)
