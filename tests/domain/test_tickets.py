"""Tickets: what a pattern takes, what it does not, and the example that a page shows."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.tickets import pattern_problem, ticket_example, ticket_examples, ticket_fits

PATTERNS = st.lists(st.text("AB1#-_./", min_size=1, max_size=20), max_size=4).map(" ".join)
TICKETS = st.text("AB12-_./", max_size=70)


@pytest.mark.parametrize(
    ("pattern", "ticket", "fits"),
    [
        ("INC-#", "INC-1", True),
        ("INC-#", "INC-0012345", True),
        ("INC-#", "INC-", False),
        ("INC-#", "inc-1", False),
        ("INC-#", "INC-1 ", False),
        ("INC-#", "INC-1\n", False),
        ("INC-#", "INC-١", False),
        ("INC-#", "XINC-1", False),
        ("INC-# CHG-#", "CHG-7", True),
        ("INC-# CHG-#", "INC-1 CHG-7", False),
        ("##", "1", False),
        ("##", "12", True),
        ("#1#", "111", True),
        ("#1#", "121", False),
        ("A.C", "ABC", False),
        ("[A]", "A", False),
        ("ANY", "ANY", True),
        ("#", "#", False),
        ("", "anything/at:all", True),
        ("", "", False),
        ("", "no;tag", False),
        ("", "t" * 64, True),
        ("", "t" * 65, False),
    ],
)
def test_a_number_sign_stands_for_digits_and_all_else_for_itself(pattern: str, ticket: str, fits: bool) -> None:
    assert ticket_fits(pattern, ticket) == fits


@given(PATTERNS, TICKETS)
def test_a_ticket_fits_where_one_alternative_matches_it_whole(pattern: str, ticket: str) -> None:
    regexes = [
        re.sub(r"(\[0-9\])+", lambda run: f"[0-9]{{{len(run[0]) // 5},}}", part.replace("#", "[0-9]"))
        for part in (alternative.replace(".", "[.]") for alternative in pattern.split())
    ]
    legal = 1 <= len(ticket) <= 64
    expected = legal and (not regexes or any(re.fullmatch(regex, ticket, re.ASCII) for regex in regexes))
    assert ticket_fits(pattern, ticket) == expected


@given(PATTERNS)
def test_every_example_fits_its_pattern(pattern: str) -> None:
    assert pattern_problem(pattern) == ""
    assert all(ticket_fits(pattern, example) for example in ticket_examples(pattern))
    assert ticket_fits(pattern, ticket_example(pattern))


@given(st.text(max_size=220))
def test_a_pattern_with_a_problem_takes_nothing_and_has_no_example(pattern: str) -> None:
    if pattern_problem(pattern):
        assert not ticket_fits(pattern, "INC-1")
        assert ticket_example(pattern) == ""
    else:
        assert ticket_fits(pattern, ticket_example(pattern))


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        ("INC-# CHG-#", "INC-1234"),
        ("######", "123400"),
        ("", "TICKET-1234"),
        ("#" + "x" * 63, "1" + "x" * 63),
    ],
)
def test_the_example_is_of_the_first_alternative(pattern: str, example: str) -> None:
    assert ticket_example(pattern) == example


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("INC-#, CHG-#", "The 6th character is COMMA."),
        ("INC-#\tCHG-#", "The 6th character is the control character U+0009."),
        ("ІNC-#", "The 1st character is CYRILLIC CAPITAL LETTER BYELORUSSIAN-UKRAINIAN I."),
        ("x" * 65, "shorter"),
        ("#" * 201, "at most 200 characters"),
    ],
)
def test_a_problem_names_the_character_or_the_limit(pattern: str, words: str) -> None:
    assert words in pattern_problem(pattern)


def test_no_pattern_takes_long_to_read() -> None:
    began = time.perf_counter()
    assert not ticket_fits("#1" * 31 + "A", "1" * 64)
    assert not ticket_fits("#" * 63 + "A", "1" * 64)
    assert time.perf_counter() - began < 0.5
