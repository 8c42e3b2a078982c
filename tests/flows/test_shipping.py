"""Shipping to a second place: in order, at least once, through every failure, and in nobody's way."""

import hashlib
import hmac
import socket
import threading
import time
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
from credportal.audit.targets import NotAccepted, Webhook
from credportal.flows import shipping
from credportal.flows.shipping import Shipper, shipping_lag
from tests.fault_sts import FaultSTS
from tests.support.cast import Catalogue
from tests.support.portal import free_port
from tests.support.receivers import Collector, SyslogServer, webhook
from tests.support.shipping import SECRET, collector, events, impatient, syslog, the_shipper, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["collector", "impatient", "syslog"]  # Fixtures, which pytest finds by their names.


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


@pytest.mark.usefixtures("impatient")
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


@pytest.mark.usefixtures("impatient")
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


def test_a_webhook_over_tls_is_verified_too(settings: Settings, tmp_path: Path) -> None:
    events(1)
    with webhook(tmp_path) as running:
        settings.AUDIT_WEBHOOK, settings.AUDIT_WEBHOOK_SECRET = running.url, SECRET
        assert the_shipper().drain() is False
        settings.AUDIT_CA_FILE = str(tmp_path / "trusted.pem")
        assert the_shipper().drain() is True
        assert running.accepted() == [1]


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


@pytest.mark.usefixtures("impatient")
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
