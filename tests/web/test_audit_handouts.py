"""What the audit's pages say of hand-outs: who handed out, who claimed, and the way from one to the other."""

import re
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from credportal.audit.models import Event, Issuance
from credportal.audit.proof.differences import differences
from credportal.audit.proof.verify import Place
from credportal.flows.handout import HandedOut
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.database import without_triggers
from tests.support.handouts import VENDOR, claim, handed_out, support
from tests.support.requests import ask
from tests.web.test_audit_find import find, text

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def claimed(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> HandedOut:
    """A hand-out of Bob's that Charlie has claimed."""
    support(cast, catalogue.read_only, outsider_minutes=60)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    claim(cast.charlie, given)
    return given


def entry(client: Client, issuance_id: str) -> Any:
    answer = client.get(f"/audit/{issuance_id}/")
    assert answer.status_code == 200
    return answer


def test_an_entry_tells_the_hand_out_that_led_to_it(erin: Client, claimed: HandedOut) -> None:
    page = entry(erin, Issuance.objects.get().id)
    told = text(page)
    places = [
        told.index(words) for words in ("Handed out by Bob Osei", "Asked by Charlie Novak", "Claimed", "Issued by AWS")
    ]
    assert places == sorted(places)
    assert "hand-out, handed out by Bob Osei (bob)" in told
    assert f"charlie+bob-{Issuance.objects.get().id}" in told
    assert f'href="/handouts/{claimed.handout.id}/"' in page.content.decode()


def test_an_entry_without_a_row_names_the_session_to_look_for(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(cast, catalogue.read_only)
    sts.fault("reset_after_mint")
    claim(cast.charlie, handed_out(cast.bob, catalogue.read_only, cast.charlie))
    issuance = Issuance.objects.get()
    with without_triggers(connection):
        Issuance.objects.all().delete()
    assert entry(erin, issuance.id).context["issuance"].session_name == f"charlie+bob-{issuance.id}"


def test_an_entry_of_another_kind_names_no_hand_out(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS, claimed: HandedOut
) -> None:
    ask(cast.alice, catalogue.read_only)
    page = entry(erin, Issuance.objects.get(actor_handle="alice").id)
    assert "/handouts/" not in re.sub(r"(?s)<nav.*?</nav>", "", page.content.decode())
    assert "Handed out" not in text(page)


def test_an_entry_of_an_outsider_names_them_with_their_handle(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(cast, catalogue.read_only, outsider_minutes=60)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR)
    claim(None, given, code="wrong")
    claim(None, given, code=given.code)
    told = text(entry(erin, Issuance.objects.get().id))
    assert "Vera Vendor outsider+vera@vendor.example" in told
    assert "Wrong code , not signed in, from 203.0.113.24" in told
    assert "by the portal" not in told


def test_an_entry_of_a_claim_that_was_refused_tells_the_hand_out_too(
    erin: Client, cast: Cast, catalogue: Catalogue
) -> None:
    row = support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    row.roles.clear()
    claim(cast.charlie, given)
    told = text(entry(erin, Issuance.objects.get().id))
    assert "Handed out by Bob Osei" in told
    assert "Claim refused" in told


def test_the_list_finds_what_rests_on_a_hand_out(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS, claimed: HandedOut
) -> None:
    ask(cast.alice, catalogue.read_only)
    page = text(erin.get("/audit/?source=hand-out&range=all&steps=1"))
    assert "Hand-out" in page
    for words in ("Handed out", "Claimed", "Charlie Novak"):
        assert words in page
    assert "Alice" not in page


@pytest.mark.parametrize("handle", ["bob", "charlie"])
def test_the_list_finds_a_hand_out_by_either_person(erin: Client, claimed: HandedOut, handle: str) -> None:
    assert "Handed out" in text(erin.get(f"/audit/?person={handle}&range=all"))


def test_the_list_finds_an_outsider_by_their_handle(
    erin: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(cast, catalogue.read_only, outsider_minutes=60)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR)
    claim(None, given, code=given.code)
    page = text(erin.get("/audit/?person=outsider%2Bvera@vendor.example&range=all"))
    for words in ("Handed out", "Claimed", "Vera Vendor"):
        assert words in page


@pytest.mark.parametrize(("kind", "words"), [("handout:claimed", "Claimed"), ("handout:made", "Handed out")])
def test_the_list_finds_one_kind(erin: Client, claimed: HandedOut, kind: str, words: str) -> None:
    answer = erin.get(f"/audit/?kind={kind}&range=all")
    assert answer.status_code == 200
    assert words in text(answer)


def test_what_nobody_who_is_known_did_is_not_told_as_the_portals(erin: Client, claimed: HandedOut) -> None:
    claim(None, claimed)
    number = Event.objects.latest("id").id
    assert "Nobody who was signed in, about charlie" in text(erin.get(f"/audit/events/{number}/"))
    assert "charlie not signed in" in text(erin.get("/audit/?kind=handout:refused&range=all"))


def test_the_box_leads_from_a_hand_out_to_its_session(erin: Client, claimed: HandedOut) -> None:
    answer = find(erin, claimed.handout.id)
    assert answer.status_code == 200
    told = text(answer)
    assert "Charlie Novak" in told
    assert "Handed out by Bob Osei (bob)" in told
    assert f"/audit/{Issuance.objects.get().id}/" in answer.content.decode()


def test_the_box_leads_from_a_hand_out_that_nobody_claimed_to_its_page(
    erin: Client, cast: Cast, catalogue: Catalogue
) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    answer = find(erin, given.handout.id)
    assert answer.status_code == 404
    assert "It is a hand-out, and nobody has claimed it." in text(answer)
    assert f"/handouts/{given.handout.id}/" in answer.content.decode()
    assert erin.get(f"/handouts/{given.handout.id}/").status_code == 200


def test_the_box_leads_from_the_session_name_to_both_people(erin: Client, claimed: HandedOut) -> None:
    told = text(find(erin, Issuance.objects.get().session_name))
    assert "Charlie Novak" in told
    assert "Handed out by Bob Osei (bob)" in told


def test_the_log_is_whole_with_hand_outs_in_it(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, claimed: HandedOut
) -> None:
    for fault in ("access_denied", "reset_after_mint"):
        given = handed_out(cast.bob, catalogue.read_only, VENDOR, submission=f"submission-{fault}")
        claim(None, given, code="wrong")
        sts.fault(fault)
        claim(None, given, code=given.code)
    assert set(Issuance.objects.values_list("status", flat=True)) == {"issued", "failed", "unknown"}
    call_command("verify_audit")  # It exits with 1 where it finds anything.
    assert list(differences(Place(), Event.objects.latest("id").id)) == []


def test_an_export_has_the_events_of_hand_outs(erin: Client, claimed: HandedOut) -> None:
    lines = b"".join(erin.get("/audit/export.jsonl?source=hand-out&range=all&steps=1")).decode()
    for kind in ("handout:made", "handout:claimed", "issuance:issued"):
        assert f'"kind": "{kind}"' in lines or f'"kind":"{kind}"' in lines
