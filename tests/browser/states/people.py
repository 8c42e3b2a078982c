"""People and groups: lists, pages, mistakes, two admins at once, a password that is shown once."""

from django.contrib.auth.models import Group
from playwright.sync_api import expect

from credportal.access.models import GroupDuty, User
from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.browser.states.extremes import LONG, RIGHT_TO_LEFT
from tests.support.cast import allow

ALICE = "/people/alice/profile/"


def _save(desk: Desk) -> None:
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Save").click()


def _group(desk: Desk) -> str:
    return f"/groups/{desk.catalogue.engineers.pk}/"


@state("dana")
def people(desk: Desk) -> None:
    User.objects.filter(handle="bob").update(is_active=False)
    User.objects.filter(handle="charlie").update(email="charlie.novak@payments.example.com")
    desk.goto("/people/")
    expect(desk.page.get_by_role("link", name="Alice Engström")).to_be_visible()


@state("dana", axe=False)
def people_found(desk: Desk) -> None:
    desk.goto("/people/")
    desk.page.get_by_role("searchbox", name="Search people").fill("engineers")
    expect(desk.page.get_by_role("table").get_by_role("row")).to_have_count(2)


@state("dana")
def people_not_found(desk: Desk) -> None:
    desk.goto("/people/?q=zoe")
    expect(desk.page.get_by_text("Nobody matches")).to_be_visible()


@state("dana")
def person(desk: Desk) -> None:
    desk.goto(ALICE)
    desk.page.get_by_label("Name").fill("Alice Berg")
    desk.page.get_by_label("auditors").check()
    _save(desk)
    expect(desk.page.get_by_role("status").first).to_contain_text("Saved")


@state("dana", axe=False)
def person_who_is_me(desk: Desk) -> None:
    desk.goto("/people/dana/profile/")
    expect(desk.page.get_by_text("Change your own password")).to_be_visible()


@state("dana")
def person_mistaken(desk: Desk) -> None:
    desk.goto("/people/dana/profile/")
    desk.page.get_by_label("Active").uncheck()
    _save(desk)
    expect(desk.page.get_by_role("alert")).to_contain_text("cannot switch yourself off")


@state("dana")
def person_changed_by_two(desk: Desk) -> None:
    desk.goto(ALICE)
    desk.page.get_by_label("Name").fill("Alice from me")
    User.objects.filter(handle="alice").update(name="Alice from somebody else", version=2)
    _save(desk)
    expect(desk.page.get_by_role("alert")).to_contain_text("Somebody else changed this")


@state("dana")
def person_of_sixty_characters_in_forty_groups(desk: Desk) -> None:
    User.objects.filter(handle="alice").update(name=LONG, email=f"{LONG}@example.com")
    Group.objects.bulk_create(Group(name=f"{LONG}-{number}") for number in range(39))
    Group.objects.create(name=RIGHT_TO_LEFT).user_set.add(desk.cast.alice)
    desk.goto(ALICE)


@state("dana")
def person_new(desk: Desk) -> None:
    desk.goto("/people/new/")
    expect(desk.page.get_by_label("User name")).to_be_visible()


@state("dana")
def person_new_mistaken(desk: Desk) -> None:
    desk.goto("/people/new/")
    desk.page.get_by_label("User name").fill("ALICE")
    desk.page.get_by_role("button", name="Add the person").click()
    expect(desk.page.get_by_role("alert")).to_contain_text("in other capitals")


@state("dana")
def person_added(desk: Desk) -> None:
    desk.goto("/people/new/")
    desk.page.get_by_label("User name").fill("frank")
    desk.page.get_by_label("Name", exact=False).nth(1).fill("Frank Ito")
    desk.page.get_by_role("button", name="Add the person").click()
    expect(desk.page.locator("#password")).to_be_visible()
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.page.get_by_role("button", name="Copy").click()
    expect(desk.page.locator(".toast")).to_contain_text("password")


@state("dana", axe=False)
def person_with_a_new_password(desk: Desk) -> None:
    desk.goto(ALICE)
    desk.page.get_by_role("button", name="Set a new password").click()
    expect(desk.page.locator("#password")).to_be_visible()


@state("dana")
def groups(desk: Desk) -> None:
    desk.goto("/groups/")
    expect(desk.page.get_by_role("link", name="engineers")).to_be_visible()


@state("dana")
def group(desk: Desk) -> None:
    desk.catalogue.deployer.approvers = desk.catalogue.engineers
    desk.catalogue.deployer.save()
    GroupDuty.objects.create(group=desk.catalogue.engineers, duty="auditor")
    allow(desk.catalogue.nobody, desk.catalogue.engineers)
    desk.goto(_group(desk))
    desk.page.get_by_label("Add people").fill("charlie\nbob")
    _save(desk)
    expect(desk.page.get_by_role("status").first).to_contain_text("Saved")


@state("dana")
def group_mistaken(desk: Desk) -> None:
    desk.goto(_group(desk))
    desk.page.get_by_label("Add people").fill("zoe")
    _save(desk)
    expect(desk.page.get_by_role("alert")).to_contain_text("Nobody here has the user name zoe")


@state("dana")
def group_changed_by_two(desk: Desk) -> None:
    desk.goto(_group(desk))
    desk.page.get_by_label("Add people").fill("bob")
    desk.page.get_by_role("checkbox", name="Take out").check()
    desk.catalogue.engineers.user_set.add(desk.cast.charlie)
    _save(desk)
    expect(desk.page.get_by_role("alert")).to_contain_text("Somebody else changed this")


@state("dana")
def group_of_very_many(desk: Desk) -> None:
    User.objects.bulk_create(User(username=f"person{n:03}", handle=f"person{n:03}") for n in range(150))
    desk.catalogue.engineers.user_set.add(*User.objects.filter(username__startswith="person"))
    desk.goto(f"{_group(desk)}?member=person14")
    expect(desk.page.get_by_role("table", name="Members").get_by_role("row")).to_have_count(11)


@state("dana")
def group_new(desk: Desk) -> None:
    desk.goto("/groups/new/")
    expect(desk.page.get_by_role("button", name="Add the group")).to_be_visible()
