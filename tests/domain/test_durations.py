"""Durations: what a form may say, and how a page says it back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.durations import (
    MAX_DURATION,
    MIN_DURATION,
    NOT_SECONDS,
    TOO_LONG,
    TOO_SHORT,
    clock,
    describe_duration,
    parse_duration,
)


@pytest.mark.parametrize(("text", "duration"), [("900", MIN_DURATION), ("43200", MAX_DURATION)])
def test_both_limits_of_aws_are_allowed(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+900",
        " 900",
        "900 ",
        "900\n",
        "900.0",
        "1e3",
        "3_600",
        "0x900",
        "٣٦٠٠",
        "９００",
        "²",
        "1h",
        "\0",
    ],  # Digits of other scripts are the point.
)
def test_anything_but_plain_digits_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=NOT_SECONDS):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0", "1", "899", "00899"])
def test_less_than_15_minutes_is_too_short(text: str) -> None:
    with pytest.raises(ValueError, match=TOO_SHORT):
        parse_duration(text)


@pytest.mark.parametrize("text", ["43201", "99999", "100000", "9" * 5000], ids=len)
def test_more_than_12_hours_is_too_long_however_many_digits_it_has(text: str) -> None:
    with pytest.raises(ValueError, match=TOO_LONG):
        parse_duration(text)


@given(st.integers(900, 43200))
def test_every_whole_second_between_the_limits_is_read_exactly(seconds: int) -> None:
    assert parse_duration(str(seconds)) == timedelta(seconds=seconds)


@given(st.text())
def test_any_text_is_a_duration_in_the_limits_or_one_of_three_sentences(text: str) -> None:
    try:
        assert MIN_DURATION <= parse_duration(text) <= MAX_DURATION
    except ValueError as error:
        assert str(error) in {NOT_SECONDS, TOO_SHORT, TOO_LONG}  # noqa: PT017  # Both ends are right here.


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 min"),
        (900, "15 min"),
        (905, "15 min 5 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (43200, "12 h"),
        (90000, "25 h"),
    ],
)
def test_a_duration_is_said_in_hours_and_minutes(seconds: int, words: str) -> None:
    assert describe_duration(timedelta(seconds=seconds)) == words


def test_parts_of_a_second_are_not_said() -> None:
    assert describe_duration(timedelta(seconds=900, microseconds=999999)) == "15 min"


def test_a_negative_duration_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="never negative"):
        describe_duration(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(2530, "42:10"), (21845, "6:04:05"), (59, "0:59"), (60, "1:00"), (3600, "1:00:00"), (0, "0:00"), (-5, "0:00")],
)
def test_a_clock_shows_what_is_left(seconds: int, shown: str) -> None:
    assert clock(seconds) == shown
