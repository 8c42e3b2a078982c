"""Reads of the catalogue as its admins see it: everything, also what is switched off or has ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic

from django.contrib.auth.models import Group
from django.db.models import Count, F, Min, QuerySet

from credportal.access.models import Account, Eligibility, Role, User
from credportal.access.selectors.facts import chaining_ceiling, eligibility_facts, role_facts
from credportal.access.selectors.words import Row, matching
from credportal.domain.policy import Maximum, effective_maximum

MOST_LISTED = 200
# Where it stands not here, PostgreSQL puts NULL last and SQLite first.
GROUPS_THEN_PEOPLE = (F("group__name").asc(nulls_last=True), F("user__username"))


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """The first rows of a list. ``is_cut`` says that there are more than these."""

    rows: list[Row]
    is_cut: bool = False


def accounts(query: str = "") -> Listed[Account]:
    """Return accounts by name, each with its ``role_count`` and with ``an_arn``, one of its roles' ARNs or None."""
    found = matching(Account.objects.all(), query, "number", "name", "environment", "owner")
    return _first(found.annotate(role_count=Count("roles"), an_arn=Min("roles__arn")).order_by("name"))


def account(number: str) -> Account | None:
    """Return one account with its roles' count and an ARN, as ``accounts`` does."""
    found = Account.objects.filter(number=number)
    return found.annotate(role_count=Count("roles"), an_arn=Min("roles__arn")).first()


def roles(query: str = "") -> Listed[Role]:
    """Return roles by account and ARN, with their account and what the doctor found: one statement."""
    columns = ("arn", "label", "description", "tags", "account__name", "account__environment", "account__owner")
    found = matching(Role.objects.select_related("account", "probe"), query, *columns)
    return _first(found.order_by("account__name", "arn"))


def role(role_id: str) -> Role | None:
    """Return one role with its account, its approvers and what the doctor found."""
    return Role.objects.select_related("account", "approvers", "probe").filter(id=role_id).first()


def eligibilities(query: str = "", *, ended_before: datetime | None = None) -> Listed[Eligibility]:
    """Return rows by role and holder. With ``ended_before`` those are left out that had ended by then."""
    columns = ("role__arn", "role__label", "role__account__name", "group__name", "user__username", "user__name", "note")
    found = matching(_whole_rows(), query, *columns)
    if ended_before is not None:
        found = found.exclude(valid_until__lte=ended_before)
    return _first(found.order_by("role__account__name", "role__arn", *GROUPS_THEN_PEOPLE))


def eligibilities_of_role(role_id: str) -> Listed[Eligibility]:
    """Return the rows of one role: groups first, then people, also what has ended."""
    return _first(_whole_rows().filter(role=role_id).order_by(*GROUPS_THEN_PEOPLE))


def eligibility(eligibility_id: int) -> Eligibility | None:
    """Return one row with its role, its account and its holder."""
    return _whole_rows().filter(pk=eligibility_id).first()


def needs_approvers(role_id: str) -> bool:
    """Tell whether some row of this role needs approval, whatever the role itself needs."""
    return Eligibility.objects.filter(role=role_id, needs_approval=True).exists()


def maximum_of(row: Eligibility) -> Maximum:
    """Return the longest duration that a row of ``eligibility`` gives, and which limit sets it."""
    return effective_maximum(eligibility_facts(row), role_facts(row.role), chaining_ceiling())


def groups() -> list[Group]:
    """Return all groups by name."""
    return list(Group.objects.order_by("name"))


def group_named(text: str) -> Group | None:
    """Return the group of this name or, written in digits, of this number."""
    found = Group.objects.filter(name=text).first()
    is_number = text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 -- what a column can hold.
    return found or (Group.objects.filter(pk=int(text)).first() if is_number else None)


def person_named(text: str) -> User | None:
    """Return the person of this user name or handle."""
    return User.objects.filter(username=text).first() or User.objects.filter(handle=text).first()


def _whole_rows() -> QuerySet[Eligibility]:
    return Eligibility.objects.select_related("role__account", "role__approvers", "group", "user")


def _first(rows: QuerySet[Row]) -> Listed[Row]:
    """Read at most ``MOST_LISTED`` rows, and whether there are more."""
    found = list(rows[: MOST_LISTED + 1])
    return Listed(found[:MOST_LISTED], is_cut=len(found) > MOST_LISTED)
