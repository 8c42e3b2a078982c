"""The made-up audit is one that the portal could have written, and its figures are judged by their budgets."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bench.audit_budgets import of_reading, pages_table
from bench.audit_calendar import DAYS, sizes
from bench.audit_days import Day, Texts
from bench.audit_rows import chained_bytes, copy_line, sqlite_values
from bench.audit_world import World, make_world
from bench.audit_writing import of_writing
from bench.figures import Cell, Round
from credportal.audit.columns import COLUMNS, Form, canonical, json_text
from credportal.audit.models import EventKind

TUESDAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


@pytest.fixture(scope="module")
def events(world: World) -> list[Texts]:
    return Day(world, DAYS - 1, TUESDAY).events(3000)


def values_of(number: int, texts: Texts) -> dict[str, Any]:
    """Read the columns of an event back, as the portal has them."""
    read: dict[Form, Callable[[str], Any]] = {
        Form.TEXT: str,
        Form.NUMBER: int,
        Form.TIME: datetime.fromisoformat,
        Form.DURATION: lambda text: timedelta(microseconds=int(text)),
        Form.JSON: str,
    }
    found: dict[str, Any] = {"id": number}
    for column, text in zip(COLUMNS[1:], texts, strict=True):
        found[column.name] = read[column.form](text) if text or column.form is Form.TEXT else None
    return found


def test_a_day_comes_out_the_same_whoever_makes_it(world: World, events: list[Texts]) -> None:
    assert Day(make_world(), DAYS - 1, TUESDAY).events(3000) == events
    assert Day(world, DAYS - 2, TUESDAY).events(3000) != events


def test_the_events_of_a_day_are_in_order_and_within_it(events: list[Texts]) -> None:
    times = [texts[0] for texts in events]
    assert len(events) == 3000
    assert times == sorted(times)
    assert {time[:10] for time in times} == {"2026-11-24"}


def test_made_up_events_have_the_bytes_that_the_portal_would_chain(events: list[Texts]) -> None:
    for number, texts in enumerate(events, start=1):
        mine = f"{len(str(number))}:{number}".encode() + chained_bytes(texts)
        assert mine == canonical(values_of(number, texts))


def test_every_kind_is_one_of_the_portals_and_its_detail_the_one_text_of_it(events: list[Texts]) -> None:
    assert {texts[1] for texts in events} <= set(EventKind.values)
    details = {texts[-1] for texts in events}
    assert all(json_text(json.loads(text)) == text for text in details)


def test_every_intent_has_one_outcome_and_nothing_ends_that_was_not_asked(events: list[Texts]) -> None:
    asked = [texts[2] for texts in events if texts[1] == "issuance:requested"]
    ended = [texts[2] for texts in events if texts[1] in {"issuance:issued", "issuance:failed", "issuance:unknown"}]
    assert sorted(asked) == sorted(ended)
    assert len(set(asked)) == len(asked)


def test_the_mix_is_that_of_a_company(events: list[Texts]) -> None:
    kinds = [texts[1] for texts in events]
    issuances = kinds.count("issuance:requested") + kinds.count("issuance:denied")
    assert 0.05 < kinds.count("issuance:denied") / issuances < 0.11
    assert 0.005 < kinds.count("issuance:failed") / issuances < 0.03
    people = [texts[5] for texts in events]
    assert len(set(people)) > 200
    assert people.count("person000") > 5 * people.count("person200")


def test_the_days_add_up_and_weekends_are_quiet() -> None:
    counts = sizes(1_000_000, TUESDAY)
    assert (len(counts), sum(counts)) == (DAYS, 1_000_000)
    tuesday, sunday = counts[-1], counts[-3]
    assert sunday < tuesday / 5
    assert sum(counts[:100]) < sum(counts[-100:])


def a_texts(**columns: str) -> Texts:
    return tuple(columns.get(column.name, "") for column in COLUMNS[1:])


def test_copy_reads_back_what_was_written_backslashes_and_nothing_included() -> None:
    texts = a_texts(at="2026-11-24T12:00:00.000001Z", duration_asked="3600000000", detail=r'{"owner":"Zo\u00eb"}')
    cells = dict(zip([column.name for column in COLUMNS[1:]], copy_line(texts).split("\t"), strict=True))
    assert cells["detail"] == r'{"owner":"Zo\\u00eb"}'
    assert cells["duration_asked"] == "3600"
    assert (cells["duration_given"], cells["expiration"], cells["actor_id"]) == (r"\N", r"\N", r"\N")
    assert cells["reason"] == ""


def test_sqlite_gets_times_and_nothing_as_django_keeps_them() -> None:
    texts = a_texts(at="2026-11-24T12:00:00.000001Z", expiration="2026-11-24T13:00:00.000000Z")
    values = dict(zip([column.name for column in COLUMNS[1:]], sqlite_values(texts), strict=True))
    assert values["at"] == "2026-11-24 12:00:00.000001"
    assert values["expiration"] == "2026-11-24 13:00:00"
    assert values["duration_given"] is None
    assert datetime.fromisoformat(f"{values['at']}+00:00") == datetime(2026, 11, 24, 12, 0, 0, 1, tzinfo=UTC)


def figures(**other: Any) -> dict[str, Any]:
    page = {"seconds": 0.02, "small": 0.02, "ratio": 1.0, "statement": 0.001, "statements": 6, "rows": 50}
    alone = {name: value for name, value in page.items() if name not in {"small", "ratio"}}
    walked = {"rows": 1000, "seconds": 0.01, "cpu": 0.01, "mebibytes": 1.0}
    return {
        "events": 1000,
        "pages": {"newest page": page},
        "rare": {"a break-glass": alone},
        "words": {"words: common": alone},
        "chart": {"tallied": 0.001, "counted": 1.0, "equal": True},
        "exports": {"csv": walked},
        "verified": walked,
        **other,
    }


def missed(kind: str, **other: Any) -> list[str]:
    return [verdict.what.split(": ")[1] for verdict in of_reading(kind, figures(**other)) if not verdict.met]


def test_a_quick_audit_keeps_to_every_budget() -> None:
    assert missed("postgresql") == []
    assert len(list(of_reading("postgresql", figures()))) == 9
    assert len(list(of_reading("sqlite", figures()))) == 8  # Its free text is bounded by how far it looks back.


def test_each_budget_of_the_audit_is_missed_by_itself() -> None:
    page = figures()["pages"]["newest page"]
    assert missed("sqlite", pages={"newest page": {**page, "ratio": 1.31}}) == ["newest page, large / small"]
    [slow] = missed("sqlite", rare={"a break-glass": {**page, "statement": 0.0051}})
    assert slow.endswith("(a break-glass)")
    [slow] = missed("postgresql", words={"words: common": {**page, "seconds": 0.151}})
    assert slow == "free text, whole request, ms (words"
    assert missed("sqlite", chart={"tallied": 0.02, "counted": 1.0, "equal": True}) == [
        "90-day chart, tallies / events"
    ]
    assert missed("sqlite", chart={"tallied": 0.001, "counted": 1.0, "equal": False}) == ["charts that differ"]
    walked = figures()["verified"]
    assert missed("sqlite", exports={"csv": {**walked, "seconds": 1.0}}) == ["export as csv, rows/s"]
    assert missed("sqlite", exports={"csv": {**walked, "mebibytes": 17}}) == ["export as csv, MiB above rest"]
    assert missed("sqlite", verified={**walked, "cpu": 1.0}) == ["verify_audit, events/s of one core"]


def test_the_table_has_a_line_for_each_page() -> None:
    head, newest, rare, word = pages_table("sqlite", figures()).splitlines()
    assert head.startswith("sqlite, 1,000 events")
    assert newest.split()[-5:] == ["20.0", "20.0", "1.00", "1.00", "6"]
    assert rare.split()[2:] == word.split()[2:] == ["20.0", "1.00", "6"]


def test_the_chain_is_judged_by_the_rate_of_a_crowd_and_by_the_time_of_a_lone_writer() -> None:
    def cell(*walls: float) -> Cell:
        return Cell("", 0, 32, [Round([wall / 10] * 10, wall=wall, cpu=0.0) for wall in walls])

    crowd = of_writing("over HTTP", 32, cell(1.0, 9.0, 2.0), cell(0.9, 8.1, 1.8))
    assert (round(crowd.measured, 2), crowd.met) == (0.9, True)
    lone = of_writing("over HTTP", 1, cell(1.4), cell(1.0))
    assert (round(lone.measured, 2), lone.met) == (1.4, False)
