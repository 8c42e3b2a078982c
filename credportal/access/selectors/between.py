"""Reads for whoever asks who has access: the facts between many people and many roles, in few statements."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from credportal.access.models import Account, Eligibility, Role, User
from credportal.access.selectors.facts import actor_of, chaining_ceiling, eligibility_facts, role_facts
from credportal.access.selectors.words import matching, people_matching
from credportal.domain.types import EligibilityFacts, Facts

MOST_PEOPLE_OF_A_ROLE = 200
MOST_ROLES_OF_A_PERSON = 200

Pair = tuple[int, str]
"""A person's id and a role's id."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One row of a role, and the first people whom it names, by itself or through its group."""

    row: Eligibility
    people: tuple[User, ...]
    is_cut: bool = False


def facts_between(people: Collection[User], roles: Collection[Role]) -> dict[Pair, Facts]:
    """Gather what ``decide`` needs for every pair: two statements, however many pairs.

    The roles come with account and approvers. Nothing is known of sign-ins, approvals and reviews.
    """
    groups_of = _groups_of(people)
    values = {role.id: role_facts(role) for role in roles}
    by_group: dict[tuple[str, int], list[EligibilityFacts]] = {}
    by_person: dict[tuple[str, int], list[EligibilityFacts]] = {}
    rows = Eligibility.objects.select_related("group").filter(role__in=list(values))
    for row in rows.filter(Q(group__isnull=False) | Q(user__in=people)).order_by("pk"):
        target, holder = (by_group, row.group_id) if row.group_id else (by_person, row.user_id)
        target.setdefault((row.role_id, holder or 0), []).append(eligibility_facts(row))
    ceiling = chaining_ceiling()
    found: dict[Pair, Facts] = {}
    for person in people:
        actor = actor_of(person)
        for role_id, role in values.items():
            mine = list(by_person.get((role_id, person.pk), ()))
            for group_id in groups_of.get(person.pk, ()):
                mine += by_group.get((role_id, group_id), ())
            found[person.pk, role_id] = Facts(actor, role, tuple(mine), ceiling)
    return found


def holdings_of(role: Role) -> list[Holding]:
    """Return the rows of a role with their people, people who are switched off last: three statements."""
    rows = Eligibility.objects.select_related("group", "user").filter(role=role).order_by("group__name", "pk")
    listed = list(rows[:MOST_PEOPLE_OF_A_ROLE])
    members: dict[int, list[User]] = {}
    wanted = {row.group_id for row in listed if row.group_id}
    inside = User.groups.through.objects.filter(group__in=wanted).order_by("-user__is_active", "user__username")
    pairs = list(inside.values_list("group_id", "user_id")[: 10 * MOST_PEOPLE_OF_A_ROLE])
    people = User.objects.in_bulk({user_id for _, user_id in pairs})
    for group_id, user_id in pairs:
        members.setdefault(group_id, []).append(people[user_id])
    return [_holding(row, members) for row in listed]


def roles_of(person: User) -> list[Role]:
    """Return every role that some row names for a person, also switched off or ended, by account and ARN."""
    groups = Group.objects.filter(user=person).order_by().values("id")
    named = Eligibility.objects.filter(Q(user=person) | Q(group__in=groups)).order_by().values("role")
    return list(_whole_roles().filter(id__in=named)[:MOST_ROLES_OF_A_PERSON])


def some_roles(query: str, account: str, *, most: int) -> list[Role]:
    """Return the first roles by account and ARN that match every word, of one account where it is given."""
    found = _whole_roles()
    if account:
        found = found.filter(account=account)
    return list(matching(found, query, "arn", "label", "tags", "account__name")[:most])


def some_people(query: str, *, most: int) -> list[User]:
    """Return the first active people by user name that match every word, also by the name of a group."""
    active = User.objects.filter(is_active=True).order_by("username")
    return list(people_matching(active, query)[:most])


def account_choices() -> list[tuple[str, str]]:
    """Return every account's number and name, by name."""
    return list(Account.objects.order_by("name").values_list("number", "name"))


def role_named(text: str) -> Role | None:
    """Return the role of this id or ARN, or the only one of this label or name."""
    exact = _whole_roles().filter(Q(id=text) | Q(arn=text)).first()
    if exact is not None or not text:
        return exact
    found = list(_whole_roles().filter(Q(label__iexact=text) | Q(arn__iendswith=f"/{text}"))[:2])
    return found[0] if len(found) == 1 else None


def _whole_roles() -> QuerySet[Role]:
    return Role.objects.select_related("account", "approvers").order_by("account__name", "arn")


def _groups_of(people: Iterable[User]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    through = User.groups.through.objects.filter(user__in=people)
    for user_id, group_id in through.values_list("user_id", "group_id"):
        found.setdefault(user_id, []).append(group_id)
    return found


def _holding(row: Eligibility, members: dict[int, list[User]]) -> Holding:
    if row.user is not None:
        return Holding(row, (row.user,))
    people = members.get(row.group_id or 0, [])
    return Holding(row, tuple(people[:MOST_PEOPLE_OF_A_ROLE]), is_cut=len(people) > MOST_PEOPLE_OF_A_ROLE)
