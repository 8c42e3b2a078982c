"""The list of the audit for auditors and admins, and my own sessions for me."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access.models import User
from credportal.audit import record, search
from credportal.audit.models import Event
from credportal.audit.patience import TookTooLong
from credportal.audit.tally import count_new
from credportal.web.chart import Chart
from tests.support.cast import Cast
from tests.support.history import NOON, write_history, write_issuances

NEVER = re.compile(r"COUNT\(|OFFSET", re.I)
HTMX = {"HX-Request": "true"}
OTHER_ACCOUNT = {"account_number": "602217449035", "account_name": "sandbox", "environment": "sandbox"}
PAYLOAD = '"><script>alert(1)</script>\u202e'


def ids_in(response: Any) -> list[str]:
    return re.findall(r'href="/audit/(\d{12})/"', response.content.decode())


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def names(numbers: list[int]) -> list[str]:
    return [f"{number:012}" for number in numbers]


@pytest.fixture
def some(cast: Cast) -> list[str]:
    """Write eight issuances of two people, two roles, two accounts, four outcomes, over some days."""
    bob = {"actor_id": cast.bob.pk, "actor_handle": "bob", "actor_name": "Bob Osei"}
    deployer = {"role_name": "Deployer", "role_arn": "arn:aws:iam::491200653381:role/Deployer"}
    rows: list[tuple[int, dict[str, Any]]] = [
        (1, {}),
        (2, {"status": "denied", "code": "not_eligible"}),
        (3, {**bob, **deployer}),
        (4, {**bob, **OTHER_ACCOUNT}),
        (14, {**deployer, **OTHER_ACCOUNT, "ticket": "PAY-7", "reason": "Settlement queue", "source": "approval"}),
        (15, {**deployer, "status": "failed", "code": "sts_denied"}),
        (40, {**bob, "status": "unknown", "code": "sts_timeout", "address": "203.0.113.24"}),
        (41, {"access_key_id": "ASIAIOSFODNN7EXAMPLE"}),
    ]
    write_issuances(
        {"id": f"{number:012}", "requested_at": NOON + timedelta(hours=number), "actor_id": cast.alice.pk, **columns}
        for number, columns in rows
    )
    return names([41, 40, 15, 14, 4, 3, 2, 1])


EVERY = [41, 40, 15, 14, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", EVERY),
        ("person=alice", [41, 15, 14, 2, 1]),
        ("person=ali", []),
        ("role=Deployer", [15, 14, 3]),
        ("role=arn:aws:iam::491200653381:role/Deployer", [15, 14, 3]),
        ("account=sandbox", [14, 4]),
        ("account=602217449035", [14, 4]),
        ("environment=sandbox", [14, 4]),
        ("outcome=denied", [2]),
        ("outcome=unknown", [40]),
        ("outcome=requested", []),
        ("kind=issuance:failed", [15]),
        ("source=approval", [14]),
        ("ticket=PAY-7", [14]),
        ("address=203.0.113.24", [40]),
        ("key=ASIAIOSFODNN7EXAMPLE", [41]),
        ("issuance=000000000003", [3]),
        ("q=settlement", [14]),
        ("q=queue pay-7", [14]),
        ("day=2026-11-21", [15, 14]),
        ("from=2026-11-20T15:00&to=2026-11-21T03:00", [14, 4, 3]),
        ("from=2026-11-20T16:00&to=2026-11-21T04:00&tz=Europe/Berlin", [14, 4, 3]),
        ("range=all", EVERY),
        ("steps=1&issuance=000000000003", [3, 3]),
        ("person=alice&role=Deployer", [15, 14]),
        ("person=alice&role=Deployer&account=sandbox&outcome=issued&day=2026-11-21", [14]),
        ("person=bob&outcome=failed", []),
        ("person=%27%20OR%201%3D1%20--", []),
        ("unknown=1", EVERY),
    ],
)
def test_filters_combine(erin: Client, some: list[str], query: str, numbers: list[int]) -> None:
    response = erin.get(f"/audit/?{query}")
    assert response.status_code == 200
    assert ids_in(response) == names(numbers)


def test_every_filter_is_a_chip_that_takes_itself_away(erin: Client, some: list[str]) -> None:
    query = (
        "person=alice&role=Deployer&account=sandbox&environment=sandbox&outcome=issued&kind=issuance:issued"
        "&source=approval&ticket=PAY-7&address=203.0.113.24&key=ASIA1&issuance=1&q=queue"
        "&from=2026-11-20T15:00&to=2026-11-21T03:00&tz=UTC&steps=1"
    )
    response = erin.get(f"/audit/?{query}")
    given = parse_qs(query)
    left = [set(given) - set(parse_qs(chip.remove_url[1:])) for chip in response.context["chips"]]
    assert [taken.pop() for taken in left] == list(given)
    assert [taken for taken in left if taken] == []


@pytest.mark.parametrize(
    ("query", "chips"),
    [
        ("range=7d", ["Last 7 days"]),
        ("range=7d&day=2026-11-21", ["Day: 21 Nov 2026"]),
        ("range=7d&day=2026-11-21&from=2026-11-20T15:00", ["From: 20 Nov 2026, 15:00"]),
        ("live=1", []),
    ],
)
def test_of_several_times_the_most_exact_one_counts(
    erin: Client, some: list[str], query: str, chips: list[str]
) -> None:
    shown = [f"{chip.label}: {chip.value}".removeprefix(": ") for chip in erin.get(f"/audit/?{query}").context["chips"]]
    assert shown == chips


@pytest.mark.parametrize(
    ("preset", "hours_ago"),
    [("1h", [0.5]), ("24h", [0.5, 23]), ("7d", [0.5, 23, 140]), ("90d", [0.5, 23, 140, 2000])],
)
def test_a_preset_reaches_back_from_now(erin: Client, preset: str, hours_ago: list[float]) -> None:
    now = timezone.now()
    ages = [2500, 2000, 140, 23, 0.5]
    write_history({"at": now - timedelta(hours=age), "issuance_id": f"{int(age * 10):012}"} for age in ages)
    assert ids_in(erin.get(f"/audit/?range={preset}")) == names([int(age * 10) for age in hours_ago])


def test_a_day_is_the_readers_own(cast: Cast, erin: Client, some: list[str]) -> None:
    User.objects.filter(pk=cast.erin.pk).update(time_zone="Pacific/Kiritimati")  # 14 hours ahead.
    assert ids_in(erin.get("/audit/?day=2026-11-21")) == names([15, 14, 4, 3, 2, 1])
    assert ids_in(erin.get("/audit/?day=2026-11-21&tz=UTC")) == names([15, 14])


def test_times_are_shown_in_the_time_zone_that_is_asked_for(erin: Client, some: list[str]) -> None:
    assert "18:45:01" in erin.get("/audit/?tz=Asia/Kathmandu&issuance=000000000001").content.decode()
    assert "13:00:01" in erin.get("/audit/?issuance=000000000001").content.decode()


def test_a_row_says_what_happened_to_whom_by_whom_and_why(erin: Client, cast: Cast) -> None:
    dana = {"actor_handle": "dana", "actor_name": "Dana Haddad"}
    write_history(
        [
            {"kind": "issuance:denied", "issuance_id": "000000000001", "code": "not_eligible", "actor_handle": "alice"},
            {**dana, "kind": "approval:agreed", "on_behalf_of": "alice", "subject": "approval:a1", "ticket": "PAY-1"},
            {"kind": "issuance:unknown", "on_behalf_of": "bob", "issuance_id": "000000000002", "code": "no_outcome"},
            {"kind": "sign-in:failed", "address": "203.0.113.24"},
            {"kind": "gone:by-now", "actor_handle": "alice"},
        ]
    )
    page = text_of(erin.get("/audit/"))
    assert "Refused alice No such role No eligibility for this role 000000000001" in page
    assert "One approver agreed alice by Dana Haddad approval:a1 PAY-1 no. 2" in page
    assert "Unknown bob by the portal The portal stopped before AWS answered 000000000002" in page
    assert "Sign-in refused from 203.0.113.24 no. 4" in page
    assert "gone:by-now alice no. 5" in page


def test_pages_follow_each_other_and_keep_the_filters(erin: Client) -> None:
    write_history(
        {"actor_handle": "alice" if number % 2 else "bob", "issuance_id": f"{number:012}"} for number in range(120)
    )
    seen: list[str] = []
    address, steps = "/audit/?person=alice", 0
    while address:
        response = erin.get(address)
        assert "person=alice" in response.content.decode()
        seen += ids_in(response)
        address = f"/audit/{response.context['older_url']}" if response.context["older_url"] else ""
        steps += 1
    assert steps == 2
    assert seen == names(list(range(119, 0, -2)))
    back = erin.get(f"/audit/{response.context['newer_url']}")
    assert ids_in(back) == seen[:50]


@pytest.mark.parametrize(
    "path",
    [
        "/audit/",
        "/audit/?person=alice&outcome=issued",
        "/audit/?range=90d",
        "/audit/?q=queue",
        "/audit/?person=alice&chart=1",
        "/audit/?outcome=requested",
        "/sessions/",
        "/",
    ],
)
def test_the_number_of_statements_does_not_grow_with_the_rows(cast: Cast, dana: Client, path: str) -> None:
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            assert dana.get(path).status_code == 200
        return [query["sql"] for query in seen.captured_queries]

    mine = {"actor_id": cast.dana.pk, "actor_handle": "dana", "reason": "queue", "requested_at": timezone.now()}
    write_issuances([mine])
    few = statements()
    write_issuances([mine] * 69)
    many = statements()
    assert len(many) == len(few) <= (25 if path.startswith("/audit") else 7), many
    assert not [sql for sql in many if NEVER.search(sql)]
    events = [sql for sql in many if re.search(r'SELECT "audit_event"', sql)]
    assert all(re.search(r"LIMIT (1|51|20001)\b", sql) for sql in events), events


def test_the_first_look_is_recorded_with_what_was_asked(erin: Client, some: list[str]) -> None:
    erin.get("/audit/?person=alice&range=all&order=worst", headers={"User-Agent": "Mosaic"})
    event = Event.objects.get(kind="audit:read")
    assert (event.subject, event.actor_handle, event.on_behalf_of) == ("audit:list", "erin", "erin")
    assert event.detail == {"person": "alice", "range": "all"}
    assert (event.address, event.user_agent) == ("127.0.0.1", "Mosaic")
    assert event.request_id


def test_further_pages_and_fragments_of_what_was_recorded_are_not_recorded_again(erin: Client) -> None:
    write_history([{"actor_handle": "alice"}] * 120)
    first = erin.get("/audit/?person=alice&live=1")
    seen = first.context["seen"]
    erin.get(f"/audit/{first.context['older_url']}")
    erin.get(f"/audit/?person=alice&live=1&seen={seen}", headers=HTMX)
    chart = erin.get(f"/audit/?person=alice&chart=1&seen={seen}", headers={**HTMX, "HX-Target": "chart"})
    assert "<svg" in chart.content.decode()
    assert Event.objects.filter(kind="audit:read").count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX, {**HTMX, "HX-Target": "chart"}])
def test_nobody_reads_on_unrecorded_with_the_cursor_or_mark_of_another_question(
    erin: Client, dana: Client, headers: dict[str, str]
) -> None:
    write_history([{"actor_handle": "alice"}, {"actor_handle": "bob"}] * 120)
    first = erin.get("/audit/?person=alice")
    older, seen = first.context["older_url"], first.context["seen"]
    for client, query in (
        (erin, older.replace("alice", "bob")),
        (erin, older.replace("person=alice", "")),
        (dana, older),
        (erin, f"?person=bob&seen={seen}"),
        (dana, f"?person=alice&seen={seen}"),
    ):
        assert client.get(f"/audit/{query}", headers=headers).status_code == 400
    erin.get("/audit/?person=bob", headers=headers)  # Without either it is a first look, whatever it calls itself.
    assert Event.objects.filter(kind="audit:read").count() == 2


def test_what_cannot_be_recorded_is_not_shown(erin: Client, some: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("read-only")

    monkeypatch.setattr(record.writing.chain, "extend", refuse)
    response = erin.get("/audit/")
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "The audit is not shown" in response.content.decode()
    assert ids_in(response) == []


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_question_that_takes_too_long_is_told_to_be_narrower(
    erin: Client, some: list[str], monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    def slow(*_: object, **__: object) -> None:
        raise TookTooLong

    monkeypatch.setattr(search, "page", slow)
    response = erin.get("/audit/?person=alice", headers=headers)
    assert response.status_code == 422
    assert "Choose a shorter time" in response.content.decode()
    if not headers:
        assert 'value="alice"' in response.content.decode()


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("order=worst", ["order"]),
        ("user__password=x&person__in=1", ["user__password", "person__in"]),
        (f"{'x' * 99}=1", [f"{'x' * 40}…"]),
        ("&".join(f"a{number}=1" for number in range(90)), ["a0", "a1", "a2", "a3", "a4", "…"]),
        ("cursor=&live=1&steps=1&tz=UTC", []),
    ],
)
def test_what_the_address_names_in_vain_is_ignored_with_a_word(
    erin: Client, some: list[str], query: str, named: list[str]
) -> None:
    response = erin.get(f"/audit/?{query}")
    assert response.status_code == 200
    assert response.context["ignored"] == named
    assert ("it was ignored" in text_of(response)) == bool(named)


def test_the_name_of_an_unknown_parameter_is_escaped_and_shown_whole(erin: Client, some: list[str]) -> None:
    page = erin.get("/audit/", {PAYLOAD: "1"}).content.decode()
    assert "<script>alert" not in page
    assert "⟨U+202E⟩" in page


# The chart


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


# Live


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


# Who may, and what is theirs


@pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
def test_nobody_else_reads_the_audit(request: pytest.FixtureRequest, some: list[str], who: str) -> None:
    client: Client = request.getfixturevalue(who)
    for path in ("/audit/", "/audit/?person=alice", f"/audit/{some[0]}/", "/audit/nothing/"):
        assert client.get(path).status_code == 403
    assert b"Audit</a>" not in client.get("/").content


def test_somebody_elses_session_does_not_exist(
    alice: Client, bob: Client, dana: Client, erin: Client, some: list[str]
) -> None:
    mine, theirs = some[0], some[1]
    assert alice.get(f"/sessions/{mine}/").status_code == 200
    for client in (bob, dana, erin):
        assert client.get(f"/sessions/{mine}/").status_code == 404
    assert alice.get(f"/sessions/{theirs}/").status_code == 404
    assert alice.get("/sessions/nothing/").content == alice.get(f"/sessions/{theirs}/").content.replace(
        theirs.encode(), b"nothing"
    )


def test_the_list_of_sessions_is_mine_alone(alice: Client, some: list[str]) -> None:
    page = alice.get("/sessions/").content.decode()
    shown = set(re.findall(r'href="/sessions/(\d{12})/"', page))
    assert shown == set(names([41, 15, 14, 2, 1]))


def test_a_cursor_of_mine_shows_nothing_of_others(alice: Client, bob: Client, cast: Cast) -> None:
    write_issuances({"actor_handle": ["alice", "bob"][number % 2]} for number in range(120))
    first = alice.get("/sessions/")
    second = alice.get(f"/sessions/{first.context['older_url']}")
    assert {row.actor_handle for row in (*first.context["past"], *second.context["past"])} == {"alice"}
    assert len(first.context["past"]) + len(second.context["past"]) == 60
    assert bob.get(f"/sessions/{first.context['older_url']}").status_code == 400


def test_hostile_text_is_escaped_and_what_it_hides_is_shown(alice: Client, cast: Cast, erin: Client) -> None:
    texts = ["role_name", "reason", "account_name", "actor_name", "ticket"]
    [row] = write_issuances([{**dict.fromkeys(texts, PAYLOAD), "actor_id": cast.alice.pk}])
    for client, path in ((erin, "/audit/"), (erin, f"/audit/?person={PAYLOAD}"), (alice, "/sessions/")):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page
        shown = re.sub(r'<input[^>]*>|href="[^"]*"', "", page)
        assert "\u202e" not in shown
        assert "⟨U+202E⟩" in shown
    assert "&lt;script&gt;" in page
    assert row.id in page
