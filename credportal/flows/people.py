"""The journeys of people into the portal, and what their admins change. Each change has its audit event."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from credportal.access import people
from credportal.access.models import User
from credportal.access.people import Change, make_admin
from credportal.access.selectors import actor_of, group_names
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Origin
from credportal.flows import handout_changes

LAST_ADMIN = (
    "Then nobody who can sign in would look after people any more. Give somebody else the duty first: "
    "put them into a group with the duty user admin."
)
NOT_YOURSELF = "You cannot switch yourself off. Ask another user admin."
OWN_PASSWORD = "Change your own password under My account: that asks for the old one."  # noqa: S105 -- a sentence.
UNRECORDED = "The audit could not be written, so nobody was made. Look at the database and try again."


class Refused(Exception):  # noqa: N818 -- the name says what happened.
    """The person cannot be made. ``sentences`` say why."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = sentences


@dataclass(frozen=True, slots=True)
class PasswordSet:
    """A person has a new password. It is to be shown once, and stands nowhere else but as a hash."""

    person: User
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Saved:
    """It is written, with its event; ``changed`` is False where nothing differed and nothing was.

    ``ended`` counts the hand-outs that this has cancelled.
    """

    changed: bool
    ended: int = 0


@dataclass(frozen=True, slots=True)
class NotSaved:
    """Nothing was written. ``problems`` are sentences by field; an empty field name is the whole form."""

    problems: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody else changed it meanwhile, so nothing was written."""


@dataclass(frozen=True, slots=True)
class AuditUnavailable:
    """It could not be recorded, so it was not done."""


def create_admin(*, username: str, name: str, email: str, password: str) -> User:
    """Make an admin from the command line, or raise Refused."""
    try:
        with record.committed():
            person = make_admin(username=username, name=name, email=email, password=password)
            detail = {"before": {}, "after": _told(person), "command": "create_admin"}
            subject = subject_of(person)
            added = record.NewEvent(EventKind.PERSON_ADDED, subject, None, Origin(), detail, on_behalf_of=person.handle)
            record.append(added)
    except ValidationError as error:
        sentences = [f"{column}: {' '.join(texts)}" for column, texts in error.message_dict.items()]
        raise Refused(sentences) from None
    except record.AuditUnavailable:
        raise Refused([UNRECORDED]) from None
    return person


def add_person(
    *, actor: User, origin: Origin, username: str, name: str, email: str, groups: frozenset[int]
) -> PasswordSet | NotSaved | AuditUnavailable:
    """Make a person with these groups (ids) and a random password, which the answer holds."""
    password = people.new_password()
    password_hash = make_password(password)  # It takes long on purpose: before anybody waits for the transaction.
    try:
        with record.committed():
            person = people.make_person(
                username=username, name=name, email=email, password_hash=password_hash, groups=groups
            )
            change = Change({}, _told(person))
            record.append_all(events_of_person(EventKind.PERSON_ADDED, person.handle, change, actor, origin))
    except ValidationError as error:
        return NotSaved({column: " ".join(texts) for column, texts in error.message_dict.items()})
    except record.AuditUnavailable:
        return AuditUnavailable()
    return PasswordSet(person, password)


def change_person(
    *,
    actor: User,
    origin: Origin,
    person: User,
    version: int,
    name: str,
    email: str,
    is_active: bool,
    groups: frozenset[int],
) -> Saved | NotSaved | Stale | AuditUnavailable:
    """Change a person who was at this version when the admin saw them. What counts at their next request."""
    if person.pk == actor.pk and not is_active:
        return NotSaved({"is_active": NOT_YOURSELF})
    ended: list[str] = []
    try:
        with record.committed():
            change = people.change_person(
                person, version=version, name=name, email=email, is_active=is_active, groups=groups
            )
            if change:
                record.append_all(events_of_person(EventKind.PERSON_CHANGED, person.handle, change, actor, origin))
                ended = handout_changes.write_stranded_cancelled(actor, origin, now=timezone.now())
    except people.Stale:
        return Stale()
    except people.LockedOut:
        return NotSaved({"groups" if is_active else "is_active": LAST_ADMIN})
    except record.AuditUnavailable:
        return AuditUnavailable()
    return Saved(bool(change), len(ended))


def set_password(*, actor: User, origin: Origin, person: User) -> PasswordSet | NotSaved | AuditUnavailable:
    """Give somebody else a random password, which the answer holds. Where they are signed in, that ends."""
    if person.pk == actor.pk:
        return NotSaved({"": OWN_PASSWORD})
    password = people.new_password()
    password_hash = make_password(password)
    try:
        with record.committed():
            people.set_password(person, password_hash)
            record.append(
                record.NewEvent(
                    kind=EventKind.PASSWORD_SET,
                    subject=subject_of(person),
                    actor=actor_of(actor),
                    origin=origin,
                    on_behalf_of=person.handle,
                )
            )
    except record.AuditUnavailable:
        return AuditUnavailable()
    return PasswordSet(person, password)


def subject_of(person: User) -> str:
    """Return what the audit calls a person."""
    return f"person:{person.handle}"


def events_of_person(
    kind: EventKind, handle: str, change: Change, actor: User, origin: Origin
) -> list[record.NewEvent]:
    """Return the events of one change: the person's, and one for each group that they joined or left."""
    by, detail = actor_of(actor), {"before": change.before, "after": change.after}
    events = [record.NewEvent(kind, f"person:{handle}", by, origin, detail, on_behalf_of=handle)]
    then, now = set(change.before.get("groups", ())), set(change.after.get("groups", ()))
    for word, names in (("left", then - now), ("joined", now - then)):
        events += [
            record.NewEvent(
                kind=EventKind.GROUP_CHANGED,
                subject=f"group:{name}",
                actor=by,
                origin=origin,
                detail={"before": {}, "after": {word: [handle]}},
                on_behalf_of=handle,
            )
            for name in sorted(names)
        ]
    return events


def _told(person: User) -> dict[str, Any]:
    """Return what the audit keeps of a new person."""
    columns: dict[str, Any] = {name: getattr(person, name) for name in ("username", "name", "email")}
    columns["groups"] = group_names(person)
    return {name: value for name, value in columns.items() if value}
