"""The chart over the list of the audit, and the list while it is followed live."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from credportal.audit.tally import count_new
from credportal.web.chart import Chart
from tests.support.audit_pages import HTMX, ids_in, names, text_of, write_some
from tests.support.cast import Cast
from tests.support.history import write_history


@pytest.fixture
def some(cast: Cast) -> list[str]:
    return write_some(cast)


def chart_of(response: Any) -> Chart:
    chart = response.context["chart"]
    assert isinstance(chart, Chart)
    return chart


@pytest.mark.parametrize("tallied", [False, True])
def test_the_chart_counts_every_outcome_of_the_range(erin: Client, some: list[str], tallied: bool) -> None:
    if tallied:
        count_new()
    chart = chart_of(erin.get("/audit/?from=2026-11-20T00:00&to=2026-11-23T00:00"))
    totals = chart.totals
    assert (totals.issued, totals.denied, totals.failed, totals.unknown) == (5, 1, 1, 1)
    assert (len(chart.bars), chart.top) == (72, 2)
    chart = chart_of(erin.get("/audit/?from=2026-11-20T00:00&to=2026-11-24T00:00"))
    assert [bar.count.total for bar in chart.bars] == [4, 2, 2, 0]
    assert chart.bars[0].words == "Fri 20 Nov: 3 issued, 1 refused"


@pytest.mark.parametrize("query", ["outcome=denied&", "kind=issuance:denied&chart=1&", "q=settlement&chart=1&"])
def test_the_chart_counts_what_the_filters_match(erin: Client, some: list[str], query: str) -> None:
    totals = chart_of(erin.get(f"/audit/?{query}range=all")).totals
    expected = (1, 0) if query.startswith("q") else (0, 1)
    assert (totals.issued, totals.denied, totals.total) == (*expected, 1)


def test_a_bar_leads_to_exactly_what_it_counts(erin: Client, some: list[str]) -> None:
    for query in ("range=all", "range=all&tz=Asia/Kathmandu", "person=alice&range=all&chart=1"):
        bars = chart_of(erin.get(f"/audit/?{query}")).bars
        assert sum(bar.count.total for bar in bars) == (5 if "person" in query else 8)
        for bar in bars:
            assert len(ids_in(erin.get(f"/audit/{bar.url}"))) == bar.count.total


def test_a_bar_of_an_hour_that_the_clock_shows_twice_leads_to_it_in_utc(erin: Client) -> None:
    back = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # In Berlin half past two, and an hour later again.
    write_history({"at": back + timedelta(hours=hour), "issuance_id": f"{hour:012}"} for hour in range(3))
    bars = chart_of(erin.get("/audit/?from=2026-10-25T00:00&to=2026-10-25T06:30&tz=Europe/Berlin")).bars
    counted = [bar for bar in bars if bar.count.total]
    assert [ids_in(erin.get(f"/audit/{bar.url}")) for bar in counted] == [names([0]), names([1]), names([2])]
    assert "tz=UTC" in counted[0].url


def test_the_same_stands_in_a_table_with_the_same_links(erin: Client, some: list[str]) -> None:
    response = erin.get("/audit/?from=2026-11-20T00:00&to=2026-11-24T00:00")
    page = response.content.decode()
    for bar in chart_of(response).bars:
        link = bar.url.replace("&", "&amp;")
        assert page.count(f'href="{link}"') == 2
    assert "Fri 20 Nov 3 1 0 0 Sat 21 Nov 1 0 1 0" in text_of(response)


def test_what_has_to_be_counted_one_by_one_follows_after_the_rows(erin: Client, some: list[str]) -> None:
    response = erin.get("/audit/?person=alice&range=all")
    assert "chart" not in response.context
    [address] = re.findall(r'hx-get="([^"]+)"', response.content.decode())
    later = erin.get(f"/audit/{address.replace('&amp;', '&')}", headers={**HTMX, "HX-Target": "chart"})
    assert chart_of(later).totals.total == 5
    assert "<html" not in later.content.decode()


@pytest.mark.parametrize("query", ["outcome=requested", "kind=audit:read", "from=2400-01-01T00:00", "day=2200-02-02"])
def test_where_nothing_has_an_outcome_there_is_no_chart(erin: Client, some: list[str], query: str) -> None:
    assert '<svg class="bars"' not in erin.get(f"/audit/?{query}&chart=1").content.decode()


def test_the_whole_of_time_is_drawn_from_where_the_log_begins(erin: Client, some: list[str]) -> None:
    assert len(chart_of(erin.get("/audit/?from=2000-01-01T00:00&to=2999-01-01T00:00")).bars) < 124


def test_how_much_there_is_stands_where_it_costs_nothing(erin: Client, some: list[str]) -> None:
    assert "16 events since 20 November 2026" in text_of(erin.get("/audit/"))  # With the reading of just now.
    assert "events since" not in text_of(erin.get("/audit/?person=alice"))


def test_a_live_page_asks_for_what_is_newer_and_gets_nothing_while_there_is_nothing(erin: Client) -> None:
    write_history([{"issuance_id": "000000000001"}])
    page = erin.get("/audit/?live=1").content.decode()
    [address] = re.findall(r'hx-get="(\?live[^"]+)"', page)
    assert 'hx-trigger="every 3s"' in page
    poll = f"/audit/{address.replace('&amp;', '&')}"
    quiet = erin.get(poll, headers=HTMX)
    assert (quiet.status_code, quiet.content) == (204, b"")
    write_history([{"issuance_id": "000000000002"}, {"kind": "issuance:requested"}, {"issuance_id": "000000000003"}])
    news = erin.get(poll, headers=HTMX)
    assert news.status_code == 200
    assert ids_in(news) == names([3, 2, 1])
    assert "2 new" in text_of(news)
    assert news.content.decode().count('class="fresh"') == 2
    [again] = re.findall(r'hx-get="(\?live[^"]+)"', news.content.decode())
    assert erin.get(f"/audit/{again.replace('&amp;', '&')}", headers=HTMX).status_code == 204


def test_an_older_page_is_not_live(erin: Client) -> None:
    write_history([{}] * 60)
    first = erin.get("/audit/?live=1")
    assert "data-live" in first.content.decode()
    assert "data-live" not in erin.get(f"/audit/{first.context['older_url']}").content.decode()
    assert "data-live" not in erin.get("/audit/").content.decode()
