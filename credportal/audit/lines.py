"""The lines of an export: JSON or CSV, with the columns of ``columns.py`` in their order and the hash at the end.

The database puts quotes around the texts and joins them, which is ten times as fast as doing it here. That is
right for all texts but a few: those with a quotation mark or a control character, and what a spreadsheet would
run. A look at many rows at once finds them, and such lines are written here. docs/audit.md defines both formats.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from credportal.audit.columns import COLUMNS, Column, Form, json_text, text_of, time_sql
from credportal.audit.models import Event


class Format(StrEnum):
    """What an export is written as; the value ends the name of its file."""

    CSV = "csv"
    JSONL = "jsonl"


NAMES = ("seq", *(column.name for column in COLUMNS[1:]), "hash")
"""What the columns are called in an export: an event's id is its sequence number."""

FIRST_LINE = {Format.CSV: f"{','.join(NAMES)}\r\n", Format.JSONL: ""}

# Number and time come first, and detail is JSON: the database gives these apart.
_MIDDLE = COLUMNS[2:-1]
_TEXTS = sum(column.form is Form.TEXT for column in _MIDDLE)
_QUOTES = {Format.CSV: 2 * _TEXTS, Format.JSONL: 2 * (_TEXTS + len(_MIDDLE))}
_EXPIRES = b'"expiration":"'
# A spreadsheet runs a text that begins with one of these, in full width too, unless an apostrophe stands before it.
# https://owasp.org/www-community/attacks/CSV_Injection
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_CONTROLS = bytes([*range(32), 127])
_VISIBLE = dict.fromkeys(_CONTROLS, "\N{REPLACEMENT CHARACTER}")
# One byte for all that must be nowhere, and one for all that must not come first: 0xef begins every full width form.
_ODD, _ODD_AT_FIRST = b"\x01", b'"='
_LOOK = {
    Format.CSV: bytes.maketrans(_CONTROLS + b"=+-@\xef", _ODD * len(_CONTROLS) + b"=" * 5),
    Format.JSONL: bytes.maketrans(_CONTROLS + b"\\=", _ODD * len(_CONTROLS) + _ODD + b"-"),
}


class Row(NamedTuple):
    """An event as the database writes it: the pieces of its line. It sorts by time, then by number."""

    at: str
    number: int
    middle: str
    detail: str
    chained: str


def is_plain(middles: Sequence[str], form: Format) -> bool:
    """Tell whether what the database joined is right as it is: quotes around the texts, and nothing odd in them."""
    joined = "".join(middles).encode()
    quotes = _QUOTES[form] * len(middles)
    if form is Format.JSONL:  # A time has quotes there, and nothing has none.
        quotes += 2 * joined.count(_EXPIRES)
    seen = joined.translate(_LOOK[form])
    return seen.count(b'"') == quotes and _ODD not in seen and _ODD_AT_FIRST not in seen


def line_of(row: Row, form: Format) -> str:
    """Return the line of a plain row, with its end."""
    at, number, middle, detail, chained = row
    if form is Format.CSV:
        return f"{number},{at},{middle},{_quoted(detail)},{chained}\r\n"
    return f'{{"seq":{number},"at":"{at}",{middle},"detail":{detail},"hash":"{chained}"}}\n'


def line_of_event(event: Event, form: Format) -> str:
    """Return the line of an event whatever its texts hold, with its end."""
    values = {column.name: _plain(getattr(event, column.name)) for column in COLUMNS}
    chained = bytes(event.hash).hex()
    if form is Format.CSV:
        cells = (_cell(column, values[column.name]) for column in COLUMNS)
        return f"{','.join(cells)},{chained}\r\n"
    named = dict(zip(NAMES, [*values.values(), chained], strict=True))
    return json.dumps(named, separators=(",", ":"), ensure_ascii=False) + "\n"


def harmless(text: str) -> str:
    """Return text that no spreadsheet runs and that stays in its cell: control characters become visible."""
    visible = text if text.isprintable() else text.translate(_VISIBLE)
    return f"'{visible}" if text.startswith(_RUNS) else visible


def _cell(column: Column, value: Any) -> str:
    match column.form:
        case Form.TEXT:
            return _quoted(harmless(value))
        case Form.JSON:
            return _quoted(json_text(value))
        case _:
            return "" if value is None else str(value)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _plain(value: Any) -> Any:
    """Return a column's value as JSON has it: times are text, durations whole seconds."""
    match value:
        case datetime():
            return text_of(value)
        case timedelta():
            return value // timedelta(seconds=1)
        case _:
            return value


def middle_sql(vendor: str, form: Format) -> str:
    """Return an SQL expression for what stands between the time and the detail of an event."""
    pairs = [_piece(column, vendor, form) for column in _MIDDLE]
    if vendor != "postgresql":
        return f"printf('{','.join(piece for piece, _ in pairs)}', {', '.join(value for _, value in pairs)})"
    # concat() takes a hundred arguments.
    pieces = ",".join(piece for piece, _ in pairs).split("%s")
    values = [*(value for _, value in pairs), "''"]
    arguments = [f"'{piece}', {value}" for piece, value in zip(pieces, values, strict=True)]
    return f"concat({', '.join(arguments)})"


def hash_sql(vendor: str) -> str:
    """Return an SQL expression for an event's hash in hexadecimal."""
    return "encode(audit_event.hash, 'hex')" if vendor == "postgresql" else "lower(hex(audit_event.hash))"


def _piece(column: Column, vendor: str, form: Format) -> tuple[str, str]:
    """Return one column's place in a line, and its value in SQL."""
    name = f'audit_event."{column.name}"'
    nothing, quote = ("null", '"') if form is Format.JSONL else ("", "")
    key = f'"{column.name}":' if form is Format.JSONL else ""
    match column.form:
        case Form.TEXT:
            return f'{key}"%s"', name
        case Form.TIME:
            return f"{key}%s", f"coalesce('{quote}' || {time_sql(name, vendor)} || '{quote}', '{nothing}')"
        case Form.DURATION:
            name = f"extract(epoch FROM {name})::bigint" if vendor == "postgresql" else f"{name} / 1000000"
    return f"{key}%s", f"coalesce(CAST({name} AS text), '{nothing}')"
