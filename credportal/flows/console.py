"""The journey into the AWS console: an issuance like any other, whose credentials only AWS's sign-in sees."""

from dataclasses import dataclass, field
from datetime import datetime

import structlog

from credportal.access.models import User
from credportal.access.selectors import actor_of
from credportal.audit import record
from credportal.aws import console
from credportal.domain.naming import partition_from
from credportal.domain.types import IssuanceRequest, Origin, RoleFacts
from credportal.flows.issue import Answer, AuditUnavailable, Issued, issue

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsoleOpened:
    """The address that signs the person in. A bearer secret for 15 minutes: it goes into one redirect."""

    issuance_id: str
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsoleFailed:
    """A session was issued and recorded, but AWS's sign-in gave no token. Nothing was shown; it ends by itself."""

    issuance_id: str
    role: RoleFacts
    code: str


def is_offered() -> bool:
    """Tell whether sessions of this portal can open a console at all."""
    return console.is_offered()


def open_console(
    *,
    user: User,
    asked: IssuanceRequest,
    origin: Origin,
    now: datetime,
    issuer: str,
    signed_in_at: datetime | None = None,
) -> Answer | ConsoleOpened | ConsoleFailed:
    """Issue a session and turn it into a console sign-in, or say why not.

    ``now`` and ``signed_in_at`` are aware UTC, ``issuer`` the page the console leads back to when the session ends.
    """
    answer = issue(user=user, asked=asked, origin=origin, now=now, signed_in_at=signed_in_at)
    if not isinstance(answer, Issued):
        return answer
    actor, role, issuance_id = actor_of(user), answer.role, answer.issuance_id
    try:
        try:
            address = console.sign_in_address(
                answer.assumed.credentials,
                partition=partition_from(role.arn),
                region=asked.narrowing.region or role.default_region,
                issuer=issuer,
            )
        except console.ConsoleError as error:
            record.record_console(issuance_id=issuance_id, actor=actor, origin=origin, failed=str(error))
            log.warning("console.failed", issuance_id=issuance_id, actor=actor.handle, code=str(error))
            return ConsoleFailed(issuance_id, role, str(error))
        record.record_console(issuance_id=issuance_id, actor=actor, origin=origin)
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", issuance_id=issuance_id, cause=str(error), minted=True)
        return AuditUnavailable(minted=True, issuance_id=issuance_id)
    log.info("console.opened", issuance_id=issuance_id, actor=actor.handle)
    return ConsoleOpened(issuance_id, address)
