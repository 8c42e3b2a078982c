"""Make every statement of handing out and claiming fail once, and every commit: done with its rows, or not at all."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from credportal.access.models import Handout, User
from credportal.audit.models import Event, Issuance
from credportal.flows.answers import AuditUnavailable, Failed, Issued, Refused
from credportal.flows.claim import Claimed, Reported, report
from credportal.flows.claim_door import NotClaimed
from credportal.flows.handout import HandedOut, NotHandedOut
from credportal.flows.handout_changes import cancel, expire_overdue, make_link, shorten
from credportal.flows.handout_events import Changed
from credportal.flows.housekeeping import keep_house
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, claim, hand_out, handed_out, state, support, token_of
from tests.support.requests import ORIGIN, story
from tests.test_statement_failures import FailNth, failing_commit

pytestmark = pytest.mark.django_db(transaction=True)
MOST = 80


def failed(answer: object) -> bool:
    """Tell whether an answer says that the audit could not be written."""
    if isinstance(answer, Claimed):
        answer = answer.answer
    return isinstance(answer, AuditUnavailable)


def done(act: Callable[[], object], nth: int, error: type[Exception] = OperationalError) -> tuple[object, bool]:
    """Do it while the nth statement fails; return what came of it, and whether one has failed.

    Where a flow reads before or after it writes, that is an exception, and the page's own 503.
    """
    fail = FailNth(nth, error)
    answer: object = None
    try:
        with connection.execute_wrapper(fail):
            answer = act()
    except error:
        assert fail.struck
    return answer, fail.struck


def sweep(act: Callable[[], object], check: Callable[[object], None]) -> object:
    """Do it once for each of its statements, which fails; check what that left; return what came of it without."""
    for nth in range(1, MOST):
        answer, struck = done(act, nth)
        if not struck:
            assert nth > 4
            return answer
        check(answer)
    raise AssertionError("it never ended")


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_invariant_1_no_row_no_secret_a_claim_is_taken_with_its_intent_whichever_statement_fails(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, error: type[Exception]
) -> None:
    support(cast, catalogue.read_only, max_open=100, max_per_day=1000)
    minted: list[bool] = []
    for nth in range(1, MOST):
        before = set(Issuance.objects.values_list("id", flat=True))
        given = handed_out(cast.bob, catalogue.read_only, cast.charlie, submission=f"submission-no-{nth}")
        answer, struck = done(partial(claim, cast.charlie, given), nth, error)
        handout = Handout.objects.get(pk=given.handout.pk)
        new = list(Issuance.objects.exclude(id__in=before))
        assert (handout.state, handout.issuance_id) == (("claimed", new[0].id) if new else ("open", ""))
        assert story(f"handout:{handout.id}") == ["handout:made", *["handout:claimed"] * len(new)]
        assert len(sts.ledger.mints) <= len(new) <= 1, "nothing is minted without its intent"
        minted.append(bool(sts.ledger.mints))
        sts.ledger.clear()
        if not struck:
            break
        assert answer is None or failed(answer), "what is not whole is not delivered"
    assert isinstance(answer, Claimed)
    assert isinstance(answer.answer, Issued)
    assert (new[0].status, nth > 12) == ("issued", True)
    assert minted == sorted(minted), "what fails before the intent is committed never reaches STS"
    assert minted[:6] == [False] * 6


@pytest.mark.parametrize("after", [False, True], ids=["not committed", "committed, answer lost"])
def test_invariant_1_no_row_no_secret_where_a_commit_of_a_claim_fails(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    support(cast, catalogue.read_only, max_open=100)
    for nth in (1, 2):
        given = handed_out(cast.bob, catalogue.read_only, cast.charlie, submission=f"submission-no-{nth}")
        before = Issuance.objects.count()
        with failing_commit(monkeypatch, nth, after=after) as done:
            answer = claim(cast.charlie, given)
        assert len(done) >= nth
        assert len(sts.ledger.mints) == nth - 1, "STS is asked only once the intent is committed"
        sts.ledger.clear()
        assert failed(answer)
        is_there = nth > 1 or after
        assert state(given) == ("claimed" if is_there else "open")
        assert Issuance.objects.count() - before == is_there
        assert ("handout:claimed" in story(f"handout:{given.handout.id}")) is is_there


def test_a_claim_that_lost_its_outcome_is_burned_by_housekeeping(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    with failing_commit(monkeypatch, 2, after=False):
        assert failed(claim(cast.charlie, given))
    monkeypatch.setattr("credportal.audit.record.upkeep.STALE_AFTER", timedelta(0))
    keep_house()
    assert (state(given), Issuance.objects.get().status) == ("claimed", "unknown")
    assert story(f"handout:{given.handout.id}") == ["handout:made", "handout:claimed", "handout:burned"]
    keep_house()
    assert story(f"handout:{given.handout.id}").count("handout:burned") == 1


def test_a_reaped_claim_is_burned_with_its_outcome_or_not_at_all(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    with failing_commit(monkeypatch, 2, after=False):
        assert failed(claim(cast.charlie, given))
    monkeypatch.setattr("credportal.audit.record.upkeep.STALE_AFTER", timedelta(0))
    for nth in range(1, MOST):
        _, struck = done(keep_house, nth)
        is_reaped = Issuance.objects.get().status == "unknown"
        assert story(f"handout:{given.handout.id}").count("handout:burned") == is_reaped
        if not struck:
            break
    assert is_reaped


@pytest.mark.parametrize("fault", ["access_denied", "reset_after_mint"])
def test_what_aws_did_not_issue_is_given_back_or_burned_with_its_outcome_or_not_at_all(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, fault: str
) -> None:
    kind, status = ("returned", "failed") if fault == "access_denied" else ("burned", "unknown")
    support(cast, catalogue.read_only, max_open=100, max_per_day=1000)
    for nth in range(1, MOST):
        given = handed_out(cast.bob, catalogue.read_only, cast.charlie, submission=f"submission-no-{nth}")
        sts.heal()
        sts.fault(fault)
        answer, struck = done(partial(claim, cast.charlie, given), nth)
        told = story(f"handout:{given.handout.id}")
        ids = set(Event.objects.filter(subject=f"handout:{given.handout.id}").values_list("issuance_id", flat=True))
        ended = Issuance.objects.filter(id__in=ids, status=status).exists()
        assert (f"handout:{kind}" in told) is ended
        is_taken = "handout:claimed" in told and "handout:returned" not in told
        assert state(given) == ("claimed" if is_taken else "open")
        if not struck:
            break
        # Only the read for the page that tells of it comes after the outcome.
        assert answer is None or failed(answer)
    assert ended
    assert isinstance(answer, Claimed)
    assert isinstance(answer.answer, Failed)


def test_a_hand_out_is_made_with_its_event_or_not_at_all(cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only)
    for nth in range(1, MOST):
        submission = f"submission-no-{nth}"
        made = Handout.objects.filter(submission=submission)
        act = partial(hand_out, cast.bob, catalogue.read_only, cast.charlie, submission=submission)
        answer, struck = done(act, nth)
        events = Event.objects.filter(kind="handout:made", subject__in=[f"handout:{one.id}" for one in made])
        assert events.count() == made.count()
        if not struck:
            break
        assert not isinstance(answer, HandedOut)
        # Its link was shown to nobody, and the form's second press says so.
        made.update(state="cancelled")
    assert nth > 10
    assert isinstance(answer, HandedOut)


def test_a_hand_out_that_is_refused_is_recorded_or_503(cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only)

    def check(answer: object) -> None:
        assert not isinstance(answer, NotHandedOut), "a refusal is told once it is committed"
        assert not Event.objects.exists()

    answer = sweep(lambda: hand_out(cast.bob, catalogue.on_call, cast.charlie), check)
    assert isinstance(answer, NotHandedOut)
    assert Event.objects.count() == 1


@pytest.mark.parametrize("kind", ["linked", "shortened", "reported", "cancelled", "expired"])
def test_every_change_of_a_hand_out_is_made_with_its_event_or_not_at_all(
    cast: Cast, catalogue: Catalogue, kind: str
) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    handout, now = given.handout, timezone.now()
    by_bob: dict[str, Any] = {"user": cast.bob, "handout": handout, "origin": ORIGIN, "now": now}
    acts: dict[str, Callable[[], object]] = {
        "linked": lambda: make_link(**by_bob),
        "shortened": lambda: shorten(**by_bob, until=now + timedelta(minutes=20)),
        "reported": lambda: report(token=token_of(given), user=cast.charlie, origin=ORIGIN, now=now),
        "cancelled": lambda: cancel(**by_bob),
        "expired": lambda: expire_overdue(now=handout.expires_at),
    }
    before = Handout.objects.values().get()
    for nth in range(1, MOST):
        answer, struck = done(acts[kind], nth, Exception)
        is_written = f"handout:{kind}" in story(f"handout:{handout.id}")
        assert (Handout.objects.values().get() != before) is is_written
        if is_written:
            break
        assert not isinstance(answer, (Changed, HandedOut, Reported))
    assert nth >= 3
    assert not struck or answer is None, "what is written is told, unless the read for the page failed"


def test_a_wrong_code_is_counted_with_its_event_or_not_at_all(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only, outsider_minutes=60)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR)

    def check(answer: object) -> None:
        assert Handout.objects.get().wrong_codes == Event.objects.filter(kind="handout:wrong-code").count() == 0
        assert not isinstance(answer, NotClaimed), "a refusal is told once it is committed"

    answer = sweep(lambda: claim(None, given, code="wrong"), check)
    assert isinstance(answer, NotClaimed)
    assert answer.tries_left == 4
    assert sts.ledger.calls == []


def test_a_claim_that_is_refused_is_recorded_or_503(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)

    def check(answer: object) -> None:
        assert answer is None or failed(answer)

    assert isinstance(sweep(lambda: claim(cast.alice, given), check), NotClaimed)
    assert story(f"handout:{given.handout.id}") == ["handout:made", "handout:wrong-person"]


def test_a_claim_that_the_rules_refuse_is_recorded_or_503(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    for nth in range(1, MOST):
        answer, struck = done(lambda: claim(cast.charlie, given), nth)
        denied = Issuance.objects.filter(status="denied").count()
        assert story(f"handout:{given.handout.id}").count("handout:refused") == denied
        if not struck:
            break
        assert answer is None or failed(answer)
    assert isinstance(answer, Claimed)
    assert isinstance(answer.answer, Refused)
    assert (state(given), sts.ledger.calls) == ("open", [])
