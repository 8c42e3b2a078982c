"""Writes of people.

They stand inside the transaction of their audit event, which the flow opens.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import F, Q

from credportal.access.models import GroupDuty, User
from credportal.domain.types import Duty

ADMINS = "admins"
ADMIN_DUTIES = (Duty.CATALOGUE_ADMIN, Duty.USER_ADMIN)

# Without vowels, so that it spells nothing, and without what looks alike when somebody reads it aloud.
PASSWORD_LETTERS = "bcdfghjkmnpqrstvwxz23456789"  # noqa: S105 -- not a password.
PASSWORD_PARTS, PASSWORD_PART_LENGTH = 5, 4

SAME_IN_OTHER_CAPITALS = "There is a person with this name in other capitals. Choose another."
TAKEN = "There is a person with this user name already. Choose another."


class Stale(Exception):  # noqa: N818 -- the name says what happened.
    """Somebody else changed the person or the group since it was read."""


class LockedOut(Exception):  # noqa: N818 -- as above.
    """After this nobody could look after people and groups any more."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a write did: the changed columns before and after, for the audit."""

    before: dict[str, Any]
    after: dict[str, Any]

    def __bool__(self) -> bool:
        """Tell whether anything changed at all."""
        return bool(self.before or self.after)


def new_password() -> str:
    """Make a password to hand over: about 95 random bits, in parts that a person can type."""
    letters = (secrets.choice(PASSWORD_LETTERS) for _ in range(PASSWORD_PARTS * PASSWORD_PART_LENGTH))
    parts = zip(*[letters] * PASSWORD_PART_LENGTH, strict=True)
    return "-".join("".join(part) for part in parts)


def make_admin(*, username: str, name: str, email: str, password: str) -> User:
    """Make a person in the group of admins, with that group's duties.

    Raises ValidationError with sentences for whoever types.
    """
    # Neither a lone surrogate (a byte that is no UTF-8) nor a line break gets as far as the database.
    texts = {"username": username, "name": name, "email": email, "password": password}
    unprintable = [key for key, text in texts.items() if not text.isprintable()]
    if unprintable:
        raise ValidationError(dict.fromkeys(unprintable, "Take line breaks and control characters out."))
    person = User(username=username, name=name, email=email)
    person.set_password(password)
    problems: dict[str, list[str]] = {}
    try:
        person.full_clean(exclude=["handle"])  # The handle is made when the person is saved.
    except ValidationError as error:
        problems = error.message_dict
    if "username" not in problems and has_namesake(username):
        problems["username"] = [SAME_IN_OTHER_CAPITALS]
    try:
        validate_password(password, person)
    except ValidationError as error:
        problems["password"] = error.messages
    if problems:
        raise ValidationError(problems)
    person.save()
    admins, _ = Group.objects.get_or_create(name=ADMINS)
    for duty in ADMIN_DUTIES:
        GroupDuty.objects.get_or_create(group=admins, duty=duty.value)
    person.groups.add(admins)
    return person


def has_namesake(username: str) -> bool:
    """Tell whether somebody has this user name, in whatever capitals. SQLite by itself knows those of ASCII only."""
    spellings = {username.lower(), username.upper(), username.casefold()}
    return User.objects.filter(Q(username__iexact=username) | Q(username__in=spellings)).exists()


def make_person(*, username: str, name: str, email: str, password_hash: str, groups: frozenset[int]) -> User:
    """Make a person with these groups (ids). Raises ValidationError where the user name is taken."""
    one_at_a_time()
    if User.objects.filter(username=username).exists():
        raise ValidationError({"username": TAKEN})
    if has_namesake(username):
        raise ValidationError({"username": SAME_IN_OTHER_CAPITALS})
    person = User(username=username, name=name, email=email, password=password_hash)
    person.save(force_insert=True)
    person.groups.set(Group.objects.filter(pk__in=groups))
    return person


def change_person(
    person: User, *, version: int, name: str, email: str, is_active: bool, groups: frozenset[int]
) -> Change:
    """Give a person these values and groups (ids); where nothing differs, nothing is written.

    ``version`` is the one that was seen. Raises Stale, and LockedOut.
    """
    one_at_a_time()
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.version != version:
        raise Stale
    now = {"name": person.name, "email": person.email, "is_active": person.is_active}
    wanted = {"name": name, "email": email, "is_active": is_active}
    before = {column: now[column] for column in now if now[column] != wanted[column]}
    after = {column: wanted[column] for column in before}
    groups_now = set(person.groups.values_list("pk", flat=True))
    if groups_now != groups:
        before["groups"] = _names_of(groups_now)
        person.groups.set(Group.objects.filter(pk__in=groups))
        after["groups"] = _names_of(groups)
    if before:
        User.objects.filter(pk=person.pk).update(**wanted, version=F("version") + 1)
        refuse_lock_out()
    return Change(before, after)


def set_password(person: User, password_hash: str) -> None:
    """Store the hash of a new password. Whoever is signed in with the old one is signed out by that."""
    User.objects.filter(pk=person.pk).update(password=password_hash, version=F("version") + 1)


def one_at_a_time() -> None:
    """Queue behind whoever is changing people or groups, so that two who remove each other cannot both succeed.

    Everybody who may change these has the duty, so there is a row to hold on to. SQLite has one writer anyhow.
    """
    list(GroupDuty.objects.select_for_update().filter(duty=Duty.USER_ADMIN.value).order_by("pk"))


def has_user_admin() -> bool:
    """Tell whether some active person looks after people and groups."""
    return User.objects.filter(is_active=True, groups__duties__duty=Duty.USER_ADMIN.value).exists()


def refuse_lock_out() -> None:
    """Raise LockedOut where no active person is left who looks after people and groups."""
    if not has_user_admin():
        raise LockedOut


def _names_of(groups: set[int] | frozenset[int]) -> list[str]:
    return list(Group.objects.filter(pk__in=groups).order_by("name").values_list("name", flat=True))
