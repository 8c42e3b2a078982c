"""What a person sets for themselves."""

from datetime import time

from credportal.access import preferences, selectors
from credportal.access.models import Favourite
from tests.support.cast import Cast, Catalogue


def test_starring_twice_is_starring_once(catalogue: Catalogue, cast: Cast) -> None:
    for _ in range(2):
        preferences.set_favourite(user=cast.alice, role_id=catalogue.read_only.id, starred=True)
    assert selectors.favourite_ids(cast.alice) == {catalogue.read_only.id}
    assert Favourite.objects.count() == 1


def test_unstarring_takes_only_ones_own_star_away(catalogue: Catalogue, cast: Cast) -> None:
    for person in (cast.alice, cast.bob):
        preferences.set_favourite(user=person, role_id=catalogue.read_only.id, starred=True)
    for _ in range(2):
        preferences.set_favourite(user=cast.alice, role_id=catalogue.read_only.id, starred=False)
    assert selectors.favourite_ids(cast.alice) == set()
    assert selectors.favourite_ids(cast.bob) == {catalogue.read_only.id}


def test_the_day_is_stored_and_nothing_else_of_the_person_is(cast: Cast) -> None:
    cast.alice.is_active = False  # Not saved by anybody.
    preferences.set_day(user=cast.alice, time_zone="Europe/Berlin", day_ends=time(18, 0))
    cast.alice.refresh_from_db()
    assert (cast.alice.time_zone, cast.alice.day_ends) == ("Europe/Berlin", time(18, 0))
    assert cast.alice.is_active
