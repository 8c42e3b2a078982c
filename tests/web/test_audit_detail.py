"""One entry of the audit: the whole life of an issuance, and any event by its number."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.audit.models import Event, Issuance
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.database import without_triggers
from tests.support.history import NOON, write_history, write_issuances
from tests.support.requests import ask, guard, say_yes, take, waiting
from tests.support.unwritable import unwritable_audit

pytestmark = pytest.mark.django_db(transaction=True)

ALICE = {"actor_id": 1, "actor_handle": "alice", "actor_name": "Alice Engström"}


def text(answer: Any) -> str:
    """Return what a person reads, in one line."""
    page = answer.content.decode().replace("<wbr>", "").replace("<bdi>", "").replace("</bdi>", "")
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def reads() -> list[tuple[str, str, Any]]:
    found = Event.objects.filter(kind="audit:read").order_by("id")
    return list(found.values_list("subject", "actor_handle", "detail"))


def test_a_life_shows_what_its_events_say_column_by_column(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    ask(cast.alice, catalogue.read_only, ticket="OPS-7")
    issued = Event.objects.get(kind="issuance:issued")
    page = text(erin.get(f"/audit/{issued.issuance_id}/"))
    for said in (
        "Alice Engström",
        issued.role_arn,
        "payments-prod",
        "491200653381",
        "for 1 h",
        "The queue is stuck",
        "OPS-7",
        "standard",
        issued.aws_request_id,
        issued.access_key_id,
        issued.assumed_role_id,
        f"{issued.expiration:%Y-%m-%dT%H:%M:%SZ}",
        "203.0.113.24",
        "tests",
        "0123456789abcdef",
        f"alice-{issued.issuance_id}",
    ):
        assert said in page, said
    for event in Event.objects.filter(issuance_id=issued.issuance_id):
        assert f"No. {event.id}" in page
        assert bytes(event.hash).hex()[:12] in page
    assert "Live, ends in" in page


def test_a_life_has_its_approval_its_review_and_its_closing_in_the_order_of_the_log(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    role = guard(catalogue, cast.bob)
    approval = waiting(cast.alice, role)
    say_yes(cast.bob, approval)
    other = waiting(cast.alice, catalogue.on_call, submission="another-submission")
    take(cast.alice, approval)
    issuance = Issuance.objects.get()
    kinds = [event.kind for event in erin.get(f"/audit/{issuance.id}/").context["events"]]
    assert kinds == [
        "approval:requested",
        "approval:agreed",
        "approval:approved",
        "issuance:requested",
        "approval:collected",
        "issuance:issued",
    ]
    assert "Bob Osei" in text(erin.get(f"/audit/{issuance.id}/"))
    assert other != approval


def test_what_another_issuance_took_an_approval_for_is_no_part_of_this_life(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    approval = waiting(cast.alice, guard(catalogue, cast.bob))
    say_yes(cast.bob, approval)
    sts.fault("access_denied")
    take(cast.alice, approval, "first-submission-of-it")
    take(cast.alice, approval, "second-submission-of-it")
    first, second = Issuance.objects.order_by("requested_at")
    kinds = [event.kind for event in erin.get(f"/audit/{second.id}/").context["events"]]
    assert kinds.count("approval:collected") == 1
    assert "issuance:failed" not in kinds
    kinds = [event.kind for event in erin.get(f"/audit/{first.id}/").context["events"]]
    assert "approval:returned" in kinds


def test_the_facts_are_those_of_the_events_where_the_row_says_otherwise(erin: Client, db: None) -> None:
    [row] = write_issuances([{"reason": "The true reason", "access_key_id": "ASIATRUE000000000000"}])
    with without_triggers(connection):
        Issuance.objects.filter(id=row.id).update(reason="A forged reason", access_key_id="ASIAFORGED0000000000")
    page = text(erin.get(f"/audit/{row.id}/"))
    assert "The true reason" in page
    assert "ASIATRUE000000000000" in page
    assert "orged" not in page


def test_events_without_a_row_still_tell_their_issuance(erin: Client, db: None) -> None:
    [row] = write_issuances(
        [{"id": "2g7h0kq4z9xw", "reason": "Why not", "assumed_role_id": "AROA1:alice-2g7h0kq4z9xw"}]
    )
    with without_triggers(connection):
        Issuance.objects.all().delete()
    page = erin.get(f"/audit/{row.id}/")
    assert page.status_code == 200
    assert page.context["issuance"].status == "issued"
    assert "alice-2g7h0kq4z9xw" in text(page)
    assert "Why not" in text(page)


@pytest.mark.parametrize(
    ("kind", "status", "name"),
    [
        ("issuance:denied", "denied", ""),
        ("issuance:unknown", "unknown", "alice-2g7h0kq4z9xw"),
        ("issuance:requested", "requested", "alice-2g7h0kq4z9xw"),
    ],
)
def test_a_single_event_without_a_row_is_enough(erin: Client, kind: str, status: str, name: str) -> None:
    write_history([{**ALICE, "kind": kind, "issuance_id": "2g7h0kq4z9xw"}])
    told = erin.get("/audit/2g7h0kq4z9xw/").context["issuance"]
    assert (told.status, told.session_name, told.actor_handle, told.requested_at) == (
        status,
        name,
        "alice",
        NOON + timedelta(seconds=1),
    )


def test_an_event_of_the_portal_itself_tells_whose_access_it_was_about(erin: Client, db: None) -> None:
    write_history([{"kind": "issuance:unknown", "issuance_id": "2g7h0kq4z9xw", "on_behalf_of": "alice"}])
    page = erin.get("/audit/2g7h0kq4z9xw/")
    assert page.context["issuance"].actor_handle == "alice"
    assert "Outcome unknown by the portal" in text(page)


def test_a_row_without_events_is_shown_as_it_is(erin: Client, db: None) -> None:
    [row] = write_issuances([{"reason": "Before there were events"}])
    with without_triggers(connection):
        Event.objects.all().delete()
    page = erin.get(f"/audit/{row.id}/")
    assert page.context["events"] == []
    assert "Before there were events" in text(page)


def test_the_neighbours_are_what_the_same_person_asked_before_and_after(erin: Client, db: None) -> None:
    alice = [{"status": "denied" if number % 2 else "issued"} for number in range(9)]
    rows = write_issuances([*alice, {"actor_handle": "bob", "requested_at": NOON + timedelta(hours=5, minutes=30)}])
    page = erin.get(f"/audit/{rows[4].id}/")
    assert [row.id for row in page.context["neighbours"]] == [rows[number].id for number in (7, 6, 5, 3, 2, 1)]
    assert [row.status for row in page.context["neighbours"]] == [
        "denied",
        "issued",
        "denied",
        "denied",
        "issued",
        "denied",
    ]


def test_nothing_of_that_id_is_not_found_and_nothing_is_recorded(erin: Client, db: None) -> None:
    for path in ("/audit/nothing/", "/audit/events/1/", "/audit/events/0/", f"/audit/events/{2**63}/"):
        assert erin.get(path).status_code == 404
    assert reads() == []


def test_who_reads_of_others_is_recorded_and_who_reads_of_themselves_is_not(
    dana: Client, erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    catalogue.engineers.user_set.add(cast.dana)
    ask(cast.dana, catalogue.read_only)
    issued = Event.objects.get(kind="issuance:issued")
    dana.get(f"/audit/{issued.issuance_id}/")
    dana.get(f"/audit/events/{issued.id}/")
    assert reads() == []
    erin.get(f"/audit/{issued.issuance_id}/")
    erin.get(f"/audit/events/{issued.id}/")
    assert reads() == [(f"issuance:{issued.issuance_id}", "erin", {}), (f"event:{issued.id}", "erin", {})]


def test_nothing_is_shown_that_could_not_be_recorded(erin: Client, db: None) -> None:
    [row] = write_issuances([{"reason": "Something to hide"}])
    with unwritable_audit():
        for path in (f"/audit/{row.id}/", f"/audit/events/{Event.objects.latest('id').id}/"):
            answer = erin.get(path)
            assert answer.status_code == 503
            assert answer["Retry-After"]
            assert "Something to hide" not in answer.content.decode()
    assert reads() == []


def test_an_admin_is_given_the_command_that_ends_a_live_session_and_an_auditor_whom_to_ask(
    dana: Client, erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    ask(cast.alice, catalogue.read_only)
    path = f"/audit/{Issuance.objects.get().id}/"
    page = text(dana.get(path))
    assert "aws iam put-role-policy --role-name 'PaymentsReadOnly' --policy-name AWSRevokeOlderSessions" in page
    assert "every session of this role that was issued before this page" in page
    page = text(erin.get(path))
    assert "Ask a catalogue admin" in page
    assert "put-role-policy" not in page


def test_a_session_that_has_ended_needs_no_command(dana: Client, db: None) -> None:
    [row] = write_issuances([{"expiration": timezone.now() - timedelta(seconds=1)}])
    page = text(dana.get(f"/audit/{row.id}/"))
    assert "End it before its time" not in page
    assert "Live" not in page


def test_a_role_that_nobody_can_change_says_so(dana: Client, db: None) -> None:
    arn = "arn:aws:iam::491200653381:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    [row] = write_issuances([{"expiration": timezone.now() + timedelta(hours=1), "role_arn": arn}])
    assert "Nobody can attach a policy to this role" in text(dana.get(f"/audit/{row.id}/"))


def test_the_words_of_aws_are_for_admins(
    dana: Client, erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    sts.fault("access_denied")
    ask(cast.alice, catalogue.read_only)
    path = f"/audit/{Issuance.objects.get().id}/"
    words = Issuance.objects.get().aws_words
    assert words
    assert words in dana.get(path).content.decode().replace("<wbr>", "").replace("&#x27;", "'")
    assert "own words" not in erin.get(path).content.decode()


def test_an_event_shows_who_what_before_and_after_its_number_and_its_hashes(erin: Client, db: None) -> None:
    detail = {
        "before": {"max_duration": "4 h", "enabled": True},
        "after": {"max_duration": "8 h", "enabled": False},
        "command": "x",
    }
    dana = {"actor_id": 4, "actor_handle": "dana", "actor_name": "Dana Haddad", "address": "203.0.113.9"}
    first, second, third = write_history(
        [
            {**ALICE, "kind": "sign-in:succeeded"},
            {**dana, "kind": "role:changed", "subject": "role:r1", "detail": detail, "user_agent": "a browser"},
            {**ALICE, "kind": "sign-in:ended"},
        ]
    )
    answer = erin.get(f"/audit/events/{second.id}/")
    page = text(answer)
    for said in (
        "Dana Haddad",
        "203.0.113.9",
        "role:r1",
        "a browser",
        "Max duration 4 h → 8 h",
        "Enabled yes → no",
        "Command x",
    ):
        assert said in page, said
    assert second.hash.hex() in page
    assert first.hash.hex() in page
    links = re.findall(r'href="/audit/events/(\d+)/"', answer.content.decode())
    assert links == [str(third.id), str(first.id)]


def test_the_first_event_has_nothing_before_it_and_the_newest_leads_to_its_own_reading(erin: Client, db: None) -> None:
    [only] = write_history([{**ALICE, "kind": "sign-in:succeeded"}])
    page = erin.get(f"/audit/events/{only.id}/").content.decode()
    assert "It is the first event here" in page
    assert 'rel="prev"' not in page
    assert 'rel="next"' not in page
    assert f"/audit/events/{only.id + 1}/" in erin.get(f"/audit/events/{only.id}/").content.decode()


def test_hidden_characters_are_written_out(erin: Client, db: None) -> None:
    hostile = "\u202egpj\x1b[31m<script>"
    rows = write_issuances([{"reason": hostile, "actor_name": hostile, "role_name": hostile, "user_agent": hostile}])
    event = write_history(
        [{**ALICE, "kind": "role:changed", "detail": {"after": {hostile: hostile}, hostile: [hostile]}}]
    )[0]
    for path in (f"/audit/{rows[0].id}/", f"/audit/events/{event.id}/"):
        page = erin.get(path).content.decode()
        assert "\u202e" not in page
        assert "\x1b" not in page
        assert "<script>" not in page
        assert "U+202E" in page


@pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
def test_nobody_else_opens_an_entry_or_an_event(request: pytest.FixtureRequest, db: None, who: str) -> None:
    client: Client = request.getfixturevalue(who)
    [row] = write_issuances([{}])
    for path in (f"/audit/{row.id}/", "/audit/events/1/", "/audit/events/99/"):
        assert client.get(path).status_code == 403
    assert reads() == []


def test_the_number_of_statements_does_not_grow_with_the_life(erin: Client, db: None) -> None:
    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert erin.get(path).status_code == 200
        assert not [one["sql"] for one in seen.captured_queries if re.search(r"COUNT\(|OFFSET", one["sql"])]
        return len(seen.captured_queries)

    [row] = write_issuances([{}])
    path = f"/audit/{row.id}/"
    statements(path)
    few = statements(path)
    write_issuances([{"requested_at": NOON + timedelta(hours=1, minutes=number)} for number in range(20)])
    write_history([{**ALICE, "kind": "console:opened", "issuance_id": row.id} for _ in range(30)])
    assert statements(path) - few == 2  # The neighbours, which were none: their rows and their events.


@pytest.mark.parametrize("path", ["detail", "event"])
def test_htmx_is_given_the_fragment(erin: Client, db: None, path: str) -> None:
    [row] = write_issuances([{}])
    address = f"/audit/{row.id}/" if path == "detail" else "/audit/events/1/"
    page = erin.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert "<h1>" in page
