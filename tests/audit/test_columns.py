"""The bytes that the chain covers are the same in Python and in SQL, on either database, whatever an event holds."""

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.audit.columns import COLUMNS, Column, Form, canonical, canonical_sql
from credportal.audit.models import Event
from tests.support.database import without_triggers

AUDIT = Path(__file__).parents[2] / "docs" / "audit.md"
LENGTHS = {field.attname: field.max_length for field in Event._meta.concrete_fields}

# What record/ lets through: no NUL, no half of a surrogate pair.
characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
# Years of four digits: what a database or AWS says now.
times = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 -- bounds of hypothesis.
seconds = st.integers(0, 10**9).map(lambda number: timedelta(seconds=number))
plain = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text()
objects = st.dictionaries(st.text(), plain | st.lists(plain) | st.dictionaries(st.text(), plain), max_size=4)


def values_of(column: Column) -> st.SearchStrategy[Any]:
    match column.form:
        case Form.TEXT:
            return st.text(characters, max_size=min(LENGTHS[column.name] or 40, 40))
        case Form.NUMBER:
            return st.integers(1, 2**63 - 1) if column.name == "id" else st.none() | st.integers(-(2**63), 2**63 - 1)
        case Form.TIME:
            return times if column.name == "at" else st.none() | times
        case Form.DURATION:
            return st.none() | seconds
        case Form.JSON:
            return objects


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.fixed_dictionaries({column.name: values_of(column) for column in COLUMNS}))
def test_the_bytes_are_the_same_in_python_and_in_sql(values: dict[str, Any]) -> None:
    event = Event(**values, hash=b"")
    with transaction.atomic():
        with without_triggers(connection), connection.cursor() as cursor:
            event.save(force_insert=True)
            cursor.execute(f"SELECT {canonical_sql(connection.vendor)} FROM audit_event")  # noqa: S608 -- our own columns.
            assert cursor.fetchone()[0].encode() == canonical(vars(event))
            read = Event.objects.get()
            assert canonical(vars(read)) == canonical(vars(event))
        transaction.set_rollback(True)


def test_the_example_of_the_documents_is_worked_out_by_nothing_of_ours() -> None:
    example = re.search(r"```json\n(.*?)```\s+.*?```text\n(.*?)```.*?```text\n(.*?)```", AUDIT.read_text(), re.S)
    assert example, "docs/audit.md has no worked example"
    event, content, hashed = json.loads(example[1]), example[2].strip(), example[3].strip()
    texts = [
        json.dumps(value, sort_keys=True, separators=(",", ":")) if isinstance(value, dict) else str(value)
        for value in ("" if value is None else value for value in event.values())
    ]
    assert list(event) == [column.name for column in COLUMNS]
    assert "".join(f"{len(text)}:{text}" for text in texts) == content
    assert hashlib.sha256(bytes(32) + content.encode()).hexdigest() == hashed
    columns = {
        **event,
        "at": datetime.fromisoformat(event["at"]),
        "duration_asked": timedelta(microseconds=event["duration_asked"]),
    }
    assert canonical(columns).decode() == content
