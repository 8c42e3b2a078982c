"""Break-glass: no approval, a short cap, loud, and a review that somebody else closes."""

from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from credportal.access import reviews
from credportal.access.models import Approval, Review, User
from credportal.audit.models import Event, Issuance
from credportal.domain.types import DenialReason
from credportal.flows.answers import AlreadySubmitted, Answer, Failed, Issued, Refused
from credportal.flows.reviews import Closed, NotClosed, close_review
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.requests import ORIGIN, ask, guard, story


def smash(user: User, catalogue: Catalogue, submission: str = "submission-of-a-test", **more: object) -> Answer:
    return ask(user, catalogue.on_call, **{"minutes": 30, **more}, submission=submission, break_glass=True)  # type: ignore[arg-type]  # fields of the request


def close(user: User, review: Review, comment: str = "Seen, it was needed") -> object:
    return close_review(user=user, review_id=review.id, comment=comment, origin=ORIGIN, now=timezone.now())


def test_alice_breaks_the_glass_and_it_is_loud(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    with capture_logs() as logs:
        answer = smash(cast.alice, catalogue)
    assert isinstance(answer, Issued)
    assert len(sts.ledger.mints) == 1
    assert not Approval.objects.exists()
    row, review = Issuance.objects.get(), Review.objects.get()
    assert (row.status, row.source, row.reason) == ("issued", "break-glass", "The queue is stuck")
    assert (review.issuance_id, review.user, review.role_id) == (row.id, cast.alice, catalogue.on_call.id)
    assert (review.reason, review.closed_at) == ("The queue is stuck", None)
    kinds = ["issuance:requested", "review:opened", "issuance:issued"]
    events = Event.objects.filter(issuance_id=row.id).order_by("id")
    assert [event.kind for event in events] == kinds
    assert all(event.detail["break_glass"] is True for event in events[:2])
    assert story(f"review:{review.id}") == ["review:opened"]
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["issuance.break_glass"]


def test_its_cap_is_its_own(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    answer = smash(cast.alice, catalogue, minutes=31)
    assert isinstance(answer, Refused)
    assert (answer.denied.reason, answer.denied.longest) == (DenialReason.DURATION_TOO_LONG, timedelta(minutes=30))
    assert Event.objects.get().detail["break_glass"] is True
    assert not Review.objects.exists()
    assert sts.ledger.calls == []


def test_it_needs_a_reason(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    answer = smash(cast.alice, catalogue, reason=" ")
    assert isinstance(answer, Refused)
    assert answer.denied.reason is DenialReason.REASON_REQUIRED
    assert not Review.objects.exists()
    assert sts.ledger.calls == []


def test_a_row_that_does_not_allow_it_refuses(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    answer = smash(cast.alice, catalogue)
    assert isinstance(answer, Refused)
    assert answer.denied.reason is DenialReason.NO_BREAK_GLASS
    assert Issuance.objects.get().code == "no_break_glass"
    assert sts.ledger.calls == []


def test_the_next_one_waits_for_the_review_of_the_first(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    smash(cast.alice, catalogue)
    second = smash(cast.alice, catalogue, "submission-the-second")
    assert isinstance(second, Refused)
    assert second.denied.reason is DenialReason.REVIEW_OPEN
    assert Issuance.objects.filter(status="denied").get().code == "review_open"
    assert len(sts.ledger.mints) == 1
    assert close(cast.dana, Review.objects.get()) == Closed()
    assert isinstance(smash(cast.alice, catalogue, "submission-the-third"), Issued)


def test_a_form_sent_twice_breaks_one_glass(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    first, second = smash(cast.alice, catalogue), smash(cast.alice, catalogue)
    assert isinstance(first, Issued)
    assert isinstance(second, AlreadySubmitted)
    assert second.issuance.id == first.issuance_id
    assert len(sts.ledger.mints) == 1


def test_the_database_itself_lets_one_person_break_one_glass(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two requests gather their facts before either writes: the second meets the review of the first."""
    guard(catalogue, cast.dana)
    real = reviews.open_review

    def another_was_faster(**fields: object) -> Review:
        monkeypatch.setattr(reviews, "open_review", real)
        real(user=cast.alice, role_id=catalogue.on_call.id, issuance_id="of-the-other", reason="Same")
        return real(**fields)  # type: ignore[arg-type]  # its arguments by name

    monkeypatch.setattr(reviews, "open_review", another_was_faster)
    answer = smash(cast.alice, catalogue)
    assert isinstance(answer, Refused)
    assert answer.denied.reason is DenialReason.REVIEW_OPEN
    assert Issuance.objects.get().code == "review_open"
    assert sts.ledger.calls == []


def test_where_aws_minted_nothing_there_is_nothing_to_review(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    sts.fault("access_denied")
    assert isinstance(smash(cast.alice, catalogue), Failed)
    assert not Review.objects.exists()
    opened, returned = Event.objects.filter(subject__startswith="review:").order_by("id")
    assert (opened.kind, returned.kind) == ("review:opened", "review:returned")
    assert opened.subject == returned.subject
    assert isinstance(smash(cast.alice, catalogue, "submission-after-it"), Issued)


def test_where_aws_may_have_minted_the_review_stays(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    sts.fault("reset_after_mint")
    assert isinstance(smash(cast.alice, catalogue), Failed)
    assert Review.objects.get().closed_at is None
    assert isinstance(smash(cast.alice, catalogue, "submission-after-it"), Refused)


def test_somebody_else_closes_it_with_a_comment(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.bob)
    smash(cast.alice, catalogue)
    assert close(cast.bob, Review.objects.get()) == Closed()
    review = Review.objects.get()
    assert (review.closed_by, review.comment) == (cast.bob, "Seen, it was needed")
    event = Event.objects.get(kind="review:closed")
    assert (event.actor_handle, event.subject) == ("bob", f"review:{review.id}")
    assert (event.issuance_id, event.detail) == (review.issuance_id, {"after": {"comment": "Seen, it was needed"}})


@pytest.mark.parametrize("name", ["dana", "erin"])
def test_auditors_and_catalogue_admins_close_any(cast: Cast, catalogue: Catalogue, sts: FaultSTS, name: str) -> None:
    guard(catalogue, cast.bob)
    smash(cast.alice, catalogue)
    assert close(getattr(cast, name), Review.objects.get()) == Closed()


def test_nobody_closes_their_own_review(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.alice)
    smash(cast.alice, catalogue)
    answer = close(cast.alice, Review.objects.get())
    assert isinstance(answer, NotClosed)
    assert answer.status == 403
    assert Review.objects.get().closed_at is None
    assert not Event.objects.filter(kind="review:closed").exists()


def test_for_others_the_review_does_not_exist(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    smash(cast.alice, catalogue)
    assert close(cast.charlie, Review.objects.get()) is None
    assert Review.objects.get().closed_at is None


def test_closing_needs_a_comment(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    smash(cast.alice, catalogue)
    answer = close(cast.dana, Review.objects.get(), "  ")
    assert isinstance(answer, NotClosed)
    assert answer.status == 422
    assert Review.objects.get().closed_at is None


def test_the_second_who_closes_is_told(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    guard(catalogue, cast.dana)
    smash(cast.alice, catalogue)
    close(cast.dana, Review.objects.get(), "First")
    answer = close(cast.erin, Review.objects.get(), "Second")
    assert isinstance(answer, NotClosed)
    assert answer.status == 409
    assert Review.objects.get().comment == "First"
    assert Event.objects.filter(kind="review:closed").count() == 1
