"""What may come of asking for credentials. Every way out is a value, and each is committed before it is returned."""

from dataclasses import dataclass
from datetime import datetime

from credportal.audit.models import Issuance
from credportal.domain.types import AssumedRole, Denied, Failure, RoleFacts, SessionSpec


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
class Waiting:
    """The request waits for its approvers, and that is committed. AWS was not called.

    ``approvers`` is the name of their group. A form that was sent before leads to the request it made then,
    whatever became of it.
    """

    approval_id: str
    role: RoleFacts
    approvers: str
    approvals_needed: int
    expires_at: datetime


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


Answer = Issued | Refused | Waiting | Failed | AlreadySubmitted | AuditUnavailable
