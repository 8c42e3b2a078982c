"""Durations as people write and read them. Inside the code a duration is a ``timedelta``."""

from __future__ import annotations

import re
from datetime import timedelta

MIN_DURATION = timedelta(seconds=900)
"""The shortest DurationSeconds of AssumeRole (STS API reference)."""
MAX_DURATION = timedelta(seconds=43200)
"""The longest DurationSeconds of AssumeRole (STS API reference)."""

NOT_SECONDS = "Write the duration in whole seconds."
TOO_SHORT = "The shortest duration AWS allows is 15 min."
TOO_LONG = "The longest duration AWS allows is 12 h."

_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_MOST_DIGITS = 5


def parse_duration(text: str) -> timedelta:
    """Read a form's duration: seconds in plain ASCII digits, 900 to 43200.

    Signs, spaces, underscores, exponents and digits of other scripts are refused.
    Raises ValueError with one sentence for the person.
    """
    if not _DIGITS.fullmatch(text):
        raise ValueError(NOT_SECONDS)
    if len(text) > _MOST_DIGITS:  # Never convert thousands of digits: int() is slow there, and refuses above 4300.
        raise ValueError(TOO_LONG)
    duration = timedelta(seconds=int(text))
    if duration < MIN_DURATION:
        raise ValueError(TOO_SHORT)
    if duration > MAX_DURATION:
        raise ValueError(TOO_LONG)
    return duration


def describe_duration(duration: timedelta) -> str:
    """Say a duration in words: ``15 min``, ``1 h 30 min``, ``12 h``. Parts of a second are dropped.

    Raises ValueError for a negative duration.
    """
    if duration < timedelta(0):
        raise ValueError("A duration is never negative.")
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (seconds, "s")) if number]
    return " ".join(parts) or "0 min"


def clock(seconds: int) -> str:
    """Show remaining seconds as a clock: ``42:10``, ``6:04:05``. Time that has run out reads ``0:00``."""
    minutes, second = divmod(max(seconds, 0), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"
