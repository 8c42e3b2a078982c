"""The list of the audit for auditors and admins, and my own sessions for me."""

import re
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access.models import User
from tests.support.audit_pages import ids_in, names, text_of, write_some
from tests.support.cast import Cast
from tests.support.history import write_history, write_issuances

NEVER = re.compile(r"COUNT\(|OFFSET", re.I)
PAYLOAD = '"><script>alert(1)</script>\u202e'


@pytest.fixture
def some(cast: Cast) -> list[str]:
    return write_some(cast)


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
