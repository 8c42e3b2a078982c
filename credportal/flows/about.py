"""What an event says about the rows of the catalogue, as they are at that moment."""

from dataclasses import replace
from typing import Any

from credportal.access.catalogue_changes import CatalogueRow
from credportal.access.models import Account, Approval, Delegation, Handout, Role
from credportal.audit import record
from credportal.audit.record import About
from credportal.domain.types import RoleFacts, Source


def about_account(account: Account) -> About:
    """Return what an event says about an account."""
    return About(account_number=account.number, account_name=account.name, environment=account.environment)


def about_role(role: Role, **more: Any) -> About:
    """Return what an event says about a role and its account; ``more`` are further fields of ``About``."""
    return replace(about_account(role.account), role_arn=role.arn, role_name=role.name, **more)


def about_row(row: CatalogueRow) -> About:
    """Return what an event says about a row of the catalogue: an eligibility is about its role.

    A delegation is about no single one: its event names its roles itself.
    """
    if isinstance(row, Delegation):
        return About()
    if isinstance(row, Account):
        return about_account(row)
    return about_role(row if isinstance(row, Role) else row.role)


def about_approval(approval: Approval, role: RoleFacts | None = None, **more: Any) -> About:
    """Return what an event says about a request for approval: what was asked, and for how long it is approved.

    ``role`` is there where it has been read already; ``more`` are further fields of ``About``.
    """
    said: dict[str, Any] = {
        "duration_asked": approval.duration_asked,
        "duration_given": approval.max_duration,
        "reason": approval.reason,
        "ticket": approval.ticket,
        "source": Source.APPROVAL.value,
    }
    said |= more
    return record.about_role(role, **said) if role else about_role(approval.role, **said)


def about_handout(handout: Handout, **more: Any) -> About:
    """Return what an event says about a hand-out; ``more`` are further fields of ``About``."""
    said: dict[str, Any] = {
        "duration_asked": handout.duration,
        "reason": handout.reason,
        "ticket": handout.ticket,
        "source": Source.HANDOUT.value,
    }
    return about_role(handout.role, **(said | more))
