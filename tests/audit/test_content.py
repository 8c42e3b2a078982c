"""Every kind of event has a test of its whole row, and no text from outside keeps an event from being written."""

import ast
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeGuard

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.audit import record
from credportal.audit.models import Event, EventKind
from credportal.audit.record import About
from credportal.domain.types import Actor, Origin

HERE = Path(__file__).parent
TEXTS = [field.name for field in fields(About) if field.type is str or field.type == "str"]
LENGTHS = {field.attname: field.max_length for field in Event._meta.concrete_fields if field.attname in TEXTS}
HOSTILE = {
    "NUL": "a\0b",
    "half a pair": "a\ud800b\udfff",
    "10,000 characters": "é" * 10_000,
    "beyond the BMP": "🔑" * 10_000,
    "control and bidi": "a\x1b[31m\u202eb\r\n",
}


def kinds_with_a_test() -> set[EventKind]:
    """Return the kinds that some test gives to ``assert_content``, by itself or as a parameter."""
    named = set()
    for path in HERE.glob("test_content_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                given = node.args[:1] if called == "assert_content" else node.args
                if called in {"assert_content", "pytest.mark.parametrize"}:
                    named |= {word.attr for argument in given for word in ast.walk(argument) if is_kind(word)}
    return {EventKind[name] for name in named}


def is_kind(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and ast.unparse(node.value) == "EventKind"


def test_every_kind_has_a_test_of_its_content() -> None:
    assert set(EventKind) - kinds_with_a_test() == set()


def write(text: str) -> Event:
    """Write an event with this text in every place that text has; return it as it is stored."""
    event = record.NewEvent(
        kind=EventKind.ROLE_CHANGED,
        subject=text,
        actor=Actor(7, text, text),
        origin=Origin(text, text, text),
        detail={"after": {"text": text}},
        issuance_id=text,
        on_behalf_of=text,
        about=replace(About(), **dict.fromkeys(TEXTS, text)),  # type: ignore[arg-type]  # all of these are text.
    )
    with record.committed():
        record.append(event)
    return Event.objects.latest("id")


@pytest.mark.django_db
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_text_of_any_kind_is_stored_and_cut_to_its_column(text: str) -> None:
    kept = write(text)
    readable = text.replace("\0", "�").replace("\ud800", "�").replace("\udfff", "�")
    for name, length in LENGTHS.items():
        assert getattr(kept, name) == readable[:length], name
    assert (kept.actor_handle, kept.user_agent, kept.subject) == (readable[:64], readable[:256], readable[:120])
    assert kept.detail == {"after": {"text": text}}, "JSON writes any text, and none of it is cut"


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec=None), max_size=700))
def test_no_text_keeps_an_event_from_being_written(db: None, text: str) -> None:
    before = Event.objects.count()
    write(text)
    assert Event.objects.count() == before + 1
