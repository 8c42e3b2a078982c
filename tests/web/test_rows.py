"""What a role's form offers."""

from datetime import UTC, datetime, time, timedelta

import pytest

from credportal.access.models import User
from credportal.web.presets import presets, until_day_ends

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def alice(ends: time = time(17, 30), zone: str = "UTC") -> User:
    return User(username="alice", time_zone=zone, day_ends=ends)


def offered(hours: float, chosen: timedelta | None = None, user: User | None = None) -> list[tuple[str, bool]]:
    return [
        (item.label, item.checked) for item in presets(user or alice(), timedelta(hours=hours), now=NOON, chosen=chosen)
    ]


def test_the_longest_is_the_last_preset_and_one_hour_the_usual_one() -> None:
    assert offered(4) == [("15 min", False), ("1 h", True), ("2 h", False), ("4 h", False)]


def test_a_role_shorter_than_the_usual_hour_offers_its_longest() -> None:
    assert offered(0.5) == [("15 min", False), ("30 min", True)]


def test_a_duration_of_ones_own_from_last_time_is_offered_and_chosen() -> None:
    assert offered(2, timedelta(minutes=95)) == [
        ("15 min", False),
        ("1 h", False),
        ("1 h 35 min", True),
        ("2 h", False),
    ]


def test_a_duration_that_has_become_too_long_falls_back_to_the_longest() -> None:
    assert offered(2, timedelta(hours=8)) == [("15 min", False), ("1 h", False), ("2 h", True)]


def test_nothing_is_chosen_beside_a_duration_that_the_person_writes() -> None:
    assert not any(checked for _, checked in offered(4, timedelta(0)))


def test_the_end_of_the_day_is_offered_where_it_fits() -> None:
    assert offered(12)[-1] == ("Until 17:30", False)
    assert ("Until 17:30", False) not in offered(4)


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 5.5), ("Europe/Berlin", 4.5), ("America/New_York", 10.5)])
def test_the_day_ends_in_the_persons_own_time_zone(zone: str, hours: float) -> None:
    assert until_day_ends(alice(zone=zone), NOON) == timedelta(hours=hours)


def test_the_day_is_an_hour_longer_when_summer_time_ends() -> None:
    midnight_utc = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    assert until_day_ends(alice(zone="Europe/Berlin"), midnight_utc) == timedelta(hours=16, minutes=30)


def test_the_end_of_the_day_is_rounded_up_to_a_minute() -> None:
    assert until_day_ends(alice(ends=time(12, 30)), NOON + timedelta(seconds=10)) == timedelta(minutes=30)
