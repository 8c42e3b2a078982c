"""The columns of an event in their fixed order, and each one's text.

The chain, the exports and the archives all write an event by this list, so that what is proved is what is
given away. docs/audit.md defines the bytes. The list never changes: a new fact goes into ``detail``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any


class Form(Enum):
    """What a column holds, and so how it is written."""

    TEXT = auto()
    NUMBER = auto()
    TIME = auto()
    DURATION = auto()
    JSON = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an event."""

    name: str
    form: Form = Form.TEXT


COLUMNS = (
    Column("id", Form.NUMBER),
    Column("at", Form.TIME),
    Column("kind"),
    Column("issuance_id"),
    Column("subject"),
    Column("actor_id", Form.NUMBER),
    Column("actor_handle"),
    Column("actor_name"),
    Column("on_behalf_of"),
    Column("account_number"),
    Column("account_name"),
    Column("environment"),
    Column("role_arn"),
    Column("role_name"),
    Column("duration_asked", Form.DURATION),
    Column("duration_given", Form.DURATION),
    Column("reason"),
    Column("ticket"),
    Column("source"),
    Column("code"),
    Column("aws_request_id"),
    Column("access_key_id"),
    Column("assumed_role_id"),
    Column("expiration", Form.TIME),
    Column("address"),
    Column("user_agent"),
    Column("request_id"),
    Column("detail", Form.JSON),
)


def text_of(value: Any) -> str:
    """Return a value of a column as the chain writes it: nothing is empty, times are UTC, durations microseconds."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case timedelta():
            return str(value // timedelta(microseconds=1))
        case dict():
            return json_text(value)
        case _:
            return str(value)


def json_text(value: Mapping[str, Any]) -> str:
    """Return the one text of a JSON object: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def canonical(event: Mapping[str, Any]) -> bytes:
    """Return an event's bytes: for each column the number of characters, a colon, and the text."""
    texts = [text_of(event[column.name]) for column in COLUMNS]
    return "".join(f"{len(text)}:{text}" for text in texts).encode()


def canonical_sql(vendor: str) -> str:
    """Return the same bytes' text as an SQL expression over the columns of the table."""
    if vendor == "postgresql":
        return f"concat({', '.join(part for column in COLUMNS for part in _postgresql(column))})"
    places, values = zip(*map(_sqlite, COLUMNS), strict=True)
    return f"printf('{''.join(places)}', {', '.join(values)})"


def time_sql(name: str, vendor: str) -> str:
    """Return a time's text as an SQL expression, such as ``2026-11-24T16:42:10.123456Z``; NULL where it is NULL."""
    if vendor == "postgresql":
        return f"""to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    # Django keeps "2026-11-24 12:00:00", with a fraction only where there is one.
    digits = f"{name} || CASE instr({name}, '.') WHEN 0 THEN '.000000' ELSE '000000' END"
    return f"replace(substr({digits}, 1, 26), ' ', 'T') || 'Z'"


def _postgresql(column: Column) -> list[str]:
    """Return the arguments of ``concat`` for one column: it takes a hundred, and leaves nothing out as empty."""
    name = f'"{column.name}"'
    match column.form:
        case Form.TEXT | Form.JSON:
            return [f"char_length({name})", "':'", name]
        case Form.NUMBER:
            return [f"coalesce(char_length({name}::text), 0)", "':'", name]
        case Form.DURATION:
            number = f"(extract(epoch FROM {name}) * 1000000)::bigint"
            return [f"coalesce(char_length({number}::text), 0)", "':'", number]
        case Form.TIME:
            return [f"CASE WHEN {name} IS NULL THEN '0:' ELSE '27:' || {time_sql(name, 'postgresql')} END"]


def _sqlite(column: Column) -> tuple[str, str]:
    """Return the place of one column in a format of ``printf``, and its values. Nothing is written as empty."""
    name = f'"{column.name}"'
    if column.form is Form.TIME:
        return "%s", f"coalesce('27:' || {time_sql(name, 'sqlite')}, '0:')"
    return "%d:%s", f"length({name}), {name}"
