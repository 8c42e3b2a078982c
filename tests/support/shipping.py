"""What tests of shipping share: targets that the settings name, few events, little patience."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from credportal.audit import targets
from credportal.flows import shipping
from credportal.flows.shipping import Shipper
from tests.support.history import write_history
from tests.support.receivers import Collector, SyslogServer, syslog_server, webhook

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
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
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
