"""Two people at one request at the same moment: exactly one result, on both databases.

Each thread has read the request before either writes, so that only the database can tell them apart.
"""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from credportal.access import selectors
from credportal.access.models import Approval, Review
from credportal.access.selectors import requests as access
from credportal.audit.models import Event, Issuance
from credportal.flows.answers import AlreadySubmitted, Issued, Refused
from credportal.flows.approval import NotDone
from credportal.flows.deciding import Done, deny, withdraw
from credportal.flows.reviews import Closed, NotClosed, close_review
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.requests import ORIGIN, ask, guard, say_yes, story, take, waiting

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 10


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two threads wait for each other once they have read what they decide on."""
    barrier, met = threading.Barrier(2), threading.local()

    def after(read: Callable[..., object]) -> Callable[..., object]:
        def reading(*args: object) -> object:
            found = read(*args)
            if threading.current_thread() is not threading.main_thread() and not hasattr(met, "once"):
                met.once = True
                barrier.wait(PATIENCE_SECONDS)
            return found

        return reading

    monkeypatch.setattr(access, "approval", after(access.approval))
    monkeypatch.setattr(access, "review", after(access.review))
    monkeypatch.setattr(selectors, "facts_for", after(selectors.facts_for))


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do the acts at the same moment; return what came of each."""
    results: list[object] = [None] * len(acts)

    def do(number: int) -> None:
        try:
            results[number] = acts[number]()
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE_SECONDS)
    return results


def one_won(results: list[object], winner: type, loser: type) -> None:
    assert sorted(type(result).__name__ for result in results) == sorted([winner.__name__, loser.__name__]), results


@pytest.mark.usefixtures("together")
def test_two_approvers_at_once_give_one_decision(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana, cast.erin))
    results = at_once(lambda: say_yes(cast.dana, approval_id), lambda: say_yes(cast.erin, approval_id))
    one_won(results, Done, NotDone)
    assert story(f"approval:{approval_id}") == ["approval:requested", "approval:agreed", "approval:approved"]


@pytest.mark.usefixtures("together")
def test_two_of_two_needed_at_once_approve_it_once(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana, cast.erin, needed=2))
    results = at_once(lambda: say_yes(cast.dana, approval_id), lambda: say_yes(cast.erin, approval_id))
    assert all(isinstance(result, Done) for result in results), results
    assert story(f"approval:{approval_id}").count("approval:approved") == 1
    assert Approval.objects.get().state == "approved"


@pytest.mark.usefixtures("together")
def test_a_yes_and_a_no_at_once_give_one_decision(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana, cast.erin))
    now = timezone.now()
    results = at_once(
        lambda: say_yes(cast.dana, approval_id),
        lambda: deny(user=cast.erin, approval_id=approval_id, comment="No", origin=ORIGIN, now=now),
    )
    one_won(results, Done, NotDone)
    ends = [kind for kind in story(f"approval:{approval_id}") if kind in {"approval:approved", "approval:denied"}]
    assert ends == [f"approval:{Approval.objects.get().state}"]


@pytest.mark.usefixtures("together")
def test_a_yes_and_a_withdrawal_at_once_leave_one_story(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    now = timezone.now()
    at_once(
        lambda: say_yes(cast.dana, approval_id),
        lambda: withdraw(user=cast.alice, approval_id=approval_id, origin=ORIGIN, now=now),
    )
    assert Approval.objects.get().state == "withdrawn", "an approved request can be withdrawn too"
    told = story(f"approval:{approval_id}")
    assert told[-1] == "approval:withdrawn"
    assert told[1:-1] in ([], ["approval:agreed", "approval:approved"])


@pytest.mark.usefixtures("together")
def test_two_collections_at_once_mint_once(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    say_yes(cast.dana, approval_id)
    results = at_once(
        lambda: take(cast.alice, approval_id, "submission-of-one-page"),
        lambda: take(cast.alice, approval_id, "submission-of-another"),
    )
    one_won(results, Issued, AlreadySubmitted)
    assert len(sts.ledger.mints) == 1
    assert Issuance.objects.count() == 1
    assert story(f"approval:{approval_id}").count("approval:collected") == 1


@pytest.mark.usefixtures("together")
def test_two_broken_glasses_at_once_mint_once(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    role = guard(catalogue, cast.dana)
    results = at_once(
        lambda: ask(cast.alice, role, minutes=30, submission="submission-of-one-page", break_glass=True),
        lambda: ask(cast.alice, role, minutes=30, submission="submission-of-another", break_glass=True),
    )
    one_won(results, Issued, Refused)
    assert len(sts.ledger.mints) == 1
    assert Issuance.objects.get(status="denied").code == "review_open"
    assert Review.objects.count() == 1


@pytest.mark.usefixtures("together")
def test_two_who_close_at_once_leave_one_comment(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    ask(cast.alice, guard(catalogue, cast.dana), minutes=30, break_glass=True)
    review, now = Review.objects.get(), timezone.now()
    results = at_once(
        lambda: close_review(user=cast.dana, review_id=review.id, comment="Dana", origin=ORIGIN, now=now),
        lambda: close_review(user=cast.erin, review_id=review.id, comment="Erin", origin=ORIGIN, now=now),
    )
    one_won(results, Closed, NotClosed)
    event = Event.objects.get(kind="review:closed")
    assert event.detail == {"after": {"comment": Review.objects.get().comment}}
