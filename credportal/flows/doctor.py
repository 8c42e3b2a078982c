"""The journey of one probe: started, AWS asked step by step, and what it taught kept with its outcome."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from django.utils import timezone

from credportal.access import selectors as access
from credportal.access.models import Probe, Role
from credportal.access.probes import due_roles, write_diagnosis
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.aws.probe import attempt
from credportal.domain.doctor import Attempt, Diagnosis, Step, Verdict, deciding, diagnose, next_duration, not_probed
from credportal.domain.naming import arn_problem, issuance_id_from, session_name, session_tags
from credportal.domain.types import Actor, DenialReason, Origin, SessionSpec
from credportal.flows.about import about_role
from credportal.flows.identity import portal_identity

__all__ = ["AuditUnavailable", "Gone", "Pace", "Probed", "due_roles", "probe_role"]

log = structlog.get_logger(__name__)

NOBODY = "doctor"
SHORTEST = timedelta(minutes=15)
MOST_BACK_OFFS = 4


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast AWS is asked: seconds between calls, and the first wait after throttling (0: give up at once)."""

    seconds: float = 0.0
    back_off_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Probed:
    """A probe ended, and is recorded. ``probe`` is what the catalogue keeps of it."""

    role: Role
    probe: Probe
    diagnosis: Diagnosis


@dataclass(frozen=True, slots=True)
class Gone:
    """The catalogue has no such role."""


@dataclass(frozen=True, slots=True)
class AuditUnavailable:
    """The probe could not be recorded, so AWS was not asked, or what it taught was dropped."""


def probe_role(
    *, role_id: str, actor: Actor | None, origin: Origin, pace: Pace | None = None
) -> Probed | Gone | AuditUnavailable:
    """Find out what a role's trust policy allows. ``actor`` is None where the command probes."""
    role = Role.objects.select_related("account").filter(id=role_id).first()
    if role is None:
        return Gone()
    try:
        with record.committed():
            started = record.NewEvent(EventKind.PROBE_STARTED, f"role:{role.id}", actor, origin, about=about_role(role))
            record.append(started)
        problem = arn_problem(role.arn, portal_identity())
        attempts = [] if problem else list(_attempts(role, actor, pace or Pace()))
        chains = access.chaining_ceiling() is not None
        found = diagnose(attempts, entered=role.max_session_duration, chains=chains)
        return _keep(role, not_probed(problem) if problem else found, attempts, actor, origin)
    except record.AuditUnavailable as error:
        log.exception("probe.unrecorded", role_id=role_id, cause=str(error))
        return AuditUnavailable()
    except Role.DoesNotExist:
        return Gone()


def _attempts(role: Role, actor: Actor | None, pace: Pace) -> Iterator[Attempt]:
    """Ask one thing at a time. The first trouble ends it: what follows would meet the same, and people wait."""
    tried: list[Attempt] = []
    for step, spec in _specs(role, actor, tried):
        tried.append(_at_pace(step, spec, pace))
        yield tried[-1]
        if tried[-1].verdict is Verdict.FAILED:
            return


def _specs(role: Role, actor: Actor | None, tried: list[Attempt]) -> Iterator[tuple[Step, SessionSpec]]:
    """Yield what to try, in the light of ``tried``: the two that tell whether the role is safe come first."""
    handle, probe_id = actor.handle if actor else NOBODY, issuance_id_from(secrets.token_bytes(8))
    base = SessionSpec(
        role_arn=role.arn,
        session_name=session_name(handle, probe_id),
        duration=SHORTEST,
        external_id=role.account.external_id,
    )
    yield Step.BASE, base
    yield Step.WITHOUT_EXTERNAL_ID, replace(base, external_id="")
    if tried[0].verdict is not Verdict.OK:
        return
    yield Step.SOURCE_IDENTITY, replace(base, source_identity=handle)
    # All three tags, so that a policy that names only some of them is found here and not in an incident.
    yield Step.SESSION_TAGS, replace(base, session_tags=session_tags(probe_id, "PROBE-1", NOBODY))
    while access.chaining_ceiling() is None and (longer := next_duration(tried, role.max_session_duration)):
        yield Step.DURATION, replace(base, duration=longer)


def _at_pace(step: Step, spec: SessionSpec, pace: Pace) -> Attempt:
    """Try, and wait longer and longer where AWS is busy."""
    for power in range(MOST_BACK_OFFS):
        time.sleep(pace.seconds)
        answer = attempt(step, spec)
        if answer.code != "sts_throttled" or not pace.back_off_seconds:
            break
        time.sleep(pace.back_off_seconds * 2**power)
    return answer


def _keep(role: Role, diagnosis: Diagnosis, attempts: list[Attempt], actor: Actor | None, origin: Origin) -> Probed:
    """Commit what was found and what it changes together with the event of it. Raises AuditUnavailable."""
    kind = EventKind(f"probe:{diagnosis.outcome.value}")
    detail: dict[str, object] = {"steps": [_told(attempt) for attempt in attempts], "open": diagnosis.is_open}
    decided = deciding(attempts)
    code, aws_request_id = (decided.code, decided.aws_request_id) if decided else (DenialReason.ROLE_UNFIT.value, "")
    about = about_role(role, code=code, aws_request_id=aws_request_id)
    with record.committed():
        change = write_diagnosis(role.id, diagnosis, timezone.now())
        detail |= {"before": change.before, "after": change.after}
        record.append(record.NewEvent(kind, f"role:{role.id}", actor, origin, detail, about=about))
        kept = Probe.objects.select_related("role__account").get(role_id=role.id)
    log.info("probe.ended", role_id=role.id, outcome=diagnosis.outcome.value, open=diagnosis.is_open)
    return Probed(kept.role, kept, diagnosis)


def _told(attempt: Attempt) -> dict[str, object]:
    """Return a step as the audit keeps it."""
    told = {
        "step": attempt.step.value,
        "verdict": attempt.verdict.value,
        "seconds": int(attempt.duration.total_seconds()),
        "failure": attempt.code,
        "aws_code": attempt.aws_code,
        "aws_request_id": attempt.aws_request_id,
    }
    return {name: value for name, value in told.items() if value != ""}
