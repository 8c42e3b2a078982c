"""The page of the reviews of break-glass."""

import pytest
from django.test import Client

from credportal.access.models import Review
from credportal.audit.models import Event
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.requests import ask, guard


@pytest.fixture
def review(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> Review:
    """The review of a break-glass of Alice's, for a role that Bob approves."""
    ask(cast.alice, guard(catalogue, cast.bob), minutes=30, break_glass=True)
    return Review.objects.get()


def close(client: Client, review: Review, comment: str = "Seen") -> int:
    return client.post(f"/reviews/{review.id}/close/", {"comment": comment}).status_code


def closings() -> list[str]:
    return list(Event.objects.filter(kind="review:closed").values_list("actor_handle", flat=True))


def test_approvers_of_the_role_and_auditors_see_it(bob: Client, erin: Client, review: Review) -> None:
    for client in (bob, erin):
        page = client.get("/reviews/").content.decode()
        for words in ("Alice Engström", "The queue is stuck", review.issuance_id, "30 min"):
            assert words in page


def test_approvals_lead_to_it(bob: Client, review: Review) -> None:
    assert "Break-glass to review:" in bob.get("/approvals/").content.decode()


def test_an_approver_of_another_role_does_not(
    cast: Cast, catalogue: Catalogue, charlie: Client, review: Review
) -> None:
    group = catalogue.support
    group.user_set.add(cast.charlie)
    catalogue.deployer.approvers = group
    catalogue.deployer.save()
    page = charlie.get("/reviews/")
    assert page.status_code == 200
    assert "Alice" not in page.content.decode()
    assert close(charlie, review) == 404
    assert closings() == []


def test_it_is_closed_with_a_comment(bob: Client, review: Review) -> None:
    assert close(bob, review, "Seen, it was needed") == 302
    page = bob.get("/reviews/").content.decode()
    assert "Nothing is open" in page
    assert "Seen, it was needed" in page
    assert closings() == ["bob"]


@pytest.mark.parametrize("comment", ["", "   ", "x" * 501, "two\nlines"])
def test_a_comment_that_cannot_be_kept_is_422(bob: Client, review: Review, comment: str) -> None:
    assert close(bob, review, comment) == 422
    assert closings() == []


def test_what_was_typed_is_kept(bob: Client, review: Review) -> None:
    response = bob.post(f"/reviews/{review.id}/close/", {"comment": "y" * 501})
    assert "y" * 501 in response.content.decode()


def test_whoever_broke_the_glass_does_not_close_it(
    cast: Cast, catalogue: Catalogue, alice: Client, review: Review
) -> None:
    guard(catalogue, cast.alice, cast.bob)
    page = alice.get("/reviews/").content.decode()
    assert "somebody else has to look at it" in page
    assert f"/reviews/{review.id}/close/" not in page
    assert close(alice, review) == 403
    assert closings() == []


def test_the_second_who_closes_is_told(bob: Client, erin: Client, review: Review) -> None:
    close(bob, review)
    assert close(erin, review) == 409
    assert closings() == ["bob"]


def test_the_audit_shows_break_glass_loudly(erin: Client, review: Review) -> None:
    for path in ("/audit/", f"/audit/{review.issuance_id}/"):
        assert "Break-glass</span>" in erin.get(path).content.decode()
    assert "Review opened" in erin.get(f"/audit/{review.issuance_id}/").content.decode()
