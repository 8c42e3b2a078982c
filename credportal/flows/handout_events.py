"""The events of hand-outs, and how one step is committed with its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from credportal.access import handouts
from credportal.access.models import Handout
from credportal.access.selectors import handouts as access
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Actor, Origin
from credportal.flows.about import about_handout
from credportal.flows.answers import AuditUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NotChanged:
    """Nothing has changed: somebody was faster, or its time is over. ``handout`` is how it stands."""

    handout: Handout


@dataclass(frozen=True, slots=True)
class Changed:
    """The change is committed."""

    handout: Handout


def change(handout: Handout, write: Callable[[], None]) -> Changed | NotChanged | AuditUnavailable:
    """Commit one step of a hand-out with its events; what stops it becomes a value."""
    try:
        with record.committed():
            write()
    except handouts.Moved:
        return NotChanged(access.handout(handout.id) or handout)
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", handout_id=handout.id, cause=str(error))
        return AuditUnavailable(minted=False, issuance_id="")
    return Changed(access.handout(handout.id) or handout)


def append(
    kind: EventKind,
    handout: Handout,
    actor: Actor | None,
    origin: Origin,
    *,
    detail: dict[str, Any] | None = None,
    issuance_id: str = "",
    code: str = "",
) -> None:
    """Append one event about a hand-out, inside ``record.committed``. ``actor`` is None where the portal acts."""
    detail = {**(detail or {}), "issued_by": handout.issuer.handle}
    about = about_handout(handout, code=code)
    subject, whose = f"handout:{handout.id}", handout.recipient_handle
    record.append(record.NewEvent(kind, subject, actor, origin, detail, issuance_id, whose, about))


def written(moment: datetime) -> str:
    """Write a moment as the audit does: ``2026-11-24T16:42:10Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
