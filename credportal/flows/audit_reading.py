"""Who reads the log of others is in the log too."""

from typing import Any

import structlog

from credportal.access.models import User
from credportal.access.selectors import actor_of
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Origin

log = structlog.get_logger(__name__)


def note_read(*, user: User, origin: Origin, subject: str, what: dict[str, Any] | None = None) -> bool:
    """Record that somebody is about to read the log of others; False where that cannot be written.

    ``subject`` is ``audit:list``, ``audit:find``, ``issuance:<id>`` or ``event:<number>``; ``what`` are the filters.
    The page is shown only once this is committed.
    """
    event = record.NewEvent(EventKind.AUDIT_READ, subject, actor_of(user), origin, what or {})
    try:
        with record.committed():
            record.append(event)
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", cause=str(error))
        return False
    return True
