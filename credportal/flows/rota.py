"""What catalogue admins do about rotas: one function per act, each with its audit event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from credportal.access import rotas
from credportal.access.models import Rota, User
from credportal.access.people import Change
from credportal.access.rotas import Assigned
from credportal.access.selectors import actor_of
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Origin


@dataclass(frozen=True, slots=True)
class Saved:
    """It is written, with its event. Where nothing differed nothing was, and ``changed`` is False."""

    rota: Rota
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody else changed the rota meanwhile, so nothing was written."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Another rota has this name, so nothing was written."""


@dataclass(frozen=True, slots=True)
class AuditUnavailable:
    """It could not be recorded, so it was not done."""


Outcome = Saved | Stale | Taken | AuditUnavailable


def add_rota(*, user: User, origin: Origin, values: dict[str, Any]) -> Outcome:
    """Make a rota with these settings, whose slots are nobody's yet."""
    return _committed(lambda: rotas.add(values), EventKind.ROTA_ADDED, user, origin)


def change_rota(
    *, user: User, origin: Origin, rota: Rota, version: int, values: dict[str, Any], assigned: Assigned
) -> Outcome:
    """Change the settings of a rota that was at this version when the person saw it, and whose its slots are."""
    return _committed(
        lambda: rotas.change(rota.pk, version=version, values=values, assigned=assigned),
        EventKind.ROTA_CHANGED,
        user,
        origin,
    )


def subject_of(rota: Rota) -> str:
    """Return what the audit calls a rota."""
    return f"rota:{rota.pk}"


def _committed(write: Callable[[], tuple[Rota, Change]], kind: EventKind, user: User, origin: Origin) -> Outcome:
    """Write, and append the event, in one transaction. Where nothing changed there is no event either."""
    try:
        with record.committed():
            rota, change = write()
            if not change:
                return Saved(rota, changed=False)
            detail = {"before": change.before, "after": change.after}
            record.append(record.NewEvent(kind, subject_of(rota), actor_of(user), origin, detail))
    except rotas.Stale:
        return Stale()
    except rotas.Taken:
        return Taken()
    except record.AuditUnavailable:
        return AuditUnavailable()
    return Saved(rota)
