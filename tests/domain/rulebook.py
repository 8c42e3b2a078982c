"""One role, one row and one request for every test of the rule book."""

from datetime import UTC, datetime, timedelta
from typing import Any

from credportal.domain.policy import Decision, decide
from credportal.domain.types import (
    Actor,
    Denied,
    EligibilityFacts,
    Environment,
    Facts,
    Granted,
    IssuanceRequest,
    NeedsApproval,
    RoleFacts,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ISSUANCE_ID = "4k2m9x7c1p0z"
ALICE = Actor(id=1, handle="alice", name="Alice Engström")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ROLE = RoleFacts(
    id="r0r0r0r0r0r0",
    arn="arn:aws:iam::491200653381:role/credportal/PaymentsOnCall",
    name="PaymentsOnCall",
    description="",
    account_number="491200653381",
    account_name="payments-prod",
    account_owner="",
    environment=Environment.PRODUCTION,
    enabled=True,
    max_session_duration=12 * HOUR,
    default_region="eu-west-1",
    external_id="an-external-id-of-the-tests",
    accepts_source_identity=True,
    accepts_session_tags=True,
)
ROW = EligibilityFacts(id=1, group="engineers", max_duration=4 * HOUR)
ASKED = IssuanceRequest(role_id=ROLE.id, duration=HOUR)


def given_rows(
    *eligibilities: EligibilityFacts, role: RoleFacts | None = ROLE, ceiling: timedelta | None = None, **more: Any
) -> Facts:
    return Facts(actor=ALICE, role=role, eligibilities=eligibilities, chaining_ceiling=ceiling, **more)


def decided(asked: IssuanceRequest, known: Facts, now: datetime = NOW) -> Decision:
    return decide(asked, known, issuance_id=ISSUANCE_ID, now=now)


def granted(asked: IssuanceRequest, known: Facts, now: datetime = NOW) -> Granted:
    decision = decided(asked, known, now)
    assert isinstance(decision, Granted), decision
    return decision


def denied(asked: IssuanceRequest, known: Facts, now: datetime = NOW) -> Denied:
    decision = decided(asked, known, now)
    assert isinstance(decision, Denied), decision
    return decision


def waiting(asked: IssuanceRequest, known: Facts, now: datetime = NOW) -> NeedsApproval:
    decision = decided(asked, known, now)
    assert isinstance(decision, NeedsApproval), decision
    return decision
