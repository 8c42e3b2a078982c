"""Keyset paging: every row once, newest first, both ways, also where many rows are of the same moment."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.audit.models import Event, Issuance
from credportal.audit.paging import BadCursor, Page, mark, newest_first, read_mark
from tests.support.database import without_triggers
from tests.support.history import write_history

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def page_of(rows: QuerySet[Issuance], *, cursor: str = "", size: int = 50) -> Page[Issuance]:
    return newest_first([rows], at="requested_at", cursor=cursor, size=size)


def fill(moments: list[int], prefix: str) -> list[str]:
    """Add a row for each moment, in seconds after noon; return the ids as a plain sort orders them."""
    rows = [
        Issuance(
            id=f"{prefix}{number:04}",
            submission=f"{prefix}{number}",
            status="denied",
            actor_id=1,
            actor_handle=prefix,
            requested_at=NOON + timedelta(seconds=moment),
            duration_asked=timedelta(0),
        )
        for number, moment in enumerate(moments)
    ]
    Issuance.objects.bulk_create(rows)
    return [row.id for row in sorted(rows, key=lambda row: (row.requested_at, row.id), reverse=True)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moments=st.lists(st.integers(0, 3), max_size=14), size=st.integers(1, 5), seed=st.integers(0, 10**9))
def test_paging_forth_and_back_is_a_plain_sort_in_pieces(db: None, moments: list[int], size: int, seed: int) -> None:
    prefix = f"{seed:x}{Issuance.objects.count():x}-"[-11:]
    ids = fill(moments, prefix)
    rows = Issuance.objects.filter(actor_handle=prefix)
    pieces = [ids[start : start + size] for start in range(0, len(ids), size)] or [[]]
    page = page_of(rows, size=size)
    assert page.newer == ""
    for number, piece in enumerate(pieces):
        assert [row.id for row in page.rows] == piece
        assert bool(page.older) == (number < len(pieces) - 1)
        if page.older:
            page = page_of(rows, cursor=page.older, size=size)
    for piece in reversed(pieces[:-1]):
        page = page_of(rows, cursor=page.newer, size=size)
        assert [row.id for row in page.rows] == piece
    assert page.newer == ""


def test_rows_that_come_in_meanwhile_move_no_page(db: None) -> None:
    ids = fill(list(range(6)), "a")
    first = page_of(Issuance.objects.all(), size=3)
    fill([100, 101], "b")
    second = page_of(Issuance.objects.all(), cursor=first.older, size=3)
    assert [row.id for row in second.rows] == ids[3:]


@pytest.mark.parametrize("count", [3, 120])
def test_a_page_is_one_statement_without_count_and_offset(db: None, count: int) -> None:
    fill(list(range(count)), "a")
    first = page_of(Issuance.objects.all(), size=2)
    for cursor in ("", first.older):
        with CaptureQueriesContext(connection) as seen:
            page_of(Issuance.objects.all(), cursor=cursor, size=2)
        [query] = seen.captured_queries
        assert not re.search(r"COUNT\(|OFFSET", query["sql"], re.I)
        assert "LIMIT 3" in query["sql"]


@pytest.mark.parametrize("at", range(0, 60, 7))
def test_a_cursor_that_somebody_touched_is_refused(db: None, at: int) -> None:
    fill([1, 2, 3], "a")
    cursor = page_of(Issuance.objects.all(), size=1).older
    touched = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
    with pytest.raises(BadCursor):
        page_of(Issuance.objects.all(), cursor=touched, size=1)


@pytest.mark.parametrize("value", [["older"], "older", None, 7, {}, ["older", "yesterday", "x"], ["older", 5, "x"]])
def test_a_signed_value_that_is_no_cursor_is_refused(db: None, value: object) -> None:
    for salt in ("credportal.audit.cursor", "another"):
        with pytest.raises(BadCursor):
            page_of(Issuance.objects.all(), cursor=signing.dumps(value, salt=salt), size=1)


@pytest.mark.parametrize("purpose", ["", "sessions:bob", "audit:alice:"])
def test_a_cursor_is_good_for_what_it_was_made_for_alone(purpose: str) -> None:
    fill([1, 2, 3], "a")
    rows = [Issuance.objects.all()]
    cursor = newest_first(rows, at="requested_at", purpose="sessions:alice", size=1).older
    assert newest_first(rows, at="requested_at", purpose="sessions:alice", cursor=cursor, size=1).rows
    with pytest.raises(BadCursor):
        newest_first(rows, at="requested_at", purpose=purpose, cursor=cursor, size=1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.sampled_from(["alice", "bob", "charlie"]), max_size=14), size=st.integers(1, 5))
def test_sets_without_a_row_in_common_are_paged_as_one(people: list[str], size: int) -> None:
    with without_triggers(connection):
        Event.objects.all().delete()
    write_history({"actor_handle": person, "at": NOON} for person in people)
    events = Event.objects.order_by("-at", "-id")
    expected = [event.id for event in events if event.actor_handle != "charlie"]
    sets = [Event.objects.filter(actor_handle=name) for name in ("alice", "bob")]
    page = newest_first(sets, at="at", size=size)
    seen = [event.id for event in page.rows]
    while page.older:
        page = newest_first(sets, at="at", cursor=page.older, size=size)
        seen += [event.id for event in page.rows]
    assert seen == expected
    back = [event.id for event in page.rows]
    while page.newer:
        page = newest_first(sets, at="at", cursor=page.newer, size=size)
        back = [*(event.id for event in page.rows), *back]
    assert back == expected


def test_a_mark_is_good_for_what_it_was_made_for_alone() -> None:
    made = mark(17, "audit:erin:person=alice")
    assert read_mark(made, "audit:erin:person=alice") == 17
    for text, purpose in ((made, "audit:erin:"), (made[:-1], "audit:erin:person=alice"), ("17", ""), ("", "")):
        with pytest.raises(BadCursor):
            read_mark(text, purpose)


def test_a_cursor_stands_before_the_range_so_that_no_page_walks_from_the_end_of_it() -> None:
    write_history([{"at": NOON + timedelta(seconds=number)} for number in range(5)])
    ranged = Event.objects.filter(at__lt=NOON + timedelta(days=1), at__gte=NOON)
    first = newest_first([ranged], at="at", size=2)
    with CaptureQueriesContext(connection) as seen:
        second = newest_first([ranged], at="at", cursor=first.older, size=2)
    assert [row.id for row in second.rows] == [3, 2]
    where = seen[0]["sql"].partition("WHERE")[2]
    assert where.index("OR") < where.index("2026-11-25"), "the condition with OR is the cursor's"
