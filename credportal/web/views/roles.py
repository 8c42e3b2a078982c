"""Roles, the request form, and the one POST that mints."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from credportal.access import selectors as access
from credportal.audit import selectors as audit
from credportal.domain.types import DenialReason, IssuanceRequest
from credportal.flows.console import ConsoleFailed, ConsoleOpened, is_offered, open_console
from credportal.flows.issue import AlreadySubmitted, Answer, AuditUnavailable, Failed, Issued, Refused, issue
from credportal.flows.preferences import star_role
from credportal.flows.regions import regions_for
from credportal.web import issued, letters, offers, rows
from credportal.web.forms.issue import CUSTOM, IssueForm
from credportal.web.http import PortalRequest, client_address, is_internal, origin_of, signed_in_at_of

UNPROCESSABLE = 422

Flow = Callable[..., Answer | ConsoleOpened | ConsoleFailed]


def role_list(request: PortalRequest) -> HttpResponse:
    """Show my roles, with live sessions, favourites and recent ones first."""
    user, now = request.user, timezone.now()
    favourites = access.favourite_ids(user)
    mine = rows.role_rows(access.catalogue_of(user), now=now, favourites=favourites)
    recent = audit.recent_of(user.handle)
    query = request.GET.get("q", "")[:100]
    found = rows.matching(mine, query)
    starred, recents = rows.quick_rows(mine, recent)
    context = {
        "live": rows.live_rows(audit.live_of(user.handle, now=now), now=now, renewable={row.id for row in mine}),
        "favourites": starred,
        "recents": recents,
        "accounts": rows.by_account(found),
        "role_count": len(mine),
        "account_count": len({row.account_number for row in mine}),
        "found_count": len(found),
        "query": query,
        "first_visit": not recent,
    }
    return render(request, "roles/_list.html" if request.htmx else "roles/list.html", context)


def role_request(request: PortalRequest, role_id: str) -> HttpResponse:
    """Show the request form of one of my roles."""
    role = _my_role(request, role_id)
    last = audit.last_issued_of(request.user.handle, role_id)
    chosen = min(last.duration_asked, role.longest) if last else None
    return _render_form(request, role, IssueForm(), chosen=chosen)


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


def _ask(request: PortalRequest, role_id: str, flow: Flow, *, break_glass: bool = False) -> HttpResponse:
    """Parse the form, make the one flow call, render its answer."""
    role_id = role_id[:64]  # No id is that long, and the audit keeps what was asked in a column of this size.
    form = IssueForm(request.POST, address=client_address(request))
    asked = form.issuance_request(role_id) if form.is_valid() else None
    if asked is None and (role := _role_row(request, role_id)) is not None:
        return _render_form(request, role, form, chosen=None, status=UNPROCESSABLE)
    # A form with mistakes for a role that is not theirs is refused and recorded like any other.
    asked = asked or IssuanceRequest(role_id=role_id, duration=timedelta(0), submission=offers.new_submission())
    asked = replace(asked, break_glass=break_glass)
    signed_in_at = signed_in_at_of(request)
    answer = flow(
        user=request.user, asked=asked, origin=origin_of(request), now=timezone.now(), signed_in_at=signed_in_at
    )
    if isinstance(answer, ConsoleOpened | ConsoleFailed):
        return _render_console(request, answer, asked)
    return _render_answer(request, answer, asked, form)


def role_favourite(request: PortalRequest, role_id: str) -> HttpResponse:
    """Star or unstar one of my roles, then show where the person was."""
    if not star_role(user=request.user, role_id=role_id, starred=request.POST.get("starred") == "1"):
        raise Http404
    if request.htmx:
        return render(request, "roles/_star.html", {"role": _my_role(request, role_id)})
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if safe else "roles")


def render_audit_unavailable(request: PortalRequest, *, minted: bool) -> HttpResponse:
    """Say that nothing is shown because it could not be recorded."""
    context = {
        "headline": "Nothing was issued that we could record",
        "why": "The portal could not write its audit, so it showed nothing. No credentials leave it unrecorded."
        if minted
        else "The portal could not write its audit, so AWS was not called.",
        "next_step": "Try again in a minute. If it stays like this, tell whoever runs the portal.",
    }
    response = render(request, "_503.html" if request.htmx else "503.html", context, status=503)
    response["Retry-After"] = str(letters.RETRY_AFTER_SECONDS)
    return response


def _render_answer(request: PortalRequest, answer: Answer, asked: IssuanceRequest, form: IssueForm) -> HttpResponse:
    now = timezone.now()
    match answer:
        case Issued():
            page = issued.issued_page(answer, asked, now=now)
            return render(request, _template(request, "roles/issued.html"), {"issued": page})
        case Refused(denied=denied) if denied.reason is DenialReason.REASON_REQUIRED:
            form.add_error("reason", denied.next_step)
            role = _my_role(request, asked.role_id)
            return _render_form(request, role, form, chosen=asked.duration, status=UNPROCESSABLE)
        case Refused():
            return _render_letter(request, letters.refusal(answer, asked, now=now), 403)
        case Failed():
            letter = letters.failure(answer, asked, now=now, for_admin=request.user.is_catalogue_admin)
            return _render_letter(request, letter, answer.failure.status)
        case AlreadySubmitted():
            again = offers.offer_of(asked, label="Ask again", duration=asked.duration)
            context = {"issuance": answer.issuance, "again": again}
            return render(request, _template(request, "roles/already.html"), context, status=409)
        case AuditUnavailable():
            return render_audit_unavailable(request, minted=answer.minted)


def _render_console(
    request: PortalRequest, answer: ConsoleOpened | ConsoleFailed, asked: IssuanceRequest
) -> HttpResponse:
    if isinstance(answer, ConsoleOpened):
        return redirect(answer.address)
    return _render_letter(request, letters.console_failure(answer, asked, now=timezone.now()), 502)


def _role_row(request: PortalRequest, role_id: str) -> rows.RoleRow | None:
    facts = access.facts_for(request.user, role_id)
    return rows.role_row(facts, now=timezone.now(), favourites=access.favourite_ids(request.user))


def _my_role(request: PortalRequest, role_id: str) -> rows.RoleRow:
    """Return a role the person can have now. Raises Http404: what is not theirs does not exist for them."""
    row = _role_row(request, role_id)
    if row is None:
        raise Http404
    return row


def _template(request: PortalRequest, page: str) -> str:
    """Return the page's fragment for htmx, else the page: ``roles/issued.html`` includes ``roles/_issued.html``."""
    folder, name = page.split("/")
    return f"{folder}/_{name}" if request.htmx else page


def _render_form(
    request: PortalRequest, role: rows.RoleRow, form: IssueForm, *, chosen: timedelta | None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    custom = bool(form.is_bound and form.data.get("duration") == CUSTOM)
    if form.is_bound:
        chosen = timedelta(0) if custom else _chosen_duration(form)
    context = {
        "role": role,
        "form": form,
        "presets": rows.presets(request.user, role, now=now, chosen=chosen),
        "custom_checked": custom,
        "submission": offers.new_submission(),
        "client_address": client_address(request),
        "address_is_internal": is_internal(client_address(request)),
        "regions": regions_for(role.arn),
        "narrowing_chosen": set(form.chosen_narrowing()),
        "now": now,
    }
    return render(request, _template(request, "roles/request.html"), context, status=status)


def _chosen_duration(form: IssueForm) -> timedelta:
    """Return what a sent form had chosen, zero where it cannot be read."""
    chosen = form.cleaned_data.get("duration")
    return chosen if isinstance(chosen, timedelta) else timedelta(0)


def _render_letter(request: PortalRequest, letter: letters.Letter, status: int) -> HttpResponse:
    response = render(request, _template(request, "roles/refused.html"), {"letter": letter}, status=status)
    if status == 503 and letter.again:  # noqa: PLR2004 -- HTTP's own number.
        response["Retry-After"] = str(letters.RETRY_AFTER_SECONDS)
    return response
