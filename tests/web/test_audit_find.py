"""Whose key is this: one box finds the issuance, and what is secret goes nowhere from it."""

import re
import shlex
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.audit.models import Event, Issuance
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.history import NOON, write_issuances
from tests.support.html import hidden
from tests.support.requests import ask
from tests.support.unwritable import unwritable_audit

KEY = "ASIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEJr" + "7aB/+9" * 60


def find(client: Client, pasted: str, **headers: str) -> Any:
    return client.post("/audit/find/", {"pasted": pasted}, headers=headers)


def text(answer: Any) -> str:
    page = answer.content.decode().replace("<wbr>", "").replace("<bdi>", "").replace("</bdi>", "")
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page)))


def reads() -> list[Any]:
    return list(Event.objects.filter(kind="audit:read").order_by("id").values_list("subject", "actor_handle", "detail"))


@pytest.fixture
def issued(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> Issuance:
    """A live session of Alice's."""
    ask(cast.alice, catalogue.read_only)
    return Issuance.objects.get()


def written(issued: Issuance) -> dict[str, str]:
    return {
        "access_key_id": issued.access_key_id,
        "assumed-role_ARN": f"arn:aws:sts::491200653381:assumed-role/PaymentsReadOnly/{issued.session_name}",
        "assumed-role_id": issued.assumed_role_id,
        "session_name": issued.session_name,
        "issuance_id": issued.id,
    }


@pytest.mark.parametrize(
    "form", ["access_key_id", "assumed-role_ARN", "assumed-role_id", "session_name", "issuance_id"]
)
def test_each_form_finds_the_issuance_the_person_and_the_reason(erin: Client, issued: Issuance, form: str) -> None:
    pasted = written(issued)[form]
    answer = find(erin, f" '{pasted}'\n")
    assert answer.status_code == 200
    page = text(answer)
    for said in ("Alice Engström", "PaymentsReadOnly", "payments-prod", "491200653381", "The queue is stuck"):
        assert said in page, said
    assert "Live, ends in 59 min" in page
    assert f'href="/audit/{issued.id}/"' in answer.content.decode()
    assert reads() == [("audit:find", "erin", {form: pasted})]


def test_an_ended_session_and_a_refusal_say_so(erin: Client, db: None) -> None:
    ended, denied = write_issuances(
        [{"expiration": NOON, "access_key_id": KEY}, {"status": "denied", "code": "not_eligible"}]
    )
    page = text(find(erin, KEY.lower()))
    assert "Ended" in page
    assert "Live" not in page
    assert ended.id in find(erin, KEY).content.decode()
    assert "No eligibility for this role" in text(find(erin, denied.id))


def test_a_session_of_another_name_with_an_id_of_ours_is_told_apart(erin: Client, issued: Issuance) -> None:
    forged = f"arn:aws:sts::999999999999:assumed-role/Admin/mallory-{issued.id}"
    page = text(find(erin, forged))
    assert "Only the end of the name is this issuance’s" in page
    assert issued.session_name in page
    assert "Only the end" not in text(find(erin, issued.session_name))


def test_a_session_of_another_role_or_account_is_told_apart(erin: Client, issued: Issuance) -> None:
    for place in ("999999999999:assumed-role/PaymentsReadOnly", "491200653381:assumed-role/Administrator"):
        page = text(find(erin, f"arn:aws:sts::{place}/{issued.session_name}"))
        assert "another role than this issuance’s" in page
    right = f"arn:aws:sts::491200653381:assumed-role/PaymentsReadOnly/{issued.session_name}"
    assert "another role" not in text(find(erin, right))


def test_several_with_one_key_are_listed_newest_first_and_not_without_end(erin: Client, db: None) -> None:
    rows = write_issuances([{"access_key_id": "SAMEKEYEVERYTIME0001"} for _ in range(25)])
    answer = find(erin, "SAMEKEYEVERYTIME0001")
    found = [hit.issuance.id for hit in answer.context["hits"]]
    assert found == [row.id for row in reversed(rows)][:20]
    assert "The newest 20 issuances have this access key id" in text(answer)


def test_a_word_that_is_no_issuance_is_looked_up_as_a_key_of_another_service(erin: Client, db: None) -> None:
    [row] = write_issuances([{"access_key_id": "1a2b3c4d5e6f"}])
    assert [hit.issuance.id for hit in find(erin, "1a2b3c4d5e6f").context["hits"]] == [row.id]


def test_a_key_that_the_portal_did_not_issue_leads_to_the_call_that_tells_its_account(erin: Client, db: None) -> None:
    for key in (KEY, "AKIAIOSFODNN7EXAMPLE"):
        answer = find(erin, key)
        assert answer.status_code == 404
        assert "No issuance has this access key id" in text(answer)
        command = re.search(r'id="ask-aws">([^<]*)<', answer.content.decode())
        assert command
        assert shlex.split(unescape(command[1])) == ["aws", "sts", "get-access-key-info", "--access-key-id", key]
    assert [detail for _, _, detail in reads()] == [{"access_key_id": KEY}, {"access_key_id": "AKIAIOSFODNN7EXAMPLE"}]


def test_what_is_not_found_says_what_was_looked_for_and_how_to_write_it(erin: Client, db: None) -> None:
    for pasted, words in {
        "2g7h0kq4z9xw": "An issuance id has 12 characters",
        "alice-2g7h0kq4z9xw": "No issuance has this session name",
        "Q3AM3UQ867SPQQA43P2F": "Look for a missing or misread character",
        "arn:aws:sts::123456789012:assumed-role/Deploy/somebody": "The portal did not make this session",
        "AROAEXAMPLEROLEID1234:i-0abc": "The portal did not make this session",
    }.items():
        answer = find(erin, pasted)
        assert answer.status_code == 404
        assert words in text(answer)
        assert pasted in text(answer)
        assert "get-access-key-info" not in text(answer)


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "Nothing was pasted"),
        ("alice", "leads to no issuance"),
        ("arn:aws:iam::491200653381:role/Admin", "a role, not a session"),
        ("\0\u202e", "leads to no issuance"),
        ("<script>alert(1)</script>", "leads to no issuance"),
    ],
)
def test_what_cannot_be_read_comes_back_with_how_to_write_it(erin: Client, db: None, pasted: str, words: str) -> None:
    answer = find(erin, pasted)
    assert answer.status_code == 422
    assert words in text(answer)
    assert "<script>alert" not in answer.content.decode()
    assert reads() == []
    if pasted.isprintable():
        assert unescape(hidden(answer.content.decode(), "pasted")) == pasted


@pytest.mark.parametrize(
    ("pasted", "key"),
    [
        (SECRET, ""),
        (TOKEN, ""),
        (f"AWS_ACCESS_KEY_ID={KEY}\r\nAWS_SECRET_ACCESS_KEY={SECRET}\r\nAWS_SESSION_TOKEN={TOKEN}", KEY),
        (f"{KEY}:{SECRET}", KEY),
        (SECRET * 600, ""),
    ],
)
def test_a_secret_is_refused_and_is_nowhere_afterwards(
    erin: Client, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, pasted: str, key: str
) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        with CaptureQueriesContext(connection) as seen:
            answer = find(erin, pasted, **headers)
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "That is a secret" in page
        assert hidden(page, "pasted") == key
        written = page + str(seen.captured_queries) + capsys.readouterr().err + caplog.text + str(dict(answer.headers))
        assert not [secret for secret in (SECRET, TOKEN, SECRET[5:30], TOKEN[:30]) if secret in written]
    assert reads() == []


def test_a_word_that_is_nothing_may_be_a_password_and_is_not_kept(erin: Client, db: None) -> None:
    assert find(erin, "CorrectHorseBatteryStaple1").status_code == 404
    assert reads() == [("audit:find", "erin", {"access_key_id": "nothing that the portal issued"})]


def test_text_in_the_address_is_not_looked_at(erin: Client, issued: Issuance) -> None:
    page = erin.get(f"/audit/find/?pasted={issued.id}")
    assert page.status_code == 200
    assert issued.id not in page.content.decode()
    assert reads() == []


def test_the_form_wants_a_csrf_token(db: None, cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.erin, backend=settings.AUTHENTICATION_BACKENDS[0])
    assert find(client, KEY).status_code == 403
    assert 'name="csrfmiddlewaretoken"' in client.get("/audit/find/").content.decode()


def test_who_finds_their_own_leaves_no_trace(dana: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    catalogue.engineers.user_set.add(cast.dana)
    ask(cast.dana, catalogue.read_only)
    assert find(dana, Issuance.objects.get().access_key_id).status_code == 200
    assert reads() == []


def test_nothing_is_shown_that_could_not_be_recorded(erin: Client, issued: Issuance) -> None:
    with unwritable_audit():
        answer = find(erin, issued.access_key_id)
    assert answer.status_code == 503
    assert "Alice" not in answer.content.decode()


def test_only_a_catalogue_admin_is_given_the_command_that_ends_it(dana: Client, erin: Client, issued: Issuance) -> None:
    assert "AWSRevokeOlderSessions" in text(find(dana, issued.id))
    page = text(find(erin, issued.id))
    assert "AWSRevokeOlderSessions" not in page
    assert "Ask a catalogue admin" in page


@pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
def test_nobody_else_may_ask(request: pytest.FixtureRequest, issued: Issuance, who: str) -> None:
    client: Client = request.getfixturevalue(who)
    assert client.get("/audit/find/").status_code == 403
    assert find(client, issued.access_key_id).status_code == 403
    assert reads() == []


def test_the_number_of_statements_does_not_grow_with_what_is_found(erin: Client, db: None) -> None:
    def statements(key: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert find(erin, key).status_code == 200
        return len(seen.captured_queries)

    live = timezone.now() + timedelta(hours=1)
    write_issuances([{"access_key_id": KEY, "expiration": live}])
    write_issuances([{"access_key_id": "SAMEKEYEVERYTIME0001", "expiration": live} for _ in range(15)])
    find(erin, KEY)
    assert statements(KEY) == statements("SAMEKEYEVERYTIME0001") <= 12
