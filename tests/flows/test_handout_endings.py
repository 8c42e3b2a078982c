"""How hand-outs end that nobody claims: with their window, with the people they hang on, and in the end for good."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import GroupDuty, Handout, User
from credportal.access.selectors import handouts as access
from credportal.audit.models import Event, Issuance
from credportal.domain.types import Duty
from credportal.flows import groups, handout_changes, people
from credportal.flows.catalogue import import_catalogue
from credportal.flows.groups import state_of
from credportal.flows.housekeeping import keep_house
from credportal.flows.people import Saved
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, claim, fresh, handed_out, state, support, why_not
from tests.support.notices import new_mails, to_whom, told_cast
from tests.support.requests import ORIGIN
from tests.support.unwritable import unwritable_audit

__all__ = ["told_cast"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(cast: Cast, catalogue: Catalogue) -> list[Any]:
    """Bob has two hand-outs open: one for Charlie, one for Alice."""
    support(cast, catalogue.read_only)
    return [
        handed_out(cast.bob, catalogue.read_only, person, submission=f"submission-for-{person.handle}")
        for person in (cast.charlie, cast.alice)
    ]


def change(cast: Cast, person: User, **changed: Any) -> object:
    person = fresh(person)
    ids = frozenset(person.groups.values_list("pk", flat=True))
    wanted = {"name": person.name, "email": person.email, "is_active": True, "groups": ids, **changed}
    return people.change_person(actor=fresh(cast.dana), origin=ORIGIN, person=person, version=person.version, **wanted)


def cancelled() -> list[tuple[str, str, str]]:
    """Return each event of a cancelled hand-out: who did it, for whom it had been, and why."""
    events = Event.objects.filter(kind="handout:cancelled").order_by("id")
    return [(event.actor_handle, event.on_behalf_of, event.detail["after"]["why"]) for event in events]


def test_switching_an_issuer_off_ends_all_that_they_have_open(cast: Cast, two: list[Any]) -> None:
    assert change(cast, cast.bob, is_active=False) == Saved(changed=True, ended=2)
    assert [state(given) for given in two] == ["cancelled", "cancelled"]
    why = "Whoever handed it out was switched off."
    assert cancelled() == [("dana", "charlie", why), ("dana", "alice", why)]
    assert Handout.objects.filter(ended_by=cast.dana).count() == 2
    assert why_not(claim(cast.charlie, two[0])) == "handout_cancelled"


def test_the_page_of_the_person_says_how_many_ended(cast: Cast, two: list[Any], dana: Client) -> None:
    bob = fresh(cast.bob)
    groups = [str(pk) for pk in bob.groups.values_list("pk", flat=True)]
    fields = {"name": bob.name, "email": bob.email, "groups": groups, "version": bob.version}
    answer = dana.post("/people/bob/profile/", fields)
    assert answer["Location"] == "/people/bob/profile/?saved=1&ended=2"
    assert "2 open hand-outs ended with it." in dana.get(answer["Location"]).content.decode()
    assert dana.get("/people/bob/profile/?saved=1&ended=<b>").status_code == 200


def test_where_it_cannot_be_recorded_nobody_is_switched_off_and_nothing_ends(cast: Cast, two: list[Any]) -> None:
    with unwritable_audit():
        assert change(cast, cast.bob, is_active=False) == people.AuditUnavailable()
    assert fresh(cast.bob).is_active
    assert [state(given) for given in two] == ["open", "open"]


def test_a_change_that_takes_nothing_ends_nothing(cast: Cast, two: list[Any]) -> None:
    assert change(cast, cast.bob, name="Bob O.") == Saved(changed=True, ended=0)
    assert [state(given) for given in two] == ["open", "open"]


def test_taking_somebody_out_of_support_ends_what_they_have_open(cast: Cast, two: list[Any]) -> None:
    assert change(cast, cast.bob, groups=frozenset()) == Saved(changed=True, ended=2)
    why = "Whoever handed it out is not in support any more."
    assert cancelled() == [("dana", "charlie", why), ("dana", "alice", why)]


@pytest.mark.parametrize("act", ["the member leaves", "the duty goes"])
def test_a_group_that_gives_the_duty_no_more_ends_what_its_members_have_open(
    cast: Cast, two: list[Any], act: str
) -> None:
    group = Group.objects.get(name="support")
    leaves = act == "the member leaves"
    answer = groups.change_group(
        actor=fresh(cast.dana),
        origin=ORIGIN,
        group=group,
        state=state_of(group),
        name=group.name,
        duties=frozenset({Duty.SUPPORT}) if leaves else frozenset(),
        joining=frozenset(),
        leaving=frozenset({cast.bob.pk}) if leaves else frozenset(),
    )
    assert answer == Saved(changed=True, ended=2)
    assert {who for who, _, _ in cancelled()} == {"dana"}


@pytest.mark.parametrize("entry", ["duties: []", "members: []"])
def test_a_catalogue_file_that_takes_the_duty_ends_them_too(cast: Cast, two: list[Any], entry: str) -> None:
    plan = import_catalogue(f"groups:\n  - name: support\n    {entry}\n", dry_run=False)
    assert not plan.problems
    assert [who for who, _, _ in cancelled()] == ["", ""]
    assert [state(given) for given in two] == ["cancelled", "cancelled"]


def test_a_dry_run_of_a_catalogue_file_ends_nothing(cast: Cast, two: list[Any]) -> None:
    import_catalogue("groups:\n  - name: support\n    duties: []\n", dry_run=True)
    assert [state(given) for given in two] == ["open", "open"]


def test_switching_a_recipient_off_ends_what_is_open_for_them_alone(cast: Cast, two: list[Any]) -> None:
    assert change(cast, cast.charlie, is_active=False) == Saved(changed=True, ended=1)
    assert [state(given) for given in two] == ["cancelled", "open"]
    assert cancelled() == [("dana", "charlie", "The recipient was switched off.")]


def test_what_was_changed_past_the_pages_is_ended_by_housekeeping(cast: Cast, two: list[Any]) -> None:
    GroupDuty.objects.filter(duty="support").delete()
    kept = keep_house()
    assert sorted(kept.handouts_cancelled) == sorted(given.handout.id for given in two)
    assert {who for who, _, _ in cancelled()} == {""}
    assert keep_house().handouts_cancelled == ()


def test_the_people_hear_of_it(told_cast: Cast, catalogue: Catalogue) -> None:
    support(told_cast, catalogue.read_only)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    new_mails()
    change(told_cast, told_cast.bob, groups=frozenset())
    mails = new_mails()
    assert to_whom(mails) == ["bob", "charlie"]
    assert "by Dana Haddad. Whoever handed it out is not in support any more." in mails[0].body


def test_housekeeping_writes_down_that_a_window_is_over(cast: Cast, two: list[Any]) -> None:
    Handout.objects.filter(pk=two[0].handout.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert keep_house().handouts_expired == (two[0].handout.id,)
    assert [state(given) for given in two] == ["expired", "open"]
    event = Event.objects.get(kind="handout:expired")
    assert (event.actor_handle, event.on_behalf_of) == ("", "charlie")
    row = Handout.objects.get(pk=two[0].handout.pk)
    assert row.ended_at == row.expires_at


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two threads wait for each other once both have read what is over."""
    barrier = threading.Barrier(2)
    reads: Callable[..., list[Handout]] = access.overdue_handouts

    def reading(**how: Any) -> list[Handout]:
        found = reads(**how)
        if threading.current_thread() is not threading.main_thread():
            barrier.wait(10)
        return found

    monkeypatch.setattr(access, "overdue_handouts", reading)


def test_of_two_housekeepings_at_once_one_lets_each_expire(cast: Cast, two: list[Any], together: None) -> None:
    Handout.objects.update(expires_at=timezone.now())
    expired: list[str] = []

    def work() -> None:
        expired.extend(handout_changes.expire_overdue(now=timezone.now()))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(expired) == sorted(given.handout.id for given in two)
    assert Event.objects.filter(kind="handout:expired").count() == 2


def test_a_claim_whose_worker_died_is_burned_with_its_issuance_once(cast: Cast, two: list[Any]) -> None:
    Issuance.objects.create(
        id="4k9zq2h7m3xw",
        submission="of-a-worker-that-died",
        actor_id=cast.charlie.pk,
        actor_handle="charlie",
        role_id=two[0].handout.role_id,
        session_name="charlie+bob-4k9zq2h7m3xw",
        status="requested",
        duration_asked=timedelta(hours=1),
        requested_at=timezone.now() - timedelta(minutes=1),
    )
    Handout.objects.filter(pk=two[0].handout.pk).update(
        state="claimed", issuance_id="4k9zq2h7m3xw", claimed_at=timezone.now()
    )
    assert keep_house().reaped == ("4k9zq2h7m3xw",)
    keep_house()
    event = Event.objects.get(kind="handout:burned")
    assert (event.issuance_id, event.code) == ("4k9zq2h7m3xw", "no_outcome")
    assert Event.objects.filter(kind="issuance:unknown").count() == 1
    assert state(two[0]) == "claimed"
    assert why_not(claim(cast.charlie, two[0])) == "handout_claimed"


def test_what_ended_long_ago_is_deleted_and_its_events_stay(
    cast: Cast, catalogue: Catalogue, settings: Settings
) -> None:
    settings.HANDOUT_DAYS = 30
    support(cast, catalogue.read_only, outsider_minutes=30)
    old, young, still_open = (
        handed_out(cast.bob, catalogue.read_only, VENDOR, minutes=30, submission=f"submission-{n}" * 2)
        for n in range(3)
    )
    days = timezone.now() - timedelta(days=31)
    Handout.objects.filter(pk=old.handout.pk).update(state="expired", made_at=days)
    Handout.objects.filter(pk=young.handout.pk).update(state="expired")
    Handout.objects.filter(pk=still_open.handout.pk).update(made_at=days)
    events = Event.objects.count()
    assert keep_house().handouts_deleted == 1
    assert set(Handout.objects.values_list("pk", flat=True)) == {young.handout.pk, still_open.handout.pk}
    assert Event.objects.count() == events
    assert keep_house().handouts_deleted == 0
