"""What the events of approvals and reviews carry."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from credportal.access.models import Approval, Review
from credportal.audit.models import Event, EventKind, Issuance
from credportal.domain.types import Narrowing
from credportal.flows.approval import expire_overdue
from credportal.flows.deciding import COLLECT_WINDOW, deny, withdraw
from credportal.flows.reviews import close_review
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.content import BY_FLOW, BY_PORTAL, assert_content, by, of_mint, of_role
from tests.support.requests import ORIGIN, ask, guard, say_yes, take, waiting

HOUR = timedelta(hours=1)
WORDS = {"reason": "The queue is stuck", "ticket": "INC-7"}
ASKED: dict[str, Any] = {"duration_asked": HOUR, **WORDS}


def test_a_request_for_approval_carries_what_was_asked(cast: Cast, catalogue: Catalogue) -> None:
    role = guard(catalogue, cast.dana)
    approval_id = waiting(cast.alice, role, ticket="INC-7", narrowing=Narrowing(read_only=True))
    after = {"role": "PaymentsOnCall", "account": "payments-prod", "duration": "1 h", **WORDS, "narrowed": "read-only"}
    parts = (BY_FLOW, by(cast.alice), of_role(role), ASKED)
    assert_content(
        EventKind.APPROVAL_REQUESTED,
        *parts,
        subject=f"approval:{approval_id}",
        source="approval",
        detail={"after": after},
    )


@pytest.fixture
def asked_for(cast: Cast, catalogue: Catalogue) -> tuple[str, dict[str, Any]]:
    """Let Alice wait for Dana; return the request's id, and what each of its events has."""
    role = guard(catalogue, cast.dana)
    approval_id = waiting(cast.alice, role, ticket="INC-7")
    same = {**of_role(role), **ASKED, "subject": f"approval:{approval_id}", "source": "approval"}
    return approval_id, same


Waits = tuple[str, dict[str, Any]]


def test_a_yes_carries_up_to_how_long_and_on_whose_behalf(cast: Cast, asked_for: Waits) -> None:
    approval_id, same = asked_for
    say_yes(cast.dana, approval_id, minutes=30, comment="Be quick")
    same |= {"on_behalf_of": "alice", "duration_given": timedelta(minutes=30)}
    agreed = {"after": {"up_to": "30 min", "comment": "Be quick"}}
    assert_content(EventKind.APPROVAL_AGREED, BY_FLOW, by(cast.dana), same, detail=agreed)
    until = Approval.objects.get().collect_until
    approved = {"after": {"up_to": "30 min", "collect_until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}}
    assert_content(EventKind.APPROVAL_APPROVED, BY_FLOW, by(cast.dana), same, detail=approved)


def test_a_no_carries_its_comment_and_on_whose_behalf(cast: Cast, asked_for: Waits) -> None:
    approval_id, same = asked_for
    deny(user=cast.dana, approval_id=approval_id, comment="Not today", origin=ORIGIN, now=timezone.now())
    detail = {"after": {"comment": "Not today"}}
    assert_content(EventKind.APPROVAL_DENIED, BY_FLOW, by(cast.dana), same, on_behalf_of="alice", detail=detail)


def test_a_withdrawal_is_the_requesters_own(cast: Cast, asked_for: Waits) -> None:
    approval_id, same = asked_for
    withdraw(user=cast.alice, approval_id=approval_id, origin=ORIGIN, now=timezone.now())
    assert_content(EventKind.APPROVAL_WITHDRAWN, BY_FLOW, by(cast.alice), same)


def test_an_end_that_nobody_made_has_no_actor_and_says_how_it_stood(cast: Cast, asked_for: Waits) -> None:
    approval_id, same = asked_for
    say_yes(cast.dana, approval_id, minutes=30)
    expire_overdue(now=timezone.now() + COLLECT_WINDOW + HOUR)
    detail = {"before": {"state": "approved"}, "after": {"state": "expired"}}
    given = {"on_behalf_of": "alice", "duration_given": timedelta(minutes=30)}
    assert_content(EventKind.APPROVAL_EXPIRED, BY_PORTAL, same, given, detail=detail)


def test_a_collection_and_what_is_given_back_name_the_issuance(cast: Cast, sts: FaultSTS, asked_for: Waits) -> None:
    approval_id, same = asked_for
    say_yes(cast.dana, approval_id, minutes=30)
    sts.fault("access_denied")
    take(cast.alice, approval_id)
    same |= {"duration_given": timedelta(minutes=30), "issuance_id": Issuance.objects.get().id}
    assert_content(EventKind.APPROVAL_COLLECTED, BY_FLOW, by(cast.alice), same)
    detail = {"after": {"why": "AWS issued nothing."}}
    assert_content(EventKind.APPROVAL_RETURNED, BY_FLOW, by(cast.alice), same, detail=detail)


def smash(cast: Cast, catalogue: Catalogue) -> tuple[Any, dict[str, Any]]:
    """Let Alice break the glass; return the answer, and what each event of it has."""
    role = guard(catalogue, cast.dana)
    answer = ask(cast.alice, role, minutes=30, ticket="INC-7", break_glass=True)
    half = {"duration_asked": timedelta(minutes=30), "source": "break-glass"}
    return answer, {**of_role(role), **ASKED, **half, "issuance_id": answer.issuance_id}  # type: ignore[union-attr]  # Issued or Failed


def test_a_review_carries_the_broken_glass_and_its_closing_what_was_issued(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    _, same = smash(cast, catalogue)
    review = Review.objects.get()
    subject, detail = f"review:{review.id}", {"break_glass": True, "after": {"reason": "The queue is stuck"}}
    assert_content(EventKind.REVIEW_OPENED, BY_FLOW, by(cast.alice), same, subject=subject, detail=detail)
    close_review(user=cast.dana, review_id=review.id, comment="Needed", origin=ORIGIN, now=timezone.now())
    parts = (BY_FLOW, by(cast.dana), same, of_mint(sts.ledger.mints[0]))
    detail = {"after": {"comment": "Needed"}}
    assert_content(EventKind.REVIEW_CLOSED, *parts, subject=subject, on_behalf_of="alice", detail=detail)


def test_a_review_of_nothing_is_taken_back(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    sts.fault("access_denied")
    _, same = smash(cast, catalogue)
    subject = Event.objects.get(kind="review:opened").subject  # The review itself is gone.
    detail = {"after": {"why": "AWS issued nothing."}}
    assert_content(EventKind.REVIEW_RETURNED, BY_FLOW, by(cast.alice), same, subject=subject, detail=detail)
