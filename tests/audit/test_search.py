"""Each filter finds what it names, by an index of its own and in the order of the page."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import QuerySet

from credportal.audit.models import Event
from credportal.audit.patience import TookTooLong, bounded_read
from credportal.audit.selectors import search
from credportal.audit.selectors.search import Filters, extent, matching, page, words_since
from tests.support.history import NOON, write_history, write_issuances

pytestmark = pytest.mark.django_db

ARN = "arn:aws:iam::491200653381:role/Deployer"
FULL: dict[str, Any] = {
    "kind": "issuance:issued",
    "issuance_id": "000000000001",
    "actor_handle": "alice",
    "role_name": "Deployer",
    "role_arn": ARN,
    "account_number": "491200653381",
    "account_name": "payments-prod",
    "environment": "production",
    "source": "standard",
    "ticket": "PAY-1",
    "reason": "Settlement queue",
    "address": "203.0.113.24",
    "access_key_id": "ASIAIOSFODNN7EXAMPLE",
}
OTHER = dict.fromkeys(FULL, "") | {"kind": "group:changed", "actor_handle": "dana", "subject": "group:engineers"}

# Each filter alone, and the index that it walks.
BY_INDEX: list[tuple[dict[str, Any], str]] = [
    ({}, "event_newest"),
    ({"person": "alice"}, "event_by_person"),
    ({"person": "alice", "role": "Deployer"}, "event_by_person_and_role"),
    ({"role": "Deployer"}, "event_by_role"),
    ({"role": ARN}, "event_by_role_arn"),
    ({"account": "491200653381"}, "event_by_account"),
    ({"account": "payments-prod"}, "event_by_account_name"),
    ({"environment": "production"}, "event_by_environment"),
    ({"outcome": "issued"}, "event_by_kind"),
    ({"kind": "issuance:issued"}, "event_by_kind"),
    ({"source": "standard"}, "event_by_source"),
    ({"ticket": "PAY-1"}, "event_by_ticket"),
    ({"address": "203.0.113.24"}, "event_by_address"),
    ({"key": "ASIAIOSFODNN7EXAMPLE"}, "event_by_access_key"),
]


def fill() -> None:
    """Write a log in which what is looked for is rare, and let the database know that."""
    others = [{**FULL, "role_name": "Auditor", "role_arn": f"{ARN}X"}, {**FULL, "actor_handle": "bob"}]
    write_history([*[FULL] * 5, *others * 30, *[OTHER] * 700, {**OTHER, "on_behalf_of": "alice"}])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_event")


def ids(sets: Iterable[QuerySet[Event]]) -> list[int]:
    return sorted(event.id for rows in sets for event in rows)


def plan_of(rows: QuerySet[Event]) -> str:
    """Return how the database reads the newest of these, as it would in a log of any length."""
    newest = rows.order_by("-at", "-id")[:11]
    if connection.vendor == "sqlite":
        return newest.explain()
    with connection.cursor() as cursor:
        # A short log is read whole, or sorted: that is as quick.
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        return newest.explain()


@pytest.mark.parametrize(("given", "index"), BY_INDEX, ids=str)
@pytest.mark.parametrize("range_too", [False, True])
def test_a_filter_walks_an_index_of_its_own_and_sorts_nothing(
    given: dict[str, Any], index: str, range_too: bool
) -> None:
    fill()
    filters = Filters(**given)
    if range_too:
        filters = replace(filters, since=NOON, until=NOON + timedelta(hours=1))
    plan = plan_of(matching(filters)[0])
    assert re.search(rf"\b{index}\b", plan), plan
    assert "Sort" not in plan, plan
    assert "TEMP B-TREE" not in plan, plan


def test_what_somebody_did_for_others_is_found_by_its_own_index() -> None:
    fill()
    plan = plan_of(matching(Filters(person="dana"))[1])
    assert "event_by_other_actor" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def test_one_issuance_is_found_by_its_index() -> None:
    write_history([FULL, OTHER] * 20)
    rows = matching(Filters(issuance="000000000001"))[0]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_indexscan = on")
    assert "event_by_issuance" in rows.explain()


@pytest.mark.parametrize("given", [given for given, _ in BY_INDEX[1:]], ids=str)
def test_a_filter_finds_what_has_its_value_and_nothing_else(given: dict[str, Any]) -> None:
    write_history([FULL, OTHER, FULL])
    assert ids(matching(Filters(**given))) == [1, 3]


@pytest.mark.parametrize("name", [name for given, _ in BY_INDEX[1:] for name in given if name not in {"outcome"}])
def test_half_a_value_finds_nothing(name: str) -> None:
    write_history([FULL, OTHER])
    value = next(given[name] for given, _ in BY_INDEX if name in given)
    assert ids(matching(Filters(**{name: value[:-1]}))) == []


def test_filters_combine() -> None:
    write_history([FULL, {**FULL, "actor_handle": "bob"}, {**FULL, "ticket": "PAY-2"}, OTHER])
    assert ids(matching(Filters(person="alice", role=ARN, ticket="PAY-1", outcome="issued", words=("queue",)))) == [1]


def test_a_person_is_who_it_is_about_or_who_acted_and_no_event_comes_twice() -> None:
    write_history(
        [
            {"actor_handle": "alice"},
            {"actor_handle": "dana", "on_behalf_of": "alice"},
            {"actor_handle": "alice", "on_behalf_of": "bob"},
            {"actor_handle": "", "on_behalf_of": "alice"},
            {"actor_handle": "bob"},
        ]
    )
    assert ids(matching(Filters(person="alice"))) == [1, 2, 3, 4]


def test_steps_and_readings_are_left_out_unless_they_are_asked_for() -> None:
    kinds = ["issuance:requested", "issuance:retried", "issuance:issued", "audit:read", "sign-in:succeeded"]
    write_history({"kind": kind} for kind in kinds)
    assert ids(matching(Filters())) == [3, 5]
    assert ids(matching(Filters(steps=True))) == [1, 2, 3, 4, 5]
    assert ids(matching(Filters(kind="audit:read"))) == [4]


def test_in_flight_is_what_has_no_outcome_yet() -> None:
    write_issuances([{"status": "requested"}, {"status": "issued"}, {"status": "requested"}])
    found = [event for rows in matching(Filters(outcome="requested")) for event in rows]
    assert {(event.kind, event.issuance_id) for event in found} == {
        ("issuance:requested", "000000000001"),
        ("issuance:requested", "000000000003"),
    }


def test_a_range_has_its_first_moment_and_not_its_last() -> None:
    write_history({"at": NOON + timedelta(seconds=second)} for second in range(4))
    assert ids(matching(Filters(since=NOON + timedelta(seconds=1), until=NOON + timedelta(seconds=3)))) == [2, 3]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("queue",), [1]),
        (("QUEUE", "settle"), [1]),
        (("queue", "pay-2"), []),
        (("pay-",), [1, 2]),
        (("100%",), [3]),
        (("%%%",), []),
        (("a_b",), [3]),
        (("a\\b",), [4]),
        (("'; DROP",), []),
        (("queue PAY",), [1]),
    ],
)
def test_words_are_found_in_reason_and_ticket_as_they_are_written(words: tuple[str, ...], found: list[int]) -> None:
    write_history(
        [
            {"reason": "Settlement queue", "ticket": "PAY-1"},
            {"ticket": "PAY-2"},
            {"reason": "100% of a_b"},
            {"reason": "10000 axb a\\b"},
            {"kind": "issuance:requested", "reason": "Settlement queue"},
        ]
    )
    assert ids(matching(Filters(words=words))) == found


def test_words_of_intents_are_found_where_intents_are_asked_for() -> None:
    write_history([{"kind": "issuance:requested", "reason": "Settlement queue"}])
    assert ids(matching(Filters(words=("queue",), kind="issuance:requested"))) == [1]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no index of words")
def test_words_are_found_by_their_index_on_postgresql() -> None:
    write_history([FULL, OTHER] * 20)
    with connection.cursor() as cursor:
        for way in ("seqscan", "indexscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    assert "event_by_words" in matching(Filters(words=("queue",)))[0].explain()


def test_words_reach_back_a_bounded_way_where_they_have_no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WORDS_REACH", 3)
    write_history({"reason": "queue", "at": NOON + timedelta(minutes=minute)} for minute in range(6))
    every, until = Filters(words=("queue",)), Filters(words=("queue",), until=NOON + timedelta(minutes=4))
    if connection.vendor == "postgresql":
        assert ids(matching(every)) == [1, 2, 3, 4, 5, 6]
        assert words_since(every) is None
        return
    assert ids(matching(every)) == [4, 5, 6]
    assert words_since(every) == NOON + timedelta(minutes=3)
    assert ids(matching(until)) == [2, 3, 4]
    assert words_since(Filters(words=("queue",), since=NOON + timedelta(minutes=4))) is None
    assert words_since(Filters()) is None


def test_words_reach_over_a_short_log_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "WORDS_REACH", 6)
    write_history([{"reason": "queue"}] * 6)
    assert words_since(Filters(words=("queue",))) is None
    assert len(ids(matching(Filters(words=("queue",))))) == 6


def test_how_far_the_log_reaches_is_known_without_counting() -> None:
    assert extent() is None
    write_history([{}] * 7)
    reach = extent()
    assert reach is not None
    assert (reach.count, reach.begins) == (7, Event.objects.get(id=1).at)


def test_a_page_of_two_sets_is_in_one_order() -> None:
    write_history({"actor_handle": "alice", "on_behalf_of": ["alice", "bob"][number % 2]} for number in range(80))
    first = page(Filters(person="alice"))
    assert [event.id for event in first.rows] == list(range(80, 30, -1))
    second = page(Filters(person="alice"), cursor=first.older)
    assert [event.id for event in second.rows] == list(range(30, 0, -1))


def endless() -> str:
    """Return a statement that takes longer than anybody waits."""
    if connection.vendor == "postgresql":
        return "SELECT pg_sleep(30)"
    return "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


def test_a_read_that_takes_too_long_is_stopped_on_either_database() -> None:
    with pytest.raises(TookTooLong), bounded_read(0.2), connection.cursor() as cursor:
        cursor.execute(endless())
    assert Event.objects.first() is None  # The connection is as good as before.


def test_other_trouble_of_the_database_stays_what_it_is() -> None:
    with pytest.raises(OperationalError, match="the disk is full"), bounded_read():
        raise OperationalError("the disk is full")
