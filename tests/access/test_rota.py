"""Who is on duty: computed for the moment that asks, from the slot, the person and the group as they are now."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from credportal.access.models import Rota, RotaSlot, User
from credportal.access.selectors import rota as reads
from tests.support.cast import Cast, Catalogue, make_person
from tests.support.rota import WORKDAYS, give_turn, make_rota

pytestmark = pytest.mark.django_db
MONDAY_NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
OFFICE = {"time_zone": "Europe/Berlin", "days": WORKDAYS, "starts": time(9), "ends": time(17)}


@pytest.fixture
def rota(cast: Cast, catalogue: Catalogue) -> Rota:
    """Return office hours in Berlin, for Bob's group; today is his turn."""
    made = make_rota(catalogue.support, **OFFICE)
    give_turn(made, cast.bob, MONDAY_NOON)
    return made


def test_whoever_has_the_slot_is_on_duty_until_just_before_its_end(cast: Cast, rota: Rota) -> None:
    duty = {hour: reads.on_duty(cast.bob, rota, now=MONDAY_NOON.replace(hour=hour)) for hour in (7, 8, 15, 16)}
    assert duty == {7: False, 8: True, 15: True, 16: False}


def test_the_next_day_is_not_theirs(cast: Cast, rota: Rota) -> None:
    assert not reads.on_duty(cast.bob, rota, now=MONDAY_NOON + timedelta(days=1))


def test_nobody_else_is_on_duty(cast: Cast, rota: Rota, catalogue: Catalogue) -> None:
    catalogue.support.user_set.add(cast.alice)
    assert not reads.on_duty(cast.alice, rota, now=MONDAY_NOON)


def test_who_has_left_the_group_is_not_on_duty(cast: Cast, rota: Rota, catalogue: Catalogue) -> None:
    catalogue.support.user_set.remove(cast.bob)
    assert not reads.on_duty(cast.bob, rota, now=MONDAY_NOON)
    assert reads.next_turns(cast.bob, now=MONDAY_NOON) == []


def test_who_is_switched_off_is_not_on_duty(cast: Cast, rota: Rota) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    assert not reads.on_duty(cast.bob, rota, now=MONDAY_NOON)
    cast.bob.refresh_from_db()
    assert reads.next_turns(cast.bob, now=MONDAY_NOON) == []


def test_a_slot_of_a_day_that_is_no_hand_over_any_more_counts_for_nothing(cast: Cast, rota: Rota) -> None:
    rota.days = "23456"
    rota.save()
    assert not reads.on_duty(cast.bob, rota, now=MONDAY_NOON)
    assert reads.next_turns(cast.bob, now=MONDAY_NOON) == []


def test_a_day_off_by_the_clocks_of_the_rota_is_its_own_key(cast: Cast, catalogue: Catalogue) -> None:
    tokyo = make_rota(catalogue.support, time_zone="Asia/Tokyo", starts=time(6), ends=time(12))
    give_turn(tokyo, cast.bob, datetime(2026, 11, 30, 22, tzinfo=UTC))
    assert str(RotaSlot.objects.get().day) == "2026-12-01"
    assert reads.on_duty(cast.bob, tokyo, now=datetime(2026, 11, 30, 21, tzinfo=UTC))


def test_duty_on_many_rotas_is_one_statement_and_on_none_no_statement(cast: Cast, catalogue: Catalogue) -> None:
    many = [make_rota(catalogue.support, name=f"Rota {number}", **OFFICE) for number in range(12)]
    give_turn(many[3], cast.bob, MONDAY_NOON)
    with CaptureQueriesContext(connection) as made:
        assert reads.rotas_on_duty(cast.bob, many, now=MONDAY_NOON) == {many[3].pk}
        assert reads.rotas_on_duty(cast.bob, [], now=MONDAY_NOON) == frozenset()
        assert reads.rotas_on_duty(cast.bob, many, now=MONDAY_NOON.replace(hour=20)) == frozenset()
    assert len(made) == 1


def test_the_next_dates_begin_with_the_one_that_runs_and_are_five(cast: Cast, rota: Rota, catalogue: Catalogue) -> None:
    weekly = make_rota(catalogue.support, name="Weekly", days="1", starts=time(9))
    for days in (-1, 1, 2, 3, 4, 7):
        if days != -1:
            give_turn(rota, cast.bob, MONDAY_NOON, days=days)
    give_turn(weekly, cast.bob, MONDAY_NOON - timedelta(days=4))
    with CaptureQueriesContext(connection) as made:
        found = reads.next_turns(cast.bob, now=MONDAY_NOON.replace(hour=8, minute=30))
    assert [(turn.rota.name, turn.slot.day.day) for turn in found] == [
        ("Weekly", 23),
        ("Support Europe", 30),
        ("Support Europe", 1),
        ("Support Europe", 2),
        ("Support Europe", 3),
    ]
    assert len(made) == 1


def test_what_nobody_fills_says_why(cast: Cast, rota: Rota, catalogue: Catalogue) -> None:
    catalogue.support.user_set.add(cast.alice)
    give_turn(rota, cast.alice, MONDAY_NOON, days=1)
    give_turn(rota, cast.charlie, MONDAY_NOON, days=2)
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    with CaptureQueriesContext(connection) as made:
        found = reads.turns([rota], MONDAY_NOON, MONDAY_NOON + timedelta(days=7))[rota.pk]
    assert [turn.lack for turn in found] == [
        "",
        "Alice Engström is switched off",
        "Charlie Novak has left the group",
        "Nobody",
        "Nobody",
        "Nobody",
    ]
    assert [turn.is_filled for turn in found] == [True, *[False] * 5]
    assert len(made) == 1


def test_a_group_offers_its_first_fifty_active_members(rota: Rota, catalogue: Catalogue) -> None:
    more = [make_person(f"person-{number:03}", f"Person {number:03}") for number in range(60)]
    User.objects.filter(pk=more[0].pk).update(is_active=False)
    catalogue.support.user_set.add(*more)
    names = [str(person) for person in reads.members_of(rota)]
    assert (names[0], names[1], len(names)) == ("Bob Osei", "Person 001", 50)
    assert reads.members_in(catalogue.support) == 51
    assert reads.members_in(Group.objects.create(name="empty")) == 0


@pytest.mark.parametrize("days", ["", "11", "21", "8", "0", "Mon"])
def test_a_rota_has_each_day_of_the_week_once_and_in_order(catalogue: Catalogue, days: str) -> None:
    rota = Rota(name="x", group=catalogue.support, starts=time(9), days=days)
    with pytest.raises(ValidationError):
        rota.full_clean()


def test_the_database_refuses_a_rota_without_days(catalogue: Catalogue) -> None:
    with pytest.raises(IntegrityError):
        make_rota(catalogue.support, days="")


def test_a_slot_has_one_person(cast: Cast, rota: Rota) -> None:
    with pytest.raises(IntegrityError):
        RotaSlot.objects.create(rota=rota, day=MONDAY_NOON.date(), person=cast.alice)
