"""The chain: numbers without gaps, hashes that hang together, written last and on the disk before anybody goes on."""

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
from django.db import OperationalError, connection, transaction

from credportal.audit import chain, record
from credportal.audit.chain import FIRST_HASH, link
from credportal.audit.columns import canonical
from credportal.audit.models import Event, EventKind, Issuance
from credportal.domain.types import Actor, Origin
from tests.support.history import write_history, write_issuances

ALICE = Actor(id=7, handle="alice", name="Alice Engström")
ORIGIN = Origin(address="203.0.113.24", user_agent="tests", request_id="0123456789abcdef")
FLUSH = "pg_logical_emit_message"


def an_event(subject: str = "role:r") -> record.NewEvent:
    return record.NewEvent(EventKind.ROLE_CHANGED, subject, ALICE, ORIGIN, {"after": {"é": ["“a” %s", 1, None]}})


def append(*subjects: str, early: bool = False) -> None:
    with record.committed(early=early):
        record.append_all(an_event(subject) for subject in subjects)


def append_ten() -> None:
    for number in range(10):
        append(f"role:{number}")


def append_and_stop() -> None:
    with record.committed():
        record.append(an_event())
        _ = 1 / 0


def in_thread(work: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def assert_whole() -> None:
    before = FIRST_HASH
    for number, event in enumerate(Event.objects.order_by("id"), start=1):
        assert event.id == number
        before = link(before, canonical(vars(event)))
        assert bytes(event.hash) == before


@pytest.mark.django_db
def test_each_hash_covers_its_event_and_the_hash_before_it() -> None:
    append("role:1")
    append("role:2", "role:3")
    assert Event.objects.count() == 3
    assert_whole()


@pytest.mark.django_db
def test_what_a_test_writes_into_the_past_goes_on_as_a_writer_would() -> None:
    write_history([{"subject": "role:1", "detail": {"a": "ü"}}, {"reason": "🐘 \u202e"}])
    append("role:2")
    assert_whole()


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_where_a_transaction_was_undone() -> None:
    append("role:1")
    with pytest.raises(ZeroDivisionError):
        append_and_stop()
    record.probe_writable()
    append("role:2")
    assert list(Event.objects.order_by("id").values_list("id", "subject")) == [(1, "role:1"), (2, "role:2")]
    assert_whole()


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_make_one_chain_whose_times_rise_with_its_numbers() -> None:
    threads = [in_thread(append_ten) for _ in range(8)]
    for thread in threads:
        thread.join(timeout=60)
    assert Event.objects.count() == 80
    assert_whole()
    times = list(Event.objects.order_by("id").values_list("at", flat=True))
    assert all(one <= two for one, two in pairwise(times))


@pytest.mark.django_db(transaction=True)
def test_an_event_is_written_last_so_that_nobody_waits_for_the_chain_and_for_a_row_at_once() -> None:
    """One appends and then wants a row that the other holds, who wants to append: a chain held early would deadlock."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    [row] = write_issuances([{"status": "requested"}])
    held, wanted = threading.Event(), threading.Event()

    def hold_the_row() -> None:
        with record.committed():
            Issuance.objects.filter(id=row.id).update(code="first")
            held.set()
            wanted.wait(timeout=20)
            record.append(an_event("role:holder"))

    holder = in_thread(hold_the_row)
    assert held.wait(timeout=20)
    with record.committed():
        record.append(an_event("role:waiter"))
        wanted.set()
        Issuance.objects.filter(id=row.id).update(code="second")
    holder.join(timeout=20)
    subjects = Event.objects.filter(subject__startswith="role:").order_by("id").values_list("subject", flat=True)
    assert list(subjects) == ["role:holder", "role:waiter"]


@pytest.mark.django_db(transaction=True)
def test_invariant_1_no_row_no_secret_a_commit_that_is_not_on_the_disk_counts_as_not_written() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's commit waits for the disk by itself")

    def fail_flush(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if FLUSH in sql:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, *rest)

    with connection.execute_wrapper(fail_flush), pytest.raises(record.AuditUnavailable):
        append("role:1", early=True)


@pytest.mark.django_db(transaction=True)
def test_the_wait_for_the_disk_comes_after_the_commit_and_only_where_events_were_written() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's commit waits for the disk by itself")
    seen: list[tuple[str, bool]] = []

    def watch(execute: Callable[..., object], sql: str, *rest: object) -> object:
        seen.append((sql, connection.in_atomic_block))
        return execute(sql, *rest)

    with connection.execute_wrapper(watch):
        with record.committed(early=True):
            pass
        assert seen == []
        append("role:1", early=True)
    assert FLUSH in seen[-1][0]
    assert not seen[-1][1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("early", "setting"), [(True, "off"), (False, "on")])
def test_only_an_early_commit_gives_the_chain_on_before_it_is_on_the_disk(*, early: bool, setting: str) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no such setting")
    seen: list[str] = []

    def look(execute: Callable[..., object], sql: str, *rest: object) -> object:
        answer = execute(sql, *rest)
        if sql.startswith("INSERT INTO audit_event"):
            with connection.cursor() as cursor:
                cursor.execute("SHOW synchronous_commit")
                seen.append(cursor.fetchone()[0])
        return answer

    with connection.execute_wrapper(look):
        append("role:1", early=early)
    assert seen == [setting]


@pytest.mark.django_db(transaction=True)
def test_the_transaction_after_an_event_waits_for_the_disk_as_ever() -> None:
    """The commit of events alone may be early: the setting must not outlive its transaction."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no such setting")
    append("role:1", early=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


def test_an_append_outside_of_a_transaction_is_a_mistake_that_shows() -> None:
    with pytest.raises(LookupError):
        record.append(an_event())


def test_a_hash_is_sha256_over_the_hash_before_and_the_bytes() -> None:
    assert chain.link(bytes(32), b"").hex() == "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
