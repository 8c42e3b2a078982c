"""What nobody knows yet: the page that lists it, and closing it with what somebody found."""

import re
import shlex
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access.models import User
from credportal.audit.models import Event, Issuance
from credportal.domain.types import Duty
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue, give_duties
from tests.support.handouts import claim, delegate, handed_out
from tests.support.history import NOON, write_history, write_issuances
from tests.support.requests import ask
from tests.support.unwritable import unwritable_audit

UNKNOWN = {"status": "unknown", "code": "sts_timeout", "session_name": "alice-2g7h0kq4z9xw", "id": "2g7h0kq4z9xw"}


def close(client: Client, issuance_id: str, comment: str = "CloudTrail shows nothing") -> Any:
    return client.post(f"/audit/unresolved/{issuance_id}/close/", {"comment": comment})


def listed(answer: Any) -> list[str]:
    return [item.issuance.id for item in answer.context["items"]]


def text(answer: Any) -> str:
    page = answer.content.decode().replace("<wbr>", "").replace("<bdi>", "").replace("</bdi>", "")
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def closings() -> list[Event]:
    return list(Event.objects.filter(kind="issuance:closed"))


@pytest.fixture
def unknown(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> Issuance:
    """An issuance of Alice's of which AWS's answer was lost."""
    sts.fault("reset_after_mint")
    ask(cast.alice, catalogue.read_only, ticket="OPS-7")
    return Issuance.objects.get(status="unknown")


def test_it_lists_person_role_when_why_and_what_to_search(erin: Client, unknown: Issuance) -> None:
    answer = erin.get("/audit/unresolved/")
    page = text(answer)
    for said in ("Alice Engström", "PaymentsReadOnly", "payments-prod", unknown.why, unknown.session_name, "for 1 h"):
        assert said in page, said
    assert f'href="/audit/{unknown.id}/"' in answer.content.decode()
    [item] = answer.context["items"]
    assert item.until == unknown.requested_at + timedelta(hours=1, seconds=30)
    for name, command in (("did", item.session_lookup), ("made", item.minting_lookup)):
        shown = re.search(rf'id="{name}-{unknown.id}">([^<]*)<', answer.content.decode())
        assert shown
        assert unescape(shown[1]) == command
        assert shlex.split(command)[:3] == ["aws", "cloudtrail", "lookup-events"]


def test_credentials_that_must_have_ended_are_told_apart(erin: Client, db: None) -> None:
    now = timezone.now()
    write_issuances([{"status": "unknown", "requested_at": now - timedelta(minutes=minutes)} for minutes in (61, 59)])
    page = text(erin.get("/audit/unresolved/"))
    assert page.count("Such credentials could live until") == 1
    assert page.count("Such credentials ended by") == 1


def test_nothing_unresolved_says_so(erin: Client, db: None) -> None:
    write_issuances([{"status": "issued"}, {"status": "denied"}, {"status": "failed"}])
    assert "Nothing is unresolved" in text(erin.get("/audit/unresolved/"))


def test_an_old_intent_is_there_before_housekeeping_and_a_young_one_is_not(erin: Client, db: None) -> None:
    now = timezone.now()
    old, _young = write_issuances(
        [
            {"status": "requested", "requested_at": now - timedelta(seconds=40)},
            {"status": "requested", "requested_at": now - timedelta(seconds=5)},
        ]
    )
    answer = erin.get("/audit/unresolved/")
    assert [item.issuance.id for item in answer.context["open"]] == [old.id]
    assert "Without an outcome" in text(answer)
    assert listed(answer) == []


def test_pages_follow_each_other_newest_first_without_what_was_closed(erin: Client, db: None) -> None:
    rows = write_issuances([{"status": "unknown"} for _ in range(130)])
    write_history([{"kind": "issuance:closed", "issuance_id": row.id} for row in rows[::2]])
    wanted = [row.id for row in reversed(rows[1::2])]
    first = erin.get("/audit/unresolved/")
    second = erin.get(f"/audit/unresolved/{first.context['older_url']}")
    assert listed(first) + listed(second) == wanted
    assert listed(erin.get(f"/audit/unresolved/{second.context['newer_url']}")) == listed(first)
    assert second.context["older_url"] == ""
    assert erin.get("/audit/unresolved/?cursor=made-up").status_code == 400


def test_the_number_of_statements_does_not_grow_and_nothing_is_counted(dana: Client, db: None) -> None:
    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as seen:
            assert dana.get("/audit/unresolved/").status_code == 200
        return [query["sql"] for query in seen.captured_queries]

    write_issuances([{"status": "unknown"}])
    statements()
    few = statements()
    write_issuances([{"status": "unknown", "session_name": "x"} for _ in range(80)])
    many = statements()
    assert len(many) == len(few) <= 12
    assert not [sql for sql in many if re.search(r"COUNT\(|OFFSET", sql)]


def test_closing_is_an_event_with_everything_and_changes_nothing(dana: Client, cast: Cast, unknown: Issuance) -> None:
    before = Issuance.objects.filter(id=unknown.id).values().get()
    assert close(dana, unknown.id, "  The session did nothing  ").status_code == 302
    [event] = closings()
    assert (event.issuance_id, event.subject, event.on_behalf_of) == (unknown.id, "", "alice")
    assert (event.actor_id, event.actor_handle, event.actor_name) == (cast.dana.pk, "dana", "Dana Haddad")
    assert event.detail == {"after": {"comment": "The session did nothing"}}
    about = (event.role_arn, event.role_name, event.account_number, event.account_name, event.environment)
    assert about == (
        "arn:aws:iam::491200653381:role/PaymentsReadOnly",
        "PaymentsReadOnly",
        "491200653381",
        "payments-prod",
        "production",
    )
    assert (event.reason, event.ticket, event.code, event.source) == (
        "The queue is stuck",
        "OPS-7",
        unknown.code,
        "standard",
    )
    assert event.duration_asked == timedelta(hours=1)
    assert (event.address, bool(event.request_id)) == ("127.0.0.1", True)
    assert Issuance.objects.filter(id=unknown.id).values().get() == before
    assert listed(dana.get("/audit/unresolved/")) == []
    entry = text(dana.get(f"/audit/{unknown.id}/"))
    assert "Looked into by Dana Haddad" in entry
    assert "The session did nothing" in entry
    assert "Nobody has looked into it yet" not in entry


def test_an_entry_that_nobody_looked_into_offers_to_close_it(dana: Client, erin: Client, unknown: Issuance) -> None:
    assert f'action="/audit/unresolved/{unknown.id}/close/"' in dana.get(f"/audit/{unknown.id}/").content.decode()
    page = erin.get(f"/audit/{unknown.id}/").content.decode()
    assert "/close/" not in page
    assert "Nobody has looked into it yet" in page


@pytest.mark.parametrize("comment", ["", "   ", "x" * 501, "two\nlines", "bell\x07"])
def test_a_comment_that_cannot_be_kept_comes_back_with_what_was_typed(
    dana: Client, unknown: Issuance, comment: str
) -> None:
    answer = close(dana, unknown.id, comment)
    assert answer.status_code == 422
    assert comment.strip() in unescape(answer.content.decode()) or "\n" in comment
    assert f'id="{unknown.id}_comment_error"' in answer.content.decode()
    assert closings() == []


def test_what_was_typed_for_one_on_a_later_page_is_not_lost(dana: Client, db: None) -> None:
    rows = write_issuances([{"status": "unknown"} for _ in range(70)])
    answer = close(dana, rows[0].id, "y" * 501)
    assert answer.status_code == 422
    assert listed(answer)[0] == rows[0].id
    assert "y" * 501 in answer.content.decode()


def test_the_second_who_closes_it_is_told(dana: Client, unknown: Issuance) -> None:
    close(dana, unknown.id)
    answer = close(dana, unknown.id, "And again")
    assert answer.status_code == 409
    assert "Somebody else has just closed it" in text(answer)
    assert "You wrote: And again" in text(answer)
    assert len(closings()) == 1


@pytest.mark.parametrize("status", ["issued", "failed", "denied", "requested"])
def test_what_is_not_unknown_cannot_be_closed(dana: Client, db: None, status: str) -> None:
    [row] = write_issuances([{"status": status}])
    assert close(dana, row.id).status_code == 409
    assert close(dana, row.id, "").status_code == 409
    assert closings() == []


def test_what_is_not_there_cannot_be_closed(dana: Client, db: None) -> None:
    assert close(dana, "2g7h0kq4z9xw").status_code == 404


def test_nobody_closes_what_they_handed_out(
    dana: Client, erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    delegate(give_duties("support", (Duty.SUPPORT,), cast.dana), catalogue.read_only)
    given = handed_out(cast.dana, catalogue.read_only, cast.charlie)
    sts.fault("reset_after_mint")
    claim(cast.charlie, given)
    assert "/close/" not in dana.get("/audit/unresolved/").content.decode()
    answer = close(dana, Issuance.objects.get().id)
    assert answer.status_code == 403
    assert "or handed out" in text(answer)
    assert closings() == []


def test_nobody_closes_their_own(dana: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    catalogue.engineers.user_set.add(cast.dana)
    sts.fault("reset_after_mint")
    ask(cast.dana, catalogue.read_only)
    own = Issuance.objects.get()
    page = dana.get("/audit/unresolved/")
    assert "This one is yours" in text(page)
    assert "/close/" not in page.content.decode()
    answer = close(dana, own.id)
    assert answer.status_code == 403
    assert "Somebody else has to look into what you asked for" in text(answer)
    assert closings() == []


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "erin"])
def test_nobody_but_a_catalogue_admin_closes_one(request: pytest.FixtureRequest, unknown: Issuance, who: str) -> None:
    client: Client = request.getfixturevalue(who)
    assert close(client, unknown.id).status_code == 403
    assert client.get("/audit/unresolved/").status_code == (200 if who == "erin" else 403)
    assert closings() == []


def test_an_auditor_is_told_who_closes_them(erin: Client, unknown: Issuance) -> None:
    page = erin.get("/audit/unresolved/")
    assert "/close/" not in page.content.decode()
    assert "Catalogue admins close them" in text(page)


def test_who_reads_it_is_recorded_and_unrecorded_it_is_not_shown(erin: Client, unknown: Issuance) -> None:
    erin.get("/audit/unresolved/")
    assert [*Event.objects.filter(kind="audit:read").values_list("subject", "actor_handle")] == [
        ("audit:unresolved", "erin")
    ]
    with unwritable_audit():
        answer = erin.get("/audit/unresolved/")
    assert answer.status_code == 503
    assert "Alice" not in answer.content.decode()


def test_the_list_around_a_refused_closing_is_recorded_as_read_too(dana: Client, unknown: Issuance) -> None:
    assert close(dana, unknown.id, comment="").status_code == 422
    assert [*Event.objects.filter(kind="audit:read").values_list("subject", "actor_handle")] == [
        ("audit:unresolved", "dana")
    ]
    with unwritable_audit():
        answer = close(dana, unknown.id, comment="")
    assert answer.status_code == 503
    assert "Alice" not in answer.content.decode()


def test_what_cannot_be_recorded_is_not_closed(dana: Client, unknown: Issuance) -> None:
    with unwritable_audit():
        answer = close(dana, unknown.id)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert closings() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_at_once_one_closes_it(cast: Cast, sign_in: Callable[[User], Client]) -> None:
    write_issuances([{**UNKNOWN, "requested_at": NOON}])
    give_duties("admins", (Duty.CATALOGUE_ADMIN,), cast.bob)
    clients = [sign_in(cast.dana), sign_in(cast.bob)]
    together = Barrier(2)

    def try_it(client: Client) -> int:
        together.wait()
        try:
            return int(close(client, "2g7h0kq4z9xw").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(try_it, clients)) == [302, 409]
    assert len(closings()) == 1


def test_the_constraint_alone_keeps_a_second_closing_out(
    dana: Client, unknown: Issuance, monkeypatch: pytest.MonkeyPatch
) -> None:
    close(dana, unknown.id)
    monkeypatch.setattr("credportal.audit.selectors.unresolved.closing_of", lambda _issuance_id: None)
    answer = close(dana, unknown.id)
    assert answer.status_code == 409
    assert "Somebody else has just closed it" in text(answer)
    assert len(closings()) == 1
