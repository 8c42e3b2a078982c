"""Handing out and claiming: one link, one recipient, one session, and a row for every step."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from credportal.access.models import Handout, User
from credportal.audit.models import Event, Issuance
from credportal.domain.types import DenialReason
from credportal.flows.answers import Failed, Issued, Refused
from credportal.flows.handout import HandedOutBefore, NotHandedOut
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, answer_of, claim, delegate, hand_out, handed_out, state, support, why_not
from tests.support.requests import story

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_recipient_claims_once(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    assert sts.ledger.mints == []
    answer = answer_of(claim(cast.charlie, given))
    assert isinstance(answer, Issued)
    assert why_not(claim(cast.charlie, given)) == "handout_claimed"
    assert (state(given), len(sts.ledger.mints)) == ("claimed", 1)
    assert story(f"handout:{given.handout.id}") == ["handout:made", "handout:claimed", "handout:refused"]


def test_the_session_is_the_recipients_and_names_the_issuer(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    answer = answer_of(claim(cast.charlie, given))
    spec = answer.spec
    assert (spec.source_identity, spec.session_name) == ("charlie", f"charlie+bob-{answer.issuance_id}")
    assert dict(spec.session_tags)["credportal:issued-by"] == "bob"
    issuance = Issuance.objects.get(id=answer.issuance_id)
    assert (issuance.actor_handle, issuance.source) == ("charlie", "hand-out")
    assert issuance.eligibility == "handed out by Bob Osei (bob)"


def test_an_outsider_claims_with_link_and_code(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR, minutes=30)
    assert why_not(claim(None, given)) == "claim_without_code"
    assert why_not(claim(None, given, code="00000000" if given.code != "00000000" else "1")) == "claim_with_wrong_code"
    answer = answer_of(claim(None, given, code=f"{given.code[:4]} {given.code[4:]}"))
    assert answer.spec.source_identity == "outsider+vera@vendor.example"


def test_a_wrong_person_raises_an_alarm_and_the_link_stays_good(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    assert why_not(claim(cast.alice, given)) == "claim_by_another"
    assert why_not(claim(None, given)) == "claim_signed_out"
    assert sts.ledger.mints == []
    assert Event.objects.filter(kind="handout:wrong-person", actor_handle="alice").count() == 1
    assert isinstance(answer_of(claim(cast.charlie, given)), Issued)


def test_five_wrong_codes_lock_it_for_good(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR, minutes=30)
    answers = [why_not(claim(None, given, code="wrong")) for _ in range(5)]
    assert answers == ["claim_with_wrong_code"] * 4 + ["handout_locked"]
    assert why_not(claim(None, given, code=given.code)) == "handout_locked"
    assert sts.ledger.mints == []


def test_a_claim_is_given_back_where_aws_minted_nothing(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    sts.fault("access_denied")
    assert isinstance(answer_of(claim(cast.charlie, given)), Failed)
    assert state(given) == "open"
    assert isinstance(answer_of(claim(cast.charlie, given)), Issued)


def test_the_rules_are_checked_again_at_the_claim(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    row = support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    row.roles.clear()
    answer = answer_of(claim(cast.charlie, given))
    assert isinstance(answer, Refused)
    assert answer.denied.reason is DenialReason.NOT_DELEGATED
    assert (state(given), sts.ledger.mints) == ("open", [])
    assert Handout.objects.get().refusal == "not_delegated"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"to": "bob"}, "handout_to_self"),
        ({"to": "inactive"}, "recipient_inactive"),
        ({"role": "administrator"}, "not_delegated"),
        ({"minutes": 121}, "duration_too_long"),
        ({"window": timedelta(0)}, "window_too_short"),
        ({"window": timedelta(days=365)}, "window_too_long"),
        ({"reason": " "}, "reason_required"),
    ],
)
def test_what_may_not_be_handed_out_is_refused_and_recorded(
    cast: Cast, catalogue: Catalogue, change: dict[str, Any], reason: str
) -> None:
    support(cast, catalogue.read_only)
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    people = {"bob": cast.bob, "inactive": cast.alice}
    to = people.get(str(change.pop("to", "")), cast.charlie)
    role = catalogue.administrator if change.pop("role", "") else catalogue.read_only
    answer = hand_out(cast.bob, role, to, **change)
    assert isinstance(answer, NotHandedOut)
    assert answer.denied.reason == reason
    event = Event.objects.get()
    assert (event.kind, event.code, event.actor_handle) == ("handout:denied", reason, "bob")
    assert not Handout.objects.exists()


def test_open_and_daily_counts_are_kept(cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only, max_open=1, max_per_day=2)
    first = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    second = hand_out(cast.bob, catalogue.read_only, cast.charlie, submission="another-submission")
    assert second.denied.reason is DenialReason.TOO_MANY_OPEN
    assert isinstance(hand_out(cast.bob, catalogue.read_only, cast.charlie), HandedOutBefore)
    Handout.objects.filter(pk=first.handout.pk).update(state="cancelled")
    Handout.objects.create(
        issuer=cast.bob,
        role=catalogue.read_only,
        recipient=cast.charlie,
        delegation_id=first.handout.delegation_id,
        state="expired",
        expires_at=first.handout.expires_at,
        duration=timedelta(hours=1),
        submission="one-more",
        token_hash="x",
    )
    third = hand_out(cast.bob, catalogue.read_only, cast.charlie, submission="third-submission")
    assert third.denied.reason is DenialReason.TOO_MANY_TODAY


def test_a_delegation_gives_its_holder_nothing(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    delegate(cast.charlie, catalogue.read_only)
    answer = hand_out(cast.charlie, catalogue.read_only, cast.alice)
    assert answer.denied.reason is DenialReason.NOT_DELEGATED


def test_a_hand_out_keeps_no_token(cast: Cast, catalogue: Catalogue, sign_in: Callable[[User], object]) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    token = given.address.partition("#")[2]
    assert token not in repr(given)
    assert token not in repr(Handout.objects.values_list().get())
    assert token not in repr(list(Event.objects.values_list()))
