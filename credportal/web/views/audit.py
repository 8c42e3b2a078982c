"""The audit, for auditors and admins."""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from credportal.audit import selectors as audit
from credportal.audit.models import Issuance
from credportal.audit.paging import BadCursor
from credportal.web.forms.audit import OUTCOMES, FilterForm
from credportal.web.http import PortalRequest


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is on, and the address of the page without it."""

    label: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class Day:
    """The issuances of one day, in the reader's time zone."""

    day: date
    rows: list[Issuance]


def audit_list(request: PortalRequest) -> HttpResponse:
    """Show everybody's issuances, newest first, filtered by what the address says."""
    form = FilterForm(request.GET)
    if not form.is_valid():
        return render(request, "audit/list.html", {"form": form, "days": [], "empty_reason": "mistake"}, status=422)
    try:
        page = audit.issuances(form.filters(), cursor=request.GET.get("cursor", ""))
    except BadCursor as error:
        return render(request, "400.html", {"why": str(error)}, status=400)
    chips = _chips(form, request.GET)
    context = {
        "form": form,
        "chips": chips,
        "days": _by_day(page.rows),
        "older_url": _with(request.GET, cursor=page.older) if page.older else "",
        "newer_url": _with(request.GET, cursor=page.newer) if page.newer else "",
        "first_at": page.rows[0].requested_at if page.rows else None,
        "last_at": page.rows[-1].requested_at if page.rows else None,
        "empty_reason": "" if page.rows else "filtered" if chips else "nothing",
    }
    return render(request, "audit/_rows.html" if request.htmx else "audit/list.html", context)


def _by_day(found: list[Issuance]) -> list[Day]:
    def day_of(row: Issuance) -> date:
        return timezone.localtime(row.requested_at).date()

    return [Day(day, list(same)) for day, same in groupby(found, key=day_of)]


def _chips(form: FilterForm, query: QueryDict) -> list[Chip]:
    outcomes = dict(OUTCOMES)
    chips = []
    for name, field in form.fields.items():
        value = form.cleaned_data[name]
        if value:
            shown = outcomes.get(value, value) if name == "outcome" else value
            chips.append(Chip(f"{field.label}: {shown}", _with(query, cursor="", **{name: ""})))
    return chips


def _with(query: QueryDict, **changes: str) -> str:
    """Return the query string with some values changed; an empty value leaves it out."""
    changed = query.copy()
    for name, value in changes.items():
        changed.pop(name, None)
        if value:
            changed[name] = value
    return f"?{changed.urlencode()}"
