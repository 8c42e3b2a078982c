"""What the page of one event shows of its columns and of what it keeps as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from credportal.audit.models import Event
from credportal.domain.durations import describe_duration
from credportal.domain.sentences import sentence_for

# Each column with the words for it, and whether it is an identifier. What the page's head says is left out.
LABELS = {
    "issuance_id": ("Issuance", True),
    "subject": ("About", True),
    "role_name": ("Role", False),
    "role_arn": ("Role ARN", True),
    "account_name": ("Account", False),
    "account_number": ("Account number", True),
    "duration_asked": ("Asked for", False),
    "duration_given": ("Given", False),
    "reason": ("Reason", False),
    "ticket": ("Ticket", False),
    "source": ("Allowed by", False),
    "code": ("Code", True),
    "access_key_id": ("Access key id", True),
    "assumed_role_id": ("Assumed role id", True),
    "expiration": ("Expiration", True),
    "aws_request_id": ("AWS request id", True),
    "user_agent": ("Browser", False),
    "request_id": ("Request id", True),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that an event says. ``more`` explains a code."""

    label: str
    text: str
    is_id: bool = False
    more: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was changed. ``before`` is None where there was nothing to change."""

    what: str
    before: str | None
    after: str


def facts_of(event: Event) -> list[Fact]:
    """Return every column that says something, with words for it."""
    facts = []
    for name, (label, is_id) in LABELS.items():
        value = getattr(event, name)
        if value not in ("", None):
            facts.append(Fact(label, words_for(value), is_id, sentence_for(value) if name == "code" else ""))
    return facts


def changes_of(event: Event) -> list[Change]:
    """Return what the event changed, or what a step of a request said, in the order in which it was written."""
    before, after = (_mapping(event.detail.get(side)) for side in ("before", "after"))
    names = [*before, *(name for name in after if name not in before)]
    return [
        Change(_name(name), words_for(before[name]) if name in before else None, words_for(after.get(name)))
        for name in names
    ]


def kept_by(event: Event) -> list[Fact]:
    """Return what else the event keeps."""
    rest = {name: value for name, value in event.detail.items() if name not in ("before", "after")}
    return [Fact(_name(name), words_for(value)) for name, value in rest.items()]


def words_for(value: object) -> str:
    """Write one value as a person reads it."""
    if value in (None, "", [], {}):
        return "none"
    match value:
        case bool():
            text = "yes" if value else "no"
        case timedelta():
            text = describe_duration(value)
        case datetime():
            text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case list():
            text = ", ".join(map(words_for, value))
        case dict():
            text = json.dumps(value, ensure_ascii=False)
        case _:
            text = str(value)
    return text


def _name(name: str) -> str:
    return name.replace("_", " ")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
