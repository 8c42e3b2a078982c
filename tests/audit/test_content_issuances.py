"""What the events of issuances and of consoles carry."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import User
from credportal.audit.models import EventKind, Issuance
from credportal.flows.housekeeping import keep_house
from credportal.flows.unresolved import close_unknown
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.content import BROWSER, BY_FLOW, BY_PAGE, BY_PORTAL, assert_content, by, of_mint, of_role
from tests.support.requests import ORIGIN, ask
from tests.support.sign_in_service import sign_in_service

HOUR = timedelta(hours=1)
WORDS = {"reason": "The queue is stuck", "ticket": "INC-7"}
ASKED: dict[str, Any] = {"duration_asked": HOUR, **WORDS}


def outcome_of(user: User, catalogue: Catalogue) -> str:
    """Ask for the usual role; return the issuance's id."""
    return ask(user, catalogue.read_only, ticket="INC-7").issuance_id  # type: ignore[union-attr]  # an issuance of some kind


def test_a_request_carries_who_asked_for_what_and_what_allows_it(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    issuance_id = outcome_of(cast.alice, catalogue)
    detail = {"eligibility": "the group engineers, up to 4 h", "session_name": f"alice-{issuance_id}"}
    parts = (BY_FLOW, by(cast.alice), of_role(catalogue.read_only), ASKED)
    assert_content(EventKind.REQUESTED, *parts, issuance_id=issuance_id, source="standard", detail=detail)


def test_a_refusal_carries_its_code_and_the_rows_that_were_tried(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    answer = ask(cast.alice, catalogue.read_only, minutes=300, ticket="INC-7")
    assert_content(
        EventKind.DENIED,
        BY_FLOW,
        by(cast.alice),
        of_role(catalogue.read_only),
        ASKED,
        duration_asked=timedelta(hours=5),
        issuance_id=answer.issuance_id,  # type: ignore[union-attr]  # Refused
        code="duration_too_long",
        detail={"tried": ["the group engineers: 5 h is over 4 h. Limit for the group engineers."]},
    )


def test_what_was_issued_carries_the_public_half_of_it(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    issuance_id = outcome_of(cast.alice, catalogue)
    parts = (BY_FLOW, by(cast.alice), of_role(catalogue.read_only), ASKED, of_mint(sts.ledger.mints[0]))
    assert_content(EventKind.ISSUED, *parts, issuance_id=issuance_id, source="standard")


@pytest.mark.parametrize(
    ("fault", "kind", "code", "aws_code"),
    [
        ("throttling", EventKind.RETRIED, "sts_throttled", "Throttling"),
        ("access_denied", EventKind.FAILED, "sts_denied", "AccessDenied"),
        ("internal_failure", EventKind.UNKNOWN, "sts_unavailable", "InternalFailure"),
    ],
)
def test_a_failure_carries_aws_s_code_and_request_id(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, *, fault: str, kind: EventKind, code: str, aws_code: str
) -> None:
    sts.fault(fault)
    issuance_id = outcome_of(cast.alice, catalogue)
    call = sts.ledger.calls_of("AssumeRole")[0]
    assert_content(
        kind,
        BY_FLOW,
        by(cast.alice),
        of_role(catalogue.read_only),
        ASKED,
        issuance_id=issuance_id,
        source="standard",
        code=code,
        aws_request_id=call.request_id,
        detail={"aws_code": aws_code},
    )


def test_an_intent_without_an_outcome_is_the_portals_own_event_on_behalf_of_who_asked(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    issuance_id = left_open(cast, catalogue)
    keep_house()
    assert_content(
        EventKind.UNKNOWN,
        BY_PORTAL,
        of_role(catalogue.read_only),
        duration_asked=HOUR,
        on_behalf_of="alice",
        issuance_id=issuance_id,
        code="no_outcome",
        detail={"session_name": "alice-0123456789ab"},
    )


def left_open(cast: Cast, catalogue: Catalogue) -> str:
    """Leave the intent of a worker that is gone."""
    facts = {**by(cast.alice), **of_role(catalogue.read_only)}
    del facts["on_behalf_of"]
    issuance = Issuance(id="0123456789ab", submission="s", status="requested", duration_asked=HOUR, **facts)
    issuance.session_name = "alice-0123456789ab"
    issuance.requested_at = timezone.now() - HOUR
    issuance.save(force_insert=True)
    return issuance.id


def test_a_closed_issuance_carries_who_looked_and_what_they_found(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    issuance_id = left_open(cast, catalogue)
    keep_house()
    close_unknown(user=cast.dana, issuance_id=issuance_id, comment="CloudTrail has nothing", origin=ORIGIN)
    assert_content(
        EventKind.CLOSED,
        BY_FLOW,
        by(cast.dana),
        of_role(catalogue.read_only),
        duration_asked=HOUR,
        on_behalf_of="alice",
        issuance_id=issuance_id,
        code="no_outcome",
        detail={"after": {"comment": "CloudTrail has nothing"}},
    )


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (None, EventKind.CONSOLE_OPENED, ""),
        ((503, b"busy"), EventKind.CONSOLE_FAILED, "console_unavailable"),
    ],
)
def test_a_console_carries_the_session_that_it_opens(
    alice: Client,
    cast: Cast,
    catalogue: Catalogue,
    sts: FaultSTS,
    settings: Settings,
    *,
    answer: tuple[int, bytes] | None,
    kind: EventKind,
    code: str,
) -> None:
    with sign_in_service() as service:
        settings.AWS_ENDPOINT_URL_SIGNIN = service.url
        service.answer = answer or service.answer
        form = {"duration": "3600", "submission": "submission-of-a-test", **WORDS}
        alice.post(f"/roles/{catalogue.read_only.id}/console/", form, headers={"user-agent": BROWSER})
    mint = of_mint(sts.ledger.mints[0])
    parts = (BY_PAGE, by(cast.alice), of_role(catalogue.read_only), ASKED, mint)
    assert_content(kind, *parts, issuance_id=Issuance.objects.get().id, source="standard", code=code)
