"""Writes of people and groups: nobody is locked out, also not by two at once; passwords; states."""

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction

from credportal.access import groups, people
from credportal.access.models import GroupDuty, User
from credportal.access.selectors import people as reads
from credportal.domain.types import Duty
from tests.support.cast import Cast, Catalogue, give_duties, make_cast, make_person


def change(person: User, *, is_active: bool = True, ids: frozenset[int] = frozenset()) -> None:
    with transaction.atomic():
        people.change_person(person, version=1, name="", email="", is_active=is_active, groups=ids)


def test_the_last_one_who_looks_after_people_cannot_be_taken_away(cast: Cast) -> None:
    admins = Group.objects.get(name="admins")
    with pytest.raises(people.LockedOut):
        change(cast.dana)
    with pytest.raises(people.LockedOut):
        change(cast.dana, is_active=False, ids=frozenset({admins.pk}))
    with pytest.raises(people.LockedOut), transaction.atomic():
        groups.change_group(
            admins,
            state=groups.state_of(admins),
            name="admins",
            duties=frozenset({Duty.CATALOGUE_ADMIN}),
            joining=frozenset(),
            leaving=frozenset(),
        )
    assert User.objects.get(handle="dana").is_user_admin


def test_the_duty_may_come_from_another_group(cast: Cast) -> None:
    desk = Group.objects.create(name="people desk")
    GroupDuty.objects.create(group=desk, duty=Duty.USER_ADMIN.value)
    change(cast.dana, ids=frozenset({desk.pk}))
    assert User.objects.get(handle="dana").is_user_admin


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_at_once_leave_one() -> None:
    cast = make_cast()
    give_duties("admins", (), cast.erin)
    # Both wait here with what they wrote, so that neither commits first; the one that queues never comes.
    written, refused = threading.Barrier(2), []

    def remove(person: User) -> None:
        try:
            with transaction.atomic():
                change(person, is_active=False)
                with suppress(threading.BrokenBarrierError):
                    written.wait(timeout=1)
        except people.LockedOut:
            refused.append(person)
        finally:
            connection.close()

    threads = [threading.Thread(target=remove, args=[person]) for person in (cast.dana, cast.erin)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(refused) == 1
    left = User.objects.get(is_active=True, groups__name="admins")
    assert left in (cast.dana, cast.erin)


def _rename(group: Group, cast: Cast) -> None:
    Group.objects.filter(pk=group.pk).update(name="builders")


def _duty(group: Group, cast: Cast) -> None:
    give_duties(group.name, (Duty.SUPPORT,))


def _member(group: Group, cast: Cast) -> None:
    group.user_set.add(cast.charlie)


def _swap(group: Group, cast: Cast) -> None:
    group.user_set.set([cast.charlie])


@pytest.mark.parametrize("act", [_rename, _duty, _member, _swap])
def test_the_state_of_a_group_differs_once_what_its_page_shows_does(
    cast: Cast, catalogue: Catalogue, act: Callable[[Group, Cast], None]
) -> None:
    before = groups.state_of(catalogue.engineers)
    assert groups.state_of(Group.objects.get(pk=catalogue.engineers.pk)) == before
    act(catalogue.engineers, cast)
    assert groups.state_of(Group.objects.get(pk=catalogue.engineers.pk)) != before


def test_whoever_moves_has_a_newer_version_and_nobody_else(cast: Cast, catalogue: Catalogue) -> None:
    groups.change_group(
        catalogue.engineers,
        state=groups.state_of(catalogue.engineers),
        name="engineers",
        duties=frozenset(),
        joining=frozenset({cast.bob.pk}),
        leaving=frozenset({cast.alice.pk, cast.erin.pk}),
    )
    versions = dict(User.objects.values_list("handle", "version"))
    assert versions == {"alice": 2, "bob": 2, "charlie": 1, "dana": 1, "erin": 1}


def test_who_is_to_join_and_to_leave_leaves(cast: Cast, catalogue: Catalogue) -> None:
    both = frozenset({cast.alice.pk})
    state = groups.state_of(catalogue.engineers)
    done = groups.change_group(
        catalogue.engineers, state=state, name="engineers", duties=frozenset(), joining=both, leaving=both
    )
    assert done.group.after == {"left": ["alice"]}
    assert list(catalogue.engineers.user_set.all()) == []


def test_people_are_named_by_user_name_before_handle(cast: Cast) -> None:
    # The handle of the one is the user name of the other.
    first = make_person("jürgen", "Jürgen")
    second = make_person(first.handle, "Somebody who took that name")
    assert reads.people_named([first.handle]) == {first.handle: second.pk}
    assert reads.people_named(["jürgen", "nobody"]) == {"jürgen": first.pk}


def test_a_password_has_no_letters_that_look_alike() -> None:
    letters = set("".join(people.new_password() for _ in range(50)))
    assert letters.isdisjoint("aeiouyl01")
    assert len(letters) > 20
