"""Who came in, who was kept out, who left: each an event, and none holds what was typed as a password.

What was typed as a user name is not kept either, unless it is somebody's: people type their password there.
"""

from collections.abc import Callable

import structlog
from django.contrib.auth.hashers import make_password

from credportal.access import people
from credportal.access.models import User
from credportal.access.selectors import actor_of
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import DenialReason, Origin

log = structlog.get_logger(__name__)

WRONG_PASSWORD, THROTTLED = "wrong_password", "throttled"
SWITCHED_OFF = DenialReason.INACTIVE.value


def signed_in(*, user: User, origin: Origin) -> bool:
    """Record that somebody is about to be signed in; False where that cannot be written, and then they are not."""
    return _written(record.NewEvent(EventKind.SIGNED_IN, "", actor_of(user), origin))


def kept_out(*, person: User | None, origin: Origin, code: str) -> bool:
    """Record that a sign-in was refused, and why (``code``). ``person`` is whose it would have been, if anybody's.

    Nobody has proved who they are, so the event has no actor. False where it cannot be written.
    """
    about = record.About(code=code)
    whose = person.handle if person else ""
    return _written(record.NewEvent(EventKind.SIGN_IN_FAILED, "", None, origin, {}, "", whose, about))


def confirmed(*, user: User, origin: Origin, code: str = "") -> bool:
    """Record that a person confirmed by password that it is still them, or could not (``code``). False as above."""
    kind = EventKind.CONFIRM_FAILED if code else EventKind.CONFIRMED
    return _written(record.NewEvent(kind, "", actor_of(user), origin, about=record.About(code=code)))


def signed_out(*, user: User, origin: Origin) -> None:
    """Record that somebody has signed out. Where that cannot be written they are out all the same."""
    _written(record.NewEvent(EventKind.SIGNED_OUT, "", actor_of(user), origin))


def change_own_password(*, user: User, password: str, origin: Origin) -> bool:
    """Give a person the password that they chose. False where that cannot be recorded, and then it is the old one."""
    password_hash = make_password(password)  # It takes long on purpose: before anybody waits for the transaction.
    event = record.NewEvent(EventKind.PASSWORD_CHANGED, f"person:{user.handle}", actor_of(user), origin)
    is_written = _written(event, lambda: people.set_password(user, password_hash))
    if is_written:
        user.password = password_hash
    return is_written


def _written(event: record.NewEvent, change: Callable[[], None] | None = None) -> bool:
    """Commit an event, and the change that it tells of."""
    try:
        with record.committed():
            if change:
                change()
            record.append(event)
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", kind=event.kind.value, cause=str(error))
        return False
    return True
