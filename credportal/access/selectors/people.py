"""Reads of people and groups as their admins see them."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db.models import Count, Q, QuerySet

from credportal.access.models import Delegation, Eligibility, Role, User
from credportal.access.selectors.words import matching, people_matching
from credportal.domain.types import Duty

MOST_PEOPLE = 200
MOST_GROUPS = 200
MOST_MEMBERS = 100
"""A form has at most 1000 fields, and each listed member is one."""


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as the list shows it."""

    id: int
    name: str
    members: int
    duties: tuple[Duty, ...]


@dataclass(frozen=True, slots=True)
class GroupRights:
    """What a group gives its members beside its duties: rows, the roles whose requests it decides, and delegations.

    Each delegation has its ``role_count``.
    """

    rows: list[Eligibility]
    approves: list[Role]
    delegations: list[Delegation]


def people(query: str = "", *, is_active: bool | None = None) -> tuple[list[User], bool]:
    """Return people by user name with their groups, and whether there are more: two statements.

    ``query`` is words that must all occur in user name, name, e-mail or the name of a group.
    """
    found = User.objects.all() if is_active is None else User.objects.filter(is_active=is_active)
    found = people_matching(found, query)
    rows = list(found.order_by("username").prefetch_related("groups")[: MOST_PEOPLE + 1])
    return rows[:MOST_PEOPLE], len(rows) > MOST_PEOPLE


def person(handle: str) -> User | None:
    """Return one person by handle."""
    return User.objects.filter(handle=handle).first()


def person_signing_in(typed: str) -> User | None:
    """Return the one person whose user name this is, in whatever capitals, as the sign-in itself finds them."""
    if not typed.isprintable():  # PostgreSQL takes no NUL, and no user name has one.
        return None
    found = [user for user in User.objects.filter(username__iexact=typed) if user.username.lower() == typed.lower()]
    return found[0] if len(found) == 1 else None


def catalogue_admins() -> list[User]:
    """Return the active people who look after the catalogue, whom alarms go to."""
    admins = User.objects.filter(is_active=True, groups__duties__duty=Duty.CATALOGUE_ADMIN.value)
    return list(admins.distinct().order_by("handle")[:MOST_PEOPLE])


def people_named(usernames: Iterable[str]) -> dict[str, int]:
    """Return the ids of people by what was written: a user name, else a handle."""
    wanted = set(usernames)
    rows = User.objects.filter(Q(username__in=wanted) | Q(handle__in=wanted)).values_list("handle", "username", "pk")
    named = list(rows)
    by_handle = {handle: pk for handle, _, pk in named if handle in wanted}
    return by_handle | {username: pk for _, username, pk in named if username in wanted}


def group_choices() -> list[tuple[int, str]]:
    """Return every group's id and name, by name."""
    return list(Group.objects.order_by("name").values_list("pk", "name"))


def group_ids_of(user: User) -> list[int]:
    """Return the ids of a person's groups."""
    return list(user.groups.values_list("pk", flat=True))


def groups(query: str = "") -> tuple[list[GroupRow], bool]:
    """Return groups by name with their duties and how many are in them, and whether there are more: two statements."""
    found = matching(Group.objects.annotate(member_count=Count("user")), query, "name")
    rows = list(found.order_by("name").prefetch_related("duties")[: MOST_GROUPS + 1])
    return [_row(group) for group in rows[:MOST_GROUPS]], len(rows) > MOST_GROUPS


def group(group_id: int) -> Group | None:
    """Return one group."""
    return Group.objects.filter(pk=group_id).first()


def duties_of(found: Group) -> frozenset[Duty]:
    """Return what a group lets its members do in the portal itself."""
    return frozenset(Duty(row.duty) for row in found.duties.all())


def members(found: Group, query: str = "") -> tuple[list[User], int]:
    """Return the first members by user name that a query finds, and how many are in the group altogether."""
    inside = matching(found.user_set.all(), query, "username", "name")
    return list(inside.order_by("username")[:MOST_MEMBERS]), found.user_set.count()


def group_rights(found: Group) -> GroupRights:
    """Return the rows, the approvals and the delegations of one group, the first 200 of each: three statements."""
    rows = Eligibility.objects.filter(group=found).select_related("role__account")
    approves = Role.objects.filter(approvers=found).select_related("account").order_by("account__name", "arn")
    delegations: QuerySet[Delegation] = Delegation.objects.filter(group=found).annotate(role_count=Count("roles"))
    return GroupRights(
        rows=list(rows.order_by("role__account__name", "role__arn")[:MOST_GROUPS]),
        approves=list(approves[:MOST_GROUPS]),
        delegations=list(delegations.order_by("name")[:MOST_GROUPS]),
    )


def _row(found: Group) -> GroupRow:
    duties = tuple(sorted(Duty(row.duty) for row in found.duties.all()))
    return GroupRow(id=found.pk, name=found.name, members=getattr(found, "member_count", 0), duties=duties)
