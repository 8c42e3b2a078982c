"""Lines that are right for whoever reads them, in chunks that have neither gap nor repetition."""

import csv
import io
import json
import tracemalloc
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.audit import export
from credportal.audit.chain import FIRST_HASH, link
from credportal.audit.columns import COLUMNS, Form, canonical
from credportal.audit.lines import FIRST_LINE, NAMES, Format, harmless, is_plain, line_of_event
from credportal.audit.models import Event
from tests.support.history import NOON, write_history

pytestmark = pytest.mark.django_db

EVERYTHING: dict[str, Any] = {
    "kind": "issuance:issued",
    "at": NOON + timedelta(microseconds=7),
    "issuance_id": "4k9zq2h7m3xw",
    "subject": "role:r",
    "actor_id": 17,
    "actor_handle": "alice",
    "actor_name": "Alice Engström",
    "on_behalf_of": "bob",
    "account_number": "491200653381",
    "account_name": "payments-prod",
    "environment": "production",
    "role_arn": "arn:aws:iam::491200653381:role/ReadOnly",
    "role_name": "ReadOnly",
    "duration_asked": timedelta(hours=2),
    "duration_given": timedelta(hours=1),
    "reason": "Settlement is stuck",
    "ticket": "INC-7",
    "source": "standard",
    "code": "sts_denied",
    "aws_request_id": "c6104cbe-af31-11e0",
    "access_key_id": "ASIAIOSFODNN7EXAMPLE",
    "assumed_role_id": "AROA123:alice-4k9zq2h7m3xw",
    "expiration": NOON + timedelta(hours=1),
    "address": "203.0.113.24",
    "user_agent": "Firefox",
    "request_id": "0123456789abcdef",
    "detail": {"eligibility": 'engineers, "up" to 4 h\n', "tried": [1, None]},
}
HOSTILE = (
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\tstarts with a tab",
    "\rstarts with a return",
    "\nstarts with a line",
    "\uff1dfull width",
    'ends "quoted"',
    '","x","y',
    '"',
    "back\\slash \\",
    "two\r\nlines\x1b[31m and \x7f",
    "\u202eright to left \u2028",
    '"expiration":"',
)


def exported(form: Format, **options: Any) -> str:
    chunks = export.by_number(form, since=options.get("since", 0), through=options.get("through", 10**9))
    return b"".join(chunk.content for chunk in chunks).decode()


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_a_json_line_has_every_column_of_the_event_and_its_hash() -> None:
    (event,) = write_history([EVERYTHING])
    (line,) = exported(Format.JSONL).splitlines()
    assert json.loads(line) == {
        **{name: EVERYTHING[name] for name in NAMES if name in EVERYTHING},
        "seq": event.id,
        "at": "2026-11-20T12:00:00.000007Z",
        "duration_asked": 7200,
        "duration_given": 3600,
        "expiration": "2026-11-20T13:00:00.000000Z",
        "hash": bytes(event.hash).hex(),
    }
    assert list(json.loads(line)) == list(NAMES)


def test_a_csv_line_has_every_column_of_the_event_and_its_hash() -> None:
    (event,) = write_history([EVERYTHING])
    (row,) = cells(exported(Format.CSV))
    assert json.loads(row.pop("detail")) == EVERYTHING["detail"]
    assert row == {
        **{name: EVERYTHING[name] for name in NAMES if name in EVERYTHING and name != "detail"},
        "seq": str(event.id),
        "at": "2026-11-20T12:00:00.000007Z",
        "actor_id": "17",
        "duration_asked": "7200",
        "duration_given": "3600",
        "expiration": "2026-11-20T13:00:00.000000Z",
        "hash": bytes(event.hash).hex(),
    }


@pytest.mark.parametrize("form", Format)
def test_what_is_empty_is_written_as_nothing(form: Format) -> None:
    write_history([{"kind": "audit:archived"}])
    text = exported(form)
    assert text == FIRST_LINE[form] + line_of_event(Event.objects.get(), form)
    if form is Format.JSONL:
        line = json.loads(text)
        assert [line[name] for name in ("actor_id", "duration_asked", "expiration", "reason")] == [None, None, None, ""]


def test_an_outsider_can_compute_every_hash_from_the_json_lines() -> None:
    write_history([EVERYTHING, *({"reason": text, "detail": {"words": text}} for text in HOSTILE)])
    before = FIRST_HASH
    for line in exported(Format.JSONL).split("\n")[:-1]:
        given = json.loads(line)
        given["id"] = given["seq"]
        for column in COLUMNS:
            if column.form is Form.DURATION and given[column.name] is not None:
                given[column.name] = timedelta(seconds=given[column.name])
        before = link(before, canonical(given))
        assert before.hex() == given["hash"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("column", ["reason", "user_agent", "actor_name", "kind"])
def test_a_spreadsheet_finds_no_formula_and_no_further_cell(column: str, text: str) -> None:
    write_history([EVERYTHING, {**EVERYTHING, column: text}, EVERYTHING])
    rows = cells(exported(Format.CSV))
    assert [row["seq"] for row in rows] == ["1", "2", "3"]
    cell = rows[1][column]
    assert cell[0] not in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
    assert not any(ord(char) < 32 or ord(char) == 127 for char in cell)
    assert cell.removeprefix("'") == "".join(
        "\N{REPLACEMENT CHARACTER}" if ord(c) < 32 or c == "\x7f" else c for c in text
    )
    assert rows[0] | {"seq": "", "hash": "", "at": ""} == rows[2] | {"seq": "", "hash": "", "at": ""}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_json_line_keeps_any_text_as_it_is_on_one_line(text: str) -> None:
    write_history([EVERYTHING, {**EVERYTHING, "reason": text, "user_agent": text}])
    lines = exported(Format.JSONL).split("\n")
    assert len(lines) == 3
    assert json.loads(lines[1])["reason"] == json.loads(lines[1])["user_agent"] == text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12), min_size=1, max_size=4)
)
def test_what_the_database_joins_is_what_the_program_would_write(texts: list[str]) -> None:
    first = export.last_number()
    events = write_history({"reason": text, "ticket": texts[0], "source": texts[-1]} for text in texts)
    for form in Format:
        whole = FIRST_LINE[form] + "".join(line_of_event(event, form) for event in events)
        assert exported(form, since=first) == whole
    kept = cells(exported(Format.CSV, since=first))
    assert [row["reason"] for row in kept] == [harmless(text) for text in texts]


@pytest.mark.parametrize("form", Format)
def test_only_odd_rows_are_asked_for_again(form: Format) -> None:
    write_history([EVERYTHING, {**EVERYTHING, "expiration": None, "actor_id": None, "duration_given": None}])
    with CaptureQueriesContext(connection) as plain:
        exported(form)
    write_history([{**EVERYTHING, "reason": '"'}])
    with CaptureQueriesContext(connection) as odd:
        exported(form)
    assert (len(plain), len(odd)) == (2, 3)


def test_a_text_that_imitates_the_shape_of_a_line_is_odd() -> None:
    whole = '"a","b"'
    assert not is_plain([whole], Format.CSV)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_chunks_have_neither_gap_nor_repetition_where_events_share_a_time(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK", size)
    write_history({"at": NOON + timedelta(seconds=number // 3)} for number in range(10))
    chunks = list(export.by_time([Event.objects.all()], Format.JSONL, through=9))
    numbers = [json.loads(line)["seq"] for chunk in chunks for line in chunk.content.splitlines()]
    assert numbers == list(range(1, 10))
    assert sum(chunk.rows for chunk in chunks) == 9
    assert all(chunk.last == json.loads(chunk.content.splitlines()[-1])["seq"] for chunk in chunks)


def test_oldest_first_goes_by_time_also_where_the_clock_went_back() -> None:
    write_history([{"at": NOON}, {"at": NOON - timedelta(hours=1)}])
    lines = b"".join(chunk.content for chunk in export.by_time([Event.objects.all()], Format.JSONL, through=2))
    assert [json.loads(line)["seq"] for line in lines.splitlines()] == [2, 1]


def test_sets_are_merged_in_the_order_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    write_history({"actor_handle": "alice" if number % 3 else "bob"} for number in range(9))
    sets = [Event.objects.filter(actor_handle=name) for name in ("alice", "bob")]
    lines = b"".join(chunk.content for chunk in export.by_time(sets, Format.JSONL, through=9)).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, 10))


def test_no_statement_counts_or_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    write_history([EVERYTHING] * 6)
    with CaptureQueriesContext(connection) as asked:
        list(export.by_time([Event.objects.all()], Format.CSV, through=6))
    assert len(asked) == 4
    assert not any("COUNT(" in query["sql"] or "OFFSET" in query["sql"] for query in asked)


def test_an_empty_log_is_a_head_without_rows() -> None:
    assert exported(Format.CSV) == FIRST_LINE[Format.CSV]
    assert exported(Format.JSONL) == ""


def test_memory_stays_the_same_however_many_chunks_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 100)
    write_history([EVERYTHING] * 3000)

    def peak(through: int) -> int:
        tracemalloc.start()
        for chunk in export.by_time([Event.objects.all()], Format.JSONL, through=through):
            del chunk
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(300)
    assert peak(3000) < 2 * peak(300)


def test_the_lines_after_a_number_are_the_next_ones_in_order() -> None:
    write_history([EVERYTHING] * 5)
    lines = export.lines_after(2, most=2)
    assert [line.number for line in lines] == [json.loads(line.text)["seq"] for line in lines] == [3, 4]
    assert all(line.text.endswith("\n") for line in lines)
    assert export.lines_after(5, most=2) == []
    assert datetime.fromisoformat(json.loads(lines[0].text)["at"]) == EVERYTHING["at"]
