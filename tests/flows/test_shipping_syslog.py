"""Shipping to syslog over TLS: whole messages, to the right server, and again where it did not read to the end."""

import json

import pytest
from pytest_django.fixtures import Settings

from credportal.audit.export import Line
from credportal.audit.models import Event, Progress
from credportal.audit.targets import framed
from tests.support.history import NOON, write_history
from tests.support.receivers import SyslogServer
from tests.support.shipping import events, impatient, syslog, the_shipper, wait_until

__all__ = ["impatient", "syslog"]  # Fixtures, which pytest finds by their names.

pytestmark = pytest.mark.django_db(transaction=True)


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


@pytest.mark.usefixtures("impatient")
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


@pytest.mark.usefixtures("impatient")
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


@pytest.mark.parametrize("kind", ["issuance:issued", "two words", "", "x" * 40, "bidi \u202e"])
def test_no_text_of_an_event_breaks_the_frame(kind: str) -> None:
    frame = framed(Line(1, json.dumps({"at": "2026-11-20T12:00:00.000000Z", "kind": kind})), "")
    count, _, message = frame.partition(b" ")
    assert int(count) == len(message)
    assert message.split(b" ")[2:4] == [b"-", b"credportal"]
    assert 1 <= len(message.split(b" ")[5]) <= 32
