"""From a decision to credentials. The order is the promise: intent committed, STS asked, outcome committed."""

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from credportal.access import selectors as access
from credportal.access.models import User
from credportal.audit import record
from credportal.audit import selectors as audit
from credportal.audit.models import Issuance
from credportal.aws import sts
from credportal.aws.errors import AssumeRoleError
from credportal.domain.handouts import GrantedClaim
from credportal.domain.naming import issuance_id_from
from credportal.domain.types import (
    Actor,
    AssumedRole,
    Denied,
    Facts,
    Failure,
    Granted,
    IssuanceRequest,
    Origin,
    SessionSpec,
    Source,
    Status,
)
from credportal.flows.answers import AlreadySubmitted, Answer, AuditUnavailable, Failed, Issued, Refused
from credportal.flows.identity import portal_identity

log = structlog.get_logger(__name__)

RETRY_PAUSE_SECONDS = (0.1, 0.4)


@dataclass(frozen=True, slots=True)
class Once:
    """What may be used for one issuance only: a collected approval, a broken glass, a claimed hand-out.

    ``take`` writes in the transaction of the intent, and what it raises stops the issuance. ``give_back`` writes
    in the transaction of an outcome by which nothing can have been minted, ``burn`` in that of one by which nobody
    knows. ``refuse`` writes in the transaction of a refusal. All get the issuance id.
    """

    take: Callable[[str], None] = record.nothing
    give_back: Callable[[str], None] = record.nothing
    burn: Callable[[str], None] = record.nothing
    refuse: Callable[[str], None] = record.nothing


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to get credentials: who asks for what, and all that the rule book may know about it."""

    issuance_id: str
    facts: Facts
    asked: IssuanceRequest
    origin: Origin
    handed_out: bool = False


def new_issuance_id() -> str:
    """Make an issuance id."""
    return issuance_id_from(secrets.token_bytes(8))


def attempt_of(user: User, asked: IssuanceRequest, origin: Origin, signed_in_at: datetime | None) -> Attempt:
    """Gather the facts of one attempt."""
    facts = replace(access.facts_for(user, asked.role_id), identity=portal_identity(), signed_in_at=signed_in_at)
    return Attempt(new_issuance_id(), facts, asked, origin)


def carry_out(attempt: Attempt, decision: Granted | GrantedClaim | Denied, once: Once | None = None) -> Answer:
    """Do what was decided, and record it. What ``once.take`` raises passes, and then nothing is written."""
    once = once or Once()
    try:
        if isinstance(decision, Denied):
            return _refuse(attempt, decision, once)
        return _issue(attempt, decision, once)
    except record.AlreadySubmitted:
        earlier = audit.issuance_of(attempt.facts.actor.id, submission=attempt.asked.submission)
        return AlreadySubmitted(earlier) if earlier else unavailable(attempt)
    except record.AuditUnavailable as error:
        return unavailable(attempt, error)


def unavailable(attempt: Attempt, error: Exception | None = None, *, minted: bool = False) -> AuditUnavailable:
    """Log that the audit could not be written, and return the value that says so."""
    log.error("audit.unavailable", issuance_id=attempt.issuance_id, cause=str(error), minted=minted, exc_info=error)
    return AuditUnavailable(minted=minted, issuance_id=attempt.issuance_id)


def _refuse(attempt: Attempt, denied: Denied, once: Once) -> Refused:
    facts, asked = attempt.facts, attempt.asked
    # A role that is not theirs is not theirs to read about: the audit gets its text, the page does not.
    role = facts.role if facts.eligibilities or attempt.handed_out else None
    record.record_denied(
        issuance_id=attempt.issuance_id,
        actor=facts.actor,
        origin=attempt.origin,
        asked=asked,
        role=facts.role,
        denied=denied,
        approval_id=facts.approved.id if facts.approved else "",
        alongside=once.refuse,
    )
    log.info(
        "issuance.denied",
        issuance_id=attempt.issuance_id,
        actor=facts.actor.handle,
        reason=denied.reason.value,
        break_glass=asked.break_glass,
    )
    return Refused(attempt.issuance_id, role, denied)


def _issue(attempt: Attempt, granted: Granted | GrantedClaim, once: Once) -> Issued | Failed | AuditUnavailable:
    issuance_id, origin = attempt.issuance_id, attempt.origin
    actor, role, spec = attempt.facts.actor, attempt.facts.role, granted.spec
    if role is None:
        raise AssertionError("a grant always has a role")
    issuance = record.record_intent(
        issuance_id=issuance_id,
        actor=actor,
        origin=origin,
        asked=attempt.asked,
        role=role,
        granted=granted,
        alongside=once.take,
    )
    if granted.source is Source.BREAK_GLASS:
        log.warning("issuance.break_glass", issuance_id=issuance_id, actor=actor.handle, role_id=role.id)
    answer = _assume(spec, issuance, actor, origin)
    try:
        if isinstance(answer, Failure):
            # Where AWS may have minted, what was taken stays taken.
            after = once.give_back if answer.outcome is Status.FAILED else once.burn
            record.record_failed(issuance=issuance, actor=actor, origin=origin, failure=answer, alongside=after)
            _log_failure(issuance_id, actor, answer)
            return Failed(issuance_id, role, spec, answer)
        record.record_issued(issuance=issuance, actor=actor, origin=origin, assumed=answer, duration=spec.duration)
    except record.AuditUnavailable as error:
        return unavailable(attempt, error, minted=isinstance(answer, AssumedRole))
    log.info("issuance.issued", issuance_id=issuance_id, actor=actor.handle, aws_request_id=answer.aws_request_id)
    return Issued(issuance_id, role, spec, answer)


def _assume(spec: SessionSpec, issuance: Issuance, actor: Actor, origin: Origin) -> AssumedRole | Failure:
    """Ask STS once; once more where the first attempt cannot have minted and the table says it may help."""
    try:
        return sts.assume_role(spec)
    except AssumeRoleError as error:
        if not error.failure.may_retry:
            return error.failure
        record.record_retry(issuance=issuance, actor=actor, origin=origin, failure=error.failure)
    # Jitter keeps many throttled people from coming back at the same moment.
    time.sleep(random.uniform(*RETRY_PAUSE_SECONDS))  # noqa: S311 -- timing, not secrecy.
    try:
        return sts.assume_role(spec)
    except AssumeRoleError as error:
        return error.failure


def _log_failure(issuance_id: str, actor: Actor, failure: Failure) -> None:
    log.warning(
        "issuance.failed",
        issuance_id=issuance_id,
        actor=actor.handle,
        outcome=failure.outcome.value,
        code=failure.code,
        aws_code=failure.aws_code,
        aws_request_id=failure.aws_request_id,
        aws_words=failure.aws_words,
    )
