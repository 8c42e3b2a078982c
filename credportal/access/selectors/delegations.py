"""Reads of delegations as the catalogue's admins and reviewers see them. Every list is bounded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from credportal.access.models import Delegation, GroupDuty, Handout, Role, User
from credportal.access.selectors.facts import chaining_ceiling, role_facts
from credportal.access.selectors.handouts import delegation_facts
from credportal.access.selectors.listed import GROUPS_THEN_PEOPLE, MOST_LISTED, Listed
from credportal.access.selectors.words import MOST_WORDS, matching
from credportal.domain.delegation import longest_for, longest_for_outsiders
from credportal.domain.handouts import HandoutState
from credportal.domain.types import Duty

MOST_OFFERED = 1000
"""How many roles the form of a delegation offers."""

Link = Delegation.roles.through


@dataclass(frozen=True, slots=True)
class Handing:
    """What one delegation allows of one role: for colleagues, and for outsiders, None where it is not for them.

    ``is_support`` says that the holder is the duty support's: a group that gives it, a person who has it.
    """

    delegation: Delegation
    role: Role
    longest: timedelta
    outsiders: timedelta | None
    is_support: bool

    @property
    def never(self) -> bool:
        """Tell whether the role is never handed out, whatever the row says: it needs approval, or is switched off."""
        return self.role.needs_approval or not (self.role.enabled and self.role.account.enabled)


def delegations(query: str = "", *, now: datetime) -> Listed[Delegation]:
    """Return delegations by name: one statement. ``now`` is aware UTC.

    Each has its ``role_count``, of them ``production_count``, and ``open_count``, what nobody has claimed yet of it.
    A query looks at names, holders and recipients, and at the names, ARNs and accounts of the roles.
    """
    rows: QuerySet[Delegation] = _whole_rows().annotate(
        role_count=_count(Link.objects.filter(delegation=OuterRef("pk"))),
        production_count=_count(
            Link.objects.filter(delegation=OuterRef("pk"), role__account__environment="production")
        ),
        open_count=_count(_open(now).filter(delegation=OuterRef("pk"))),
    )
    for word in query.split()[:MOST_WORDS]:
        roles = matching(Role.objects.all(), word, "arn", "label", "account__name").order_by().values("pk")
        inside = Link.objects.filter(role__in=roles).values("delegation")
        mine = matching(
            Delegation.objects.all(), word, "name", "group__name", "user__username", "user__name", "recipients__name"
        )
        rows = rows.filter(Q(pk__in=mine.order_by().values("pk")) | Q(pk__in=inside))
    found = list(rows.order_by("name")[: MOST_LISTED + 1])
    return Listed(found[:MOST_LISTED], is_cut=len(found) > MOST_LISTED)


def delegation(delegation_id: int) -> Delegation | None:
    """Return one delegation with its holder and recipients."""
    return _whole_rows().filter(pk=delegation_id).first()


def roles_of_delegation(found: Delegation) -> list[Role]:
    """Return all roles of a delegation by account and ARN: one statement."""
    return list(found.roles.select_related("account").order_by("account__name", "arn"))


def roles_to_delegate() -> list[Role]:
    """Return the roles that a form offers by account and ARN, the first 1000: one statement."""
    return list(Role.objects.select_related("account").order_by("account__name", "arn")[:MOST_OFFERED])


def roles_by_id(role_ids: Iterable[str]) -> list[Role]:
    """Return roles with their accounts, by account and ARN."""
    ids = {role_id for role_id in role_ids if role_id.isprintable()}  # PostgreSQL takes no NUL, and no id has one.
    return list(Role.objects.select_related("account").filter(id__in=ids).order_by("account__name", "arn"))


def open_handouts(found: Delegation, *, now: datetime) -> int:
    """Count what was handed out by a delegation and nobody has claimed yet. ``now`` is aware UTC."""
    return _open(now).filter(delegation=found).count()


def has_support(holder: Group | User) -> bool:
    """Tell whether a group gives the duty support, or a person has it."""
    if isinstance(holder, User):
        return holder.is_support
    return GroupDuty.objects.filter(group=holder, duty=Duty.SUPPORT.value).exists()


def handings_of_role(role: Role) -> list[Handing]:
    """Return who may hand out a role and for how long, groups first, the first 200: two statements."""
    rows = _whole_rows().filter(roles=role).order_by(*GROUPS_THEN_PEOPLE, "name")
    return _handings([(row, role) for row in rows[:MOST_LISTED]])


def handings_of_person(person: User) -> list[Handing]:
    """Return what a person may hand out by which delegation, by account and ARN, the first 200: three statements.

    It says what the rows say, also where the person has not the duty support.
    """
    groups = Group.objects.filter(user=person).order_by().values("id")
    rows = {row.pk: row for row in _whole_rows().filter(Q(user=person) | Q(group__in=groups))}
    links = Link.objects.filter(delegation__in=rows).select_related("role__account", "role__approvers")
    ordered = links.order_by("role__account__name", "role__arn", "delegation__name")
    return _handings([(rows[link.delegation_id], link.role) for link in ordered[:MOST_LISTED]])


def handings_between(person: User, role: Role) -> list[Handing]:
    """Return the delegations by which one person may hand out one role."""
    groups = Group.objects.filter(user=person).order_by().values("id")
    rows = _whole_rows().filter(Q(user=person) | Q(group__in=groups), roles=role)
    return _handings([(row, role) for row in rows.order_by("name")[:MOST_LISTED]])


def _handings(pairs: list[tuple[Delegation, Role]]) -> list[Handing]:
    """Say what each pair allows, by the same arithmetic as the rule book."""
    groups = {row.group_id for row, _ in pairs if row.group_id}
    people = {row.user_id for row, _ in pairs if row.user_id}
    duties = GroupDuty.objects.filter(duty=Duty.SUPPORT.value)
    of_groups = set(duties.filter(group__in=groups).values_list("group_id", flat=True)) if groups else set()
    inside = User.groups.through.objects.filter(user__in=people, group__in=duties.values("group"))
    of_people = set(inside.values_list("user_id", flat=True)) if people else set()
    have = {row.pk for row, _ in pairs if row.group_id in of_groups or row.user_id in of_people}
    return [_handing(row, role, is_support=row.pk in have) for row, role in pairs]


def _handing(row: Delegation, role: Role, *, is_support: bool) -> Handing:
    facts, ceiling = role_facts(role), chaining_ceiling()
    limits = delegation_facts(row)
    outsiders = longest_for_outsiders(limits, facts, ceiling)
    return Handing(
        row, role, longest_for(limits, facts, ceiling).duration, outsiders.duration if outsiders else None, is_support
    )


def _open(now: datetime) -> QuerySet[Handout]:
    return Handout.objects.filter(state=HandoutState.OPEN, expires_at__gt=now)


def _count(rows: QuerySet[Any]) -> Coalesce:
    """Count rows that belong to the outer one. Counts in one join would multiply each other."""
    counted = rows.order_by().values("delegation").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


def _whole_rows() -> QuerySet[Delegation]:
    return Delegation.objects.select_related("group", "user", "recipients", "rota")
