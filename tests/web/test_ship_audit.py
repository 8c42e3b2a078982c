"""``manage.py ship_audit``: how it ends, what it measures, what survives a kill, and what the audit page says."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.template import Context, Template
from pytest_django.fixtures import Settings

from credportal.audit.models import Event, Progress
from credportal.flows.shipping import Shipper, targets
from credportal.web.management.commands import ship_audit
from tests.support.history import write_history
from tests.support.portal import ROOT, free_port, test_database_url
from tests.support.receivers import Collector
from tests.support.shipping import SECRET, collector, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["collector"]  # A fixture, which pytest finds by its name.


def run(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code and what was printed on both streams."""
    out, err = StringIO(), StringIO()
    try:
        call_command("ship_audit", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@contextmanager
def shipping(collector: Collector, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command as a process of its own until the block ends."""
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
        "CREDPORTAL_AUDIT_WEBHOOK": collector.url,
        "CREDPORTAL_AUDIT_WEBHOOK_SECRET": SECRET,
        "DJANGO_SETTINGS_MODULE": "credportal.settings",
    }
    command = [sys.executable, "manage.py", "ship_audit", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_once_ships_what_is_there_and_says_so(collector: Collector) -> None:
    write_history({} for _ in range(3))
    assert run("--once") == (0, "webhook: shipped 3, failed 0.\n", "")
    assert run("--once") == (0, "webhook: shipped 0, failed 0.\n", "")
    assert collector.accepted() == [1, 2, 3]


def test_once_ends_with_one_where_something_is_left(settings: Settings) -> None:
    write_history([{}])
    settings.AUDIT_WEBHOOK, settings.AUDIT_WEBHOOK_SECRET = f"http://127.0.0.1:{free_port()}/", SECRET
    code, out, _ = run("--once")
    assert (code, out) == (1, "webhook: shipped 0, failed 1.\n")


def test_without_a_target_it_says_which_variables_name_one() -> None:
    code, _, err = run()
    assert code == 2
    assert "CREDPORTAL_AUDIT_WEBHOOK or CREDPORTAL_AUDIT_SYSLOG" in err


def test_it_can_begin_again_after_a_number(collector: Collector) -> None:
    write_history({} for _ in range(4))
    run("--once")
    run("--once", "--restart-after", "2")
    assert collector.accepted() == [1, 2, 3, 4, 3, 4]


@pytest.mark.parametrize("wrong", ["-1", "x", "²"])
def test_a_number_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(CommandError, match="restart-after"):
        call_command("ship_audit", f"--restart-after={wrong}")


def test_the_metrics_say_how_far_behind_it_is_and_what_was_done(collector: Collector, tmp_path: Path) -> None:
    file = tmp_path / "credportal.prom"
    write_history({} for _ in range(3))
    collector.faults.append("500")
    assert run("--once", "--metrics-file", str(file))[0] == 1
    metrics = dict(re.findall(r'^(\w+)\{target="webhook"\} (\S+)$', file.read_text(), re.M))
    assert metrics.pop("credportal_audit_ship_lag_seconds") != "0"
    assert metrics == {
        "credportal_audit_ship_lag_events": "3",
        "credportal_audit_ship_sent_total": "0",
        "credportal_audit_ship_failures_total": "1",
    }
    assert file.read_text().count("# TYPE") == file.read_text().count("# HELP") == 4
    run("--once", "--metrics-file", str(file))
    assert 'credportal_audit_ship_lag_seconds{target="webhook"} 0\n' in file.read_text()
    assert 'credportal_audit_ship_sent_total{target="webhook"} 3\n' in file.read_text()
    assert list(tmp_path.iterdir()) == [file]


def test_metrics_that_cannot_be_written_are_one_line(collector: Collector, tmp_path: Path) -> None:
    file = tmp_path / "missing" / "credportal.prom"
    code, _, err = run("--once", "--metrics-file", str(file))
    assert (code, err) == (2, f"{file}: cannot write it (No such file or directory).\n")
    assert collector.got == []


def test_metrics_that_cannot_be_read_leave_the_file_as_it_was(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise DatabaseError

    file = tmp_path / "credportal.prom"
    file.write_text("as it was")
    monkeypatch.setattr(ship_audit, "shipping_lag", broken)
    assert run("--once", "--metrics-file", str(file))[0] == 0
    assert file.read_text() == "as it was"
    assert collector.got == []


def test_a_process_that_is_told_to_stop_has_shipped_what_it_began_and_ends_well(
    collector: Collector, tmp_path: Path
) -> None:
    write_history({} for _ in range(3))
    with shipping(collector, "--metrics-file", str(tmp_path / "metrics")) as process:
        wait_until(lambda: collector.accepted() == [1, 2, 3])
        write_history([{}])
        wait_until(lambda: collector.accepted() == [1, 2, 3, 4])
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out == b"webhook: shipped 4, failed 0.\n"
    assert SECRET.encode() not in err
    assert "ship_sent_total" in (tmp_path / "metrics").read_text()


def test_what_a_killed_process_had_sent_may_come_twice_and_nothing_is_left_out(collector: Collector) -> None:
    write_history({} for _ in range(1200))
    collector.faults.extend(["", "hang"])
    with shipping(collector) as process:
        wait_until(lambda: len(collector.got) == 2)
        process.kill()
        process.wait()
    assert Progress.objects.get(reader="ship:webhook").through == 500
    with shipping(collector, "--once") as process:
        process.communicate(timeout=30)
    assert process.returncode == 0
    numbers = [number for received in collector.got for number in received.numbers()]
    assert numbers == [*range(1, 501), *range(501, 1001), *range(501, 1201)]


def test_a_thread_that_breaks_down_ends_the_process(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(Shipper, "run", lambda *_: None)
    code, _, _ = run()
    assert code == 1
    assert collector.got == []


def test_the_audit_page_says_how_far_each_target_is_behind(collector: Collector) -> None:
    foot = Template("{% load shipping %}{% shipping %}")
    assert "The webhook has every event." in foot.render(Context())
    write_history({} for _ in range(1500))
    Shipper(targets()[0]).ship()
    text = " ".join(re.sub(r"<[^>]+>", "", foot.render(Context())).split())
    assert "The webhook is 1,000 events behind; the oldest waits since" in text
    assert Event.objects.count() == 1500
    assert len(collector.got) == 1


def test_without_a_target_the_audit_page_says_nothing() -> None:
    assert Template("{% load shipping %}{% shipping %}").render(Context()).strip() == ""
