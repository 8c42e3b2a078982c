"""The chart's counts are those of the events, whatever is tallied already."""

import threading
import zoneinfo
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.audit.models import Event, Progress, Tally
from credportal.audit.selectors import counts as counting
from credportal.audit.selectors.counts import Count, TooManyToDraw, counts, counts_of
from credportal.audit.selectors.search import OUTCOME_KINDS, Filters, matching
from credportal.audit.tally import count_new
from credportal.domain.buckets import cut, unit_for
from tests.support.database import without_triggers
from tests.support.history import NOON, write_history

pytestmark = pytest.mark.django_db
KINDS = [*OUTCOME_KINDS.values(), "issuance:requested", "console:opened"]
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=3)).map(lambda after: NOON + after)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"])


def counted_by_hand(bounds: list[datetime]) -> list[Count]:
    """Count the events one by one, in Python."""
    outcomes = {kind: outcome for outcome, kind in OUTCOME_KINDS.items()}
    found = []
    for begins, ends in pairwise(bounds):
        kinds = Counter(event.kind for event in Event.objects.all() if begins <= event.at < ends)
        found.append(Count(begins, ends, **{outcomes[kind]: kinds[kind] for kind in kinds if kind in outcomes}))
    return found


def empty_the_log() -> None:
    with without_triggers(connection):
        Event.objects.all().delete()
    Tally.objects.all().delete()
    Progress.objects.all().delete()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    logs=st.tuples(*[st.lists(st.tuples(st.sampled_from(KINDS), MOMENTS), max_size=15)] * 2),
    since=MOMENTS,
    length=st.one_of(st.timedeltas(timedelta(seconds=1), timedelta(hours=2)), st.timedeltas(timedelta(hours=2))),
    zone=ZONES,
)
def test_the_counts_are_those_of_the_events(
    logs: tuple[list[tuple[str, datetime]], ...], since: datetime, length: timedelta, zone: str
) -> None:
    empty_the_log()
    until = min(since + length, NOON + timedelta(days=4)) if length < timedelta(days=5) else NOON + timedelta(days=4)
    bounds = cut(since, until, unit_for(until - since), zoneinfo.ZoneInfo(zone))
    tallied, not_yet = ([{"kind": kind, "at": at} for kind, at in log] for log in logs)
    write_history(tallied)
    count_new(chunk=7)
    write_history(not_yet)
    by_hand = counted_by_hand(bounds)
    assert counts(bounds) == by_hand
    assert counts_of(matching(Filters()), bounds) == by_hand


def test_counting_again_counts_nothing_twice() -> None:
    write_history({"kind": KINDS[number % 6], "at": NOON + timedelta(minutes=number)} for number in range(60))
    assert count_new(chunk=25) == 60
    before = list(Tally.objects.order_by("quarter").values())
    assert count_new() == 0
    assert list(Tally.objects.order_by("quarter").values()) == before
    totals = Tally.objects.aggregate(*(Sum(name) for name in OUTCOME_KINDS))
    assert list(totals.values()) == [10, 10, 10, 10]
    assert Progress.objects.get().through == 60


def test_one_run_is_bounded_and_the_next_goes_on() -> None:
    write_history([{}] * 10)
    assert count_new(chunk=2, most_chunks=3) == 6
    assert count_new(chunk=2, most_chunks=3) == 4
    assert sum(Tally.objects.values_list("issued", flat=True)) == 10


def test_a_log_whose_older_part_is_archived_is_counted_from_where_it_begins() -> None:
    write_history([{}] * 12)
    with without_triggers(connection):
        Event.objects.filter(id__lte=9).delete()
    count_new(chunk=4)
    assert sum(Tally.objects.values_list("issued", flat=True)) == 3


def test_an_event_at_the_last_moment_of_a_quarter_belongs_to_it() -> None:
    write_history([{"at": NOON + timedelta(minutes=15, microseconds=-1)}, {"at": NOON + timedelta(minutes=15)}])
    bounds = [NOON, NOON + timedelta(minutes=15), NOON + timedelta(minutes=30)]
    assert [count.issued for count in counts(bounds)] == [1, 1]
    count_new()
    assert [count.issued for count in counts(bounds)] == [1, 1]


@pytest.mark.parametrize("events", [5, 300])
def test_the_chart_is_two_statements_that_count_no_table(events: int) -> None:
    write_history({"at": NOON + timedelta(minutes=number)} for number in range(events))
    count_new()
    with CaptureQueriesContext(connection) as seen:
        counts(cut(NOON, NOON + timedelta(days=90), unit_for(timedelta(days=90)), UTC))
    assert len(seen.captured_queries) == 2
    assert not any("COUNT(" in query["sql"].upper() for query in seen.captured_queries)


def test_what_is_tallied_is_not_read_again() -> None:
    write_history([{"at": NOON}] * 3)
    count_new()
    with without_triggers(connection):
        Event.objects.all().delete()
    assert [count.issued for count in counts([NOON, NOON + timedelta(hours=1)])] == [3]


def test_counts_are_right_where_the_tallies_grow_between_two_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    write_history([{"at": NOON}] * 3)
    count_new()
    # Somebody who looked before that believes that nothing is tallied yet.
    monkeypatch.setattr(counting, "_tallied_through", lambda: 0)
    assert [count.issued for count in counts([NOON, NOON + timedelta(hours=1)])] == [3]


def test_more_than_can_be_counted_one_by_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_DRAWN", 4)
    write_history([{"at": NOON, "actor_handle": "alice"}] * 5)
    bounds = [NOON, NOON + timedelta(hours=1)]
    with pytest.raises(TooManyToDraw):
        counts_of(matching(Filters(person="alice")), bounds)
    assert counts_of(matching(Filters(person="bob")), bounds)[0].total == 0


@pytest.mark.parametrize("filters", [Filters(person="alice"), Filters(words=("queue",)), Filters(role="Deployer")])
def test_other_filters_count_what_they_match(filters: Filters) -> None:
    one = {"actor_handle": "alice", "reason": "queue 100%", "role_name": "Deployer", "at": NOON}
    write_history([one, {**one, "kind": "issuance:denied"}, {"at": NOON, "actor_handle": "bob"}])
    [count] = counts_of(matching(filters), [NOON, NOON + timedelta(hours=1)])
    assert (count.issued, count.denied, count.total) == (1, 1, 2)


@pytest.mark.django_db(transaction=True)
def test_two_who_count_at_once_count_each_event_once() -> None:
    write_history({"at": NOON + timedelta(minutes=number)} for number in range(400))
    errors: list[Exception] = []

    def count() -> None:
        try:
            for _ in range(20):
                count_new(chunk=20, most_chunks=5)
        except Exception as error:  # noqa: BLE001 -- told by the test.
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sum(Tally.objects.values_list("issued", flat=True)) == 400
    assert Progress.objects.get().through == 400
