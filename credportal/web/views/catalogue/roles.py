"""The roles of the catalogue."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone

from credportal.access import selectors as access
from credportal.access.models import Account, Role
from credportal.access.selectors.delegations import handings_of_role
from credportal.audit.selectors import history_of
from credportal.flows.catalogue_pages import add_role, change_role
from credportal.flows.identity import portal_identity
from credportal.web.forms.catalogue.roles import USUAL_PARTITION, RoleForm
from credportal.web.http import PortalRequest
from credportal.web.pages import show
from credportal.web.views.catalogue.saving import by, saying, sent, settle

LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class AccountRoles:
    """An account with its roles on this page."""

    account: Account
    roles: list[Role]


def role_list(request: PortalRequest) -> HttpResponse:
    """Show the roles by account; ``q`` searches."""
    query = request.GET.get("q", "")[:LONGEST_QUERY]
    listed = access.roles(query)
    context = {
        "groups": _by_account(listed.rows),
        "listed": listed,
        "query": query,
        "most": access.MOST_LISTED,
        "has_accounts": bool(listed.rows or query or access.accounts().rows),
    }
    return show(request, "catalogue/roles.html", context)


def role_new(request: PortalRequest) -> HttpResponse:
    """Add a role."""
    form = RoleForm(sent(request), initial={"arn": _beginning(request.GET.get("account", ""))})
    context = {"form": form, "has_accounts": form.is_bound or bool(access.accounts().rows)}
    return settle(
        request,
        form,
        lambda: add_role(by=by(request), values=form.values()),
        page=lambda status: show(request, "catalogue/role_new.html", context, status=status),
        leads_to=lambda saved: saying(reverse("catalogue_role", args=[saved.row.pk]), "added"),
    )


def role_page(request: PortalRequest, role_id: str) -> HttpResponse:
    """Show one role with its eligibilities, and change it."""
    role = access.role(role_id)
    if role is None:
        raise Http404
    form = RoleForm(sent(request), row=role)
    return settle(
        request,
        form,
        lambda: change_role(by=by(request), role_id=role.id, version=form.seen_version, values=form.values()),
        page=lambda status: _page(request, role, form, status),
        leads_to=lambda saved: saying(request.path, "changed" if saved.changed else "nothing"),
    )


def _page(request: PortalRequest, role: Role, form: RoleForm, status: int) -> HttpResponse:
    probe = getattr(role, "probe", None)
    context = {
        "role": role,
        "form": form,
        "probe": probe,
        "findings": probe.findings if probe else [],
        "listed": access.eligibilities_of_role(role.id),
        "handings": handings_of_role(role),
        "now": timezone.now(),
        "most": access.MOST_LISTED,
        "history": history_of(f"role:{role.id}"),
        "saved": request.GET.get("saved", ""),
    }
    return show(request, "catalogue/role.html", context, status=status)


def _by_account(roles: Iterable[Role]) -> list[AccountRoles]:
    """Group roles that stand in the order of their accounts; within an account by the name that people see."""
    return [
        AccountRoles(account, sorted(same, key=lambda role: role.name.casefold()))
        for account, same in groupby(roles, key=lambda role: role.account)
    ]


def _beginning(number: str) -> str:
    """Return how the ARN of a role of this account begins; empty where no account is named."""
    account = access.account(number) if number else None
    return f"arn:{portal_identity().partition or USUAL_PARTITION}:iam::{account.number}:role/" if account else ""
