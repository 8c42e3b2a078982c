"""``verify_audit``, ``export_audit_head`` and ``archive_audit``: what they say, and with which code they end."""

import base64
import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.audit.models import Event, Issuance
from credportal.audit.proof import head
from credportal.web.management.commands.verify_audit import Progress
from tests.support.database import without_triggers
from tests.support.history import write_issuances

pytestmark = pytest.mark.django_db(transaction=True)
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture(autouse=True)
def _a_log(settings: Settings) -> None:
    settings.AUDIT_KEY = KEY
    write_issuances([{"access_key_id": f"ASIA{number}"} for number in range(3)])


def run(command: str, *arguments: object) -> tuple[int, str, str]:
    """Return the exit code and what was printed on both streams."""
    out, err = StringIO(), StringIO()
    try:
        call_command(command, *map(str, arguments), stdout=out, stderr=err, no_color=True)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def tamper(**columns: object) -> None:
    with without_triggers(connection):
        Event.objects.filter(id=4).update(**columns)


def public(key: bytes) -> str:
    return base64.b64encode(head.public_half(key)).decode()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """Export the head of the log; return the file."""
    file = tmp_path / "head.json"
    assert run("export_audit_head", "--output", file) == (0, "", "")
    return file


def cut_the_tail() -> None:
    with without_triggers(connection):
        Event.objects.filter(id__gt=4).delete()
        Issuance.objects.filter(access_key_id="ASIA2").delete()


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object, **kwargs: object) -> Any:
        raise OperationalError("password=secret")

    monkeypatch.setattr(connection, "cursor", away)


def test_a_whole_log_ends_with_0_and_says_how_many_events_how_fast() -> None:
    code, out, err = run("verify_audit")
    assert (code, err) == (0, "")
    first, last = out.splitlines()
    assert first.startswith("Verified 6 events, 1 to 6, in 0.")
    assert first.endswith(" a second.")
    assert last == "The log is whole."


def test_a_changed_log_ends_with_1_and_names_the_event() -> None:
    tamper(reason="Nothing")
    code, out, err = run("verify_audit")
    assert (code, err) == (1, "TAMPERED: event 4 was changed: its hash does not fit\n")
    assert "whole" not in out


def test_an_issuance_that_differs_is_told_apart_from_the_chain() -> None:
    with without_triggers(connection):
        Issuance.objects.filter(access_key_id="ASIA1").update(actor_handle="bob")
    code, out, err = run("verify_audit")
    assert (code, err) == (1, "TAMPERED: issuance 000000000002 differs from event 4\n")
    assert "Verified 6 events" in out


@pytest.mark.usefixtures("no_database")
@pytest.mark.parametrize(
    ("command", "code"), [("verify_audit", 2), ("export_audit_head", 1), ("archive_audit --before 2026-01-01", 2)]
)
def test_a_database_that_is_away_proves_nothing(command: str, code: int) -> None:
    ended, out, err = run(*command.split())
    assert (ended, out) == (code, "")
    assert "secret" not in err
    assert len(err.splitlines()) == 1


def test_a_log_that_still_holds_the_head_is_whole(kept: Path) -> None:
    for key in ((), ("--public-key", public(KEY))):
        code, out, err = run("verify_audit", "--head", kept, *key)
        assert (code, err) == (0, "")
        assert "The head is of event 6, made 20" in out


def test_a_cut_tail_is_found_by_the_head_alone(kept: Path) -> None:
    cut_the_tail()
    assert run("verify_audit")[0] == 0
    code, _, err = run("verify_audit", "--head", kept)
    assert code == 1
    assert err == ("TAMPERED: the log ends at event 4, the head says 6: its tail was cut, or an old backup restored\n")


def test_the_public_key_may_be_a_file_of_openssl_and_the_portal_needs_none_of_its_own(
    kept: Path, tmp_path: Path, settings: Settings
) -> None:
    settings.AUDIT_KEY = b""
    pem = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + head.public_half(KEY)).decode()
    file = tmp_path / "public.pem"
    file.write_text(f"-----BEGIN PUBLIC KEY-----\n{pem}\n-----END PUBLIC KEY-----\n")
    assert run("verify_audit", "--head", kept, "--public-key", file)[0] == 0
    code, _, err = run("verify_audit", "--head", kept)
    assert (code, err) == (2, "Whose signature is right? Give --public-key, or set CREDPORTAL_AUDIT_KEY_FILE.\n")


def test_a_head_of_another_key_is_not_believed_whatever_key_it_holds(kept: Path, settings: Settings) -> None:
    cut_the_tail()
    settings.AUDIT_KEY = OTHER
    forged = kept.with_name("forged.json")
    run("export_audit_head", "--output", forged)
    settings.AUDIT_KEY = KEY
    code, _, err = run("verify_audit", "--head", forged)
    assert code == 2
    assert "another key signed this head" in err
    code, _, err = run("verify_audit", "--head", forged, "--public-key", "nonsense")
    assert (code, err.startswith("--public-key: write an Ed25519 key")) == (2, True)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]", b'{"signature": 7}', b"x" * 2_000_000])
def test_a_damaged_head_is_a_sentence_and_2(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "head.json"
    file.write_bytes(content)
    code, out, err = run("verify_audit", "--head", file)
    assert (code, out) == (2, "")
    assert err.startswith(f"{file}: ")
    assert len(err.splitlines()) == 1
    assert run("verify_audit", "--head", tmp_path / "none")[0] == 2


def test_the_head_of_another_portal_is_a_sentence_and_2(kept: Path, settings: Settings) -> None:
    settings.PORTAL_URL = "https://else.example.com"
    code, _, err = run("verify_audit", "--head", kept)
    assert code == 2
    assert "not of https://else.example.com" in err


def test_a_head_is_printed_where_no_file_is_named() -> None:
    code, out, err = run("export_audit_head")
    assert (code, err) == (0, "")
    assert json.loads(out)["seq"] == 6


def test_without_a_key_nothing_is_signed(settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_KEY = b""
    code, out, err = run("export_audit_head", "--output", tmp_path / "head.json")
    assert (code, out) == (2, "")
    assert "CREDPORTAL_AUDIT_KEY_FILE" in err
    assert list(tmp_path.iterdir()) == []


def test_a_head_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    code, out, err = run("export_audit_head", "--output", tmp_path / "none" / "head.json")
    assert (code, out) == (2, "")
    assert err == f"{tmp_path / 'none' / 'head.json'}: cannot write it (No such file or directory).\n"


def test_an_archive_is_written_told_and_verified(tmp_path: Path) -> None:
    yesterday = timezone.now().date() - timedelta(days=1)
    code, out, err = run("archive_audit", "--before", yesterday, "--directory", tmp_path)
    assert (code, err) == (2, "Events of the last 90 days stay. Give an earlier --before, or --force.\n")
    arguments = ("--before", "2026-11-21", "--directory", tmp_path, "--force")
    assert run("archive_audit", *arguments, "--dry-run") == (
        0,
        "Events 1 to 5 (the newest event always stays).\nDry run: nothing was written.\n",
        "",
    )
    assert list(tmp_path.iterdir()) == []
    code, out, err = run("archive_audit", *arguments)
    assert (code, err) == (0, "")
    [file] = tmp_path.iterdir()
    assert out.splitlines()[-1] == f"Done: 5 events and 2 issuances are in {file}."
    assert list(Event.objects.order_by("id").values_list("id", flat=True)) == [6, 7]
    code, out, err = run("verify_audit")
    assert (code, err) == (0, "")
    assert out.startswith("The log is archived through event 5.\nVerified 2 events, 6 to 7, in ")
    assert run("verify_audit", "--archive", file) == (
        0,
        f"{file}: whole by itself: 5 events, 1 to 5, and 2 issuances.\n",
        "",
    )


def test_a_second_run_has_nothing_to_archive(tmp_path: Path) -> None:
    arguments = ("--before", "2026-11-21", "--directory", tmp_path, "--force")
    with without_triggers(connection):
        Event.objects.filter(id=6).update(at="2026-11-22T00:00:00Z")
        Issuance.objects.filter(access_key_id="ASIA2").delete()
    assert run("archive_audit", "--before", "2020-01-01", "--directory", tmp_path) == (
        0,
        "There is nothing to archive before that day.\n",
        "",
    )
    code, _, err = run("archive_audit", *arguments)
    assert code == 0, err
    assert run("archive_audit", *arguments) == (0, "There is nothing to archive before that day.\n", "")


def test_a_log_that_is_not_whole_is_not_archived_and_ends_with_1(tmp_path: Path) -> None:
    tamper(reason="Nothing")
    code, _, err = run("archive_audit", "--before", "2026-11-21", "--directory", tmp_path, "--force")
    assert code == 1
    assert err.startswith("The log is not whole, so nothing was archived: event 4 was changed")


def test_a_folder_that_is_not_there_is_a_sentence_and_a_day_that_is_none_too(tmp_path: Path) -> None:
    code, _, err = run("archive_audit", "--before", "2026-11-21", "--directory", tmp_path / "none", "--force")
    assert code == 2
    assert "cannot write it (No such file or directory)" in err
    with pytest.raises(CommandError, match="write a day as 2026-11-24"):
        run("archive_audit", "--before", "yesterday")


def test_a_damaged_archive_is_1_and_a_missing_one_2(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(b"nothing of ours")
    code, _, err = run("verify_audit", "--archive", tmp_path / "a.jsonl.gz")
    assert (code, err) == (
        1,
        f"TAMPERED: {tmp_path / 'a.jsonl.gz'}: it was cut or damaged: it cannot be unpacked.\n",
    )
    assert run("verify_audit", "--archive", tmp_path / "b")[0] == 2


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Writer:
    """A stream as a command has it."""

    def __init__(self, stream: StringIO) -> None:
        self.stream = stream

    def write(self, text: str, ending: str = "\n") -> None:
        self.stream.write(text + ending)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def test_somebody_who_watches_sees_a_bar_and_a_log_file_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, file = Terminal(), StringIO()
    for stream in (screen, file):
        shown = Progress(Writer(stream))
        shown.tell(50, 100)
        monkeypatch.setattr(shown, "last", shown.last - 11)
        shown.tell(100, 100)
    half, full = "█" * 15 + "·" * 15, "█" * 30
    assert screen.getvalue() == f"\r{half} 50 of 100\r{full} 100 of 100\n"
    assert file.getvalue() == "100 of 100 events\n"
