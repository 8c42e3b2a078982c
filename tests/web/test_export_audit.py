"""``manage.py export_audit``: what it writes, how it goes on, and what it leaves in the log."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from credportal.audit import chain, export
from credportal.audit.models import Checkpoint, Event
from tests.support.history import NOON, write_history
from tests.support.portal import ROOT, test_database_url

pytestmark = pytest.mark.django_db

Capture = pytest.CaptureFixture[bytes]


def run(capture: Capture, *arguments: str) -> tuple[int, bytes, str]:
    """Return the exit code and what was written to both streams."""
    code = 0
    try:
        call_command("export_audit", *arguments, no_color=True)
    except SystemExit as stop:
        code = int(str(stop.code))
    out, err = capture.readouterr()
    return code, out, err.decode()


def numbers(out: bytes) -> list[int]:
    return [json.loads(line)["seq"] for line in out.splitlines()]


def test_it_prints_everything_in_the_order_of_the_numbers_and_tells_the_last(capsysbinary: Capture) -> None:
    write_history([{"at": NOON}, {"at": NOON - timedelta(hours=1)}, {"kind": "audit:read"}])
    code, out, err = run(capsysbinary)
    assert code == 0
    assert numbers(out) == [1, 2, 3]
    assert err.splitlines()[-1] == "3 rows, last sequence number 3."


def test_the_next_run_goes_on_without_gap_or_repetition(capsysbinary: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "CHUNK", 2)
    write_history({} for _ in range(5))
    _, first, err = run(capsysbinary)
    last = err.split()[-1].rstrip(".")
    write_history({} for _ in range(3))
    _, second, err = run(capsysbinary, "--since", last)
    assert numbers(first) + numbers(second) == list(range(1, 11))
    assert err == "5 rows, last sequence number 10.\n"


def test_a_run_with_nothing_new_tells_the_number_it_was_given(capsysbinary: Capture) -> None:
    write_history([{}])
    code, out, err = run(capsysbinary, "--since", "7")
    assert (code, out, err) == (0, b"", "0 rows, last sequence number 7.\n")


def test_csv_has_a_head(capsysbinary: Capture) -> None:
    write_history([{}])
    _, out, err = run(capsysbinary, "--format", "csv")
    assert out.startswith(b"seq,at,kind,")
    assert len(out.splitlines()) == 2
    assert err == "1 row, last sequence number 1.\n"


def test_a_file_appears_whole_and_for_its_owner_alone(capsysbinary: Capture, tmp_path: Path) -> None:
    write_history([{}, {}])
    file = tmp_path / "audit.jsonl"
    code, out, err = run(capsysbinary, "--output", str(file))
    assert (code, out, err) == (0, b"", "2 rows, last sequence number 2.\n")
    assert numbers(file.read_bytes()) == [1, 2]
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_its_begin_and_end_are_events_without_an_actor(capsysbinary: Capture) -> None:
    write_history([{}, {}])
    run(capsysbinary, "--since", "1")
    started, finished = Event.objects.order_by("id")[2:]
    assert (started.kind, finished.kind) == ("audit:export-started", "audit:export-finished")
    assert started.subject == finished.subject
    assert started.subject.startswith("export:")
    for event in (started, finished):
        assert (event.actor_id, event.actor_handle, event.on_behalf_of, event.address) == (None, "", "", "")
    assert started.detail == {"command": "export_audit", "format": "jsonl", "since": 1}
    assert finished.detail == {**started.detail, "rows": 1, "complete": True}


def test_a_database_that_fails_leaves_no_file_and_one_sentence(
    capsysbinary: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(export, "_rows", broken)
    monkeypatch.setattr("credportal.flows.audit_export.connection.close_if_unusable_or_obsolete", lambda: None)
    code, _, err = run(capsysbinary, "--output", str(tmp_path / "audit.jsonl"))
    assert code == 1
    assert "this export is not whole" in err
    assert list(tmp_path.iterdir()) == []
    assert Event.objects.get(kind="audit:export-finished").detail["complete"] is False


def test_nothing_is_written_where_it_cannot_be_recorded(capsysbinary: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    write_history([{}])

    def broken(*_arguments: Any, **_options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(chain, "extend", broken)
    code, out, _ = run(capsysbinary)
    assert (code, out) == (1, b"")


def test_a_file_that_cannot_be_written_is_one_line(capsysbinary: Capture, tmp_path: Path) -> None:
    file = tmp_path / "missing" / "audit.jsonl"
    code, out, err = run(capsysbinary, "--output", str(file))
    assert (code, out) == (2, b"")
    assert err == f"{file}: cannot write it (No such file or directory).\n"
    assert Event.objects.get(kind="audit:export-finished").detail["complete"] is False


def test_what_is_archived_is_said_to_be_missing(capsysbinary: Capture) -> None:
    Checkpoint.objects.create(through=9, hash=bytes(32), before=NOON)
    assert "up to number 9 are in archives" in run(capsysbinary)[2]
    assert "archives" not in run(capsysbinary, "--since", "9")[2]


@pytest.mark.parametrize("wrong", ["-1", "x", "1.5", str(2**63)])
def test_a_number_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(CommandError, match="--since"):
        call_command("export_audit", f"--since={wrong}")


@pytest.mark.django_db(transaction=True)
def test_a_reader_who_stops_reading_is_no_reason_for_a_word() -> None:
    write_history({"reason": "x" * 500} for _ in range(3000))
    command = [sys.executable, "manage.py", "export_audit"]
    environment = os.environ | {"DATABASE_URL": test_database_url()}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10) == b'{"seq":1,"'
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1
    assert Event.objects.get(kind="audit:export-finished").detail["complete"] is False
