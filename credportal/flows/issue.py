"""The journey of one issuance. The only place where rights, the audit and AWS meet.

The order is the promise: intent committed, STS asked, outcome committed, then the
credentials are returned. Every way out is a value; see docs/architecture.md.
"""

import random
import secrets
import time
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
from credportal.domain.naming import issuance_id_from
from credportal.domain.policy import decide
from credportal.domain.types import (
    Actor,
    AssumedRole,
    Denied,
    Facts,
    Failure,
    Granted,
    IssuanceRequest,
    Origin,
    RoleFacts,
    SessionSpec,
)
from credportal.flows.identity import portal_identity

log = structlog.get_logger(__name__)

RETRY_PAUSE_SECONDS = (0.1, 0.4)


@dataclass(frozen=True, slots=True)
class Issued:
    """Credentials were issued, and both rows of it are committed. They are shown once."""

    issuance_id: str
    role: RoleFacts
    spec: SessionSpec
    assumed: AssumedRole


@dataclass(frozen=True, slots=True)
class Refused:
    """The rule book said no, and that is committed. AWS was not called."""

    issuance_id: str
    role: RoleFacts | None
    denied: Denied


@dataclass(frozen=True, slots=True)
class Failed:
    """AWS refused, failed, or left us not knowing; that is committed, and nothing is shown."""

    issuance_id: str
    role: RoleFacts
    spec: SessionSpec
    failure: Failure


@dataclass(frozen=True, slots=True)
class AlreadySubmitted:
    """The rendered form was submitted before; what came of it stands in the issuance."""

    issuance: Issuance


@dataclass(frozen=True, slots=True)
class AuditUnavailable:
    """The audit could not be written, so nothing is shown. ``minted`` where STS had already answered."""

    minted: bool
    issuance_id: str


Answer = Issued | Refused | Failed | AlreadySubmitted | AuditUnavailable


def issue(
    *, user: User, asked: IssuanceRequest, origin: Origin, now: datetime, signed_in_at: datetime | None = None
) -> Answer:
    """Issue credentials to the signed-in person, or say why not. ``now`` and ``signed_in_at`` are aware UTC."""
    issuance_id = issuance_id_from(secrets.token_bytes(8))
    facts = access.facts_for(user, asked.role_id)
    facts = replace(facts, identity=portal_identity(), signed_in_at=signed_in_at)
    decision = decide(asked, facts, issuance_id=issuance_id, now=now)
    try:
        if isinstance(decision, Denied):
            return _refuse(issuance_id, facts, asked, origin, decision)
        return _issue(issuance_id, facts, asked, origin, decision)
    except record.AlreadySubmitted:
        earlier = audit.issuance_of(user.pk, submission=asked.submission)
        return AlreadySubmitted(earlier) if earlier else AuditUnavailable(minted=False, issuance_id=issuance_id)
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", issuance_id=issuance_id, cause=str(error))
        return AuditUnavailable(minted=False, issuance_id=issuance_id)


def _refuse(issuance_id: str, facts: Facts, asked: IssuanceRequest, origin: Origin, denied: Denied) -> Refused:
    # A role that is not theirs is not theirs to read about: the audit gets its text, the page does not.
    role = facts.role if facts.eligibilities else None
    record.record_denied(
        issuance_id=issuance_id, actor=facts.actor, origin=origin, asked=asked, role=facts.role, denied=denied
    )
    log.info("issuance.denied", issuance_id=issuance_id, actor=facts.actor.handle, reason=denied.reason.value)
    return Refused(issuance_id, role, denied)


def _issue(
    issuance_id: str, facts: Facts, asked: IssuanceRequest, origin: Origin, granted: Granted
) -> Issued | Failed | AuditUnavailable:
    actor, role, spec = facts.actor, facts.role, granted.spec
    if role is None:
        raise AssertionError("a grant always has a role")
    record.record_intent(issuance_id=issuance_id, actor=actor, origin=origin, asked=asked, role=role, granted=granted)
    answer = _assume(spec, issuance_id, actor, origin)
    try:
        if isinstance(answer, Failure):
            record.record_failed(issuance_id=issuance_id, actor=actor, origin=origin, failure=answer)
            _log_failure(issuance_id, actor, answer)
            return Failed(issuance_id, role, spec, answer)
        record.record_issued(
            issuance_id=issuance_id, actor=actor, origin=origin, assumed=answer, duration=spec.duration
        )
    except record.AuditUnavailable as error:
        minted = isinstance(answer, AssumedRole)
        log.exception("audit.unavailable", issuance_id=issuance_id, cause=str(error), minted=minted)
        return AuditUnavailable(minted=minted, issuance_id=issuance_id)
    log.info("issuance.issued", issuance_id=issuance_id, actor=actor.handle, aws_request_id=answer.aws_request_id)
    return Issued(issuance_id, role, spec, answer)


def _assume(spec: SessionSpec, issuance_id: str, actor: Actor, origin: Origin) -> AssumedRole | Failure:
    """Ask STS once; once more where the first attempt cannot have minted and the table says it may help."""
    try:
        return sts.assume_role(spec)
    except AssumeRoleError as error:
        if not error.failure.may_retry:
            return error.failure
        record.record_retry(issuance_id=issuance_id, actor=actor, origin=origin, failure=error.failure)
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
