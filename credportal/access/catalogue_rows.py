"""What a catalogue file calls the values of a row, and how it writes them.

Import, diff, audit and export all speak of the rows through these few functions, so a value
has one name and one form everywhere. Several columns may stand behind one name: ``needs``
and ``narrowing`` are lists of words in the file and a column for each word in the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group

from credportal.access.catalogue_yaml import quoted
from credportal.access.models import Rota
from credportal.domain.durations import describe_duration
from credportal.domain.types import Preset

NEEDS = {
    "reason": "needs_reason",
    "ticket": "needs_ticket",
    "approval": "needs_approval",
    "step-up": "needs_step_up",
}
NARROWING = {
    Preset.READ_ONLY.value: "allows_read_only",
    Preset.MY_ADDRESS.value: "allows_my_address",
    Preset.ONE_REGION.value: "allows_one_region",
}
WORDS = {"needs": NEEDS, "narrowing": NARROWING}
"""The names whose words are columns."""
GROUPS = ("approvers", "recipients")
"""The names whose value is the name of a group, empty for none."""
ROTA = "rota"
"""The name whose value is the name of a rota, empty for none."""

ACCOUNT_VALUES = ("name", "environment", "owner", "enabled")
ROLE_VALUES = (
    "label",
    "description",
    "tags",
    "max_session_duration",
    "default_region",
    "accepts_source_identity",
    "accepts_session_tags",
    "needs",
    "ticket_pattern",
    "approvers",
    "approvals_needed",
    "narrowing",
    "outsider_duration",
    "enabled",
)
ELIGIBILITY_VALUES = ("max_duration", "needs", "break_glass_duration", "valid_from", "valid_until", "note")
DELEGATION_VALUES = ("max_duration", "outsider_duration", "recipients", ROTA, "max_open", "max_per_day")
NOTHING: tuple[object, ...] = (None, "", ())


def value_of(row: Any, name: str) -> Any:
    """Return one value of a row of the catalogue: text, bool, int, timedelta, datetime, words or None."""
    if name in WORDS:
        return tuple(word for word, column in WORDS[name].items() if getattr(row, column))
    if name == "tags":
        return tuple(row.tags.split())
    if name in (*GROUPS, ROTA):
        named = getattr(row, name)
        return named.name if named else ""
    if name == "outsider_duration":
        return row.outsider_duration or ""
    return getattr(row, name)


def values_of(row: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return several values of one row, in the order of their names."""
    return {name: value_of(row, name) for name in names}


def put(
    row: Any, name: str, value: Any, groups: Mapping[str, Group], rotas: Mapping[str, Rota] | None = None
) -> set[str]:
    """Put one value into a row that is not saved yet; return the columns that it took.

    A name of ``groups`` or ``rotas`` that is not there leaves the row without: the plan has noted it as a problem.
    """
    if name in WORDS:
        for word, column in WORDS[name].items():
            setattr(row, column, word in value)
        return set(WORDS[name].values())
    if name == "tags":
        value = " ".join(value)
    elif name in GROUPS:
        value = groups.get(value)
    elif name == ROTA:
        value = (rotas or {}).get(value)
    elif name == "outsider_duration":
        value = value or None  # In the file an empty text takes it away: a key without a value is left out.
    setattr(row, name, value)
    return {name}


def written(value: Any) -> Any:
    """Return a value as the file and the audit write it: text, bool, int, a list of words, or None."""
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def said(value: Any) -> str:
    """Return a value as the diff says it."""
    if value in NOTHING:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, timedelta):
        return describe_duration(value)
    if isinstance(value, tuple):
        return quoted(" ".join(value))
    return quoted(value) if isinstance(value, str) else str(written(value))


def _duration(duration: timedelta) -> str:
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
