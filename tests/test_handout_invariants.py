"""Six promises, kept for hand-outs: each test is named after the one it holds. The seventh has a file of its own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from django.test import Client

from credportal.access.models import Handout
from credportal.audit.models import Event, Issuance
from credportal.audit.proof.differences import differences
from credportal.audit.proof.verify import Place
from credportal.flows.answers import Issued
from credportal.flows.handout import HandedOut
from tests.fault_sts import CANARY, FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, answer_of, claim, handed_out, state, support, token_of, why_not
from tests.support.requests import story
from tests.support.scanner import database_places, found
from tests.support.unwritable import unwritable_audit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nobody_counted")]
MINUTE = timedelta(minutes=1)


def page(response: Any) -> str:
    return str(response.content.decode())


# 1. No row, no secret


def test_invariant_1_no_row_no_secret_a_claim_that_cannot_be_written_mints_nothing(
    charlie: Client, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    with unwritable_audit():
        response = charlie.post("/claim/", {"token": token_of(to_charlie)})
    assert response.status_code == 503
    assert response["Retry-After"]
    assert sts.ledger.calls == []
    assert (state(to_charlie), Issuance.objects.count()) == ("open", 0)
    assert charlie.post("/claim/", {"token": token_of(to_charlie)}).status_code == 200, "it is still theirs"


def test_invariant_1_no_row_no_secret_every_claim_that_is_delivered_has_its_rows(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    answer = answer_of(claim(cast.charlie, to_charlie))
    assert isinstance(answer, Issued)
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["handout:made", "issuance:requested", "handout:claimed", "issuance:issued"]
    issuance = Issuance.objects.get()
    assert (issuance.status, issuance.session_name) == ("issued", sts.ledger.mints[0].session_name)
    assert list(differences(Place(), Event.objects.latest("id").id)) == [], "rows and events agree"


# 2. A secret lives in one response


def test_invariant_2_a_secret_lives_in_the_one_answer_to_the_claim(
    client: Client, bob: Client, dana: Client, to_vera: HandedOut, sts: FaultSTS
) -> None:
    link = {"token": token_of(to_vera)}
    answer = client.post("/claim/", {**link, "code": to_vera.code})
    mint = sts.ledger.mints[0]
    assert mint.secret_access_key in page(answer)
    assert answer["Cache-Control"] == "no-store, private"
    others = [client.post("/claim/", {**link, "code": to_vera.code}), client.post("/claim/look/", link)]
    others += [bob.get(f"/handouts/{to_vera.handout.id}/"), bob.get("/handouts/"), dana.get("/audit/?range=all")]
    others += [dana.get(f"/audit/{Issuance.objects.get().id}/"), client.post("/claim/report/", link)]
    others += [dana.get("/audit/export.jsonl?range=all")]
    assert {other.status_code for other in others} == {200, 409}
    texts = "\n".join(b"".join(other).decode() + repr(other.headers) for other in others)
    places = {"other answers": texts.encode(), **database_places()}
    assert found([mint.secret_access_key, mint.session_token], places) == []
    assert [name for name, held in places.items() if CANARY.encode() in held] == []


def test_invariant_2_a_link_lives_in_the_one_answer_that_made_it(
    client: Client, bob: Client, dana: Client, to_vera: HandedOut, sts: FaultSTS
) -> None:
    others = [bob.get(f"/handouts/{to_vera.handout.id}/"), bob.get("/handouts/"), client.get("/claim/")]
    others += [dana.get("/audit/?range=all"), dana.get("/audit/export.jsonl?range=all")]
    texts = "\n".join(b"".join(other).decode() + repr(other.headers) for other in others)
    places = {"other answers": texts.encode(), **database_places()}
    assert found([token_of(to_vera)], places) == []
    assert to_vera.code.encode() not in texts.encode()
    assert token_of(to_vera) not in repr(to_vera)


# 3. A refusal is a value


def test_invariant_3_a_refusal_is_a_value_and_awss_words_are_not_for_who_claims(
    charlie: Client, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    for fault in ("access_denied", "throttling", "malformed_xml"):
        sts.heal()
        sts.fault(fault, count=None)
        response = charlie.post("/claim/", {"token": token_of(to_charlie)})
        assert response.status_code in {502, 503, 504}, fault
        assert "arn:aws" not in page(response)
        assert "AccessDenied" not in page(response)


# 4. The audit is append-only


@pytest.mark.parametrize("change", ["UPDATE audit_event SET code = 'x'", "DELETE FROM audit_event"])
def test_invariant_4_only_the_record_writes_what_a_hand_out_did_stays(to_charlie: HandedOut, change: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{change} WHERE kind LIKE 'handout:%%'", [])
    assert story(f"handout:{to_charlie.handout.id}") == ["handout:made"]


def test_invariant_4_the_story_of_a_hand_out_outlives_its_row(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, dana: Client
) -> None:
    claim(cast.charlie, to_charlie)
    Handout.objects.all().delete()
    entry = page(dana.get(f"/audit/{Issuance.objects.get().id}/"))
    for words in ("Handed out", "Claimed", "Issued by AWS", "handed out by Bob Osei (bob)"):
        assert words in entry


# 5. Every refusal is recorded


@dataclass(frozen=True)
class Try:
    """One way to be refused at the door: who presses, with what, and the event that keeps it."""

    kind: str
    code: str
    token: str = "good"
    person: str = "charlie"
    typed: str = ""
    outsider: bool = False


TRIES = [
    Try("handout:refused", "claim_without_token", token=""),
    Try("handout:refused", "claim_of_no_handout", token="x" * 43),
    Try("handout:refused", "claim_signed_out", person=""),
    Try("handout:wrong-person", "claim_by_another", person="alice"),
    Try("handout:wrong-person", "claim_by_another", person="bob"),
    Try("handout:wrong-person", "claim_by_another", person="alice", outsider=True),
    Try("handout:wrong-person", "claim_by_another", person="bob", outsider=True),
    Try("handout:refused", "claim_without_code", person="", outsider=True),
    Try("handout:wrong-code", "claim_with_wrong_code", person="", typed="1234", outsider=True),
]


@pytest.mark.parametrize("attempt", TRIES, ids=lambda attempt: f"{attempt.code}-{attempt.person}-{attempt.outsider}")
def test_invariant_5_every_claim_that_is_refused_is_recorded_and_leaves_the_link_good(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, attempt: Try
) -> None:
    support(cast, catalogue.read_only, outsider_minutes=60)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR if attempt.outsider else cast.charlie)
    before = Event.objects.count()
    person = getattr(cast, attempt.person) if attempt.person else None
    token = token_of(given) if attempt.token == "good" else attempt.token
    assert why_not(claim(person, token, code=attempt.typed)) == attempt.code
    event = Event.objects.latest("id")
    assert (event.kind, event.code, Event.objects.count()) == (attempt.kind, attempt.code, before + 1)
    assert event.actor_handle == attempt.person or (attempt.person == "charlie" and not event.subject)
    assert (state(given), sts.ledger.calls) == ("open", [])
    right = claim(None, given, code=given.code) if attempt.outsider else claim(cast.charlie, given)
    assert isinstance(answer_of(right), Issued)


def test_invariant_5_a_wrong_person_learns_nothing_of_the_hand_out(alice: Client, to_charlie: HandedOut) -> None:
    for path in ("/claim/look/", "/claim/", "/claim/report/"):
        response = alice.post(path, {"token": token_of(to_charlie)})
        assert response.status_code == 403
        for words in ("Charlie", "charlie", "PaymentsReadOnly", "payments-prod", "4711", to_charlie.handout.id):
            assert words not in page(response)


def test_invariant_5_who_is_signed_out_learns_nothing_of_a_colleagues_hand_out(
    client: Client, to_charlie: HandedOut
) -> None:
    for path in ("/claim/look/", "/claim/", "/claim/report/"):
        response = client.post(path, {"token": token_of(to_charlie)})
        assert response.status_code == 403
        for words in ("Charlie", "PaymentsReadOnly", "payments-prod", "4711", to_charlie.handout.id):
            assert words not in page(response)


# 6. Only a POST with a CSRF token claims


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete", "trace"])
def test_invariant_6_only_a_post_claims(cast: Cast, to_charlie: HandedOut, sts: FaultSTS, method: str) -> None:
    client = Client()
    client.force_login(cast.charlie)
    events = Event.objects.count()
    for path in ("/claim/", "/claim/look/", "/claim/report/"):
        response = getattr(client, method)(path, {"token": token_of(to_charlie)} if method in {"get", "head"} else "")
        assert response.status_code in {200, 403, 405}
    assert (state(to_charlie), sts.ledger.calls) == ("open", [])
    assert Event.objects.filter(kind__startswith="handout:").count() == events


@pytest.mark.parametrize("path", ["/claim/", "/claim/look/", "/claim/report/"])
def test_invariant_6_only_a_post_with_the_portals_own_token_counts(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, path: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.charlie)
    for forged in ({}, {"csrfmiddlewaretoken": "x" * 64}):
        assert client.post(path, {"token": token_of(to_charlie), **forged}).status_code == 403
    elsewhere = client.post(path, {"token": token_of(to_charlie)}, headers={"origin": "https://evil.example"})
    assert elsewhere.status_code == 403
    assert (state(to_charlie), sts.ledger.calls) == ("open", [])
    assert not Event.objects.filter(kind__in=["handout:claimed", "handout:reported"]).exists()


def test_invariant_6_one_link_mints_once(charlie: Client, to_charlie: HandedOut, sts: FaultSTS) -> None:
    statuses = [charlie.post("/claim/", {"token": token_of(to_charlie)}).status_code for _ in range(3)]
    assert statuses == [200, 409, 409]
    assert len(sts.ledger.mints) == 1
