"""The keys of a catalogue file: how the text of each becomes a value. docs/operating.md describes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models

from credportal.access.models import Account, Role, User
from credportal.domain.durations import MAX_DURATION, MIN_DURATION
from credportal.domain.types import Environment

_DURATION = re.compile(r"(?:([0-9]{1,2})h)?(?:([0-9]{1,3})m)?", re.ASCII)

ReadText = Callable[[str], Any]
"""Turns the text of one key into a value. Raises ValueError with what to write instead."""


def _text(model: type[models.Model], column: str) -> ReadText:
    """Return a reader with the limits of a model's own column."""
    field: Any = model._meta.get_field(column)  # noqa: SLF001 -- Django documents Model._meta.

    def read(text: str) -> str:
        if not text.isprintable():
            raise ValueError("Take line breaks and control characters out.")
        try:
            field.clean(text, None)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from None
        return text

    return read


def _duration(shortest: timedelta, words: str) -> ReadText:
    def read(text: str) -> timedelta:
        match = _DURATION.fullmatch(text)
        duration = timedelta(hours=int(match[1] or 0), minutes=int(match[2] or 0)) if match else timedelta(0)
        if not shortest <= duration <= MAX_DURATION:
            raise ValueError(words)
        return duration

    return read


def _environment(text: str) -> str:
    if text not in set(Environment):
        raise ValueError("Write production, staging, development or sandbox.")
    return text


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("Write true or false.")
    return text == "true"


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else _no_time()
    except (ValueError, OverflowError):
        return _no_time()


def _no_time() -> NoReturn:
    raise ValueError("Write a time with its offset, such as 2027-01-31T18:00:00Z.") from None


ACCOUNT_KEYS = {
    "number": _text(Account, "number"),
    "name": _text(Account, "name"),
    "environment": _environment,
    "owner": _text(Account, "owner"),
}
ROLE_KEYS = {
    "arn": _text(Role, "arn"),
    "description": _text(Role, "description"),
    "max_session_duration": _duration(timedelta(hours=1), "Write 1h to 12h, such as 8h or 1h30m."),
    "default_region": _text(Role, "default_region"),
    "accepts_source_identity": _boolean,
    "accepts_session_tags": _boolean,
    "enabled": _boolean,
}
GROUP_KEYS = {"name": _text(Group, "name")}
MEMBER = _text(User, "username")
ELIGIBILITY_KEYS = {
    "role": _text(Role, "arn"),
    "group": _text(Group, "name"),
    "user": MEMBER,
    "max_duration": _duration(MIN_DURATION, "Write 15m to 12h, such as 45m, 8h or 1h30m."),
    "needs_reason": _boolean,
    "valid_from": _time,
    "valid_until": _time,
}
UNSAID = {"needs_reason": False, "valid_from": None, "valid_until": None}
