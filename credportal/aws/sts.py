"""AWS STS: assume a role, and tell who the portal is. One attempt each, under one deadline."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import structlog
from botocore import exceptions
from django.views.decorators.debug import sensitive_variables

from credportal.aws import aws_settings
from credportal.aws.answer import assumed_role
from credportal.aws.arguments import arguments
from credportal.aws.bounded import Exchange, deadline
from credportal.aws.client import portal
from credportal.aws.errors import AssumeRoleError, printable
from credportal.aws.meaning import http_status, meaning
from credportal.domain.types import AssumedRole, Failure, SessionSpec

log = structlog.get_logger(__name__)

# A readiness probe has to answer sooner than a person would wait.
IDENTITY_DEADLINE = timedelta(seconds=2)

# Statuses of endpoints that speak STS but not GetCallerIdentity: S3 gateways differ in which one they choose.
NOT_OFFERED = {400, 403, 404, 405, 501}

IdentityState = Literal["known", "unsupported", "invalid", "absent", "unreachable"]


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who AWS says the portal is. Account and ARN are for admins, and empty where unknown.

    ``absent``: there are no credentials. ``invalid``: AWS does not accept them.
    ``unsupported``: the endpoint has no GetCallerIdentity. ``unreachable``: no answer.
    """

    state: IdentityState
    account: str = ""
    arn: str = ""


@sensitive_variables("answer")
def assume_role(spec: SessionSpec) -> AssumedRole:
    """Ask STS for a session, once. Raises AssumeRoleError and nothing else.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    asked = arguments(spec)
    now = datetime.now(UTC)
    with deadline(aws_settings().deadline.total_seconds()) as exchange:
        answer = _call("assume_role", **asked)
    if isinstance(answer, Exception):
        # Raised outside of an except block, so that the cause, whose text may quote the answer, is not kept.
        raise AssumeRoleError(meaning(answer, exchange))
    return assumed_role(answer, duration=spec.duration, now=now)


def caller_identity() -> CallerIdentity:
    """Ask STS who the portal is, within two seconds. Never raises.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    with deadline(IDENTITY_DEADLINE.total_seconds()) as exchange:
        answer = _call("get_caller_identity")
    if isinstance(answer, Exception):
        return CallerIdentity(_identity_state(answer, exchange))
    account, arn = str(answer.get("Account") or ""), str(answer.get("Arn") or "")
    if not account and not arn:
        return CallerIdentity("unreachable")
    return CallerIdentity("known", printable(account), printable(arn))


def warm_up() -> CallerIdentity:
    """Do what the first request of a worker would otherwise wait for; tell who the portal is. Never raises: it logs.

    Builds session and client, resolves the portal's identity, loads the service model, and
    opens the first connection by asking who the portal is.
    """
    identity = caller_identity()
    tell = log.info if identity.state in {"known", "unsupported"} else log.warning
    tell("aws.identity", state=identity.state, account=identity.account, arn=identity.arn)
    return identity


def _call(operation: str, **asked: Any) -> dict[str, Any] | Exception:
    """Call one operation and give its answer, or the exception as a value."""
    try:
        return dict(getattr(portal().client, operation)(**asked))
    except Exception as error:  # noqa: BLE001 -- botocore lets KeyError and ValueError through from answers it cannot read.
        return error


def _identity_state(error: Exception, exchange: Exchange) -> IdentityState:
    found: Failure = meaning(error, exchange)
    if found.code == "portal_identity_missing":
        return "absent"
    if found.code in {"portal_identity_invalid", "clock_skew"}:
        return "invalid"
    if found.code == "sts_throttled" or not isinstance(error, exceptions.ClientError):
        return "unreachable"
    return "unsupported" if exchange.sent and http_status(error) in NOT_OFFERED else "unreachable"
