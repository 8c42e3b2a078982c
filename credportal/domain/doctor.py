"""The doctor: what the answers to a probe's attempts say about a role, and what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from credportal.domain.durations import MAX_DURATION, describe_duration

ALWAYS_ALLOWED = timedelta(hours=1)
"""IAM takes no MaxSessionDuration below an hour, so an hour needs no attempt (IAM API reference, CreateRole)."""
TRIED_DURATIONS = (timedelta(hours=2), timedelta(hours=4), timedelta(hours=8), MAX_DURATION)
MOST_ATTEMPTS = 7
"""Base, without the ExternalId, source identity, tags, and three durations."""

PASTE = "The page “Trust policy” of this role has it ready to paste into the role’s trust relationships in IAM."


class Step(StrEnum):
    """What one attempt tries. Everything but ``WITHOUT_EXTERNAL_ID`` sends the ExternalId."""

    BASE = "base"
    WITHOUT_EXTERNAL_ID = "without-external-id"
    SOURCE_IDENTITY = "source-identity"
    SESSION_TAGS = "session-tags"
    DURATION = "duration"


class Verdict(StrEnum):
    """What an attempt taught. Only AWS's clear refusal is ``denied``; trouble on the way is ``failed``."""

    OK = "ok"
    DENIED = "denied"
    FAILED = "failed"


class Outcome(StrEnum):
    """The end of a probe, as the audit names it."""

    PASSED = "passed"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One AssumeRole of a probe, without anything that it gave. ``code`` is the portal's word for a failure."""

    step: Step
    verdict: Verdict
    duration: timedelta
    code: str = ""
    aws_code: str = ""
    aws_request_id: str = ""
    headline: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about the role, and what to do next. ``kind`` is fine, missing, open, trouble or note."""

    kind: str
    text: str
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a probe taught. None means that it could not tell, and then the catalogue keeps what it had."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    works: bool = False
    is_open: bool | None = None
    accepts_source_identity: bool | None = None
    accepts_session_tags: bool | None = None
    max_session_duration: timedelta | None = None


def next_duration(attempts: Sequence[Attempt], entered: timedelta) -> timedelta | None:
    """Return the duration to try next, None where enough is known. At most three are ever tried."""
    works, refused = _known(attempts)
    left = sorted(step for step in {*TRIED_DURATIONS, entered} if step > works and (refused is None or step < refused))
    return left[len(left) // 2] if left else None


def diagnose(attempts: Sequence[Attempt], *, entered: timedelta, chains: bool) -> Diagnosis:
    """Say what the attempts of one probe mean; ``entered`` is the longest session that the catalogue has.

    ``chains`` says that the portal's own identity chains, so that AWS stops it at an hour whatever the role allows.
    """
    base, bare = _worked(attempts, Step.BASE), _worked(attempts, Step.WITHOUT_EXTERNAL_ID)
    identity, tags = _worked(attempts, Step.SOURCE_IDENTITY), _worked(attempts, Step.SESSION_TAGS)
    chains = chains or any(attempt.code == "chaining_too_long" for attempt in attempts)
    longest = None if chains else _longest(attempts, entered)
    findings = [
        _base_finding(base),
        OPEN if bare else CLOSED if base and bare is False else None,
        NO_SOURCE_IDENTITY if identity is False else None,
        NO_TAGS if tags is False else None,
        _duration_finding(longest, entered, chains=chains) if base else None,
        *(_trouble_finding(attempt) for attempt in attempts if _is_trouble(attempt)),
    ]
    return Diagnosis(
        outcome=_outcome(attempts, base=base, bare=bare),
        findings=tuple(finding for finding in findings if finding is not None),
        works=bool(base),
        is_open=bare,
        accepts_source_identity=identity,
        accepts_session_tags=tags,
        max_session_duration=longest,
    )


def deciding(attempts: Sequence[Attempt]) -> Attempt | None:
    """Return the attempt that the outcome rests on; None where AWS was not asked at all."""
    by_step = {attempt.step: attempt for attempt in attempts}
    base, bare = by_step.get(Step.BASE), by_step.get(Step.WITHOUT_EXTERNAL_ID)
    if base is None or base.verdict is Verdict.DENIED:
        return base
    if bare is not None and bare.verdict is Verdict.OK:
        return bare
    return next(filter(_is_trouble, attempts), base)


def not_probed(problem: str) -> Diagnosis:
    """Say why AWS was not asked at all."""
    return Diagnosis(Outcome.FAILED, (Finding("trouble", problem, "Mend the role’s entry in the catalogue."),))


OPEN = Finding(
    "open",
    "The role can be assumed without the ExternalId, so its trust policy does not protect it from being used "
    "through another portal.",
    f"Add the condition sts:ExternalId to the statement Assume of the trust policy. {PASTE}",
)
CLOSED = Finding("fine", "Without the ExternalId AWS refuses, as it should.")
NO_SOURCE_IDENTITY = Finding(
    "missing",
    "The trust policy does not allow sts:SetSourceIdentity to the portal, or the portal’s own policy does not. "
    "Sessions go without it.",
    f"Add the statement SourceIdentity to the role’s trust policy. {PASTE}",
)
NO_TAGS = Finding(
    "missing",
    "The trust policy does not allow sts:TagSession to the portal with its three tags, or the portal’s own policy "
    "does not. Sessions go without them.",
    f"Add the statement Tag to the role’s trust policy. {PASTE}",
)


def _base_finding(base: bool | None) -> Finding | None:
    if base is None:
        return None
    if base:
        return Finding("fine", "AWS lets the portal into this role with its ExternalId.")
    return Finding(
        "missing",
        "AWS does not let the portal into this role. The trust policy lacks the statement Assume with this account’s "
        "ExternalId, the portal’s own policy does not cover the role, or the role does not exist.",
        f"Add the statement Assume to the role’s trust policy. {PASTE} A change can take AWS a minute.",
    )


def _duration_finding(longest: timedelta | None, entered: timedelta, *, chains: bool) -> Finding | None:
    if chains:
        return Finding(
            "note",
            "The portal’s own identity chains, and AWS stops it at one hour. So the role’s longest session cannot be "
            f"learned, and the entered {describe_duration(entered)} stays.",
        )
    if longest is None:
        return None
    changed = f" The catalogue had {describe_duration(entered)}." if longest != entered else ""
    return Finding("fine", f"{describe_duration(longest)} is the longest session tried that works.{changed}")


def _trouble_finding(attempt: Attempt) -> Finding:
    what = attempt.step.value.replace("-", " ").replace("external id", "ExternalId")
    return Finding(
        "trouble",
        f"The probe could not tell everything: {attempt.headline} (step “{what}”, {attempt.code}). "
        "What the catalogue knew of the rest stays.",
        "Probe again in a minute; if it stays so, look at the portal’s connection to AWS.",
    )


def _is_trouble(attempt: Attempt) -> bool:
    """Tell whether an attempt taught nothing. That AWS stops a chained session is something learned."""
    return attempt.verdict is Verdict.FAILED and attempt.code != "chaining_too_long"


def _outcome(attempts: Sequence[Attempt], *, base: bool | None, bare: bool | None) -> Outcome:
    if base is False or bare:
        return Outcome.REFUSED
    return Outcome.FAILED if base is None or any(map(_is_trouble, attempts)) else Outcome.PASSED


def _worked(attempts: Sequence[Attempt], step: Step) -> bool | None:
    """Tell whether a step worked; None where it was not tried, or where the answer was not clear."""
    clear = {Verdict.OK: True, Verdict.DENIED: False}
    return next((clear.get(attempt.verdict) for attempt in attempts if attempt.step is step), None)


def _known(attempts: Sequence[Attempt]) -> tuple[timedelta, timedelta | None]:
    """Return the longest duration known to work, and the shortest known to be refused."""
    tried = [attempt for attempt in attempts if attempt.step is Step.DURATION]
    works = [attempt.duration for attempt in tried if attempt.verdict is Verdict.OK]
    refused = [attempt.duration for attempt in tried if attempt.verdict is Verdict.DENIED]
    return max(works, default=ALWAYS_ALLOWED), min(refused, default=None)


def _longest(attempts: Sequence[Attempt], entered: timedelta) -> timedelta | None:
    """Return the longest duration that works; None before the search has ended."""
    tried = [attempt for attempt in attempts if attempt.step is Step.DURATION]
    unclear = any(attempt.verdict is Verdict.FAILED for attempt in tried)
    return None if not tried or unclear or next_duration(attempts, entered) else _known(attempts)[0]
