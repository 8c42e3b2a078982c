"""The seventh promise, kept for hand-outs: the rights that count are those of the moment of the claim."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from credportal.access.models import Account, Delegation, GroupDuty, Role, User
from credportal.audit.models import Event, EventKind, Issuance
from credportal.flows.answers import Issued, Refused
from credportal.flows.claim import Claimed
from credportal.flows.handout import HandedOut
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import answer_of, claim, handed_out, state, support, token_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nobody_counted")]
MINUTE = timedelta(minutes=1)


def end_delegation(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    row = Delegation.objects.get()
    row.roles.clear()
    return lambda: row.roles.set([catalogue.read_only])


def shrink_delegation(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return toggle(Delegation.objects.all(), {"max_duration": 15 * MINUTE}, {"max_duration": 120 * MINUTE})


def name_recipients(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    group = Group.objects.create(name="network")
    return toggle(Delegation.objects.all(), {"recipients": group}, {"recipients": None})


def shrink_role(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return of_role(catalogue, {"max_session_duration": 60 * MINUTE}, {"max_session_duration": 720 * MINUTE})


def switch_role_off(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return of_role(catalogue, {"enabled": False}, {"enabled": True})


def switch_account_off(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return toggle(Account.objects.filter(pk=catalogue.production.pk), {"enabled": False}, {"enabled": True})


def ask_for_approval(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return of_role(catalogue, {"needs_approval": True}, {"needs_approval": False})


def ask_for_a_ticket(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return of_role(catalogue, {"needs_ticket": True}, {"needs_ticket": False})


def ask_for_a_password(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return of_role(catalogue, {"needs_step_up": True}, {"needs_step_up": False})


def forbid_narrowing(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return of_role(catalogue, {"allows_read_only": False}, {"allows_read_only": True})


def switch_issuer_off(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    return toggle(User.objects.filter(pk=cast.bob.pk), {"is_active": False}, {"is_active": True})


def take_duty(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    duty = GroupDuty.objects.get(duty="support")
    duty.delete()
    return lambda: GroupDuty.objects.create(group=duty.group, duty=duty.duty)


def take_from_group(cast: Cast, catalogue: Catalogue) -> Callable[[], object]:
    catalogue.support.user_set.remove(cast.bob)
    return lambda: catalogue.support.user_set.add(cast.bob)


def toggle(rows: Any, change: dict[str, Any], back: dict[str, Any]) -> Callable[[], object]:
    rows.update(**change)
    return lambda: rows.update(**back)


def of_role(catalogue: Catalogue, change: dict[str, Any], back: dict[str, Any]) -> Callable[[], object]:
    return toggle(Role.objects.filter(pk=catalogue.read_only.pk), change, back)


CHANGES = {
    end_delegation: "not_delegated",
    shrink_delegation: "duration_too_long",
    name_recipients: "recipient_not_allowed",
    shrink_role: "duration_too_long",
    switch_role_off: "role_disabled",
    switch_account_off: "role_disabled",
    ask_for_approval: "approval_not_handed_out",
    ask_for_a_ticket: "ticket_required",
    ask_for_a_password: "step_up_required",
    forbid_narrowing: "narrowing_not_allowed",
    switch_issuer_off: "issuer_gone",
    take_duty: "issuer_gone",
    take_from_group: "issuer_gone",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_invariant_7_rights_are_those_of_the_moment_of_the_claim(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, change: Callable[..., Callable[[], object]]
) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie, minutes=90, read_only=True)
    back = change(cast, catalogue)
    answer = answer_of(claim(cast.charlie, given))
    assert isinstance(answer, Refused)
    assert answer.denied.reason == CHANGES[change]
    assert (state(given), sts.ledger.calls) == ("open", [])
    issuance = Issuance.objects.get()
    assert (issuance.status, issuance.code, issuance.actor_handle) == ("denied", CHANGES[change], "charlie")
    refused = Event.objects.get(kind=EventKind.HANDOUT_REFUSED.value)
    assert (refused.code, refused.issuance_id, refused.actor_handle) == (CHANGES[change], issuance.id, "charlie")
    assert Event.objects.get(kind=EventKind.DENIED.value).code == CHANGES[change]
    back()
    again = claim(cast.charlie, given)
    assert isinstance(again, Claimed)
    assert isinstance(again.answer, Issued), "the link stays good"


def test_invariant_7_who_is_switched_off_claims_nothing(
    charlie: Client, cast: Cast, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    User.objects.filter(pk=cast.charlie.pk).update(is_active=False)
    assert charlie.post("/claim/", {"token": token_of(to_charlie)}).status_code == 403
    assert (state(to_charlie), sts.ledger.calls) == ("open", [])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"outsider_duration": None}, "outsiders_not_allowed"),
        ({"outsider_duration": 15 * MINUTE}, "duration_too_long"),
        ({"needs_step_up": True}, "outsiders_not_allowed"),
    ],
)
def test_invariant_7_an_outsiders_caps_are_those_of_the_moment_of_the_claim(
    catalogue: Catalogue, to_vera: HandedOut, sts: FaultSTS, change: dict[str, Any], code: str
) -> None:
    Role.objects.filter(pk=catalogue.read_only.pk).update(**change)
    answer = answer_of(claim(None, to_vera, code=to_vera.code))
    assert isinstance(answer, Refused)
    assert (answer.denied.reason.value, state(to_vera), sts.ledger.calls) == (code, "open", [])
    event = Event.objects.get(kind="handout:refused")
    assert (event.code, event.actor_id, event.on_behalf_of) == (code, 0, "outsider+vera@vendor.example")


def test_invariant_7_a_colleague_who_was_switched_off_is_no_outsider(
    cast: Cast, catalogue: Catalogue, to_vera: HandedOut, sts: FaultSTS
) -> None:
    User.objects.filter(pk=cast.alice.pk).update(email="Vera@vendor.example", is_active=False)
    answer = answer_of(claim(None, to_vera, code=to_vera.code))
    assert isinstance(answer, Refused)
    assert answer.denied.reason == "recipient_inactive"
    assert sts.ledger.calls == []


def test_invariant_7_nothing_that_the_claim_sends_along_changes_the_session(
    charlie: Client, to_charlie: HandedOut, catalogue: Catalogue, sts: FaultSTS
) -> None:
    more = {"role": catalogue.administrator.id, "duration": "43200", "recipient": "alice", "issuer": "dana"}
    assert charlie.post("/claim/", {"token": token_of(to_charlie), **more}).status_code == 200
    asked = sts.ledger.calls_of("AssumeRole")[0].arguments
    assert (asked["RoleArn"], asked["DurationSeconds"]) == (catalogue.read_only.arn, "3600")
    assert asked["SourceIdentity"] == "charlie"
