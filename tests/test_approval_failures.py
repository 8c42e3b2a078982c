"""Make every statement of an approval's steps fail once: each is done with its event, or not at all."""

import pytest
from django.db import OperationalError, connection
from django.test import Client

from credportal.access.models import Approval, ApprovalDecision, Review
from credportal.audit.models import Event, Issuance
from tests.fault_sts import CANARY, FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.requests import ask, guard, say_yes, story, waiting
from tests.test_statement_failures import FailNth, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 60


def sent(client: Client, path: str, nth: int, **fields: str) -> tuple[int, bool, str]:
    """Post a form while the nth statement fails; return the status, whether one has failed, and the page."""
    fail = FailNth(nth, OperationalError)
    with connection.execute_wrapper(fail):
        response = client.post(path, fields)
    return response.status_code, fail.struck, response.content.decode()


def test_a_decision_is_made_with_its_events_or_not_at_all(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    client = signed_in(cast.dana)
    for nth in range(1, MOST):
        fields = {"decision": "approve", "duration": "900"}
        status, failed, _ = sent(client, f"/approvals/{approval_id}/decide/", nth, **fields)
        if not failed:
            break
        assert status == 503
        assert Approval.objects.get().state == "waiting"
        assert not ApprovalDecision.objects.exists()
        assert story(f"approval:{approval_id}") == ["approval:requested"]
    assert nth > 10
    assert status == 302
    assert story(f"approval:{approval_id}") == ["approval:requested", "approval:agreed", "approval:approved"]


def test_a_withdrawal_is_made_with_its_event_or_not_at_all(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    client = signed_in(cast.alice)
    for nth in range(1, MOST):
        status, failed, _ = sent(client, f"/approvals/{approval_id}/withdraw/", nth)
        if not failed:
            break
        assert status == 503
        assert Approval.objects.get().state == "waiting"
    assert status == 302
    assert story(f"approval:{approval_id}") == ["approval:requested", "approval:withdrawn"]


def test_invariant_1_no_row_no_secret_an_approval_is_taken_with_the_intent(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    role = guard(catalogue, cast.dana)
    client = signed_in(cast.alice)
    for nth in range(1, MOST):
        approval_id = waiting(cast.alice, role, submission=f"submission-to-ask-{nth}")
        say_yes(cast.dana, approval_id)
        path, fields = f"/approvals/{approval_id}/collect/", {"submission": f"submission-to-get-{nth}"}
        status, failed, page = sent(client, path, nth, **fields)
        approval, issuance = Approval.objects.get(id=approval_id), Issuance.objects.filter(approval_id=approval_id)
        assert (approval.state == "collected") is issuance.exists(), "taken with the intent, or not at all"
        assert ("approval:collected" in story(f"approval:{approval_id}")) is issuance.exists()
        assert len(sts.ledger.mints) == issuance.count()
        sts.ledger.clear()
        if not failed:
            break
        assert status == 503
        assert CANARY not in page
    assert nth > 10
    assert status == 200
    assert CANARY in page


def test_a_review_opens_with_the_intent_or_not_at_all(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    role = guard(catalogue, cast.dana)
    client = signed_in(cast.alice)
    for nth in range(1, MOST):
        fields = {"duration": "900", "reason": "Now", "submission": f"submission-to-get-{nth}"}
        status, failed, page = sent(client, f"/roles/{role.id}/break-glass/", nth, **fields)
        issued = set(Issuance.objects.exclude(status="denied").values_list("id", flat=True))
        assert set(Review.objects.values_list("issuance_id", flat=True)) == issued
        assert Event.objects.filter(kind="review:opened").count() == len(issued) == len(sts.ledger.mints)
        if not failed:
            break
        assert status == 503
        assert CANARY not in page
        Review.objects.filter(closed_at=None).update(closed_at="2026-01-01T00:00Z")
    assert nth > 10
    assert status == 200


def test_a_review_is_closed_with_its_event_or_not_at_all(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    ask(cast.alice, guard(catalogue, cast.dana), minutes=30, break_glass=True)
    review = Review.objects.get()
    client = signed_in(cast.dana)
    for nth in range(1, MOST):
        status, failed, _ = sent(client, f"/reviews/{review.id}/close/", nth, comment="Seen")
        if not failed:
            break
        assert status == 503
        assert Review.objects.get().closed_at is None
    assert status == 302
    assert Event.objects.filter(kind="review:closed").count() == 1
