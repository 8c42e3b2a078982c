"""What user admins change about groups. Each change has its audit event, and one for each person whom it moves."""

from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.utils import timezone

from credportal.access import groups, people
from credportal.access.groups import GroupChange
from credportal.access.models import User
from credportal.access.people import Change
from credportal.access.selectors import actor_of
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Duty, Origin
from credportal.flows import handout_changes
from credportal.flows.people import LAST_ADMIN, AuditUnavailable, NotSaved, Saved, Stale


@dataclass(frozen=True, slots=True)
class Made:
    """A new group, with its event."""

    group: Group


def add_group(
    *, actor: User, origin: Origin, name: str, duties: frozenset[Duty], joining: frozenset[int]
) -> Made | NotSaved | AuditUnavailable:
    """Make a group with these members (ids)."""
    try:
        with record.committed():
            group, change = groups.make_group(name=name, duties=duties, members=joining)
            record.append_all(_events(EventKind.GROUP_ADDED, [name], change, actor, origin))
    except ValidationError as error:
        return NotSaved({column: " ".join(texts) for column, texts in error.message_dict.items()})
    except record.AuditUnavailable:
        return AuditUnavailable()
    return Made(group)


def change_group(
    *,
    actor: User,
    origin: Origin,
    group: Group,
    state: str,
    name: str,
    duties: frozenset[Duty],
    joining: frozenset[int],
    leaving: frozenset[int],
) -> Saved | NotSaved | Stale | AuditUnavailable:
    """Change a group that looked like ``state`` (``state_of``) when the admin saw it. It counts at the next request."""
    ended: list[str] = []
    try:
        with record.committed():
            change = groups.change_group(group, state=state, name=name, duties=duties, joining=joining, leaving=leaving)
            if change.group:
                # A renamed group has a history under both names, each leading to the other.
                names = sorted({group.name, name})
                record.append_all(_events(EventKind.GROUP_CHANGED, names, change, actor, origin))
                ended = handout_changes.write_stranded_cancelled(actor, origin, now=timezone.now())
    except people.Stale:
        return Stale()
    except people.LockedOut:
        return NotSaved({"": LAST_ADMIN})
    except ValidationError as error:
        return NotSaved({column: " ".join(texts) for column, texts in error.message_dict.items()})
    except record.AuditUnavailable:
        return AuditUnavailable()
    return Saved(bool(change.group), len(ended))


def subject_of(group: Group) -> str:
    """Return what the audit calls a group."""
    return f"group:{group.name}"


def state_of(group: Group) -> str:
    """Return a mark of all that the group's page shows, for ``change_group``."""
    return groups.state_of(group)


def _events(
    kind: EventKind, names: list[str], change: GroupChange, actor: User, origin: Origin
) -> list[record.NewEvent]:
    def event(kind: EventKind, subject: str, changed: Change, whose: str = "") -> record.NewEvent:
        detail = {"before": changed.before, "after": changed.after}
        return record.NewEvent(kind, subject, by, origin, detail, on_behalf_of=whose)

    by = actor_of(actor)
    about_people = [
        event(EventKind.PERSON_CHANGED, f"person:{handle}", moved, handle) for handle, moved in change.people.items()
    ]
    return [*(event(kind, f"group:{name}", change.group) for name in names), *about_people]
