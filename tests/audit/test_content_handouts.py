"""What the events of hand-outs and claims carry."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from credportal.access.models import Handout, Role
from credportal.audit import record
from credportal.audit.models import Event, EventKind, Issuance
from credportal.domain.types import Origin
from credportal.flows.claim import note_refused, report, write_burned
from credportal.flows.claim_door import Unclaimed
from credportal.flows.handout import HandedOut
from credportal.flows.handout_changes import cancel, expire_overdue, make_link, shorten, write_cancelled
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.content import BY_FLOW, BY_PORTAL, assert_content, by, of_role
from tests.support.handouts import VENDOR, claim, hand_out, handed_out, support, token_of
from tests.support.requests import ORIGIN

HALF = timedelta(minutes=30)
WORDS = {"reason": "Case 4711: look at the queue", "ticket": "INC-7"}
OF_VERA = {"actor_id": 0, "actor_handle": "outsider+vera@vendor.example", "actor_name": "Vera Vendor"}
ELSEWHERE = Origin(address="198.51.100.7", user_agent="tests", request_id=ORIGIN.request_id)


def about(role: Role, given: HandedOut | None, *, to: str) -> dict[str, Any]:
    """Return what every event about a hand-out for half an hour has, beside who did it."""
    subject = f"handout:{given.handout.id}" if given else f"role:{role.id}"
    same = {"duration_asked": HALF, **WORDS, "source": "hand-out", "subject": subject, "on_behalf_of": to}
    return {**of_role(role), **same}


def written(moment: Any) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def to_charlie(cast: Cast, catalogue: Catalogue) -> tuple[HandedOut, dict[str, Any]]:
    """Let Bob hand a role to Charlie; return that, and what each of its events has."""
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie, minutes=30, ticket="INC-7")
    return given, about(catalogue.read_only, given, to="charlie")


@pytest.fixture
def to_vera(cast: Cast, catalogue: Catalogue) -> tuple[HandedOut, dict[str, Any]]:
    """Let Bob hand a role to an outsider; return that, and what each of its events has."""
    support(cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR, minutes=30, ticket="INC-7")
    return given, about(catalogue.read_only, given, to=OF_VERA["actor_handle"])  # type: ignore[arg-type]  # a text


Given = tuple[HandedOut, dict[str, Any]]
BY_BOB = {"issued_by": "bob"}


def test_a_hand_out_carries_what_for_whom_and_until_when(cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only)
    narrowed = {"read_only": True, "region": "eu-west-1", "from_claim_address": True}
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie, minutes=30, ticket="INC-7", **narrowed)
    after = {
        "recipient": "Charlie Novak",
        "window": "1 h",
        "until": written(given.handout.expires_at),
        "narrowed": "read-only, only in eu-west-1, only from the address that claims it",
    }
    same = about(catalogue.read_only, given, to="charlie")
    assert_content(EventKind.HANDOUT_MADE, BY_FLOW, by(cast.bob), same, detail={"after": after, **BY_BOB})


def test_a_hand_out_keeps_an_outsiders_name_and_address(cast: Cast, to_vera: Given) -> None:
    given, same = to_vera
    after = {
        "recipient": "Vera Vendor",
        "email": "vera@vendor.example",
        "window": "1 h",
        "until": written(given.handout.expires_at),
    }
    assert_content(EventKind.HANDOUT_MADE, BY_FLOW, by(cast.bob), same, detail={"after": after, **BY_BOB})


def test_a_hand_out_that_is_refused_carries_what_was_asked_and_why_not(cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only, hours=0.25)
    hand_out(cast.bob, catalogue.read_only, cast.charlie, minutes=30, ticket="INC-7")
    parts = (BY_FLOW, by(cast.bob), about(catalogue.read_only, None, to="charlie"))
    detail = {"after": {"recipient": "Charlie Novak", "window": "1 h"}}
    assert_content(EventKind.HANDOUT_DENIED, *parts, code="duration_too_long", detail=detail)


def test_a_hand_out_of_a_role_that_there_is_not_says_so_without_one(cast: Cast, catalogue: Catalogue) -> None:
    support(cast)
    hand_out(cast.bob, Role(id="no-such-role"), cast.charlie, minutes=30, ticket="INC-7")
    said = {"duration_asked": HALF, **WORDS, "source": "hand-out", "code": "not_delegated", "on_behalf_of": "charlie"}
    detail = {"after": {"recipient": "Charlie Novak", "window": "1 h"}}
    assert_content(EventKind.HANDOUT_DENIED, BY_FLOW, by(cast.bob), said, detail=detail)


def test_a_new_link_carries_whose_it_is_and_nothing_of_the_link(cast: Cast, to_charlie: Given) -> None:
    given, same = to_charlie
    make_link(user=cast.bob, handout=given.handout, origin=ORIGIN, now=timezone.now())
    assert_content(EventKind.HANDOUT_LINKED, BY_FLOW, by(cast.bob), same, detail=BY_BOB)


def test_a_shorter_window_carries_when_it_was_to_end_and_when_it_does(cast: Cast, to_charlie: Given) -> None:
    given, same = to_charlie
    now = timezone.now()
    shorten(user=cast.bob, handout=given.handout, until=now + HALF, origin=ORIGIN, now=now)
    until = {"before": {"until": written(given.handout.expires_at)}, "after": {"until": written(now + HALF)}}
    assert_content(EventKind.HANDOUT_SHORTENED, BY_FLOW, by(cast.bob), same, detail={**until, **BY_BOB})


def test_a_cancellation_carries_who_cancelled(cast: Cast, to_charlie: Given) -> None:
    given, same = to_charlie
    cancel(user=cast.dana, handout=given.handout, origin=ORIGIN, now=timezone.now())
    assert_content(EventKind.HANDOUT_CANCELLED, BY_FLOW, by(cast.dana), same, detail=BY_BOB)


def test_a_cancellation_by_the_portal_says_why_and_has_no_actor(to_charlie: Given) -> None:
    given, same = to_charlie
    with record.committed():
        write_cancelled(given.handout, None, Origin(), now=timezone.now(), why="Bob Osei was switched off.")
    why = {"after": {"why": "Bob Osei was switched off."}}
    assert_content(EventKind.HANDOUT_CANCELLED, BY_PORTAL, same, detail={**why, **BY_BOB})


def test_an_end_that_nobody_made_has_no_actor(to_charlie: Given) -> None:
    given, same = to_charlie
    expire_overdue(now=given.handout.expires_at)
    assert_content(EventKind.HANDOUT_EXPIRED, BY_PORTAL, same, detail=BY_BOB)


def test_a_claim_carries_its_issuance_and_is_the_recipients(cast: Cast, to_charlie: Given, sts: FaultSTS) -> None:
    given, same = to_charlie
    claim(cast.charlie, given)
    issuance_id = Issuance.objects.get().id
    assert_content(EventKind.HANDOUT_CLAIMED, BY_FLOW, by(cast.charlie), same, issuance_id=issuance_id, detail=BY_BOB)


def test_the_issuance_of_a_claim_names_the_hand_out_and_its_issuer(
    cast: Cast, catalogue: Catalogue, to_charlie: Given, sts: FaultSTS
) -> None:
    given, _ = to_charlie
    claim(cast.charlie, given)
    issuance = Issuance.objects.get()
    detail = {
        "eligibility": "handed out by Bob Osei (bob)",
        "session_name": f"charlie+bob-{issuance.id}",
        "handout": given.handout.id,
        "issued_by": "bob",
    }
    same = {**of_role(catalogue.read_only), "duration_asked": HALF, **WORDS, "source": "hand-out"}
    parts = (BY_FLOW, by(cast.charlie), same)
    assert_content(EventKind.REQUESTED, *parts, issuance_id=issuance.id, detail=detail)


def test_the_claim_of_an_outsider_has_the_id_0_and_the_outsiders_handle(to_vera: Given, sts: FaultSTS) -> None:
    given, same = to_vera
    claim(None, given, code=given.code, origin=ELSEWHERE)
    parts = (BY_FLOW, OF_VERA, same, {"issuance_id": Issuance.objects.get().id})
    assert_content(EventKind.HANDOUT_CLAIMED, *parts, address="198.51.100.7", detail=BY_BOB)


def test_an_outsiders_claim_from_the_issuers_own_address_says_so(to_vera: Given, sts: FaultSTS) -> None:
    given, same = to_vera
    claim(None, given, code=given.code)
    detail = {"from_issuers_address": True, **BY_BOB}
    parts = (BY_FLOW, OF_VERA, same, {"issuance_id": Issuance.objects.get().id})
    assert_content(EventKind.HANDOUT_CLAIMED, *parts, detail=detail)


def test_an_address_that_nobody_knows_is_not_the_issuers(cast: Cast, to_vera: Given, sts: FaultSTS) -> None:
    given, _ = to_vera
    Handout.objects.update(made_from="")
    claim(None, given, code=given.code, origin=Origin())
    assert Event.objects.get(kind="handout:claimed").detail == BY_BOB


def test_a_claim_that_is_given_back_says_why(cast: Cast, to_charlie: Given, sts: FaultSTS) -> None:
    given, same = to_charlie
    sts.fault("access_denied")
    claim(cast.charlie, given)
    detail = {"after": {"why": "AWS issued nothing."}, **BY_BOB}
    parts = (BY_FLOW, by(cast.charlie), same)
    assert_content(EventKind.HANDOUT_RETURNED, *parts, issuance_id=Issuance.objects.get().id, detail=detail)


def test_a_claim_that_may_have_minted_is_burned(cast: Cast, to_charlie: Given, sts: FaultSTS) -> None:
    given, same = to_charlie
    sts.fault("reset_after_mint")
    claim(cast.charlie, given)
    issuance = Issuance.objects.get()
    assert issuance.status == "unknown"
    assert_content(EventKind.HANDOUT_BURNED, BY_FLOW, by(cast.charlie), same, issuance_id=issuance.id, detail=BY_BOB)


def test_a_claim_that_lost_its_worker_is_burned_by_the_portal(to_charlie: Given) -> None:
    _, same = to_charlie
    Handout.objects.update(state="claimed", issuance_id="4k2m9x7c1p0z")
    with record.committed():
        write_burned("4k2m9x7c1p0z")
    what = {"issuance_id": "4k2m9x7c1p0z", "code": "no_outcome"}
    assert_content(EventKind.HANDOUT_BURNED, BY_PORTAL, same, what, detail=BY_BOB)


def test_a_claim_that_the_rules_refuse_carries_the_issuance_that_was_denied(
    cast: Cast, catalogue: Catalogue, to_charlie: Given
) -> None:
    given, same = to_charlie
    Role.objects.filter(pk=catalogue.read_only.pk).update(enabled=False)
    claim(cast.charlie, given)
    what = {"issuance_id": Issuance.objects.get(status="denied").id, "code": "role_disabled"}
    assert_content(EventKind.HANDOUT_REFUSED, BY_FLOW, by(cast.charlie), same, what, detail=BY_BOB)


def test_a_claim_by_nobody_who_is_known_has_no_actor(to_charlie: Given) -> None:
    given, same = to_charlie
    claim(None, given)
    assert_content(EventKind.HANDOUT_REFUSED, BY_FLOW, same, code="claim_signed_out", detail=BY_BOB)


def test_a_claim_with_a_link_of_nothing_is_about_nothing(cast: Cast) -> None:
    claim(cast.charlie, "no-such-token")
    assert_content(EventKind.HANDOUT_REFUSED, BY_FLOW, by(cast.charlie), code="claim_of_no_handout")


def test_a_claim_from_another_site_is_about_nothing(cast: Cast) -> None:
    note_refused(why=Unclaimed.FROM_ELSEWHERE, user=cast.charlie, origin=ORIGIN, now=timezone.now())
    assert_content(EventKind.HANDOUT_REFUSED, BY_FLOW, by(cast.charlie), code="claim_from_elsewhere")


def test_a_wrong_person_is_the_actor_and_the_recipient_whose_it_is(cast: Cast, to_charlie: Given) -> None:
    given, same = to_charlie
    claim(cast.alice, given)
    parts = (BY_FLOW, by(cast.alice), same)
    assert_content(EventKind.HANDOUT_WRONG_PERSON, *parts, code="claim_by_another", detail=BY_BOB)


def test_a_wrong_code_has_no_actor_and_is_not_kept(to_vera: Given) -> None:
    given, same = to_vera
    claim(None, given, code="00000000x")
    assert_content(EventKind.HANDOUT_WRONG_CODE, BY_FLOW, same, code="claim_with_wrong_code", detail=BY_BOB)
    assert "00000000x" not in repr(list(Event.objects.values_list()))


def test_the_code_that_locks_it_is_an_event_of_its_own(to_vera: Given) -> None:
    given, same = to_vera
    for _ in range(5):
        claim(None, given, code="wrong")
    assert_content(EventKind.HANDOUT_LOCKED, BY_FLOW, same, code="handout_locked", detail=BY_BOB)
    assert Event.objects.filter(kind="handout:wrong-code").count() == 5


def test_a_report_is_the_recipients_own(cast: Cast, to_charlie: Given) -> None:
    given, same = to_charlie
    report(token=token_of(given), user=cast.charlie, origin=ORIGIN, now=timezone.now())
    assert_content(EventKind.HANDOUT_REPORTED, BY_FLOW, by(cast.charlie), same, detail=BY_BOB)


def test_nothing_of_link_or_code_stands_in_any_event(cast: Cast, to_vera: Given, sts: FaultSTS) -> None:
    given, _ = to_vera
    again = make_link(user=cast.bob, handout=given.handout, origin=ORIGIN, now=timezone.now())
    assert isinstance(again, HandedOut)
    claim(None, given, code=given.code)
    claim(None, again, code=given.code)
    claim(None, again, code=again.code)
    kept = repr(list(Event.objects.values_list())) + repr(list(Issuance.objects.values_list()))
    kept += repr(list(Handout.objects.values_list()))
    assert Handout.objects.get().state == "claimed"
    assert [text for text in (token_of(given), token_of(again), given.code, again.code) if text in kept] == []
