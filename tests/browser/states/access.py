"""Who has access."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.cast import allow, make_person, make_role


@state("dana")
def who_matrix(desk: Desk) -> None:
    for number in range(9):
        role = make_role(desk.catalogue.staging, f"AVeryLongRoleNameThatSomebodyMadeUpForTeam{number}")
        allow(role, desk.catalogue.engineers)
    desk.goto("/who/")
    expect(desk.page.locator(".matrix")).to_be_visible()


@state("erin")
def who_matrix_nothing(desk: Desk) -> None:
    desk.goto("/who/?people=nobody-of-this-name")
    expect(desk.page.get_by_text("Nobody and nothing matches")).to_be_visible()


@state("dana")
def who_role(desk: Desk) -> None:
    for number in range(14):
        desk.catalogue.engineers.user_set.add(make_person(f"engineer-{number}", f"Engineer Number {number}"))
    allow(desk.catalogue.read_only, make_person("gone", "Gone Away", is_active=False))
    desk.goto(f"/who/roles/{desk.catalogue.read_only.id}/")
    expect(desk.page.get_by_text("16 people")).to_be_visible()


@state("dana")
def who_person(desk: Desk) -> None:
    allow(desk.catalogue.on_call, desk.cast.alice, hours=8)
    desk.goto("/who/people/alice/")
    expect(desk.page.get_by_role("heading", name="What Alice Engström has")).to_be_visible()


@state("erin")
def who_why_not(desk: Desk) -> None:
    row = allow(desk.catalogue.nobody, desk.cast.charlie)
    row.valid_until = timezone.now() - timedelta(days=1)
    row.save()
    desk.goto(f"/who/why/?person=charlie&role={desk.catalogue.nobody.id}")
    expect(desk.page.get_by_text("The rows that were tried")).to_be_visible()


@state("erin")
def who_why_mistaken(desk: Desk) -> None:
    desk.goto("/who/why/?person=nobody&role=nothing")
    expect(desk.page.get_by_role("alert")).to_be_visible()
