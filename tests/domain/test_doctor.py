"""What the answers to a probe mean."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.doctor import (
    MOST_ATTEMPTS,
    Attempt,
    Diagnosis,
    Outcome,
    Step,
    Verdict,
    diagnose,
    next_duration,
    not_probed,
)

HOUR = timedelta(hours=1)
OK, DENIED, FAILED = Verdict.OK, Verdict.DENIED, Verdict.FAILED


def tried(step: Step, verdict: Verdict, duration: timedelta = timedelta(minutes=15), code: str = "") -> Attempt:
    return Attempt(step, verdict, duration, code=code, headline="AWS is busy" if verdict is FAILED else "")


HEALTHY = (
    tried(Step.BASE, OK),
    tried(Step.WITHOUT_EXTERNAL_ID, DENIED),
    tried(Step.SOURCE_IDENTITY, OK),
    tried(Step.SESSION_TAGS, OK),
)


def found(*attempts: Attempt, chains: bool = True) -> Diagnosis:
    return diagnose(attempts, entered=4 * HOUR, chains=chains)


def texts(diagnosis: Diagnosis, kind: str) -> str:
    return " ".join(f"{item.text} {item.next_step}" for item in diagnosis.findings if item.kind == kind)


def test_a_healthy_role_passes_with_all_it_allows() -> None:
    diagnosis = found(*HEALTHY)
    assert diagnosis.outcome is Outcome.PASSED
    assert (diagnosis.works, diagnosis.is_open) == (True, False)
    assert (diagnosis.accepts_source_identity, diagnosis.accepts_session_tags) == (True, True)
    assert {item.kind for item in diagnosis.findings} == {"fine", "note"}
    assert "Without the ExternalId AWS refuses" in texts(diagnosis, "fine")


def test_a_role_that_works_without_the_external_id_is_open_and_does_not_pass() -> None:
    diagnosis = found(HEALTHY[0], tried(Step.WITHOUT_EXTERNAL_ID, OK), *HEALTHY[2:])
    assert (diagnosis.outcome, diagnosis.is_open) == (Outcome.REFUSED, True)
    assert "sts:ExternalId" in texts(diagnosis, "open")


def test_a_role_that_refuses_the_portal_is_told_which_statement_is_missing() -> None:
    diagnosis = found(tried(Step.BASE, DENIED), tried(Step.WITHOUT_EXTERNAL_ID, DENIED))
    assert (diagnosis.outcome, diagnosis.works) == (Outcome.REFUSED, False)
    assert "statement Assume" in texts(diagnosis, "missing")
    assert texts(diagnosis, "fine") == ""
    assert diagnosis.accepts_session_tags is None


@pytest.mark.parametrize(
    ("step", "action", "statement"),
    [
        (Step.SESSION_TAGS, "sts:TagSession", "statement Tag"),
        (Step.SOURCE_IDENTITY, "sts:SetSourceIdentity", "statement SourceIdentity"),
    ],
)
def test_a_missing_statement_is_named(step: Step, action: str, statement: str) -> None:
    others = [attempt for attempt in HEALTHY if attempt.step is not step]
    diagnosis = found(*others, tried(step, DENIED))
    assert diagnosis.outcome is Outcome.PASSED
    assert action in texts(diagnosis, "missing")
    assert statement in texts(diagnosis, "missing")


@pytest.mark.parametrize("step", [Step.BASE, Step.WITHOUT_EXTERNAL_ID, Step.SOURCE_IDENTITY, Step.SESSION_TAGS])
def test_trouble_teaches_nothing_about_its_step(step: Step) -> None:
    before = HEALTHY[: [attempt.step for attempt in HEALTHY].index(step)]
    diagnosis = found(*before, tried(step, FAILED, code="sts_throttled"), chains=False)
    assert diagnosis.outcome is Outcome.FAILED
    learned = (diagnosis.is_open, diagnosis.accepts_source_identity, diagnosis.accepts_session_tags)
    assert learned[max(0, len(before) - 1) :] == (None,) * (3 - max(0, len(before) - 1))
    assert diagnosis.max_session_duration is None
    assert "could not tell" in texts(diagnosis, "trouble")


def test_a_portal_that_chains_keeps_the_entered_duration_and_says_so() -> None:
    diagnosis = found(*HEALTHY)
    assert diagnosis.max_session_duration is None
    assert "the entered 4 h stays" in texts(diagnosis, "note")


def test_a_portal_that_chains_unawares_is_found_out() -> None:
    diagnosis = found(*HEALTHY, tried(Step.DURATION, FAILED, 4 * HOUR, "chaining_too_long"), chains=False)
    assert (diagnosis.outcome, diagnosis.max_session_duration) == (Outcome.PASSED, None)
    assert "chains" in texts(diagnosis, "note")


@given(allowed=st.integers(3600, 43200), entered=st.integers(3600, 43200))
def test_the_search_finds_the_longest_duration_that_works_in_three_attempts(allowed: int, entered: int) -> None:
    limit, asked = timedelta(seconds=allowed), timedelta(seconds=entered)
    attempts = list(HEALTHY)
    while (longer := next_duration(attempts, asked)) is not None:
        attempts.append(tried(Step.DURATION, OK if longer <= limit else DENIED, longer))
    assert len(attempts) <= MOST_ATTEMPTS
    learned = diagnose(attempts, entered=asked, chains=False).max_session_duration
    steps = {HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR, asked}
    assert learned == max(step for step in steps if step <= limit)


def test_a_role_that_cannot_be_probed_says_why() -> None:
    diagnosis = not_probed("That is no role.")
    assert (diagnosis.outcome, diagnosis.works, diagnosis.is_open) == (Outcome.FAILED, False, None)
    assert diagnosis.findings[0].text == "That is no role."
