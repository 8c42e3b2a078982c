"""Requests that wait for approval, and the reviews of break-glass."""

from datetime import timedelta

from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import expect

from credportal.access.models import Approval, Review
from credportal.flows.deciding import deny
from credportal.flows.reviews import close_review
from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.requests import ORIGIN, ask, guard, say_yes, waiting

REASON = "Settlement queue is stuck since the deploy of this morning, and the merchants are waiting for their money"


def _asked(desk: Desk, **more: object) -> str:
    """Let Alice ask for what Dana and Bob decide."""
    role = guard(desk.catalogue, desk.cast.dana, desk.cast.bob)
    return waiting(desk.cast.alice, role, reason=REASON, ticket="INC-20417", **more)


def _broken(desk: Desk, submission: str = "submission-of-a-test") -> None:
    """Let Alice break the glass of a role that Bob and Dana approve."""
    role = guard(desk.catalogue, desk.cast.dana, desk.cast.bob)
    with override_settings(AWS_ENDPOINT_URL_STS=desk.sts.url):
        ask(desk.cast.alice, role, minutes=30, submission=submission, reason=REASON, break_glass=True)


@state()
def approvals_empty(desk: Desk) -> None:
    desk.goto("/approvals/")


@state("dana")
def approvals_queue(desk: Desk) -> None:
    _asked(desk)
    _broken(desk)
    desk.goto("/approvals/")
    expect(desk.page.get_by_role("link", name="Look at it").first).to_be_visible()


@state("dana", axe=False)
def approvals_queue_empty(desk: Desk) -> None:
    guard(desk.catalogue, desk.cast.dana)
    desk.goto("/approvals/")


@state()
def approvals_of_my_own(desk: Desk) -> None:
    for number in range(5):
        approval_id = _asked(desk, submission=f"submission-of-test-{number}")
        if number == 1:
            say_yes(desk.cast.dana, approval_id, minutes=30)
        if number == 2:
            deny(user=desk.cast.dana, approval_id=approval_id, comment="No", origin=ORIGIN, now=timezone.now())
        if number == 3:
            Approval.objects.filter(id=approval_id).update(expires_at=timezone.now())
    desk.goto("/approvals/")


@state()
def approval_waiting(desk: Desk) -> None:
    desk.goto(f"/approvals/{_asked(desk)}/")
    expect(desk.page.get_by_role("link", name="Refresh")).to_be_visible()


@state()
def approval_ready(desk: Desk) -> None:
    approval_id = _asked(desk)
    say_yes(desk.cast.dana, approval_id, minutes=30, comment="Half an hour has to do")
    desk.goto(f"/approvals/{approval_id}/")
    expect(desk.page.get_by_role("button", name="Get credentials")).to_be_visible()


@state()
def approval_denied(desk: Desk) -> None:
    approval_id = _asked(desk)
    now = timezone.now() + timedelta(seconds=1)
    deny(user=desk.cast.bob, approval_id=approval_id, comment="Not during the freeze", origin=ORIGIN, now=now)
    desk.goto(f"/approvals/{approval_id}/")


@state("dana")
def approval_to_decide(desk: Desk) -> None:
    desk.goto(f"/approvals/{_asked(desk)}/")
    expect(desk.page.get_by_role("button", name="Approve")).to_be_visible()


@state("dana")
def approval_denied_without_comment(desk: Desk) -> None:
    desk.goto(f"/approvals/{_asked(desk)}/")
    desk.page.get_by_role("button", name="Deny").click()
    expect(desk.page.locator(".errors")).to_be_focused()


@state("dana", axe=False)
def approval_somebody_was_faster(desk: Desk) -> None:
    approval_id = _asked(desk)
    desk.goto(f"/approvals/{approval_id}/")
    say_yes(desk.cast.bob, approval_id)
    desk.page.get_by_role("button", name="Approve").click()
    expect(desk.page.locator(".errors")).to_be_visible()


@state("dana")
def reviews_empty(desk: Desk) -> None:
    desk.goto("/reviews/")


@state("dana")
def reviews_open_and_closed(desk: Desk) -> None:
    _broken(desk)
    now = timezone.now()
    review = Review.objects.get()
    close_review(user=desk.cast.bob, review_id=review.id, comment="It was needed", origin=ORIGIN, now=now)
    _broken(desk, "submission-the-second")
    desk.goto("/reviews/")
    expect(desk.page.get_by_role("button", name="Close the review")).to_be_visible()


@state("dana", axe=False)
def review_closed_without_comment(desk: Desk) -> None:
    _broken(desk)
    desk.goto("/reviews/")
    desk.page.get_by_role("button", name="Close the review").evaluate("button => button.form.noValidate = true")
    desk.page.get_by_role("button", name="Close the review").click()
    expect(desk.page.locator(".wrong")).to_be_visible()


@state("erin")
def audit_with_break_glass(desk: Desk) -> None:
    _broken(desk)
    desk.goto("/audit/")
    expect(desk.page.locator("td.c-out").get_by_text("Break-glass").first).to_be_visible()


@state("erin")
def audit_entry_of_break_glass(desk: Desk) -> None:
    _broken(desk)
    desk.goto(f"/audit/{Review.objects.get().issuance_id}/")
    expect(desk.page.get_by_role("heading", name="What happened")).to_be_visible()
