"""The request page: one role of the person, with all that they need to know to ask for it."""

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from credportal.access import selectors as access
from credportal.domain.durations import parse_duration
from credportal.domain.policy import STEP_UP_WINDOW
from credportal.domain.types import Facts, Needs
from credportal.flows.regions import regions_for
from credportal.web import offers, rows
from credportal.web.forms.issue import CUSTOM, MAX_REASON, MAX_TICKET, UNWRITABLE, IssueForm
from credportal.web.http import PortalRequest, client_address, is_internal, signed_in_at_of
from credportal.web.pages import show
from credportal.web.presets import Preset, presets


def my_catalogue(request: PortalRequest, now: datetime) -> list[Facts]:
    """Return the facts of all roles that the person has a valid row for, in the order of the list."""
    return rows.in_order(access.catalogue_of(request.user), now)


def my_role(request: PortalRequest, role_id: str) -> rows.RoleRow | None:
    """Return the row of a role that the person can have now, else None: what is not theirs does not exist for them."""
    return rows.role_row(
        access.facts_for(request.user, role_id), now=timezone.now(), favourites=access.favourite_ids(request.user)
    )


def typed_before(request: PortalRequest) -> tuple[dict[str, str], timedelta | None]:
    """Return what the address of the page brings along for the form: its fields, and the duration, None without one.

    It comes from a letter that sent the person away to confirm who they are. It is text like any other that
    somebody typed, so it is cut to what a form takes.
    """
    typed = {
        "reason": UNWRITABLE.sub("", request.GET.get("reason", ""))[:MAX_REASON],
        "ticket": UNWRITABLE.sub("", request.GET.get("ticket", ""))[:MAX_TICKET],
    }
    try:
        return typed, parse_duration(request.GET.get("duration", ""))
    except ValueError:
        return typed, None


def render_form(
    request: PortalRequest,
    role: rows.RoleRow,
    form: IssueForm,
    *,
    chosen: timedelta | None = None,
    broken: bool = False,
    status: int = 200,
) -> HttpResponse:
    """Answer with the request page. ``chosen`` is the duration to offer first, None for the usual one.

    ``broken`` says that ``form`` came from the break-glass panel, and belongs there.
    """
    now = timezone.now()
    usual, glass = (IssueForm(), form) if broken else (form, IssueForm())
    address = client_address(request)
    context = {
        "role": role,
        "usual": _part(request, usual, role.longest, now=now, chosen=chosen, at_once=role.at_once),
        "glass": _part(request, glass, role.break_glass, now=now) if role.break_glass else None,
        "form": usual,
        "glass_needs": Needs(reason=True),
        "client_address": address,
        "address_is_internal": is_internal(address),
        "regions": regions_for(role.arn),
        "narrowing_chosen": set(usual.chosen_narrowing()),
        "now": now,
        **_step_up(request, role, now),
    }
    return show(request, "roles/request.html", context, status=status)


def _part(
    request: PortalRequest,
    form: IssueForm,
    longest: timedelta,
    *,
    now: datetime,
    chosen: timedelta | None = None,
    at_once: timedelta | None = None,
) -> dict[str, Any]:
    """Return what one of the page's two forms shows: its durations, its one-time id, its mistakes."""
    custom = bool(form.is_bound and form.data.get("duration") == CUSTOM)
    if form.is_bound:
        chosen = timedelta(0) if custom else _chosen_duration(form)
    offered: list[Preset] = presets(request.user, longest, now=now, chosen=chosen, at_once=at_once)
    return {"form": form, "presets": offered, "custom_checked": custom, "submission": offers.new_submission()}


def _chosen_duration(form: IssueForm) -> timedelta:
    """Return what a sent form had chosen, zero where it cannot be read."""
    chosen = form.cleaned_data.get("duration")
    return chosen if isinstance(chosen, timedelta) else timedelta(0)


def _step_up(request: PortalRequest, role: rows.RoleRow, now: datetime) -> dict[str, object]:
    """Tell whether the person still has to confirm who they are, where to, and until when a confirmation counts."""
    if not role.needs.step_up:
        return {}
    at = signed_in_at_of(request)
    if at is not None and now - at < STEP_UP_WINDOW:
        return {"confirmed_until": at + STEP_UP_WINDOW}
    return {"confirm_url": offers.confirm_url(reverse("role", args=[role.id]))}
