"""The pages of the rota: who is on duty, whose turn is when, and the form that says so."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access.models import Delegation, Rota, RotaSlot, User
from credportal.audit.models import Event
from credportal.domain.rota import Slot
from credportal.domain.types import Duty
from credportal.web.rota import span
from tests.support.cast import Cast, Catalogue, give_duties, make_person
from tests.support.handouts import delegate
from tests.support.html import hidden
from tests.support.rota import give_turn, make_rota
from tests.support.unwritable import unwritable_audit

NEW = {
    "name": "Support Europe",
    "time_zone": "Europe/Berlin",
    "days": ["5", "1", "2", "3", "4"],
    "starts": "09:00",
    "ends": "17:00",
}


@pytest.fixture
def bob(cast: Cast, catalogue: Catalogue, sign_in: Callable[[User], Client]) -> Client:
    """Sign Bob in, who does support."""
    give_duties("support", (Duty.SUPPORT,))
    return sign_in(cast.bob)


@pytest.fixture
def rota(cast: Cast, catalogue: Catalogue) -> Rota:
    return make_rota(catalogue.support)


def text_of(answer: Any) -> str:
    words = re.sub(r"<[^>]+>", "", answer.content.decode().replace("<wbr>", ""))
    return re.sub(r"\s+", " ", words)


def fields_of(client: Client, rota: Rota, **changed: Any) -> dict[str, Any]:
    """Return what the page of a rota would send, with some fields changed; slots that are not named stay."""
    seen = client.get(f"/rota/{rota.pk}/").content.decode()
    sent = {
        "version": hidden(seen, "version"),
        "name": rota.name,
        "group": rota.group_id,
        "time_zone": rota.time_zone,
        "days": list(rota.days),
        "starts": f"{rota.starts:%H:%M}",
        "ends": f"{rota.ends:%H:%M}" if rota.ends else "",
    }
    return {**sent, **changed}


def slot(days: int) -> str:
    """Return the field of the slot so many days from now, by a rota in UTC."""
    return f"slot-{timezone.now().astimezone(UTC).date() + timedelta(days=days)}"


def told() -> list[tuple[str, str]]:
    return [(event.kind, event.actor_handle) for event in Event.objects.order_by("id")]


def test_without_a_rota_the_page_says_what_one_is_for(bob: Client) -> None:
    page = text_of(bob.get("/rota/"))
    assert "No rota yet" in page
    assert "A catalogue admin can add one." in page


def test_an_admin_is_offered_to_add_the_first_one(dana: Client) -> None:
    assert 'href="/rota/new/"' in dana.get("/rota/").content.decode()


def test_the_page_says_who_is_on_duty_and_until_when(bob: Client, cast: Cast, rota: Rota) -> None:
    give_turn(rota, cast.bob)
    page = text_of(bob.get("/rota/"))
    assert "On duty now Bob Osei (you) until" in page
    assert "27 of 28 turns" in page or "28 of 29 turns" in page


def test_a_slot_of_nobody_stands_out_by_word_and_icon(bob: Client, cast: Cast, rota: Rota) -> None:
    give_turn(rota, cast.charlie, days=1)
    answer = bob.get("/rota/")
    page = text_of(answer)
    assert "Nobody is on duty now" in page
    assert "Unfilled: Charlie Novak has left the group" in page
    assert answer.content.decode().count("#failed") >= 29


def test_between_slots_nobody_lacks(bob: Client, cast: Cast, rota: Rota) -> None:
    now = timezone.now()
    rota.starts, rota.ends = (now + timedelta(hours=2)).time(), (now + timedelta(hours=4)).time()
    rota.save()
    page = text_of(bob.get("/rota/"))
    assert "Nobody has a turn now. The next one begins" in page
    assert "Nobody is on duty now" not in page


def test_my_next_dates_are_in_my_time_zone_with_the_rotas_beside_it(bob: Client, cast: Cast, rota: Rota) -> None:
    User.objects.filter(pk=cast.bob.pk).update(time_zone="Asia/Tokyo")
    rota.starts, rota.ends = time(9), time(17)
    rota.save()
    row = give_turn(rota, cast.bob, datetime.combine(timezone.now().date() + timedelta(days=3), time(10), UTC))
    page = text_of(bob.get("/rota/"))
    day, after = row.day, row.day + timedelta(days=1)
    own = f"{day:%a} {day.day} {day:%b}, 18:00 – {after:%a} {after.day} {after:%b}, 02:00"
    theirs = f"{day:%a} {day.day} {day:%b}, 09:00–17:00 in UTC"
    assert f"Your next dates {own} Support Europe: {theirs}" in page


def test_the_rotas_time_zone_is_left_out_where_its_clocks_say_the_same(bob: Client, cast: Cast, rota: Rota) -> None:
    User.objects.filter(pk=cast.bob.pk).update(time_zone="Africa/Abidjan")
    give_turn(rota, cast.bob, days=2)
    assert " in UTC" not in text_of(bob.get("/rota/"))


def test_a_span_names_the_second_day_only_where_there_is_one() -> None:
    monday = datetime(2026, 11, 30, 9, tzinfo=UTC)
    assert span(Slot(monday.date(), monday, monday.replace(hour=17)), UTC) == "Mon 30 Nov, 09:00–17:00"
    week = Slot(monday.date(), monday, monday + timedelta(days=7))
    assert span(week, UTC) == "Mon 30 Nov, 09:00 – Mon 7 Dec, 09:00"


def test_the_page_takes_three_statements_of_its_own_however_many_rotas(
    bob: Client, cast: Cast, catalogue: Catalogue, rota: Rota
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as made:
            assert bob.get("/rota/").status_code == 200
        return len(made)

    give_turn(rota, cast.bob)
    one = statements()
    for number in range(19):
        more = make_rota(catalogue.support, name=f"Rota {number}")
        give_turn(more, cast.bob, days=number)
    assert statements() == one


def test_a_rota_is_added_and_leads_to_its_turns(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    answer = dana.post("/rota/new/", {**NEW, "group": catalogue.support.pk})
    rota = Rota.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/rota/{rota.pk}/?saved=added")
    assert (rota.days, rota.starts, rota.ends) == ("12345", time(9), time(17))
    assert told() == [("rota:added", "dana")]
    assert "Next: say whose turn is when." in text_of(dana.get(answer["Location"]))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "Support\u200bEurope"}, ""),
        ({"group": "999"}, "There is no such group."),
        ({"group": ""}, "This field is required."),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice."),
        ({"days": []}, "Choose one day at least."),
        ({"days": ["8"]}, "Select a valid choice."),
        ({"starts": "25:00"}, "Enter a valid time."),
        ({"ends": "09:30"}, "A turn lasts an hour at least."),
    ],
)
def test_a_mistake_is_said_and_what_was_typed_is_kept(
    dana: Client, catalogue: Catalogue, changed: dict[str, Any], why: str
) -> None:
    answer = dana.post("/rota/new/", {**NEW, "group": catalogue.support.pk, **changed})
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert 'value="09:00"' in answer.content.decode() or "25:00" in answer.content.decode()
    assert not Rota.objects.exists()
    assert told() == []


def test_a_group_that_is_too_large_to_take_turns_is_refused(dana: Client) -> None:
    large = Group.objects.create(name="everybody")
    large.user_set.add(*(make_person(f"person-{number}", f"Person {number}") for number in range(51)))
    answer = dana.post("/rota/new/", {**NEW, "group": large.pk})
    assert answer.status_code == 422
    assert "more than 50 active members" in text_of(answer)


def test_two_rotas_cannot_have_one_name(dana: Client, catalogue: Catalogue, rota: Rota) -> None:
    answer = dana.post("/rota/new/", {**NEW, "group": catalogue.support.pk})
    assert answer.status_code == 422
    assert "Another rota has this name." in text_of(answer)
    other = make_rota(catalogue.support, name="Other")
    answer = dana.post(f"/rota/{other.pk}/", fields_of(dana, other, name=rota.name))
    assert answer.status_code == 422
    assert told() == []


def test_people_get_their_turns(dana: Client, cast: Cast, rota: Rota) -> None:
    answer = dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, **{slot(0): cast.bob.pk, slot(2): cast.bob.pk}))
    assert (answer.status_code, answer["Location"]) == (302, f"/rota/{rota.pk}/?saved=changed")
    today = timezone.now().astimezone(UTC).date()
    assert set(RotaSlot.objects.values_list("day", "person")) == {
        (today, cast.bob.pk),
        (today + timedelta(days=2), cast.bob.pk),
    }
    (event,) = Event.objects.all()
    assert (event.kind, event.detail["after"][f"slot {today}"]) == ("rota:changed", "bob")


def test_a_turn_can_be_taken_back_and_what_was_not_sent_stays(dana: Client, cast: Cast, rota: Rota) -> None:
    give_turn(rota, cast.bob)
    kept = give_turn(rota, cast.bob, days=1)
    dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, **{slot(0): ""}))
    assert RotaSlot.objects.get() == kept


def test_who_is_no_member_cannot_be_given_a_turn(dana: Client, cast: Cast, rota: Rota) -> None:
    answer = dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, **{slot(0): cast.charlie.pk}))
    assert answer.status_code == 422
    assert not RotaSlot.objects.exists()
    assert told() == []


def test_a_turn_of_somebody_who_has_left_stays_until_it_is_given_to_another(
    dana: Client, cast: Cast, rota: Rota
) -> None:
    row = give_turn(rota, cast.charlie)
    answer = dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, name="New name", **{slot(0): cast.charlie.pk}))
    assert answer.status_code == 302
    assert RotaSlot.objects.get() == row
    assert Rota.objects.get().name == "New name"


def test_a_day_that_is_no_slot_is_not_written(dana: Client, cast: Cast, rota: Rota) -> None:
    forged = {"slot-1999-01-01": cast.bob.pk, slot(400): cast.bob.pk, "slot-x": "1"}
    answer = dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, **forged))
    assert answer["Location"].endswith("?saved=nothing")
    assert not RotaSlot.objects.exists()


def test_unfilled_turns_are_proposed_in_turn_and_nothing_is_saved(
    dana: Client, cast: Cast, catalogue: Catalogue, rota: Rota
) -> None:
    catalogue.support.user_set.add(cast.alice)
    give_turn(rota, cast.bob)
    give_turn(rota, cast.charlie, days=1)
    fields = fields_of(dana, rota, fill="1", fill_from="", **{slot(0): cast.bob.pk, slot(1): cast.charlie.pk})
    answer = dana.post(f"/rota/{rota.pk}/", fields)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "nothing is saved yet" in text_of(answer)
    chosen = re.findall(r'<option value="(\d+)" selected>(?:Alice Engström|Bob Osei)</option>', page)
    alice, bob = str(cast.alice.pk), str(cast.bob.pk)
    assert chosen[:4] == [bob, alice, bob, alice]
    assert len(chosen) >= 56
    assert RotaSlot.objects.count() == 2
    assert told() == []


def test_turns_are_filled_from_a_day_on(dana: Client, cast: Cast, rota: Rota) -> None:
    since = timezone.now().astimezone(UTC).date() + timedelta(days=7)
    answer = dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, fill="1", fill_from=str(since)))
    assert len(re.findall(r'<option value="\d+" selected>Bob Osei</option>', answer.content.decode())) in {49, 50}
    assert dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, fill="1", fill_from="soon")).status_code == 422


def test_whoever_was_slower_is_told_and_loses_nothing(dana: Client, cast: Cast, rota: Rota) -> None:
    fields = fields_of(dana, rota, name="Mine", **{slot(1): cast.bob.pk})
    Rota.objects.update(version=2, time_zone="Europe/Paris")
    answer = dana.post(f"/rota/{rota.pk}/", fields)
    page = text_of(answer)
    assert answer.status_code == 409
    assert "Somebody else changed this while you were at it" in page
    assert "Now: Europe/Paris" in page
    assert "Now: Nobody" in page
    assert 'value="Mine"' in answer.content.decode()
    assert hidden(answer.content.decode(), "version") == "2"
    assert not RotaSlot.objects.exists()
    assert dana.post(f"/rota/{rota.pk}/", {**fields, "version": "2"}).status_code == 302
    assert (Rota.objects.get().name, RotaSlot.objects.get().person) == ("Mine", cast.bob)


@pytest.mark.parametrize("version", ["", "0", "x", "99999999999999999999"])
def test_a_version_that_is_none_is_a_mistake(dana: Client, rota: Rota, version: str) -> None:
    assert dana.post(f"/rota/{rota.pk}/", {**fields_of(dana, rota), "version": version}).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_recorded_is_not_done(dana: Client, cast: Cast, catalogue: Catalogue, rota: Rota) -> None:
    fields = fields_of(dana, rota, **{slot(0): cast.bob.pk})
    with unwritable_audit():
        assert dana.post(f"/rota/{rota.pk}/", fields).status_code == 503
        new = {**NEW, "name": "Second", "group": catalogue.support.pk}
        assert dana.post("/rota/new/", new).status_code == 503
    assert (Rota.objects.count(), RotaSlot.objects.count()) == (1, 0)


def test_a_rota_that_is_not_there_is_not_found(dana: Client) -> None:
    assert dana.get("/rota/999/").status_code == 404
    assert dana.post("/rota/999/", NEW).status_code == 404
    assert dana.get("/rota/99999999999999999999/").status_code == 404


def test_the_page_names_the_delegations_that_depend_on_it(dana: Client, catalogue: Catalogue, rota: Rota) -> None:
    assert "No delegation yet." in text_of(dana.get(f"/rota/{rota.pk}/"))
    delegate(catalogue.support, catalogue.read_only, rota=rota, name="Support reads payments")
    assert "Support reads payments of support" in text_of(dana.get(f"/rota/{rota.pk}/"))


def test_support_and_auditors_look_and_only_catalogue_admins_change(
    bob: Client, cast: Cast, rota: Rota, sign_in: Callable[[User], Client]
) -> None:
    assert "/rota/new/" not in bob.get("/rota/").content.decode()
    assert bob.get(f"/rota/{rota.pk}/").status_code == 403
    assert bob.post(f"/rota/{rota.pk}/", {}).status_code == 403
    erin = sign_in(cast.erin)
    assert (erin.get("/rota/").status_code, erin.get("/rota/new/").status_code) == (200, 403)
    assert sign_in(cast.alice).get("/rota/").status_code == 403


def test_a_change_of_the_days_leaves_the_other_turns_as_they_were(dana: Client, cast: Cast, rota: Rota) -> None:
    row = give_turn(rota, cast.bob, days=1)
    dana.post(f"/rota/{rota.pk}/", fields_of(dana, rota, days=[str(date.isoweekday(row.day))]))
    assert RotaSlot.objects.get() == row
    assert Rota.objects.get().days == str(row.day.isoweekday())


def test_a_delegation_is_made_to_depend_on_a_rota_and_says_so(dana: Client, catalogue: Catalogue, rota: Rota) -> None:
    fields = {
        "name": "Cases",
        "group": catalogue.support.pk,
        "max_duration": "1 h",
        "max_open": "5",
        "max_per_day": "20",
        "roles": [catalogue.read_only.id],
    }
    assert dana.post("/catalogue/delegations/new/", {**fields, "rota": "999"}).status_code == 422
    assert dana.post("/catalogue/delegations/new/", {**fields, "rota": rota.pk}).status_code == 302
    row = Delegation.objects.get()
    assert row.rota == rota
    (event,) = Event.objects.filter(kind="delegation:added")
    assert event.detail["after"]["rota"] == "Support Europe"
    assert "Only while on duty by Support Europe" in text_of(dana.get(f"/catalogue/delegations/{row.pk}/"))
    assert "while on duty by Support Europe" in text_of(dana.get("/catalogue/delegations/"))
    del fields["group"]
    dana.post(f"/catalogue/delegations/{row.pk}/", {**fields, "version": "1", "rota": ""})
    assert Delegation.objects.get().rota is None
    (event,) = Event.objects.filter(kind="delegation:changed")
    assert event.detail == {"before": {"rota": "Support Europe"}, "after": {"rota": None}}


def test_the_form_that_hands_out_says_beforehand_who_is_off_duty_and_until_when(
    bob: Client, cast: Cast, catalogue: Catalogue, rota: Rota
) -> None:
    delegate(catalogue.support, catalogue.read_only, rota=rota)
    assert "You are not on duty by Support Europe. You have no turn in it yet." in text_of(bob.get("/handouts/new/"))
    row = give_turn(rota, cast.bob, days=2)
    begins = f"{row.day:%a} {row.day.day} {row.day:%b}, 00:00"
    assert f"You are not on duty by Support Europe. Your next turn: {begins} –" in text_of(bob.get("/handouts/new/"))
    give_turn(rota, cast.bob)
    assert "You are not on duty" not in text_of(bob.get("/handouts/new/"))


def test_the_form_says_nothing_of_duty_where_another_delegation_allows_it(
    bob: Client, catalogue: Catalogue, rota: Rota
) -> None:
    delegate(catalogue.support, catalogue.read_only, rota=rota)
    delegate(catalogue.support, catalogue.read_only)
    assert "You are not on duty" not in text_of(bob.get("/handouts/new/"))


@pytest.mark.django_db(transaction=True)
def test_handing_out_while_off_duty_is_refused_at_the_page_and_recorded(
    bob: Client, catalogue: Catalogue, rota: Rota
) -> None:
    delegate(catalogue.support, catalogue.read_only, rota=rota)
    sent = {
        "to": "colleague",
        "recipient": "charlie",
        "role": catalogue.read_only.id,
        "duration": "3600",
        "window": "3600",
        "reason": "Case 4711",
        "submission": "submission-of-a-hand-out",
    }
    answer = bob.post("/handouts/new/", sent)
    assert answer.status_code == 403
    assert "You may hand this out while you are on duty (Support Europe), and you are not now." in text_of(answer)
    assert 'href="/rota/"' in answer.content.decode()
    event = Event.objects.get(kind="handout:denied")
    assert (event.code, event.actor_handle, event.on_behalf_of) == ("off_duty", "bob", "charlie")
