"""The audit for auditors and admins, and my own sessions for me."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credportal.access.models import User
from credportal.audit.models import Event, Issuance
from tests.support.cast import Cast

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SENTENCES_WITHOUT_LIMIT = re.compile(r"COUNT\(|OFFSET", re.I)


def add(person: User, number: int, *, status: str = "issued", role: str = "ReadOnly", **fields: Any) -> Issuance:
    """Add an issuance: each is an hour after the one before."""
    usual: dict[str, Any] = {
        "account_number": "491200653381",
        "account_name": "payments-prod",
        "actor_name": person.name,
        "environment": "production",
        "requested_at": NOON + timedelta(hours=number),
        "expiration": NOON + timedelta(hours=number + 1),
    }
    return Issuance.objects.create(
        id=f"{number:012}",
        submission=f"s{number}",
        status=status,
        role_id="r",
        role_name=role,
        role_arn=f"arn:aws:iam::491200653381:role/{role}",
        actor_id=person.pk,
        actor_handle=person.handle,
        duration_asked=timedelta(hours=1),
        **{**usual, **fields},
    )


def ids_in(response: Any) -> list[str]:
    return re.findall(r'href="/audit/(\d{12})/"', response.content.decode())


@pytest.fixture
def some(cast: Cast) -> list[str]:
    """Add eight issuances of two people, two roles, two accounts, three outcomes, over some days."""
    other = {"account_number": "602217449035", "account_name": "sandbox"}
    add(cast.alice, 1)
    add(cast.alice, 2, status="denied", code="not_eligible")
    add(cast.bob, 3, role="Deployer")
    add(cast.bob, 4, **other)
    add(cast.alice, 14, role="Deployer", **other)
    add(cast.alice, 15, status="failed", code="sts_denied", role="Deployer")
    add(cast.bob, 40, status="unknown", code="sts_timeout")
    add(cast.alice, 41)
    return [f"{number:012}" for number in (41, 40, 15, 14, 4, 3, 2, 1)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", [41, 40, 15, 14, 4, 3, 2, 1]),
        ("person=alice", [41, 15, 14, 2, 1]),
        ("person=ali", []),
        ("role=Deployer", [15, 14, 3]),
        ("role=arn:aws:iam::491200653381:role/Deployer", [15, 14, 3]),
        ("account=sandbox", [14, 4]),
        ("account=602217449035", [14, 4]),
        ("outcome=denied", [2]),
        ("outcome=unknown", [40]),
        ("day=2026-11-21", [15, 14]),
        ("person=alice&role=Deployer", [15, 14]),
        ("person=alice&role=Deployer&account=sandbox&outcome=issued&day=2026-11-21", [14]),
        ("person=bob&outcome=failed", []),
        ("person=%27%20OR%201%3D1%20--", []),
        ("unknown=1", [41, 40, 15, 14, 4, 3, 2, 1]),
    ],
)
def test_filters_combine(erin: Client, some: list[str], query: str, numbers: list[int]) -> None:
    response = erin.get(f"/audit/?{query}")
    assert response.status_code == 200
    assert ids_in(response) == [f"{number:012}" for number in numbers]


def test_a_day_is_the_readers_own(cast: Cast, erin: Client, some: list[str]) -> None:
    User.objects.filter(pk=cast.erin.pk).update(time_zone="Pacific/Kiritimati")  # 14 hours ahead.
    assert ids_in(erin.get("/audit/?day=2026-11-21")) == [f"{number:012}" for number in (15, 14, 4, 3, 2, 1)]


def test_pages_follow_each_other_and_keep_the_filters(cast: Cast, erin: Client) -> None:
    for number in range(120):
        add(cast.alice if number % 2 else cast.bob, number)
    seen: list[str] = []
    address, steps = "/audit/?person=alice", 0
    while address:
        response = erin.get(address)
        assert "person=alice" in response.content.decode()
        seen += ids_in(response)
        address = f"/audit/{response.context['older_url']}" if response.context["older_url"] else ""
        steps += 1
    assert steps == 2
    assert seen == [f"{number:012}" for number in range(119, 0, -2)]
    back = erin.get(f"/audit/{response.context['newer_url']}")
    assert ids_in(back) == seen[:50]


@pytest.mark.parametrize("path", ["/audit/", "/audit/?person=alice&outcome=issued", "/sessions/", "/"])
def test_the_number_of_statements_does_not_grow_with_the_rows(cast: Cast, dana: Client, path: str) -> None:
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            assert dana.get(path).status_code == 200
        return [query["sql"] for query in seen.captured_queries]

    add(cast.dana, 0)
    few = statements()
    for number in range(1, 70):
        add(cast.dana, number)
    many = statements()
    assert len(many) == len(few) <= 7
    assert not [sql for sql in many if SENTENCES_WITHOUT_LIMIT.search(sql)]


@pytest.mark.parametrize("who", ["dana", "erin"])
def test_a_reviewer_opens_any_issuance_with_its_life_and_neighbours(
    request: pytest.FixtureRequest, some: list[str], who: str
) -> None:
    Event.objects.create(kind="issuance:requested", issuance_id=some[4], detail={})
    Event.objects.create(kind="issuance:issued", issuance_id=some[4], detail={})
    client: Client = request.getfixturevalue(who)
    for issuance_id in some:
        assert client.get(f"/audit/{issuance_id}/").status_code == 200
    page = client.get(f"/audit/{some[4]}/")
    assert [event.kind for event in page.context["events"]] == ["issuance:requested", "issuance:issued"]
    assert [row.id for row in page.context["neighbours"]] == [f"{number:012}" for number in (40, 3)]
    assert client.get("/audit/nothing/").status_code == 404


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
    assert shown == {f"{number:012}" for number in (41, 15, 14, 2, 1)}


def test_a_cursor_of_mine_shows_nothing_of_others(alice: Client, cast: Cast) -> None:
    for number in range(120):
        add(cast.alice if number % 2 else cast.bob, number)
    first = alice.get("/sessions/")
    second = alice.get(f"/sessions/{first.context['older_url']}")
    assert {row.actor_handle for row in (*first.context["past"], *second.context["past"])} == {"alice"}
    assert len(first.context["past"]) + len(second.context["past"]) == 60


def test_hostile_text_is_escaped_wherever_it_is_shown(cast: Cast, erin: Client) -> None:
    payload = '"><script>alert(1)</script>\u202e'
    row = add(cast.alice, 1, role=payload, reason=payload, account_name=payload, actor_name=payload)
    for path in ("/audit/", f"/audit/{row.id}/", f"/audit/?person={payload}"):
        page = erin.get(path).content.decode()
        assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
