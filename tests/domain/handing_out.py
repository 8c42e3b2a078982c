"""One issuer, two recipients, one row and one hand-out for every test of the rules of handing out."""

from dataclasses import replace
from typing import Any

from credportal.domain.delegation import decide_claim, decide_handout
from credportal.domain.handouts import (
    DEFAULT_WINDOW,
    Delegated,
    DelegationFacts,
    GrantedClaim,
    HandoutFacts,
    HandoutRequest,
    Issuer,
    Recipient,
)
from credportal.domain.types import Actor, DenialReason, Denied
from tests.domain.rulebook import HOUR, ISSUANCE_ID, MINUTE, NOW, ROLE

BOB = Issuer(Actor(id=2, handle="bob", name="Bob Osei"), is_support=True, signed_in_at=NOW)
CHARLIE = Recipient(Actor(id=3, handle="charlie", name="Charlie Novak"), groups=frozenset({"payments"}))
VERA = Recipient(Actor(id=0, handle="outsider+vera@vendor.example", name="Vera Vendor"), is_outsider=True)
ROW = DelegationFacts(
    id=1,
    name="Support: payments",
    group="support",
    max_duration=2 * HOUR,
    max_open=5,
    max_per_day=20,
    outsider_duration=30 * MINUTE,
)
ROLE_FOR_ALL = replace(ROLE, outsider_duration=45 * MINUTE)
ASKED = HandoutRequest(role_id=ROLE.id, duration=30 * MINUTE, window=DEFAULT_WINDOW, reason="Case 4711")
ADDRESS = "203.0.113.24"


def facts(*rows: DelegationFacts, **more: Any) -> HandoutFacts:
    """Return what Bob's hand-out to Charlie rests on; the recipient has just signed in."""
    usual = {"issuer": BOB, "recipient": CHARLIE, "role": ROLE_FOR_ALL, "recipient_signed_in_at": NOW}
    return HandoutFacts(delegations=rows or (ROW,), **{**usual, **more})


def made(asked: HandoutRequest = ASKED, known: HandoutFacts | None = None) -> Delegated | Denied:
    return decide_handout(asked, known or facts(), now=NOW)


def claimed(
    asked: HandoutRequest = ASKED, known: HandoutFacts | None = None, *, address: str = ADDRESS
) -> GrantedClaim | Denied:
    return decide_claim(asked, known or facts(), address=address, issuance_id=ISSUANCE_ID, now=NOW)


def refused(decision: object) -> Denied:
    assert isinstance(decision, Denied), decision
    return decision


def reason(decision: object) -> DenialReason:
    return refused(decision).reason
