"""Reads of the catalogue, as the plain values the rule book takes."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet

from credportal.access.models import Account, Eligibility, Favourite, Role, User
from credportal.access.models.catalogue import presets_allowed
from credportal.domain.naming import role_name_from
from credportal.domain.types import Actor, EligibilityFacts, Environment, Facts, Needs, RoleFacts

CHAINED_SESSION_LIMIT = timedelta(hours=1)

# What every issuance reads. The ORM takes six times as long to build these two as to run them
# (docs/performance.md), so they stand here as they are; a test holds them to ``catalogue_of``.
ONE_ROLE = """
    SELECT role.*, account.name AS account_name, account.owner AS account_owner,
           account.environment AS account_environment, account.external_id AS account_external_id,
           account.enabled AS account_enabled, approvers.name AS approvers_name,
           EXISTS (SELECT 1 FROM access_review review
                   WHERE review.user_id = %s AND review.closed_at IS NULL) AS open_review
    FROM access_role role
    JOIN access_account account ON account.number = role.account_id
    LEFT JOIN auth_group approvers ON approvers.id = role.approvers_id
    WHERE role.id = %s
"""
ELIGIBILITIES_FOR_ROLE = """
    SELECT eligibility.*, holder.name AS group_name
    FROM access_eligibility eligibility LEFT JOIN auth_group holder ON holder.id = eligibility.group_id
    WHERE eligibility.role_id = %s
      AND (eligibility.user_id = %s
           OR eligibility.group_id IN (SELECT group_id FROM access_user_groups WHERE user_id = %s))
"""


ROW_COLUMNS = (
    "id", "group__name", "max_duration", "needs_reason", "needs_ticket", "needs_approval", "needs_step_up",
    "valid_from", "valid_until", "break_glass_duration",
)  # fmt: skip
ROLE_COLUMNS = (
    "id", "arn", "label", "description", "account_id", "account__name", "account__owner", "account__environment",
    "account__external_id", "max_session_duration", "default_region", "accepts_source_identity",
    "accepts_session_tags", "needs_reason", "needs_ticket", "needs_approval", "needs_step_up", "ticket_pattern",
    "allows_read_only", "allows_my_address", "allows_one_region", "approvers__name", "approvals_needed", "tags",
    "outsider_duration",
)  # fmt: skip


def actor_of(user: User) -> Actor:
    """Return the person as a value."""
    return Actor(id=user.pk, handle=user.handle, name=str(user), is_active=user.is_active)


def facts_for(user: User, role_id: str) -> Facts:
    """Gather what ``decide`` needs for one person and one role: two statements, whatever the catalogue's size."""
    role = next(iter(Role.objects.raw(ONE_ROLE, [user.pk, role_id])), None)
    if role is None:
        return _facts(user, None, [])
    beside = vars(role)
    role.account = Account(
        number=role.account_id,
        name=beside["account_name"],
        owner=beside["account_owner"],
        environment=beside["account_environment"],
        external_id=beside["account_external_id"],
        enabled=beside["account_enabled"],
    )
    role.approvers = Group(id=role.approvers_id, name=beside["approvers_name"]) if role.approvers_id else None
    rows = list(Eligibility.objects.raw(ELIGIBILITIES_FOR_ROLE, [role_id, user.pk, user.pk]))
    for row in rows:
        row.group = Group(id=row.group_id, name=vars(row)["group_name"]) if row.group_id else None
    return _facts(user, role, rows, open_review=bool(beside["open_review"]))


def catalogue_of(user: User) -> list[Facts]:
    """Gather the same for every enabled role that some row gives this person: one statement.

    An open review is not looked for: no list needs it. Hundreds of rows come as plain values: as
    objects of models they would take twice as long to make.
    """
    actor, ceiling = actor_of(user), chaining_ceiling()
    roles: dict[str, RoleFacts] = {}
    rows: dict[str, list[EligibilityFacts]] = {}
    found = _eligibilities_of(user).filter(role__enabled=True, role__account__enabled=True)
    for values in found.values_list(*ROW_COLUMNS, *(f"role__{column}" for column in ROLE_COLUMNS)):
        row, role = values[: len(ROW_COLUMNS)], values[len(ROW_COLUMNS) :]
        role_id = role[0]
        if role_id not in roles:
            roles[role_id] = _listed_role(*role)
        rows.setdefault(role_id, []).append(_listed_row(*row))
    return [Facts(actor, role, tuple(rows[role_id]), ceiling) for role_id, role in roles.items()]


def favourite_ids(user: User) -> set[str]:
    """Return the ids of the roles this person starred."""
    return set(Favourite.objects.filter(user=user).values_list("role_id", flat=True))


def group_names(user: User) -> list[str]:
    """Return the names of this person's groups, sorted."""
    return list(user.groups.order_by("name").values_list("name", flat=True))


def chaining_ceiling() -> timedelta | None:
    """Return AWS's limit on chained sessions where the portal's own identity is a role session, else None."""
    return CHAINED_SESSION_LIMIT if settings.IDENTITY_CHAINS else None


def _eligibilities_of(user: User) -> QuerySet[Eligibility]:
    """Return the rows that name this person or a group of theirs."""
    groups = Group.objects.filter(user=user).order_by().values("id")
    return Eligibility.objects.select_related("group").filter(Q(user=user) | Q(group__in=groups))


def _facts(user: User, role: Role | None, rows: Iterable[Eligibility], *, open_review: bool = False) -> Facts:
    return Facts(
        actor=actor_of(user),
        role=role_facts(role) if role else None,
        eligibilities=tuple(eligibility_facts(row) for row in rows),
        chaining_ceiling=chaining_ceiling(),
        open_review=open_review,
    )


def _listed_row(row_id: int, group: str | None, max_duration: timedelta, *rest: Any) -> EligibilityFacts:
    """Return one row as a value, from ``ROW_COLUMNS``."""
    *needs, valid_from, valid_until, break_glass_duration = rest
    return EligibilityFacts(
        row_id, group or "", max_duration, Needs(*needs), valid_from, valid_until, break_glass_duration
    )


def _listed_role(role_id: str, arn: str, label: str, description: str, *rest: Any) -> RoleFacts:
    """Return one enabled role as a value, from ``ROLE_COLUMNS``."""
    number, account, owner, environment, external_id, maximum, region, identity, tags, *more = rest
    reason, ticket, approval, step_up, pattern, read_only, address, one_region, approvers, count, words, outsiders = (
        more
    )
    return RoleFacts(
        id=role_id,
        arn=arn,
        name=label or role_name_from(arn),
        description=description,
        account_number=number,
        account_name=account,
        account_owner=owner,
        environment=Environment(environment),
        enabled=True,
        max_session_duration=maximum,
        default_region=region,
        external_id=external_id,
        accepts_source_identity=identity,
        accepts_session_tags=tags,
        needs=Needs(reason, ticket, approval, step_up),
        ticket_pattern=pattern,
        narrowings=presets_allowed(read_only=read_only, my_address=address, one_region=one_region),
        approvers=approvers or "",
        approvals_needed=count,
        tags=tuple(words.split()),
        outsider_duration=outsiders,
    )


def role_facts(role: Role) -> RoleFacts:
    """Return the role with its account as a value."""
    account = role.account
    return RoleFacts(
        id=role.id,
        arn=role.arn,
        name=role.name,
        description=role.description,
        account_number=account.number,
        account_name=account.name,
        account_owner=account.owner,
        environment=Environment(account.environment),
        enabled=role.enabled and account.enabled,
        max_session_duration=role.max_session_duration,
        default_region=role.default_region,
        external_id=account.external_id,
        accepts_source_identity=role.accepts_source_identity,
        accepts_session_tags=role.accepts_session_tags,
        needs=role.needs,
        ticket_pattern=role.ticket_pattern,
        narrowings=role.narrowings,
        approvers=role.approvers.name if role.approvers else "",
        approvals_needed=role.approvals_needed,
        tags=tuple(role.tags.split()),
        outsider_duration=role.outsider_duration,
    )


def eligibility_facts(row: Eligibility) -> EligibilityFacts:
    """Return one row as a value."""
    return EligibilityFacts(
        id=row.pk,
        group=row.group.name if row.group else "",
        max_duration=row.max_duration,
        needs=row.needs,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        break_glass_duration=row.break_glass_duration,
    )
