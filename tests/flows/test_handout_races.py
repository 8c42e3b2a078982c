"""Many at one hand-out at the same moment: exactly one result, on both databases.

Each thread has read the hand-out before any writes, so that only the database can tell them apart.
"""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from credportal.access import handouts
from credportal.access.models import Handout
from credportal.access.selectors import handouts as access
from credportal.audit.models import Event, Issuance
from credportal.flows.answers import Failed, Issued
from credportal.flows.claim import Claimed, Reported, report
from credportal.flows.claim_door import NotClaimed
from credportal.flows.handout import HandedOut, NotHandedOut
from credportal.flows.handout_changes import cancel, cancel_all, expire_overdue, make_link, shorten
from credportal.flows.handout_events import Changed, NotChanged
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue, give_duties
from tests.support.handouts import claim, delegate, hand_out, handed_out, state, support, token_of, why_not
from tests.support.requests import ORIGIN, story

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 30
CLAIMS, CODES = 32, 40


class Meeting:
    """Lets threads wait for each other once each has read the hand-out, or is about to act on one that was read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.barrier = threading.Barrier(1)
        self.met = threading.local()
        read = access.handout_with

        def reading(token_hash: str) -> Handout | None:
            found = read(token_hash)
            self.wait()
            return found

        monkeypatch.setattr(access, "handout_with", reading)

    def wait(self) -> None:
        if threading.current_thread() is not threading.main_thread() and not hasattr(self.met, "once"):
            self.met.once = True
            self.barrier.wait(PATIENCE_SECONDS)

    def of(self, *acts: Callable[[], Any], reading: int = 0) -> list[Any]:
        """Do the acts at the same moment; the first ``reading`` read for themselves. Return what came of each."""
        self.barrier = threading.Barrier(len(acts))
        results: list[Any] = [None] * len(acts)

        def do(number: int) -> None:
            try:
                if number >= reading:
                    self.wait()
                results[number] = acts[number]()
            except Exception as error:  # noqa: BLE001 -- a thread has nobody to raise it to.
                results[number] = error
            finally:
                connection.close()

        threads = [threading.Thread(target=do, args=(number,)) for number in range(len(acts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(3 * PATIENCE_SECONDS)
        return results


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> Meeting:
    return Meeting(monkeypatch)


def outcome(answer: Any) -> str:
    """Say in one word what came of an act."""
    if isinstance(answer, Claimed):
        return type(answer.answer).__name__
    return answer.why.value if isinstance(answer, NotClaimed) else type(answer).__name__


def told(given: HandedOut) -> list[str]:
    return story(f"handout:{given.handout.id}")


def test_of_32_claims_at_once_one_mints(cast: Cast, to_charlie: HandedOut, sts: FaultSTS, meeting: Meeting) -> None:
    answers = meeting.of(*[lambda: claim(cast.charlie, to_charlie)] * CLAIMS, reading=CLAIMS)
    assert Counter(map(outcome, answers)) == {"Issued": 1, "handout_claimed": CLAIMS - 1}
    assert len(sts.ledger.mints) == Issuance.objects.count() == 1
    assert Counter(told(to_charlie)) == {"handout:made": 1, "handout:claimed": 1, "handout:refused": CLAIMS - 1}
    assert Handout.objects.get().issuance_id == Issuance.objects.get().id


def test_of_32_claims_at_once_one_is_given_back_where_aws_refuses(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, meeting: Meeting
) -> None:
    sts.fault("access_denied", count=None)
    answers = meeting.of(*[lambda: claim(cast.charlie, to_charlie)] * CLAIMS, reading=CLAIMS)
    failed = [answer for answer in answers if outcome(answer) == "Failed"]
    assert failed
    assert isinstance(failed[0].answer, Failed)
    assert {outcome(answer) for answer in answers} <= {"Failed", "handout_claimed", "handout_locked"}
    counted = Counter(told(to_charlie))
    assert counted["handout:claimed"] == counted["handout:returned"] == len(failed) == Issuance.objects.count()
    assert (state(to_charlie), sts.ledger.mints) == ("open", [])


@pytest.mark.parametrize("end", ["cancel", "cancel all", "expire"])
def test_a_claim_and_an_end_at_once_leave_one_result(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, meeting: Meeting, end: str
) -> None:
    handout, now = to_charlie.handout, timezone.now()
    ends: dict[str, Callable[[], Any]] = {
        "cancel": lambda: cancel(user=cast.bob, handout=handout, origin=ORIGIN, now=now),
        "cancel all": lambda: cancel_all(user=cast.dana, issuer=cast.bob, origin=ORIGIN, now=now),
        "expire": lambda: expire_overdue(now=handout.expires_at),
    }
    claimed, ended = meeting.of(lambda: claim(cast.charlie, to_charlie), ends[end], reading=1)
    if outcome(claimed) == "Issued":
        assert isinstance(ended, NotChanged) or not ended
        assert (state(to_charlie), told(to_charlie)) == ("claimed", ["handout:made", "handout:claimed"])
    else:
        kind = "expired" if end == "expire" else "cancelled"
        assert outcome(claimed) == f"handout_{kind}"
        assert told(to_charlie) == ["handout:made", f"handout:{kind}", "handout:refused"]
        assert state(to_charlie) == kind
    assert len(sts.ledger.mints) == (state(to_charlie) == "claimed")


def test_a_claim_and_a_new_link_at_once_leave_one_good_link(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, meeting: Meeting
) -> None:
    handout, now = to_charlie.handout, timezone.now()
    claimed, again = meeting.of(
        lambda: claim(cast.charlie, to_charlie),
        lambda: make_link(user=cast.bob, handout=handout, origin=ORIGIN, now=now),
        reading=1,
    )
    if isinstance(again, HandedOut):
        assert outcome(claimed) == "claim_of_no_handout", "the old link is dead"
        assert sts.ledger.mints == []
        assert outcome(claim(cast.charlie, again)) == "Issued"
    else:
        assert isinstance(again, NotChanged)
        assert outcome(claimed) == "Issued"
    assert len(sts.ledger.mints) == Issuance.objects.filter(status="issued").count() == 1


def test_a_claim_and_a_shorter_window_at_once_leave_one_story(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, meeting: Meeting
) -> None:
    handout, now = to_charlie.handout, timezone.now()
    until = now + timedelta(minutes=15)
    claimed, shorter = meeting.of(
        lambda: claim(cast.charlie, to_charlie),
        lambda: shorten(user=cast.bob, handout=handout, until=until, origin=ORIGIN, now=now),
        reading=1,
    )
    assert outcome(claimed) == "Issued", "it was still open"
    is_shorter = isinstance(shorter, Changed)
    assert ("handout:shortened" in told(to_charlie)) is is_shorter
    assert (Handout.objects.get().expires_at == until) is is_shorter


def test_of_two_hand_outs_at_once_one_is_too_many(cast: Cast, catalogue: Catalogue, meeting: Meeting) -> None:
    support(cast, catalogue.read_only, max_open=1)
    answers = meeting.of(
        lambda: hand_out(cast.bob, catalogue.read_only, cast.charlie, submission="submission-of-one-page"),
        lambda: hand_out(cast.bob, catalogue.read_only, cast.alice, submission="submission-of-another"),
    )
    assert Counter(map(outcome, answers)) == {"HandedOut": 1, "NotHandedOut": 1}
    refused = next(answer for answer in answers if isinstance(answer, NotHandedOut))
    assert refused.denied.reason == "too_many_open"
    assert Handout.objects.count() == 1
    assert Counter(Event.objects.values_list("kind", flat=True)) == {"handout:made": 1, "handout:denied": 1}


def test_a_form_that_is_pressed_many_times_at_once_hands_out_once(
    cast: Cast, catalogue: Catalogue, meeting: Meeting
) -> None:
    support(cast, catalogue.read_only, max_open=1)
    answers = meeting.of(*[lambda: hand_out(cast.bob, catalogue.read_only, cast.charlie)] * 6)
    assert Counter(map(outcome, answers)) == {"HandedOut": 1, "HandedOutBefore": 5}
    assert list(Event.objects.values_list("kind", flat=True)) == ["handout:made"]


def test_two_who_hand_out_to_each_other_at_once_do_not_wait_for_each_other(
    cast: Cast, catalogue: Catalogue, meeting: Meeting
) -> None:
    group = give_duties("support", (), cast.bob, cast.charlie)
    support(cast, catalogue.read_only, max_open=100, max_per_day=1000)
    for number in range(10):
        submission = f"submission-number-{number}"
        answers = meeting.of(
            partial(hand_out, cast.bob, catalogue.read_only, cast.charlie, submission=submission),
            partial(hand_out, cast.charlie, catalogue.read_only, cast.bob, submission=submission),
        )
        assert [outcome(answer) for answer in answers] == ["HandedOut", "HandedOut"]
    assert group.user_set.count() == 2


def test_of_40_wrong_codes_at_once_five_are_looked_at(
    to_vera: HandedOut, sts: FaultSTS, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    is_code = handouts.is_code

    def looking(handout: Handout, code: str) -> bool:
        looked.append(code)
        return is_code(handout, code)

    monkeypatch.setattr(handouts, "is_code", looking)
    answers = meeting.of(*[lambda: claim(None, to_vera, code="wrong")] * CODES, reading=CODES)
    assert len(looked) == 5
    counted = Counter(map(outcome, answers))
    assert counted == {"claim_with_wrong_code": 4, "handout_locked": CODES - 4}
    assert sorted(answer.tries_left for answer in answers if answer.tries_left) == [1, 2, 3, 4]
    events = Counter(told(to_vera))
    assert (events["handout:wrong-code"], events["handout:locked"], events["handout:refused"]) == (5, 1, CODES - 5)
    assert why_not(claim(None, to_vera, code=to_vera.code)) == "handout_locked"
    assert sts.ledger.calls == []


def test_the_right_code_among_wrong_ones_mints_once_or_the_lock_was_faster(
    to_vera: HandedOut, sts: FaultSTS, meeting: Meeting
) -> None:
    acts = [lambda: claim(None, to_vera, code="wrong")] * 10
    acts[5:5] = [lambda: claim(None, to_vera, code=to_vera.code)] * 2
    answers = meeting.of(*acts, reading=len(acts))
    counted = Counter(map(outcome, answers))
    assert counted.keys() <= {"Issued", "claim_with_wrong_code", "handout_claimed", "handout_locked"}
    assert counted["Issued"] == len(sts.ledger.mints) == (state(to_vera) == "claimed")
    assert state(to_vera) in {"claimed", "locked"}
    # Each right code forgives the tries before it, also where the lock is faster than its claim. Nothing comes after.
    events = told(to_vera)
    end = events.index("handout:locked" if state(to_vera) == "locked" else "handout:claimed")
    assert "handout:wrong-code" not in events[end:]
    assert told(to_vera).count("handout:locked") == (state(to_vera) == "locked")


def test_two_reports_at_once_alarm_once(cast: Cast, to_charlie: HandedOut, sts: FaultSTS, meeting: Meeting) -> None:
    claim(cast.charlie, to_charlie)
    token, now = token_of(to_charlie), timezone.now()
    answers = meeting.of(*[lambda: report(token=token, user=cast.charlie, origin=ORIGIN, now=now)] * 2, reading=2)
    assert all(isinstance(answer, Reported) for answer in answers), answers
    assert told(to_charlie).count("handout:reported") == 1


def test_a_claim_and_the_end_of_the_right_to_it_at_once_leave_rows_that_agree(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, meeting: Meeting
) -> None:
    row = delegate(cast.bob, catalogue.read_only)
    give_duties("support", (), cast.bob)
    support(cast)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    claimed, _ = meeting.of(lambda: claim(cast.charlie, given), row.roles.clear, reading=1)
    assert outcome(claimed) in {"Issued", "Refused"}
    assert (state(given), len(sts.ledger.mints)) == (("claimed", 1) if outcome(claimed) == "Issued" else ("open", 0))
    assert isinstance(claimed.answer, Issued) == (Issuance.objects.get().status == "issued")


WHY_NOT = {
    "new link": "claim_of_no_handout",
    "cancel": "handout_cancelled",
    "cancel all": "handout_cancelled",
    "expire": "handout_expired",
    "claim": "handout_claimed",
}


@pytest.mark.parametrize("meanwhile", WHY_NOT)
def test_whatever_happens_between_looking_and_taking_wins(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    handout, now = to_charlie.handout, timezone.now()
    read = access.handout_with
    acts: dict[str, Callable[[], Any]] = {
        "new link": lambda: make_link(user=cast.bob, handout=handout, origin=ORIGIN, now=now),
        "cancel": lambda: cancel(user=cast.bob, handout=handout, origin=ORIGIN, now=now),
        "cancel all": lambda: cancel_all(user=cast.dana, issuer=cast.bob, origin=ORIGIN, now=now),
        "expire": lambda: expire_overdue(now=handout.expires_at),
        "claim": lambda: claim(cast.charlie, to_charlie),
    }

    def reading(token_hash: str) -> Handout | None:
        found = read(token_hash)
        monkeypatch.setattr(access, "handout_with", read)
        acts[meanwhile]()
        return found

    monkeypatch.setattr(access, "handout_with", reading)
    assert why_not(claim(cast.charlie, to_charlie)) == WHY_NOT[meanwhile]
    assert len(sts.ledger.mints) == (meanwhile == "claim")
    assert told(to_charlie)[-1] == "handout:refused"
