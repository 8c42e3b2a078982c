"""The rota: who is on duty, what nobody fills, and the form that says whose turn is when."""

from collections.abc import Collection
from datetime import time, timedelta

from django.utils import timezone
from playwright.sync_api import expect

from credportal.access.models import Rota, User
from credportal.domain.rota import slots_between
from credportal.domain.types import Duty
from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.cast import give_duties, make_person
from tests.support.handouts import delegate
from tests.support.rota import WORKDAYS, give_turn, make_rota

LONG = "Wilhelmina Featherstonehaugh-Ramachandran of Support and Escalations"


def _team(desk: Desk) -> list[User]:
    """Let Bob and three others do support."""
    others = [make_person("frank", "Frank Ito"), make_person("grace", LONG), make_person("heidi", "Heidi Brandt")]
    desk.catalogue.support.user_set.add(*others)
    give_duties("support", (Duty.SUPPORT,))
    User.objects.filter(pk__in=[desk.cast.bob.pk, desk.cast.dana.pk]).update(time_zone="Europe/Lisbon")
    return [desk.cast.bob, *others]


def _days(desk: Desk, *, without: Collection[int] = (), **fields: object) -> Rota:
    """Fill the turns of four weeks, one after the other, but for some of them."""
    team, now = _team(desk), timezone.now()
    rota = make_rota(desk.catalogue.support, time_zone="Europe/Berlin", **fields)
    for number, slot in enumerate(slots_between(rota.plan, now, now + timedelta(weeks=4))):
        if number not in without:
            give_turn(rota, team[number % len(team)], slot.starts)
    return rota


@state("bob")
def rota_none_yet(desk: Desk) -> None:
    _team(desk)
    desk.goto("/rota/")
    expect(desk.page.get_by_role("heading", name="No rota yet")).to_be_visible()


@state("dana")
def rota_none_yet_for_an_admin(desk: Desk) -> None:
    desk.goto("/rota/")
    expect(desk.page.get_by_role("link", name="Add a rota")).to_be_visible()


@state("bob")
def rota_on_duty(desk: Desk) -> None:
    _days(desk)
    desk.goto("/rota/")
    expect(desk.page.get_by_text("On duty now")).to_be_visible()


@state("bob")
def rota_with_unfilled_turns(desk: Desk) -> None:
    _days(desk, without={0, 3, 4, 11})
    User.objects.filter(handle="frank").update(is_active=False)
    desk.catalogue.support.user_set.remove(User.objects.get(handle="heidi"))
    desk.goto("/rota/")
    expect(desk.page.get_by_text("Nobody is on duty now")).to_be_visible()


@state("dana")
def rota_several(desk: Desk) -> None:
    team = _team(desk)
    soon = (timezone.now() + timedelta(hours=3)).time()
    office = {"starts": soon, "ends": (timezone.now() + timedelta(hours=11)).time()}
    make_rota(desk.catalogue.support, name="Between turns", **office)
    weekly = make_rota(desk.catalogue.support, name="Weekly, of everybody", days="1", starts=time(9))
    for week in range(4):
        give_turn(weekly, team[week % len(team)], days=7 * week)
    long = "SupportAndEscalationsOfTheMerchantsInEuropeMiddleEastAndAfricaOK"
    make_rota(desk.catalogue.support, name=long, time_zone="America/Argentina/Buenos_Aires", days=WORKDAYS)
    desk.goto("/rota/")
    expect(desk.page.get_by_text("Nobody has a turn now")).to_be_visible()


@state("dana")
def rota_new(desk: Desk) -> None:
    desk.goto("/rota/new/")
    expect(desk.page.get_by_role("button", name="Add the rota")).to_be_visible()


@state("dana", axe=False)
def rota_new_with_mistakes(desk: Desk) -> None:
    desk.goto("/rota/new/")
    desk.page.get_by_label("Hand-over at").evaluate("field => field.form.noValidate = true")
    desk.page.get_by_role("button", name="Add the rota").click()
    expect(desk.page.locator(".errors")).to_be_focused()


@state("dana")
def rota_to_change(desk: Desk) -> None:
    rota = _days(desk, without={2, 5, 9}, starts=time(9), ends=time(17), days=WORKDAYS, name="Office hours")
    desk.catalogue.support.user_set.remove(User.objects.get(handle="heidi"))
    delegate(desk.catalogue.support, desk.catalogue.read_only, rota=rota, name="Support reads payments")
    desk.goto(f"/rota/{rota.pk}/")
    expect(desk.page.get_by_role("button", name="Save")).to_be_visible()


@state("dana")
def rota_filled_in_turn(desk: Desk) -> None:
    rota = _days(desk, without={2, 5, 9})
    desk.goto(f"/rota/{rota.pk}/")
    desk.page.get_by_role("button", name="Fill in").click()
    expect(desk.page.get_by_text("nothing is saved yet")).to_be_visible()


@state("dana", axe=False)
def rota_somebody_was_faster(desk: Desk) -> None:
    rota = _days(desk)
    desk.goto(f"/rota/{rota.pk}/")
    Rota.objects.update(version=2, time_zone="Europe/Paris")
    give_turn(rota, desk.cast.bob, days=1)
    desk.page.get_by_label("Name").fill("Another name")
    desk.page.get_by_role("button", name="Save").click()
    expect(desk.page.get_by_text("Somebody else changed this")).to_be_visible()


@state("bob")
def rota_off_duty_when_handing_out(desk: Desk) -> None:
    team = _team(desk)
    rota = make_rota(desk.catalogue.support, time_zone="Europe/Berlin")
    give_turn(rota, team[0], days=3)
    delegate(desk.catalogue.support, desk.catalogue.read_only, rota=rota)
    desk.goto("/handouts/new/")
    expect(desk.page.get_by_text("You are not on duty")).to_be_visible()
