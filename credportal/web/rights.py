"""Who may open what: one table for every route and method, and the middleware that keeps to it.

A right to open a page is not yet a right to what it shows: whose role, session or request it
is, the view and the rule book ask themselves. A route that stands not in the table is closed.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from credportal.access.models import User


class Who(Enum):
    """A kind of person, by the duties that their groups give them."""

    ANYBODY = auto()
    SIGNED_IN = auto()
    APPROVER = auto()
    REVIEWER = auto()
    SUPPORT = auto()
    CATALOGUE_ADMIN = auto()
    USER_ADMIN = auto()


_IS: dict[Who, Callable[[User], bool]] = {
    Who.ANYBODY: lambda _user: True,
    Who.SIGNED_IN: lambda user: user.is_authenticated,
    Who.APPROVER: lambda user: user.is_approver,
    Who.REVIEWER: lambda user: user.may_review,
    Who.SUPPORT: lambda user: user.is_support,
    Who.CATALOGUE_ADMIN: lambda user: user.is_catalogue_admin,
    Who.USER_ADMIN: lambda user: user.is_user_admin,
}

ANYBODY = (Who.ANYBODY,)
SIGNED_IN = (Who.SIGNED_IN,)
APPROVERS = (Who.APPROVER,)
REVIEWERS = (Who.REVIEWER,)
OVERSEERS = (Who.APPROVER, Who.REVIEWER)
SUPPORT = (Who.SUPPORT,)
SUPPORT_AND_REVIEWERS = (Who.SUPPORT, Who.REVIEWER)
SUPPORT_AND_ADMINS = (Who.SUPPORT, Who.CATALOGUE_ADMIN)
CATALOGUE_ADMINS = (Who.CATALOGUE_ADMIN,)
USER_ADMINS = (Who.USER_ADMIN,)

# By the route's name: which method is for whom. HEAD counts as GET.
RIGHTS: dict[str, dict[str, tuple[Who, ...]]] = {
    "roles": {"GET": SIGNED_IN},
    "role": {"GET": SIGNED_IN},
    "issue": {"POST": SIGNED_IN},
    "break_glass": {"POST": SIGNED_IN},
    "console": {"POST": SIGNED_IN},
    "favourite": {"POST": SIGNED_IN},
    "sessions": {"GET": SIGNED_IN},
    "session": {"GET": SIGNED_IN},
    "approvals": {"GET": SIGNED_IN},
    "approval": {"GET": SIGNED_IN},
    "approval_decide": {"POST": APPROVERS},
    "approval_withdraw": {"POST": SIGNED_IN},
    "approval_collect": {"POST": SIGNED_IN},
    "reviews": {"GET": OVERSEERS},
    "review_close": {"POST": OVERSEERS},
    "handouts": {"GET": SUPPORT_AND_REVIEWERS},
    "handout_new": {"GET": SUPPORT, "POST": SUPPORT},
    "handout_cancel_all": {"POST": SUPPORT_AND_ADMINS},
    "handout": {"GET": SUPPORT_AND_REVIEWERS},
    "handout_link": {"POST": SUPPORT},
    "handout_shorten": {"POST": SUPPORT},
    "handout_cancel": {"POST": SUPPORT_AND_ADMINS},
    "rota": {"GET": SUPPORT_AND_REVIEWERS},
    "rota_new": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "rota_page": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "audit": {"GET": REVIEWERS},
    "audit_export": {"GET": REVIEWERS},
    "audit_export_csv": {"GET": REVIEWERS},
    "audit_export_jsonl": {"GET": REVIEWERS},
    "audit_export_progress": {"GET": REVIEWERS},
    "audit_detail": {"GET": REVIEWERS},
    "audit_event": {"GET": REVIEWERS},
    "audit_find": {"GET": REVIEWERS, "POST": REVIEWERS},
    "audit_unresolved": {"GET": REVIEWERS},
    "audit_close": {"POST": CATALOGUE_ADMINS},
    "who": {"GET": REVIEWERS},
    "who_role": {"GET": REVIEWERS},
    "who_person": {"GET": REVIEWERS},
    "why": {"GET": REVIEWERS},
    "catalogue_roles": {"GET": CATALOGUE_ADMINS},
    "catalogue_role_new": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "catalogue_role": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "onboarding": {"GET": CATALOGUE_ADMINS},
    "probe": {"POST": CATALOGUE_ADMINS},
    "catalogue_accounts": {"GET": CATALOGUE_ADMINS},
    "catalogue_account_new": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "catalogue_account": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "eligibilities": {"GET": CATALOGUE_ADMINS},
    "eligibility_new": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "eligibility": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "eligibility_end": {"POST": CATALOGUE_ADMINS},
    "delegations": {"GET": CATALOGUE_ADMINS},
    "delegation_new": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "delegation": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "delegation_end": {"GET": CATALOGUE_ADMINS, "POST": CATALOGUE_ADMINS},
    "people": {"GET": USER_ADMINS},
    "person_new": {"GET": USER_ADMINS, "POST": USER_ADMINS},
    "person": {"GET": USER_ADMINS, "POST": USER_ADMINS},
    "person_password": {"POST": USER_ADMINS},
    "groups": {"GET": USER_ADMINS},
    "group_new": {"GET": USER_ADMINS, "POST": USER_ADMINS},
    "group": {"GET": USER_ADMINS, "POST": USER_ADMINS},
    "account": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_change_password": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_reauthenticate": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "account_logout": {"POST": SIGNED_IN},
    "account_login": {"GET": ANYBODY, "POST": ANYBODY},
    "account_inactive": {"GET": ANYBODY},
    "claim": {"GET": ANYBODY, "POST": ANYBODY},
    "claim_look": {"POST": ANYBODY},
    "claim_report": {"POST": ANYBODY},
    "healthz": {"GET": ANYBODY},
    "readyz": {"GET": ANYBODY},
}


def may(user: User, route: str, method: str) -> bool:
    """Tell whether this person may send this method to this route at all."""
    whos = RIGHTS.get(route, {}).get("GET" if method == "HEAD" else method, ())
    return any(_IS[who](user) for who in whos)


class RightsMiddleware:
    """Answers 405 to a method that the table does not list, and 403 to a person it does not name.

    LoginRequiredMiddleware stands before it, so whoever has to sign in first is sent there.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request through; ``process_view`` decides once the route is known."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse what the table does not allow. Raises PermissionDenied."""
        del view, args, kwargs
        route = (request.resolver_match and request.resolver_match.url_name) or ""
        methods = RIGHTS.get(route)
        if methods is None:
            raise PermissionDenied
        method = "GET" if request.method == "HEAD" else request.method or ""
        if method not in methods:
            return HttpResponseNotAllowed([*methods, *(["HEAD"] if "GET" in methods else [])])
        if methods[method] == ANYBODY:
            return None
        person: Any = request.user
        if not request.htmx:  # type: ignore[attr-defined]  # web/http.py declares it.
            # A whole page has a menu, which asks. It asks now: nothing may fail once credentials are issued.
            _ = person.duties
        if not may(person, route, method):
            raise PermissionDenied
        return None
