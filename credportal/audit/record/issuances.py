"""The rows and events of one issuance.

The order is intent, STS, outcome, page; see docs/architecture.md.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import Error as DatabaseError
from django.db import IntegrityError
from django.db.models.functions import Now

from credportal.audit.models import EventKind, Issuance
from credportal.audit.record.writing import About, AuditUnavailable, NewEvent, append, chained, committed
from credportal.audit.rows import insert
from credportal.domain.durations import describe_duration
from credportal.domain.handouts import GrantedClaim
from credportal.domain.narrowing import describe
from credportal.domain.types import (
    Actor,
    AssumedRole,
    Denied,
    Failure,
    Granted,
    IssuanceRequest,
    Origin,
    RoleFacts,
    Status,
)

Alongside = Callable[[str], None]
"""A write that belongs into the same transaction. It gets the issuance id."""


def nothing(issuance_id: str) -> None:
    """Write nothing alongside."""
    del issuance_id


class AlreadySubmitted(Exception):  # noqa: N818 -- not an error: the answer to a second press.
    """The rendered form was submitted before."""


def record_intent(
    *,
    issuance_id: str,
    actor: Actor,
    origin: Origin,
    asked: IssuanceRequest,
    role: RoleFacts,
    granted: Granted | GrantedClaim,
    alongside: Alongside = nothing,
) -> Issuance:
    """Commit that this person is about to get this role. Raises AlreadySubmitted or AuditUnavailable.

    ``alongside`` is what has to be written together with the intent or not at all, such as taking
    an approval; what it raises passes, and then nothing is written.
    """
    issuance = _new_issuance(
        issuance_id=issuance_id, actor=actor, origin=origin, asked=asked, role=role, status=Status.REQUESTED
    )
    issuance.source = granted.source.value
    issuance.session_name = granted.spec.session_name
    issuance.source_identity = granted.spec.source_identity
    detail: dict[str, Any] = {"session_name": granted.spec.session_name, **_loud(asked)}
    if isinstance(granted, GrantedClaim):
        issuance.eligibility = f"handed out by {granted.issuer.name} ({granted.issuer.handle})"
        detail |= {"handout": granted.handout_id, "issued_by": granted.issuer.handle}
    else:
        row = granted.eligibility
        cap = row.break_glass_duration if asked.break_glass and row.break_glass_duration else row.max_duration
        issuance.eligibility = f"{row.holder}, up to {describe_duration(cap)}"
        issuance.eligibility_id = row.id
        issuance.approval_id = granted.approval_id
    detail = {"eligibility": issuance.eligibility, **detail}
    _insert(issuance, _event(EventKind.REQUESTED, issuance, actor, origin, detail), alongside)
    return issuance


def record_denied(
    *,
    issuance_id: str,
    actor: Actor,
    origin: Origin,
    asked: IssuanceRequest,
    role: RoleFacts | None,
    denied: Denied,
    approval_id: str = "",
    alongside: Alongside = nothing,
) -> None:
    """Commit a refusal. Raises AlreadySubmitted or AuditUnavailable.

    ``approval_id`` names the approval that could not be collected, ``alongside`` writes what belongs to the refusal.
    """
    issuance = _new_issuance(
        issuance_id=issuance_id, actor=actor, origin=origin, asked=asked, role=role, status=Status.DENIED
    )
    issuance.finished_at = Now()
    issuance.code = denied.reason.value
    issuance.approval_id = approval_id
    tried = [f"{row.eligibility.holder}: {row.why}" for row in denied.tried]
    denial = _event(EventKind.DENIED, issuance, actor, origin, {"tried": tried, **_loud(asked)})
    _insert(issuance, denial, alongside)


def record_retry(*, issuance: Issuance, actor: Actor, origin: Origin, failure: Failure) -> None:
    """Commit that one attempt failed before STS could mint, and that one more follows."""
    with committed():
        append(_event(EventKind.RETRIED, issuance, actor, origin, _failure_detail(failure), **_failure_about(failure)))


def record_issued(
    *, issuance: Issuance, actor: Actor, origin: Origin, assumed: AssumedRole, duration: timedelta
) -> None:
    """Commit that STS issued credentials: their ids and expiration, never a secret.

    Raises AuditUnavailable also where the intent is no longer open.
    """
    credentials = assumed.credentials
    _finish(
        issuance,
        early=True,
        event=_event(
            EventKind.ISSUED,
            issuance,
            actor,
            origin,
            {},
            duration_given=duration,
            expiration=credentials.expiration,
            access_key_id=credentials.access_key_id,
            assumed_role_id=assumed.assumed_role_id,
            aws_request_id=assumed.aws_request_id,
        ),
        status=Status.ISSUED.value,
        duration_given=duration,
        expiration=credentials.expiration,
        access_key_id=credentials.access_key_id,
        assumed_role_id=assumed.assumed_role_id,
        packed_policy_size=assumed.packed_policy_size,
        aws_request_id=assumed.aws_request_id,
    )


def record_failed(
    *, issuance: Issuance, actor: Actor, origin: Origin, failure: Failure, alongside: Alongside = nothing
) -> None:
    """Commit that AWS refused or failed, or that nobody can know whether it minted; and what goes ``alongside``."""
    kind = EventKind.UNKNOWN if failure.outcome is Status.UNKNOWN else EventKind.FAILED
    _finish(
        issuance,
        event=_event(kind, issuance, actor, origin, _failure_detail(failure), **_failure_about(failure)),
        alongside=alongside,
        status=failure.outcome.value,
        code=failure.code,
        aws_request_id=failure.aws_request_id,
        aws_words=failure.aws_words,
    )


def record_console(*, issuance_id: str, actor: Actor, origin: Origin, failed: str = "") -> None:
    """Commit that an issued session is about to open the console, or the code of why it cannot."""
    with committed():
        issuance = Issuance.objects.get(id=issuance_id)
        kind = EventKind.CONSOLE_FAILED if failed else EventKind.CONSOLE_OPENED
        append(_event(kind, issuance, actor, origin, {}, **({"code": failed} if failed else {})))


def about_issuance(issuance: Issuance, **more: Any) -> About:
    """Return what an event says about an issuance as it stands; ``more`` are further fields of ``About``."""
    columns = {name: getattr(issuance, name) for name in About.__dataclass_fields__}
    return About(**{**columns, **more})


def _new_issuance(
    *, issuance_id: str, actor: Actor, origin: Origin, asked: IssuanceRequest, role: RoleFacts | None, status: Status
) -> Issuance:
    """Fill the row with everything as it is now: it must be readable when the catalogue has changed."""
    issuance = Issuance(
        id=issuance_id,
        submission=asked.submission,
        status=status.value,
        actor_id=actor.id,
        actor_handle=actor.handle,
        actor_name=actor.name,
        address=origin.address,
        user_agent=origin.user_agent,
        request_id=origin.request_id,
        role_id=asked.role_id,
        duration_asked=asked.duration,
        reason=asked.reason,
        ticket=asked.ticket,
        narrowing=", ".join(describe(asked.narrowing)),
    )
    if role is not None:
        issuance.role_arn = role.arn
        issuance.role_name = role.name
        issuance.account_number = role.account_number
        issuance.account_name = role.account_name
        issuance.environment = role.environment.value
    return issuance


def _insert(issuance: Issuance, event: NewEvent, alongside: Alongside = nothing) -> None:
    """Commit a new issuance with its first event."""
    try:
        with chained(early=issuance.finished_at is None and alongside is nothing):
            if issuance.finished_at is None:
                insert(issuance)
            else:  # A refusal ends at once, at the database's own time: an expression, which takes the ORM.
                issuance.save(force_insert=True)
            append(event)
            # Last, so that a form that was sent before is told so, whatever became of what it took.
            alongside(issuance.id)
    except IntegrityError as error:
        raise AlreadySubmitted(issuance.submission) from error
    except DatabaseError as error:
        raise AuditUnavailable(type(error).__name__) from error


def _finish(
    issuance: Issuance, *, event: NewEvent, alongside: Alongside = nothing, early: bool = False, **columns: Any
) -> None:
    """Commit the outcome of an open intent with its event."""
    with committed(early=early):
        if not close_intent(issuance.id, **columns):
            raise AuditUnavailable("the intent is no longer open")
        append(event)
        alongside(issuance.id)


def close_intent(issuance_id: str, **columns: Any) -> bool:
    """Set the outcome where the intent is still open. Two writers at once: exactly one gets True."""
    still_open = Issuance.objects.filter(id=issuance_id, status=Status.REQUESTED.value)
    return still_open.update(finished_at=Now(), **columns) == 1


def _event(
    kind: EventKind, issuance: Issuance, actor: Actor | None, origin: Origin, detail: dict[str, Any], **more: Any
) -> NewEvent:
    """Return an event of an issuance; ``more`` is what it adds to the issuance's own columns."""
    about = about_issuance(issuance, **more)
    return NewEvent(kind, "", actor, origin, detail, issuance.id, issuance.actor_handle, about)


def _loud(asked: IssuanceRequest) -> dict[str, bool]:
    """Mark what was asked by break-glass, allowed or not."""
    return {"break_glass": True} if asked.break_glass else {}


def _failure_detail(failure: Failure) -> dict[str, Any]:
    return {"aws_code": failure.aws_code} if failure.aws_code else {}


def _failure_about(failure: Failure) -> dict[str, Any]:
    return {"code": failure.code, "aws_request_id": failure.aws_request_id}
