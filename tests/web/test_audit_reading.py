"""Who reads the log of others is in it, and what cannot be read is told."""

import pytest
from django.db import OperationalError
from django.test import Client

from credportal.audit import chain
from credportal.audit.models import Event
from credportal.audit.patience import TookTooLong
from credportal.audit.selectors import search
from tests.support.audit_pages import HTMX, ids_in, text_of, write_some
from tests.support.cast import Cast
from tests.support.history import write_history

PAYLOAD = '"><script>alert(1)</script>\u202e'


@pytest.fixture
def some(cast: Cast) -> list[str]:
    return write_some(cast)


def test_the_first_look_is_recorded_with_what_was_asked(erin: Client, some: list[str]) -> None:
    erin.get("/audit/?person=alice&range=all&order=worst", headers={"User-Agent": "Mosaic"})
    event = Event.objects.get(kind="audit:read")
    assert (event.subject, event.actor_handle, event.on_behalf_of) == ("audit:list", "erin", "erin")
    assert event.detail == {"person": "alice", "range": "all"}
    assert (event.address, event.user_agent) == ("127.0.0.1", "Mosaic")
    assert event.request_id


def test_further_pages_and_fragments_of_what_was_recorded_are_not_recorded_again(erin: Client) -> None:
    write_history([{"actor_handle": "alice"}] * 120)
    first = erin.get("/audit/?person=alice&live=1")
    seen = first.context["seen"]
    erin.get(f"/audit/{first.context['older_url']}")
    erin.get(f"/audit/?person=alice&live=1&seen={seen}", headers=HTMX)
    chart = erin.get(f"/audit/?person=alice&chart=1&seen={seen}", headers={**HTMX, "HX-Target": "chart"})
    assert "<svg" in chart.content.decode()
    assert Event.objects.filter(kind="audit:read").count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX, {**HTMX, "HX-Target": "chart"}])
def test_nobody_reads_on_unrecorded_with_the_cursor_or_mark_of_another_question(
    erin: Client, dana: Client, headers: dict[str, str]
) -> None:
    write_history([{"actor_handle": "alice"}, {"actor_handle": "bob"}] * 120)
    first = erin.get("/audit/?person=alice")
    older, seen = first.context["older_url"], first.context["seen"]
    for client, query in (
        (erin, older.replace("alice", "bob")),
        (erin, older.replace("person=alice", "")),
        (dana, older),
        (erin, f"?person=bob&seen={seen}"),
        (dana, f"?person=alice&seen={seen}"),
    ):
        assert client.get(f"/audit/{query}", headers=headers).status_code == 400
    erin.get("/audit/?person=bob", headers=headers)  # Without either it is a first look, whatever it calls itself.
    assert Event.objects.filter(kind="audit:read").count() == 2


def test_what_cannot_be_recorded_is_not_shown(erin: Client, some: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("read-only")

    monkeypatch.setattr(chain, "extend", refuse)
    response = erin.get("/audit/")
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "The audit is not shown" in response.content.decode()
    assert ids_in(response) == []


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_question_that_takes_too_long_is_told_to_be_narrower(
    erin: Client, some: list[str], monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    def slow(*_: object, **__: object) -> None:
        raise TookTooLong

    monkeypatch.setattr(search, "page", slow)
    response = erin.get("/audit/?person=alice", headers=headers)
    assert response.status_code == 422
    assert "Choose a shorter time" in response.content.decode()
    if not headers:
        assert 'value="alice"' in response.content.decode()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("order=worst", ["order"]),
        ("user__password=x&person__in=1", ["user__password", "person__in"]),
        (f"{'x' * 99}=1", [f"{'x' * 40}…"]),
        ("&".join(f"a{number}=1" for number in range(90)), ["a0", "a1", "a2", "a3", "a4", "…"]),
        ("cursor=&live=1&steps=1&tz=UTC", []),
    ],
)
def test_what_the_address_names_in_vain_is_ignored_with_a_word(
    erin: Client, some: list[str], query: str, named: list[str]
) -> None:
    response = erin.get(f"/audit/?{query}")
    assert response.status_code == 200
    assert response.context["ignored"] == named
    assert ("it was ignored" in text_of(response)) == bool(named)


def test_the_name_of_an_unknown_parameter_is_escaped_and_shown_whole(erin: Client, some: list[str]) -> None:
    page = erin.get("/audit/", {PAYLOAD: "1"}).content.decode()
    assert "<script>alert" not in page
    assert "⟨U+202E⟩" in page
