"""Archiving the old part of the log: nothing is lost at any point, and the chain accounts for what is gone."""

import gzip
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from credportal.audit import record
from credportal.audit.columns import COLUMNS
from credportal.audit.models import Checkpoint, Event, EventKind, Issuance, Progress
from credportal.audit.proof import archive as file_of
from credportal.audit.proof import head, verify
from credportal.audit.proof.archive import Archive, BadArchive, read_archive
from credportal.audit.proof.differences import differences
from credportal.audit.record import archiving as writer
from credportal.domain.types import Origin
from credportal.flows import archiving, proving
from credportal.flows.archiving import NotArchived, NothingToArchive, Plan, Tampered
from tests.support.database import without_triggers
from tests.support.history import write_history, write_issuances

pytestmark = pytest.mark.django_db(transaction=True)

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
CUT, LATER_CUT = datetime(2026, 1, 11, tzinfo=UTC), datetime(2026, 1, 16, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _a_month() -> None:
    """One issuance a day, 20 days of January: events 1 to 40."""
    write_issuances(
        [
            {
                "requested_at": JANUARY + timedelta(days=day),
                "access_key_id": f"ASIA{day}",
                "reason": "Größe 💳",
                "duration_given": timedelta(hours=1),
                "expiration": JANUARY + timedelta(days=day, hours=1),
            }
            for day in range(20)
        ]
    )


def silent(text: str) -> None:
    del text


def plan(before: datetime = CUT) -> Plan:
    return archiving.plan_archive(before=before, now=NOW)


def archive(folder: Path, before: datetime = CUT) -> tuple[Path, Archive]:
    """Do what the command does."""
    archiving.delete_rest(silent)
    written = archiving.archive_audit(plan(before), before=before, directory=folder, tell=silent)
    archiving.delete_rest(silent)
    return written


def assert_whole() -> None:
    walked = verify.verify_log()
    assert walked.fault is None
    assert list(differences(walked.first, walked.last.number)) == []


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.open(file, "rt", encoding="utf-8")]


def test_what_is_older_leaves_the_database_and_the_log_is_whole(tmp_path: Path) -> None:
    events, issuances = list(Event.objects.filter(id__lte=20).order_by("id")), set(Issuance.objects.values_list("id"))
    file, written = archive(tmp_path)
    assert (written.start.number, written.end.number, written.events, written.issuances) == (0, 20, 20, 10)
    assert Event.objects.order_by("id").values_list("id", flat=True)[0] == 21
    assert Issuance.objects.count() == 10
    checkpoint = Checkpoint.objects.get()
    assert (checkpoint.through, bytes(checkpoint.hash), checkpoint.before) == (20, bytes(events[-1].hash), CUT)
    told = Event.objects.get(kind=EventKind.ARCHIVED.value)
    assert told.detail == {
        "command": "archive_audit",
        "from": 1,
        "through": 20,
        "previous_hash": "00" * 32,
        "hash": bytes(events[-1].hash).hex(),
        "events": 20,
        "issuances": 10,
        "file": file.name,
        "sha256": written.sha256,
        "before": "2026-01-11T00:00:00+00:00",
    }
    assert (told.actor_id, told.actor_handle) == (None, "")
    gone = issuances - set(Issuance.objects.values_list("id"))
    assert {(line["issuance"]["id"],) for line in lines_of(file) if "issuance" in line} == gone
    assert_whole()


def test_the_file_holds_every_column_for_nobody_else_to_read(tmp_path: Path) -> None:
    event, issuance = Event.objects.get(id=2), Issuance.objects.order_by("requested_at")[0]
    file, _ = archive(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    header, *rest, footer = lines_of(file)
    assert (header["from"], header["through"]) == (1, 20)
    assert (footer["events"], footer["issuances"]) == (20, 10)
    kept = next(line["event"] for line in rest if line.get("event", {}).get("id") == 2)
    assert set(kept) == {column.name for column in COLUMNS} | {"hash"}
    assert kept["reason"] == "Größe 💳"
    assert kept["at"] == event.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert kept["duration_given"] == 3_600_000_000
    assert kept["detail"] == {}
    row = next(line["issuance"] for line in rest if line.get("issuance", {}).get("id") == issuance.id)
    assert set(row) == {field.attname for field in Issuance._meta.concrete_fields}
    assert row["submission"] == issuance.submission


def test_the_next_archive_joins_the_one_before_and_both_join_the_log(tmp_path: Path) -> None:
    first, _ = archive(tmp_path)
    second, written = archive(tmp_path, LATER_CUT)
    assert (written.start.number, written.end.number) == (20, 30)
    whole, faults = proving.prove_archives([first, second])
    assert [file for file, _ in whole] == [first, second]
    assert faults == []
    assert_whole()
    _, faults = proving.prove_archives([second, first])
    assert faults == [f"{first}: it does not begin where the one before ends, after event 30."]


def test_an_archive_of_another_log_does_not_join(tmp_path: Path) -> None:
    file, _ = archive(tmp_path)
    with without_triggers(connection):
        Checkpoint.objects.all().delete()
    assert proving.prove_archives([file])[1] == [
        f"{file}: it ends at event 20, and no checkpoint of this log stands there."
    ]


def test_every_byte_of_an_archive_is_proved(tmp_path: Path) -> None:
    file, _ = archive(tmp_path)
    content = gzip.decompress(file.read_bytes())
    damaged = tmp_path / "damaged"
    for place in range(0, len(content), 97):
        changed = bytearray(content)
        changed[place] ^= 1
        damaged.write_bytes(gzip.compress(bytes(changed), 1))
        with pytest.raises(BadArchive):
            read_archive(damaged)


def without(lines: list[bytes], number: int) -> list[bytes]:
    return lines[:number] + lines[number + 1 :]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:-1], "it has no footer"),
        (lambda lines: lines[:0], "it has no footer"),
        (lambda lines: [*lines, lines[2]], "something stands after its footer"),
        (lambda lines: without(lines, 1), "event 1 is missing in it"),
        (lambda lines: without(lines, 7), "event 7 is missing in it"),
        (lambda lines: without(lines, -2), "its header and footer say otherwise"),
        (lambda lines: lines[1:], "it is no archive"),
        (lambda lines: [*lines[:3], b"[]\n", *lines[3:]], "a line of it is none that archive_audit wrote"),
        (lambda lines: [*lines[:3], b"{\n", *lines[3:]], "a line of it is none that archive_audit wrote"),
    ],
)
def test_what_is_wrong_with_an_archive_is_told(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], says: str
) -> None:
    file, _ = archive(tmp_path)
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    damaged = tmp_path / "damaged"
    damaged.write_bytes(gzip.compress(b"".join(change(lines))))
    with pytest.raises(BadArchive, match=says):
        read_archive(damaged)
    damaged.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(BadArchive, match="it was cut or damaged"):
        read_archive(damaged)


class Crash(BaseException):
    """What no handler catches: the process is gone."""


def crash(*args: object, **kwargs: object) -> Any:
    raise Crash


CRASHES: list[tuple[Any, str]] = [
    (archiving, "write_archive"),
    (archiving, "read_archive"),
    (archiving, "put_in_place"),
    (archiving, "record_archived"),
    (writer, "append"),
]


@pytest.mark.parametrize(("module", "name"), CRASHES)
def test_a_crash_before_the_checkpoint_loses_nothing_and_the_next_run_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, name, crash)
        with pytest.raises(Crash):
            archive(tmp_path)
    assert Event.objects.count() == 40
    assert not Checkpoint.objects.exists()
    file, _ = archive(tmp_path)
    assert list(tmp_path.iterdir()) == [file]
    assert proving.prove_archives([file])[1] == []
    assert Event.objects.filter(kind=EventKind.ARCHIVED.value).count() == 1
    assert_whole()


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_a_crash_while_deleting_leaves_a_log_that_verifies_and_the_next_run_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(writer, "BATCH", 6)
    archiving.archive_audit(plan(), before=CUT, directory=tmp_path, tell=silent)
    deleting = writer.delete_archived()
    for _ in range(batches):
        next(deleting)
    walked = verify.verify_log()
    assert (walked.fault, walked.leftovers) == (None, 20 - 6 * batches)
    assert list(differences(walked.first, walked.last.number)) == []
    assert archiving.delete_rest(silent) == 20 - 6 * batches
    assert verify.verify_log().leftovers == 0
    assert (Event.objects.count(), Issuance.objects.count()) == (21, 10)
    with pytest.raises(NothingToArchive):
        plan()
    assert_whole()


def test_a_log_that_is_archived_while_it_is_verified_raises_no_false_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "CHUNK", 5)
    told: list[int] = []

    def archive_meanwhile(done: int, of: int) -> None:
        del of
        told.append(done)
        if len(told) == 1:
            archive(tmp_path)

    walked = verify.verify_log(archive_meanwhile)
    assert told[0] == 5
    assert (walked.fault, walked.first.number, walked.last.number) == (None, 20, 41)


def test_what_is_deleted_while_it_is_verified_raises_no_false_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BATCH", 6)
    archiving.archive_audit(plan(), before=CUT, directory=tmp_path, tell=silent)
    deleting, walk = writer.delete_archived(), verify.walk

    def walk_while_deleting(start: verify.Place, end: int, *more: Any) -> Any:
        if end == 20:
            next(deleting)
        return walk(start, end, *more)

    monkeypatch.setattr(verify, "walk", walk_while_deleting)
    walked = verify.verify_log()
    assert (walked.fault, walked.leftovers) == (None, 14)


def test_what_is_left_to_delete_is_proved_too(tmp_path: Path) -> None:
    archiving.archive_audit(plan(), before=CUT, directory=tmp_path, tell=silent)
    with without_triggers(connection):
        Event.objects.filter(id=7).update(reason="Nothing")
    fault = verify.verify_log().fault
    assert fault
    assert fault.number == 7


def test_an_event_that_is_put_before_the_checkpoint_is_found(tmp_path: Path) -> None:
    forged = Event.objects.get(id=5)
    archive(tmp_path)
    with without_triggers(connection):
        forged.save(force_insert=True)
    fault = verify.verify_log().fault
    assert fault
    assert fault.text == "events 1 to 4 are missing"
    archive(tmp_path, LATER_CUT)
    with without_triggers(connection):
        forged.save(force_insert=True)
    fault = verify.verify_log().fault
    assert fault
    assert fault.text == "event 5 does not belong here: the log begins later"


def test_a_log_that_begins_later_without_a_checkpoint_was_tampered_with() -> None:
    with without_triggers(connection):
        Event.objects.filter(id__lte=20).delete()
    fault = verify.verify_log().fault
    assert fault
    assert fault.text == "events 1 to 20 are missing"


def test_a_checkpoint_that_no_event_tells_of_proves_nothing() -> None:
    last = Event.objects.get(id=20)
    with without_triggers(connection):
        Checkpoint.objects.create(through=20, hash=last.hash, before=CUT)
        Event.objects.filter(id__lte=20).delete()
    fault = verify.verify_log().fault
    assert fault
    assert fault.text == "a checkpoint says that the log was archived through event 20, and no event says so"


def test_a_checkpoint_with_another_hash_is_found(tmp_path: Path) -> None:
    archive(tmp_path)
    with without_triggers(connection):
        Checkpoint.objects.update(hash=bytes(32))
    assert verify.verify_log().fault


def test_the_first_event_after_a_checkpoint_is_proved(tmp_path: Path) -> None:
    archive(tmp_path)
    with without_triggers(connection):
        Event.objects.filter(id=21).delete()
    fault = verify.verify_log().fault
    assert fault
    assert fault.number == 21


def test_a_head_from_before_the_archive_is_covered_by_the_checkpoint(tmp_path: Path) -> None:
    hashes = dict(Event.objects.values_list("id", "hash"))
    archive(tmp_path)
    for number in (5, 20, 25):
        assert head.against_log(head.Head("", number, "", bytes(hashes[number]).hex(), "", "")) is None
    assert head.against_log(head.Head("", 20, "", "00" * 32, "", ""))


def test_a_log_that_is_not_whole_is_not_archived(tmp_path: Path) -> None:
    with without_triggers(connection):
        Event.objects.filter(id=7).update(reason="Nothing")
    with pytest.raises(Tampered, match="event 7 was changed"):
        archive(tmp_path)
    with without_triggers(connection), transaction.atomic():
        Event.objects.filter(id=7).update(reason="Größe 💳")
        Issuance.objects.filter(access_key_id="ASIA3").update(reason="Nothing")
    with pytest.raises(Tampered, match="differs from event 8"):
        archive(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert Event.objects.count() == 40


def test_the_newest_event_stays(tmp_path: Path) -> None:
    file, written = archive(tmp_path, datetime(2026, 2, 1, tzinfo=UTC))
    assert written.end.number == 39
    assert proving.prove_archives([file])[1] == []
    assert_whole()


def test_an_issuance_without_an_outcome_holds_its_events_and_what_follows() -> None:
    opened = Issuance.objects.order_by("requested_at")[3]
    with without_triggers(connection):
        Issuance.objects.filter(id=opened.id).update(status="requested")
    assert plan() == Plan(plan().start, plan().end, "an issuance has no outcome yet")
    assert plan().end.number == 6


@pytest.mark.parametrize("reader", ["tally", "ship:webhook"])
def test_a_reader_that_has_not_come_so_far_holds_what_it_has_not_read(settings: Settings, reader: str) -> None:
    settings.AUDIT_WEBHOOK = "http://127.0.0.1:9/audit"
    Progress.objects.create(reader="ship:webhook", through=39)
    Progress.objects.update_or_create(reader=reader, defaults={"through": 12})
    assert plan().end.number == 12
    assert plan().held_back == f"the reader {reader} has come only so far"


def test_a_target_that_has_not_begun_holds_everything(settings: Settings) -> None:
    settings.AUDIT_WEBHOOK = "http://127.0.0.1:9/audit"
    with pytest.raises(NothingToArchive, match="the reader ship:webhook"):
        plan()


def test_a_target_that_is_configured_no_longer_holds_nothing() -> None:
    Progress.objects.create(reader="ship:webhook", through=12)
    assert plan().end.number > 12


def test_an_issuance_goes_only_with_its_last_event(tmp_path: Path) -> None:
    issuance = Issuance.objects.order_by("requested_at")[0]
    write_history([{"kind": "issuance:closed", "issuance_id": issuance.id, "at": NOW - timedelta(days=1)}])
    _, written = archive(tmp_path)
    assert written.issuances == 9
    assert Issuance.objects.filter(id=issuance.id).exists()
    assert_whole()


@pytest.mark.parametrize("before", [NOW - timedelta(days=89), NOW + timedelta(days=1)])
def test_the_last_90_days_stay(before: datetime) -> None:
    with pytest.raises(NotArchived, match="Events of the last 90 days stay"):
        archiving.plan_archive(before=before, now=NOW)


def test_the_last_90_days_go_only_by_force_and_the_future_never() -> None:
    assert archiving.plan_archive(before=NOW, now=NOW, force=True).end.number == 39
    with pytest.raises(NotArchived, match="this one lies ahead"):
        archiving.plan_archive(before=NOW + timedelta(seconds=1), now=NOW, force=True)


def test_two_runs_at_once_archive_once(tmp_path: Path) -> None:
    planned = plan()
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    archiving.archive_audit(planned, before=CUT, directory=tmp_path / "one", tell=silent)
    with pytest.raises(NotArchived, match="somebody else archived meanwhile"):
        archiving.archive_audit(planned, before=CUT, directory=tmp_path / "two", tell=silent)
    assert Checkpoint.objects.count() == 1


def test_a_file_that_is_there_and_is_another_one_is_never_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "credportal-audit-000000000001-000000000020.jsonl.gz"
    there.write_bytes(b"of somebody else")
    with pytest.raises(NotArchived, match="Move it away"):
        archive(tmp_path)
    assert there.read_bytes() == b"of somebody else"
    assert Event.objects.count() == 40


def test_the_archive_is_read_in_batches_that_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_of, "BATCH", 3)
    monkeypatch.setattr(verify, "CHUNK", 7)
    file, written = archive(tmp_path)
    assert (written.events, written.issuances) == (20, 10)
    assert read_archive(file) == written
    assert_whole()


def test_the_portal_goes_on_writing_after_an_archive(tmp_path: Path) -> None:
    archive(tmp_path)
    with record.committed():
        record.append(record.NewEvent(EventKind.AUDIT_READ, "", None, Origin()))
    assert_whole()
