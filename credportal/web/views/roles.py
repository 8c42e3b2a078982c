"""Roles, the request form, and the one POST that mints."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from credportal.access import selectors as access
from credportal.audit import selectors as audit
from credportal.domain.types import Facts, IssuanceRequest
from credportal.flows.console import ConsoleFailed, ConsoleOpened, is_offered, open_console
from credportal.flows.issue import Answer, issue
from credportal.flows.preferences import star_role
from credportal.web import asking, letters, listing, offers, rows
from credportal.web.answers import render_answer, render_letter
from credportal.web.forms.issue import IssueForm
from credportal.web.http import PortalRequest, client_address, origin_of, signed_in_at_of
from credportal.web.pages import UNPROCESSABLE, show

Flow = Callable[..., Answer | ConsoleOpened | ConsoleFailed]


def role_list(request: PortalRequest) -> HttpResponse:
    """Show my roles, with live sessions, favourites and recent ones first."""
    now, favourites = timezone.now(), access.favourite_ids(request.user)
    mine = asking.my_catalogue(request, now)
    query = request.GET.get("q", "")[:100]
    found = listing.matching(mine, query)
    is_long = len(found) > listing.FOLD_OVER and not request.GET.get("all")
    most = listing.MOST_SHOWN if is_long else len(found)
    accounts, folded = listing.by_account(found, now=now, favourites=favourites, most=most)
    context = {
        "accounts": accounts,
        "folded": folded,
        "role_count": len(mine),
        "account_count": len({facts.role.account_number for facts in mine if facts.role}),
        "found_count": len(found),
        "query": query,
        **({} if query else _my_own(request, mine, favourites, now)),
    }
    return show(request, "roles/list.html", context)


def role_request(request: PortalRequest, role_id: str) -> HttpResponse:
    """Show the request form of one of my roles."""
    role = _my_role(request, role_id)
    typed, chosen = asking.typed_before(request)
    if chosen is None and (last := audit.last_issued_of(request.user.handle, role_id)):
        chosen = last.duration_asked
    return asking.render_form(request, role, IssueForm(initial=typed), chosen=chosen)


def role_issue(request: PortalRequest, role_id: str) -> HttpResponse:
    """Issue credentials for one of my roles, or say why not."""
    return _ask(request, role_id, issue)


def role_break_glass(request: PortalRequest, role_id: str) -> HttpResponse:
    """Issue credentials without approval, loudly, or say why not."""
    return _ask(request, role_id, issue, break_glass=True)


def role_console(request: PortalRequest, role_id: str) -> HttpResponse:
    """Open the AWS console with one of my roles, or say why not."""
    if not is_offered():
        raise Http404
    issuer = request.build_absolute_uri(reverse("role", args=[role_id]))
    return _ask(request, role_id, partial(open_console, issuer=issuer))


def role_favourite(request: PortalRequest, role_id: str) -> HttpResponse:
    """Star or unstar one of my roles, then show where the person was."""
    if not star_role(user=request.user, role_id=role_id, starred=request.POST.get("starred") == "1"):
        raise Http404
    if request.htmx:
        return render(request, "roles/_star.html", {"role": _my_role(request, role_id)})
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else "roles")


def _ask(request: PortalRequest, role_id: str, flow: Flow, *, break_glass: bool = False) -> HttpResponse:
    """Parse the form, make the one flow call, render its answer."""
    role_id = role_id[:64]  # No id is that long, and the audit keeps what was asked in a column of this size.
    form = IssueForm(request.POST, address=client_address(request))
    asked = form.issuance_request(role_id) if form.is_valid() else None
    if asked is None and (role := asking.my_role(request, role_id)) is not None:
        return asking.render_form(request, role, form, broken=break_glass, status=UNPROCESSABLE)
    # A form with mistakes for a role that is not theirs is refused and recorded like any other.
    asked = asked or IssuanceRequest(role_id=role_id, duration=timedelta(0), submission=offers.new_submission())
    asked = replace(asked, break_glass=break_glass)
    answer = flow(
        user=request.user,
        asked=asked,
        origin=origin_of(request),
        now=timezone.now(),
        signed_in_at=signed_in_at_of(request),
    )
    if isinstance(answer, ConsoleOpened | ConsoleFailed):
        return _render_console(request, answer, asked)
    return render_answer(request, answer, asked, form)


def _my_own(request: PortalRequest, mine: list[Facts], favourites: set[str], now: datetime) -> dict[str, object]:
    """Return what stands above all roles: live sessions, favourites, recent ones. A search shows none of it."""
    handle = request.user.handle
    recent = audit.recent_of(handle)
    quick = favourites | {issuance.role_id for issuance in recent}
    likely = [facts for facts in mine if facts.role and facts.role.id in quick]
    starred, recents = rows.quick_rows(rows.role_rows(likely, now=now, favourites=favourites), recent)
    renewable = {facts.role.id for facts in mine if facts.role}
    live = rows.live_rows(audit.live_of(handle, now=now), now=now, renewable=renewable)
    return {"live": live, "favourites": starred, "recents": recents, "first_visit": not recent}


def _my_role(request: PortalRequest, role_id: str) -> rows.RoleRow:
    """Return a role that the person can have now. Raises Http404 where there is none."""
    role = asking.my_role(request, role_id)
    if role is None:
        raise Http404
    return role


def _render_console(
    request: PortalRequest, answer: ConsoleOpened | ConsoleFailed, asked: IssuanceRequest
) -> HttpResponse:
    if isinstance(answer, ConsoleOpened):
        return redirect(answer.address)
    return render_letter(request, letters.console_failure(answer, asked, now=timezone.now()), 502)
