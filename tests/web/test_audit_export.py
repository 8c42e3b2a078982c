"""Exports as a person meets them: the page, the file, its progress, and what the log says of it."""

import csv
import http.client
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.core.cache import cache
from django.db import DatabaseError, OperationalError
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from credportal.audit import chain, export
from credportal.audit.models import Event
from credportal.audit.patience import TookTooLong
from credportal.audit.record import AuditUnavailable
from credportal.audit.selectors import search
from credportal.flows import audit_export
from credportal.flows.audit_export import AT_ONCE
from tests.support.cast import Cast
from tests.support.history import write_history
from tests.support.portal import free_port

pytestmark = pytest.mark.django_db

T = TypeVar("T")
ROOT = Path(__file__).parent.parent.parent

ID = "0123456789abcdef"


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)


@pytest.fixture(autouse=True)
def _told_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every chunk be told to the page, and let no test meet the progress of another."""
    monkeypatch.setattr(audit_export, "_TELL_SECONDS", 0)
    cache.clear()
    yield
    cache.clear()


def bytes_of(response: Any) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response.streaming_content)  # type: ignore[arg-type]  # of a synchronous view


def last_two() -> list[Event]:
    return list(Event.objects.order_by("id"))[-2:]


def some_events(count: int = 5) -> None:
    write_history({"actor_handle": "alice", "actor_id": 1, "reason": f"reason {n}"} for n in range(count))


def wait_for(ask: Callable[[], T | None]) -> T:
    """Ask until there is something, for ten seconds."""
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        if (found := ask()) is not None:
            return found
        time.sleep(0.05)
    pytest.fail("waited ten seconds for nothing")


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_the_csv_holds_what_matches_oldest_first_and_nothing_else(erin: Client) -> None:
    write_history([{"actor_handle": name, "reason": name} for name in ("alice", "bob", "alice")])
    response = erin.get("/audit/export.csv?person=alice")
    rows = list(csv.DictReader(io.StringIO(bytes_of(response).decode(), newline="")))
    assert [(row["seq"], row["reason"]) for row in rows] == [("1", "alice"), ("3", "alice")]


def test_the_json_lines_hold_what_matches_oldest_first(erin: Client) -> None:
    some_events(3)
    lines = bytes_of(erin.get("/audit/export.jsonl")).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]


@pytest.mark.parametrize(("ending", "kind"), [("csv", "text/csv"), ("jsonl", "application/jsonl")])
def test_the_file_is_an_attachment_that_nobody_keeps(erin: Client, ending: str, kind: str) -> None:
    response = erin.get(f"/audit/export.{ending}", headers={"accept-encoding": "gzip"})
    bytes_of(response)
    assert response.status_code == 200
    assert response["Content-Type"] == f"{kind}; charset=utf-8"
    assert re.fullmatch(rf'attachment; filename="audit-\d{{4}}-\d\d-\d\d\.{ending}"', response["Content-Disposition"])
    assert "no-store" in response["Cache-Control"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.has_header("Content-Encoding")


def test_an_export_is_recorded_before_its_first_byte_and_after_its_last(erin: Client, cast: Cast) -> None:
    some_events(3)
    response = erin.get(f"/audit/export.csv?person=alice&live=1&export={ID}", headers={"user-agent": "Firefox"})
    (started,) = Event.objects.filter(subject=f"export:{ID}")
    bytes_of(response)
    finished = Event.objects.order_by("-id")[0]
    for event, kind in ((started, "audit:export-started"), (finished, "audit:export-finished")):
        assert (event.kind, event.subject) == (kind, f"export:{ID}")
        assert (event.actor_id, event.actor_handle, event.actor_name) == (cast.erin.pk, "erin", "Erin Kowalski")
        assert (event.on_behalf_of, event.address, event.user_agent) == ("erin", "127.0.0.1", "Firefox")
        assert event.request_id == started.request_id != ""
        assert (event.issuance_id, event.role_arn, event.reason, event.code) == ("", "", "", "")
    assert started.detail == {"format": "csv", "filters": {"person": "alice"}}
    assert finished.detail == {**started.detail, "rows": 3, "complete": True}


@pytest.mark.usefixtures("small_chunks")
def test_what_is_written_meanwhile_is_not_in_the_file(erin: Client) -> None:
    some_events(3)
    response = erin.get("/audit/export.jsonl?steps=1")
    write_history([{"reason": "later"}])
    assert len(bytes_of(response).splitlines()) == 3


def test_nothing_is_given_away_where_it_cannot_be_recorded(erin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    some_events(1)

    def broken(_events: Any, **_options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(chain, "extend", broken)
    response = erin.get("/audit/export.csv")
    assert response.status_code == 503
    assert not response.streaming
    assert "Nothing was exported" in text_of(response)
    assert response["Retry-After"]
    assert Event.objects.count() == 1
    # It gave its place back.
    monkeypatch.undo()
    for _ in range(AT_ONCE + 1):
        bytes_of(erin.get("/audit/export.csv"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_chunks")
def test_a_reader_who_goes_away_leaves_an_honest_count(erin: Client) -> None:
    some_events(7)
    response: Any = erin.get(f"/audit/export.jsonl?export={ID}")
    stream = iter(response.streaming_content)
    next(stream), next(stream)
    response.close()
    assert last_two()[1].kind == "audit:export-finished"
    assert last_two()[1].detail == {"format": "jsonl", "filters": {}, "rows": 4, "complete": False}
    assert "Stopped after 4 rows: the download is not whole" in text_of(erin.get(f"/audit/export/{ID}/"))


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_never_reads_leaves_a_count_of_none(erin: Client) -> None:
    some_events(2)
    response: Any = erin.get("/audit/export.jsonl")
    response.close()
    assert last_two()[1].detail["rows"] == 0
    assert last_two()[1].detail["complete"] is False


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_chunks")
def test_a_database_that_fails_breaks_the_file_off_and_says_so(
    erin: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    some_events(7)
    response: Any = erin.get(f"/audit/export.jsonl?export={ID}")
    stream = iter(response.streaming_content)
    next(stream)

    def broken(*_arguments: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(export, "_rows", broken)
    with pytest.raises(audit_export.ExportUnavailable):
        list(stream)
    assert last_two()[1].detail == {"format": "jsonl", "filters": {}, "rows": 2, "complete": False}
    assert "not whole" in text_of(erin.get(f"/audit/export/{ID}/"))
    assert "audit.export_failed" in caplog.text


def test_a_file_whose_end_cannot_be_recorded_is_broken_off(erin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    some_events(2)
    response: Any = erin.get(f"/audit/export.jsonl?export={ID}")

    def broken(_events: Any, **_options: Any) -> None:
        raise AuditUnavailable

    monkeypatch.setattr(chain, "extend", broken)
    with pytest.raises(audit_export.ExportUnavailable):
        list(response.streaming_content)
    assert "not whole" in text_of(erin.get(f"/audit/export/{ID}/"))


@pytest.mark.django_db(transaction=True)
def test_one_person_has_few_exports_at_once_and_others_are_not_kept_back(erin: Client, dana: Client) -> None:
    some_events(1)
    begun: list[Any] = [erin.get("/audit/export.csv?person=alice") for _ in range(AT_ONCE)]
    refused = erin.get("/audit/export.csv?person=alice")
    assert refused.status_code == 429
    assert f"You have {AT_ONCE} exports at once already" in text_of(refused)
    assert "person=alice" in refused.content.decode(), "the filter is not lost"
    bytes_of(dana.get("/audit/export.csv"))
    bytes_of(begun[0])
    bytes_of(erin.get("/audit/export.csv"))
    begun[1].close()


@pytest.mark.usefixtures("small_chunks")
def test_the_page_is_told_how_far_it_is(erin: Client) -> None:
    some_events(5)
    assert "about to begin" in text_of(erin.get(f"/audit/export/{ID}/"))
    response: Any = erin.get(f"/audit/export.jsonl?export={ID}")
    stream = iter(response.streaming_content)
    next(stream), next(stream)
    running = erin.get(f"/audit/export/{ID}/?person=alice")
    assert "4 rows so far" in text_of(running)
    assert f'hx-get="/audit/export/{ID}/?person=alice&amp;asked=0"' in running.content.decode()
    list(stream)
    over = erin.get(f"/audit/export/{ID}/?person=alice")
    assert "5 rows, complete" in text_of(over)
    assert 'hx-trigger="load' not in over.content.decode(), "nothing asks any more"
    assert ID not in over.content.decode(), "the links have a new id"
    assert "/audit/export.csv?person=alice&amp;export=" in over.content.decode()


def test_a_download_that_never_begins_is_not_asked_for_for_ever(erin: Client) -> None:
    page = erin.get(f"/audit/export/{ID}/?asked=30")
    assert "hx-get" not in page.content.decode()
    assert "knows nothing of this download" in text_of(page)


@pytest.mark.parametrize("asked", ["x", "-1", "9999999999999999999999", "²"])
def test_a_mistaken_count_of_questions_counts_as_none(erin: Client, asked: str) -> None:
    assert erin.get(f"/audit/export/{ID}/", {"asked": asked}).status_code == 200


def test_progress_is_told_to_nobody_else(erin: Client, dana: Client) -> None:
    some_events(3)
    bytes_of(erin.get(f"/audit/export.jsonl?export={ID}"))
    assert "complete" in text_of(erin.get(f"/audit/export/{ID}/"))
    assert "about to begin" in text_of(dana.get(f"/audit/export/{ID}/"))


@pytest.mark.parametrize("wanted", ["", "short", "0123456789ABCDEF", "../../../etc/pass", "0" * 500, ID])
def test_an_id_of_no_use_gives_way_to_a_new_one(erin: Client, wanted: str) -> None:
    bytes_of(erin.get("/audit/export.jsonl", {"export": ID}))
    bytes_of(erin.get("/audit/export.jsonl", {"export": wanted}))
    subjects = list(Event.objects.filter(kind="audit:export-finished").values_list("subject", flat=True))
    assert len(set(subjects)) == 2
    assert all(re.fullmatch(r"export:[0-9a-f]{16}", subject) for subject in subjects)


def test_the_page_tells_the_filters_in_words_and_links_to_both_files(erin: Client) -> None:
    page = erin.get("/audit/export/?person=alice&outcome=denied&format=jsonl").content.decode()
    assert "Person: alice" in page
    assert "Outcome: Refused" in page
    assert re.search(r'href="/audit/export\.csv\?person=alice&amp;outcome=denied&amp;export=[0-9a-f]{16}"', page)
    assert re.search(r'href="/audit/export\.jsonl\?person=alice&amp;outcome=denied&amp;export=[0-9a-f]{16}"', page)


@pytest.mark.django_db(transaction=True)
def test_the_page_lists_the_last_exports_with_honest_counts(erin: Client) -> None:
    some_events(3)
    bytes_of(erin.get("/audit/export.csv?person=alice"))
    stopped: Any = erin.get("/audit/export.jsonl")
    stopped.close()
    page = text_of(erin.get("/audit/export/"))
    assert "Erin Kowalski CSV, person alice 3 , complete" in page
    assert "Erin Kowalski JSON lines 0 , not whole" in page


@pytest.mark.parametrize("path", ["/audit/export/", "/audit/export.csv", "/audit/export.jsonl"])
def test_a_filter_that_makes_no_sense_exports_nothing_and_says_why(erin: Client, path: str) -> None:
    response = erin.get(path, {"day": "tomorrow", "person": "alice"})
    assert response.status_code == 422
    assert "This filter does not work" in text_of(response)
    assert "Write a day as" in text_of(response)
    assert 'href="/audit/?day=tomorrow&amp;person=alice"' in response.content.decode(), "nothing typed is lost"
    assert not Event.objects.filter(kind__startswith="audit:export").exists()


def test_too_much_to_look_through_exports_nothing(erin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_filters: Any) -> None:
        raise TookTooLong

    monkeypatch.setattr(search, "matching", slow)
    response = erin.get("/audit/export.csv?q=word")
    assert response.status_code == 422
    assert "That is too much to look through" in text_of(response)
    assert not Event.objects.filter(kind__startswith="audit:export").exists()


def test_asking_for_the_head_of_a_file_exports_nothing(erin: Client) -> None:
    response = erin.head("/audit/export.csv")
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith("attachment")
    assert not Event.objects.exists()


@pytest.mark.parametrize("path", ["/audit/export/", "/audit/export.csv", "/audit/export.jsonl", f"/audit/export/{ID}/"])
def test_exports_are_for_reviewers(alice: Client, bob: Client, path: str) -> None:
    assert alice.get(path).status_code == bob.get(path).status_code == 403
    assert Client().get(path).status_code == 302
    assert not Event.objects.filter(kind__startswith="audit:export").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_chunks")
def test_a_browser_that_goes_away_is_noticed_over_a_real_connection(
    live_server: LiveServer, cast: Cast, sign_in: Callable[..., Client]
) -> None:
    write_history({"reason": "x" * 500} for _ in range(4000))
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in sign_in(cast.erin).cookies.items())
    with socket.create_connection((live_server.thread.host, live_server.thread.port), timeout=10) as browser:
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        browser.sendall(f"GET /audit/export.jsonl HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
        assert browser.recv(100).startswith(b"HTTP/1.1 200")
    finished = wait_for(lambda: Event.objects.filter(kind="audit:export-finished").first())
    assert finished.detail["complete"] is False
    assert finished.detail["rows"] < 4000


def test_gunicorn_breaks_the_connection_where_a_stream_fails(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--workers", "1", "--no-control-socket"]
    environment = os.environ | {"GUNICORN_BIND": f"127.0.0.1:{port}"}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen([*command, "tests.support.broken_stream"], cwd=ROOT, env=environment, stderr=log)
    try:
        connection = wait_for(lambda: _connection(port))
        connection.request("GET", "/")
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            connection.getresponse().read()
        connection.close()
    finally:
        server.terminate()
        server.wait(timeout=30)


def _connection(port: int) -> http.client.HTTPConnection | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.connect()
    except ConnectionError:
        return None
    return connection
