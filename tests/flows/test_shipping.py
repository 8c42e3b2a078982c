"""Shipping to a second place: in order, at least once, through every failure, and in nobody's way."""

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from credportal.audit import chain, export, targets
from credportal.audit.export import Line
from credportal.audit.lines import Format
from credportal.audit.models import Event, Progress
from credportal.audit.targets import NotAccepted, Webhook, framed
from credportal.flows import shipping
from credportal.flows.shipping import Shipper, shipping_lag
from tests.fault_sts import FaultSTS
from tests.support.cast import Catalogue
from tests.support.history import NOON, write_history
from tests.support.portal import free_port
from tests.support.receivers import Collector, SyslogServer, syslog_server, webhook

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "a secret of the tests, and of nothing else"


@pytest.fixture
def collector(settings: Settings) -> Iterator[Collector]:
    with webhook() as running:
        settings.AUDIT_WEBHOOK, settings.AUDIT_WEBHOOK_SECRET = running.url, SECRET
        yield running


@pytest.fixture
def syslog(settings: Settings, tmp_path: Path) -> Iterator[SyslogServer]:
    with syslog_server(tmp_path) as running:
        settings.AUDIT_SYSLOG = f"tls://127.0.0.1:{running.port}"
        settings.AUDIT_CA_FILE = running.ca_file
        yield running


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "PAUSE_SECONDS", 0.3)
    monkeypatch.setattr(targets, "SEND_SECONDS", 1.0)
    monkeypatch.setattr(shipping, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(shipping, "LONGEST_PAUSE_SECONDS", 0.05)


def the_shipper() -> Shipper:
    (target,) = shipping.targets()
    return Shipper(target)


def events(count: int) -> None:
    write_history(
        {"actor_handle": "alice", "actor_name": "Alice Engström", "reason": f"reason {n}"} for n in range(count)
    )


def wait_until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends, "waited twenty seconds for nothing"
        time.sleep(0.05)


def test_a_batch_is_the_json_lines_of_the_export_in_order(collector: Collector) -> None:
    events(3)
    assert the_shipper().drain() is True
    (received,) = collector.got
    assert received.body == b"".join(chunk.content for chunk in export.by_number(Format.JSONL, since=0, through=3))
    assert received.headers["Content-Type"] == "application/jsonl; charset=utf-8"
    assert (received.headers["X-Credportal-First"], received.headers["X-Credportal-Last"]) == ("1", "3")


def test_the_signature_covers_time_and_body(collector: Collector) -> None:
    events(1)
    the_shipper().drain()
    (received,) = collector.got
    timestamp = received.headers["X-Credportal-Timestamp"]
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + received.body, hashlib.sha256).hexdigest()
    assert received.headers["X-Credportal-Signature"] == f"sha256={expected}"
    assert abs(int(timestamp) - time.time()) < 10


def test_batches_are_bounded_and_go_on_where_the_last_ended(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MOST", 2)
    events(5)
    the_shipper().drain()
    events(1)
    the_shipper().drain()
    assert [received.numbers() for received in collector.got] == [[1, 2], [3, 4], [5], [6]]
    assert Progress.objects.get(reader="ship:webhook").through == 6


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize(
    "fault", ["500", "400", "413", "302", "redirect", "hang", "reset", "drip", "nonsense", "endless"]
)
def test_what_was_not_taken_comes_again(collector: Collector, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    events(4)
    collector.faults.append(fault)
    shipper = the_shipper()
    assert shipper.drain() is False
    assert Progress.objects.get(reader="ship:webhook").through == 0
    assert "audit.ship_failed" in caplog.text
    assert shipper.drain() is True
    assert collector.accepted() == [1, 2, 3, 4]
    assert (shipper.sent, shipper.failures) == (4, 1)
    assert len([received for received in collector.got if not received.accepted]) == 1, "no redirect is followed"


@pytest.mark.usefixtures("_impatient")
def test_every_second_failure_changes_neither_order_nor_completeness(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MOST", 3)
    events(20)
    collector.faults.extend(["", "503", "", "hang", "", "reset", "", "500"])
    shipper = the_shipper()
    wait_until(shipper.drain)
    assert collector.accepted() == list(range(1, 21))


def test_a_batch_that_was_taken_but_not_noted_comes_twice(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    events(3)
    with monkeypatch.context() as patch:
        patch.setattr(shipping, "fair_turn", _breaks)
        assert the_shipper().drain() is False
    the_shipper().drain()
    assert [received.numbers() for received in collector.got] == [[1, 2, 3], [1], [2, 3]] or [
        received.numbers() for received in collector.got
    ] == [[1, 2, 3], [1, 2, 3]]


def _breaks() -> None:
    raise OperationalError


def test_a_batch_that_is_not_taken_becomes_smaller_and_then_larger_again(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MOST", 4)
    events(9)
    collector.faults.extend(["413", "413"])
    shipper = the_shipper()
    shipper.drain(), shipper.drain(), shipper.drain()
    assert [len(received.numbers()) for received in collector.got] == [4, 2, 1, 2, 4, 2]
    assert collector.accepted() == list(range(1, 10))


def test_pauses_grow_up_to_a_minute_and_are_never_alike(settings: Settings) -> None:
    settings.AUDIT_WEBHOOK, settings.AUDIT_WEBHOOK_SECRET = f"http://127.0.0.1:{free_port()}/", SECRET
    events(1)
    shipper = the_shipper()
    assert shipper.pause() == shipping.IDLE_SECONDS
    longest = []
    for _ in range(12):
        assert shipper.ship() == 0
        longest.append(max(shipper.pause() for _ in range(50)))
    assert longest[0] <= 2 < longest[2] < longest[4]
    assert 30 < longest[-1] <= 60
    assert len({shipper.pause() for _ in range(20)}) > 1


def test_of_two_shippers_one_ships(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    events(2)
    inside, go_on = threading.Event(), threading.Event()
    sending = Webhook.send

    def slowly(target: Webhook, lines: list[Line]) -> None:
        inside.set()
        go_on.wait(10)
        sending(target, lines)

    monkeypatch.setattr(Webhook, "send", slowly)
    other = the_shipper()

    def ship() -> None:
        other.ship()
        connection.close()

    thread = threading.Thread(target=ship)
    thread.start()
    assert inside.wait(10)
    mine = the_shipper()
    assert (mine.ship(), mine.failures) == (0, 0)
    go_on.set()
    thread.join()
    assert mine.ship() == 0
    assert [received.numbers() for received in collector.got] == [[1, 2]]


def test_nothing_leaves_before_it_is_durable(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    events(1)
    order: list[str] = []
    monkeypatch.setattr(chain, "make_durable", lambda: order.append("durable"))
    monkeypatch.setattr(Webhook, "send", lambda *_: order.append("sent"))
    the_shipper().ship()
    assert order == ["durable", "sent"]
    assert collector.got == []


def test_a_log_that_is_shorter_than_what_was_shipped_is_a_failure_until_told_otherwise(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    events(2)
    shipper = the_shipper()
    shipper.restart(7)
    assert shipper.drain() is False
    assert "a restored backup" in caplog.text
    shipper.restart(1)
    assert shipper.drain() is True
    assert collector.accepted() == [2]


def test_syslog_gets_a_message_of_rfc_5424_for_each_event(syslog: SyslogServer) -> None:
    write_history(
        [{"kind": "issuance:denied", "at": NOON, "actor_name": "Alice Engström", "reason": "a\nb \U0001f511"}]
    )
    assert the_shipper().drain() is True
    (message,) = syslog.messages()
    head, json_line = message[: message.index("{")], message[message.index("{") :]
    assert head == "<110>1 2026-11-20T12:00:00.000000Z localhost credportal - issuance:denied - "
    assert json_line.isascii()
    assert "\n" not in json_line
    assert json.loads(json_line)["actor_name"] == "Alice Engström"
    assert json.loads(json_line)["reason"] == "a\nb \U0001f511"
    assert json.loads(json_line)["hash"] == bytes(Event.objects.get().hash).hex()


def test_syslog_gets_everything_once_and_in_order_where_nothing_fails(syslog: SyslogServer) -> None:
    events(1200)
    assert the_shipper().drain() is True
    assert [json.loads(message.split(" - ", 2)[2])["seq"] for message in syslog.messages()] == list(range(1, 1201))


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("fault", ["no handshake", "closes at once", "stops half-way"])
@pytest.mark.parametrize("count", [1, 400])
def test_a_syslog_server_that_did_not_read_to_the_end_gets_it_again(
    syslog: SyslogServer, fault: str, count: int
) -> None:
    events(count)
    syslog.faults.append(fault)
    shipper = the_shipper()
    assert shipper.drain() is False
    assert Progress.objects.get(reader="ship:syslog").through == 0
    assert shipper.drain() is True
    assert len(syslog.messages()) == count


@pytest.mark.usefixtures("_impatient")
def test_a_syslog_server_that_ends_before_its_machine_has_all_gets_it_again(syslog: SyslogServer) -> None:
    events(400)
    syslog.faults.append("ends and reads nothing")
    shipper = the_shipper()
    assert shipper.drain() is False
    wait_until(shipper.drain)
    assert len(syslog.messages()) == 400


def test_a_syslog_server_that_ends_without_the_alert_of_tls_has_taken_it(syslog: SyslogServer) -> None:
    events(3)
    syslog.faults.append("ends without a word")
    assert the_shipper().drain() is True
    assert len(syslog.messages()) == 3


def test_a_certificate_that_nobody_vouches_for_gets_nothing(syslog: SyslogServer, settings: Settings) -> None:
    events(1)
    settings.AUDIT_CA_FILE = ""
    assert the_shipper().drain() is False
    assert syslog.read == []


def test_a_certificate_for_another_name_gets_nothing(syslog: SyslogServer, settings: Settings) -> None:
    events(1)
    settings.AUDIT_SYSLOG = f"tls://localhost:{syslog.port}"
    assert the_shipper().drain() is False
    assert syslog.read == []


def test_a_webhook_over_tls_is_verified_too(settings: Settings, tmp_path: Path) -> None:
    events(1)
    with webhook(tmp_path) as running:
        settings.AUDIT_WEBHOOK, settings.AUDIT_WEBHOOK_SECRET = running.url, SECRET
        assert the_shipper().drain() is False
        settings.AUDIT_CA_FILE = str(tmp_path / "trusted.pem")
        assert the_shipper().drain() is True
        assert running.accepted() == [1]


@pytest.mark.parametrize("kind", ["issuance:issued", "two words", "", "x" * 40, "bidi \u202e"])
def test_no_text_of_an_event_breaks_the_frame(kind: str) -> None:
    frame = framed(Line(1, json.dumps({"at": "2026-11-20T12:00:00.000000Z", "kind": kind})), "")
    count, _, message = frame.partition(b" ")
    assert int(count) == len(message)
    assert message.split(b" ")[2:4] == [b"-", b"credportal"]
    assert 1 <= len(message.split(b" ")[5]) <= 32


def test_addresses_where_a_cloud_keeps_its_secrets_are_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    class Connected:
        def __enter__(self) -> "Connected":
            return self

        def __exit__(self, *_exception: object) -> None:
            pass

        def getpeername(self) -> tuple[str, int]:
            return "169.254.169.254", 80

    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: Connected())
    with pytest.raises(NotAccepted):
        Webhook("http://metadata.example.com/", SECRET).send([Line(1, "{}\n")])


def test_two_targets_do_not_wait_for_each_other(
    collector: Collector, syslog: SyslogServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "PAUSE_SECONDS", 5)
    events(3)
    collector.faults.append("hang")
    stop = threading.Event()
    threads = [threading.Thread(target=Shipper(target).run, args=[stop]) for target in shipping.targets()]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(syslog.messages()) == 3)
    assert collector.accepted() == []
    stop.set()
    for thread in threads:
        thread.join()


@pytest.mark.usefixtures("_impatient")
def test_a_dead_target_slows_nobody_loses_nothing_and_catches_up(
    settings: Settings, alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    port = free_port()
    settings.AUDIT_WEBHOOK, settings.AUDIT_WEBHOOK_SECRET = f"http://127.0.0.1:{port}/", SECRET
    stop, shipper = threading.Event(), the_shipper()
    thread = threading.Thread(target=shipper.run, args=[stop])
    thread.start()
    try:
        page = alice.get(f"/roles/{catalogue.read_only.id}/").content.decode()
        submission = page.split('name="submission"')[1].split('value="')[1].split('"')[0]
        asked = {"duration": "3600", "submission": submission}
        began = time.monotonic()
        assert alice.post(f"/roles/{catalogue.read_only.id}/issue/", asked).status_code == 200
        assert time.monotonic() - began < 3
        wait_until(lambda: shipper.failures > 2)
        assert shipping_lag()[0].behind == Event.objects.count() > 1
    finally:
        stop.set()
        thread.join()
    with webhook() as running:
        settings.AUDIT_WEBHOOK = running.url
        assert the_shipper().drain() is True
        assert running.accepted() == list(Event.objects.order_by("id").values_list("id", flat=True))
        everything = b"".join(received.body for received in running.got).decode()
        assert not any(mint.secret_access_key in everything for mint in sts.ledger.mints)


def test_the_lag_says_how_many_wait_and_since_when(collector: Collector) -> None:
    assert shipping_lag() == [shipping.Lag("webhook", 0, None)]
    events(3)
    the_shipper().restart(1)
    with CaptureQueriesContext(connection) as asked:
        (lag,) = shipping_lag()
    assert (lag.behind, lag.since) == (2, Event.objects.get(id=2).at)
    assert len(asked) == 3
    assert not any("COUNT(" in query["sql"] for query in asked)
    the_shipper().drain()
    assert shipping_lag() == [shipping.Lag("webhook", 0, None)]
    assert collector.accepted() == [2, 3]


def test_without_a_target_the_lag_costs_nothing() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert shipping_lag() == []
    assert len(asked) == 0


def test_the_secret_is_in_no_log_and_no_repr(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    events(2)
    collector.faults.append("500")
    shipper = the_shipper()
    shipper.drain(), shipper.drain()
    assert SECRET not in caplog.text
    assert SECRET not in repr(shipper.target)
    assert SECRET.encode() not in b"".join(received.body for received in collector.got)
    assert "audit.shipped" in caplog.text
