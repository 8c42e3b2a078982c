"""Tickets: which ones a role takes. A pattern names its alternatives with spaces between: ``INC-# CHG-#``.

A ``#`` stands for one or more digits, everything else for itself. An empty pattern takes any ticket.
"""

from __future__ import annotations

import re
from itertools import groupby

from credportal.domain.lookalikes import strange_character
from credportal.domain.naming import TICKET_PATTERN

TICKET_MAX_LENGTH = 64
PATTERN_MAX_LENGTH = 200

_TICKET = re.compile(TICKET_PATTERN, re.ASCII)
_NOT_IN_PATTERN = re.compile(r"[^A-Za-z0-9_.:/=+@# -]")
_DIGITS = frozenset("0123456789")
_ANY_TICKET = "TICKET-1234"
_EXAMPLE_DIGITS = "1234"


def pattern_problem(text: str) -> str:
    """Say what is wrong with a pattern and how to mend it, in one sentence; empty where nothing is."""
    if len(text) > PATTERN_MAX_LENGTH:
        return f"Write the pattern in at most {PATTERN_MAX_LENGTH} characters."
    wrong = _NOT_IN_PATTERN.search(text)
    if wrong is not None:
        return (
            f"{strange_character(text, wrong.start())}. A ticket has only letters A to Z, digits and _ . : / = + @ -, "
            "so write the pattern with these, with # for a number and a space between alternatives."
        )
    if any(len(alternative) > TICKET_MAX_LENGTH for alternative in text.split()):
        return f"No ticket is longer than {TICKET_MAX_LENGTH} characters, so make each alternative shorter."
    return ""


def ticket_fits(pattern: str, ticket: str) -> bool:
    """Tell whether a ticket is one that AWS takes as a session tag, and one of the pattern's alternatives.

    A pattern with a problem takes no ticket at all: what came past the form opens nothing.
    """
    if not _TICKET.fullmatch(ticket) or pattern_problem(pattern):
        return False
    alternatives = pattern.split()
    return not alternatives or any(_matches(alternative, ticket) for alternative in alternatives)


def ticket_example(pattern: str) -> str:
    """Return a ticket that fits: ``INC-1234`` for ``INC-#``. Empty where the pattern has a problem."""
    examples = ticket_examples(pattern)
    return examples[0] if examples else ""


def ticket_examples(pattern: str) -> tuple[str, ...]:
    """Return one ticket for each alternative, in the pattern's order; nothing where the pattern has a problem."""
    if pattern_problem(pattern):
        return ()
    return tuple(_example_of(alternative) for alternative in pattern.split()) or (_ANY_TICKET,)


def _matches(alternative: str, ticket: str) -> bool:
    """Walk all ways through the alternative at once. A regex would try them one by one, which takes for ever."""
    places = {0}
    for char in ticket:
        is_digit = char in _DIGITS
        onward = set()
        for place in places:
            if place and alternative[place - 1] == "#" and is_digit:
                onward.add(place)
            if place < len(alternative) and (is_digit if alternative[place] == "#" else alternative[place] == char):
                onward.add(place + 1)
        places = onward
    return len(alternative) in places


def _example_of(alternative: str) -> str:
    runs = [(char, len(list(run))) for char, run in groupby(alternative)]
    readable = "".join(_EXAMPLE_DIGITS.ljust(count, "0") if char == "#" else char * count for char, count in runs)
    return readable if len(readable) <= TICKET_MAX_LENGTH else alternative.replace("#", "1")
