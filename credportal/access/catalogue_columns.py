"""The keys of a catalogue file: how the text of each becomes a value. docs/operating.md describes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models

from credportal.access.catalogue_rows import NARROWING, NEEDS
from credportal.access.models import Account, Delegation, Eligibility, Role, Rota, User
from credportal.access.models.catalogue import MOST_APPROVALS
from credportal.access.models.handouts import MOST_OPEN, MOST_PER_DAY
from credportal.domain.durations import MAX_DURATION, MIN_DURATION
from credportal.domain.naming import name_problem
from credportal.domain.tickets import pattern_problem
from credportal.domain.types import Duty, Environment

_DURATION = re.compile(r"(?:([0-9]{1,2})h)?(?:([0-9]{1,3})m)?(?:([0-9]{1,5})s)?", re.ASCII)
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{32,64}", re.ASCII)

ReadText = Callable[[str], Any]
"""Turns the text of one key into a value. Raises ValueError with what to write instead."""


@dataclass(frozen=True, slots=True)
class Words:
    """A list of words under one key. ``whole`` makes the value of them; it raises ValueError as ``read`` does."""

    read: ReadText
    whole: Callable[[list[str]], tuple[str, ...]]


Reads = ReadText | Words


def _text(model: type[models.Model], column: str, problem: Callable[[str], str] | None = None) -> ReadText:
    """Return a reader with the limits of a model's own column, and of a rule that answers with a sentence."""
    field: Any = model._meta.get_field(column)  # noqa: SLF001 -- Django documents Model._meta.

    def read(text: str) -> str:
        if not text.isprintable():
            raise ValueError("Take line breaks and control characters out.")
        try:
            field.clean(text, None)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from None
        wrong = problem(text) if problem and text else ""
        if wrong:
            raise ValueError(wrong)
        return text

    return read


def _duration(shortest: timedelta, words: str) -> ReadText:
    def read(text: str) -> timedelta:
        match = _DURATION.fullmatch(text)
        hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
        duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if not shortest <= duration <= MAX_DURATION:
            raise ValueError(words)
        return duration

    return read


def _one_of(known: Iterable[str]) -> ReadText:
    *most, last = known
    words = f"Write {', '.join(most)} or {last}."

    def read(text: str) -> str:
        if text not in {*most, last}:
            raise ValueError(words)
        return text

    return read


def _boolean(text: str) -> bool:
    return bool(_one_of(("true", "false"))(text) == "true")


def _number(most: int) -> ReadText:
    def read(text: str) -> int:
        if text not in {str(number) for number in range(1, most + 1)}:
            raise ValueError(f"Write a number from 1 to {most}.")
        return int(text)

    return read


def _or_none(read: ReadText) -> ReadText:
    """Return a reader that also takes an empty text, which says that there is none."""
    return lambda text: read(text) if text else ""


def _some(words: list[str]) -> tuple[str, ...]:
    if not words:
        raise ValueError("Name at least one.")
    return tuple(sorted(words))


def _external_id(text: str) -> str:
    if not _EXTERNAL_ID.fullmatch(text):
        raise ValueError("Write what export_catalogue --with-external-ids wrote, or leave it out.")
    return text


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else _no_time()
    except (ValueError, OverflowError):
        return _no_time()


def _no_time() -> NoReturn:
    raise ValueError("Write a time with its offset, such as 2027-01-31T18:00:00Z.") from None


def _tag(text: str) -> str:
    if not text.isprintable() or not text or " " in text:
        raise ValueError("Write one word, without spaces.")
    return text


def _tags(words: list[str]) -> tuple[str, ...]:
    _text(Role, "tags")(" ".join(words))
    return tuple(words)


def _some_of(known: Iterable[str]) -> Words:
    """Return a reader of some known words; the value has them in the order in which they are known."""
    order = list(known)
    return Words(_one_of(order), lambda words: tuple(sorted(words, key=order.index)))


DUTIES = tuple(duty.value for duty in Duty)

_GROUP = _text(Group, "name")
_REQUIRED_DURATION = _duration(MIN_DURATION, "Write 15m to 12h, such as 45m, 8h or 1h30m.")

ACCOUNT_KEYS: dict[str, Reads] = {
    "number": _text(Account, "number"),
    "name": _text(Account, "name", name_problem),
    "environment": _one_of(Environment),
    "owner": _text(Account, "owner"),
    "enabled": _boolean,
    "external_id": _external_id,
}
ROLE_KEYS: dict[str, Reads] = {
    "arn": _text(Role, "arn"),
    "label": _text(Role, "label", name_problem),
    "description": _text(Role, "description"),
    "tags": Words(_tag, _tags),
    "max_session_duration": _duration(timedelta(hours=1), "Write 1h to 12h, such as 8h or 1h30m."),
    "default_region": _text(Role, "default_region"),
    "accepts_source_identity": _boolean,
    "accepts_session_tags": _boolean,
    "needs": _some_of(NEEDS),
    "ticket_pattern": _text(Role, "ticket_pattern", pattern_problem),
    "approvers": _or_none(_GROUP),
    "approvals_needed": _number(MOST_APPROVALS),
    "narrowing": _some_of(NARROWING),
    "outsider_duration": _or_none(_REQUIRED_DURATION),
    "enabled": _boolean,
}
MEMBER = _text(User, "username")
GROUP_KEYS: dict[str, Reads] = {
    "name": _text(Group, "name", name_problem),
    "duties": _some_of(DUTIES),
}
ELIGIBILITY_KEYS: dict[str, Reads] = {
    "role": _text(Role, "arn"),
    "group": _GROUP,
    "user": MEMBER,
    "max_duration": _REQUIRED_DURATION,
    "needs": _some_of(NEEDS),
    "break_glass_duration": _REQUIRED_DURATION,
    "valid_from": _time,
    "valid_until": _time,
    "note": _text(Eligibility, "note"),
}
UNSAID: dict[str, Any] = {
    "needs": (),
    "break_glass_duration": None,
    "valid_from": None,
    "valid_until": None,
    "note": "",
}
DELEGATION_KEYS: dict[str, Reads] = {
    "name": _text(Delegation, "name", name_problem),
    "group": _GROUP,
    "user": MEMBER,
    "roles": Words(_text(Role, "arn"), _some),
    "max_duration": _REQUIRED_DURATION,
    "outsider_duration": _or_none(_REQUIRED_DURATION),
    "recipients": _or_none(_GROUP),
    "rota": _or_none(_text(Rota, "name")),
    "max_open": _number(MOST_OPEN),
    "max_per_day": _number(MOST_PER_DAY),
}
DELEGATION_UNSAID: dict[str, Any] = {
    "outsider_duration": "",
    "recipients": "",
    "rota": "",
    "max_open": Delegation._meta.get_field("max_open").default,  # noqa: SLF001 -- as above.
    "max_per_day": Delegation._meta.get_field("max_per_day").default,  # noqa: SLF001 -- as above.
}
OLD_KEYS: dict[str, Reads] = {"needs_reason": _boolean}
"""Keys of eligibilities that files of version 0.1.0 have; ``needs`` says it now."""
