"""The list of the audit, for auditors and admins."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from credportal.audit.models import Event
from credportal.audit.paging import BadCursor, Page, mark, read_mark
from credportal.audit.patience import TookTooLong, bounded_read
from credportal.audit.selectors import search
from credportal.audit.selectors.counts import MOST_DRAWN, TooManyToDraw
from credportal.flows.audit_reading import note_read
from credportal.web import audit_list as around
from credportal.web.chart import chart_range, draw, drawable, is_tallied
from credportal.web.forms.audit import FilterForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import UNPROCESSABLE, show_unrecorded

UNRECORDED = "Who reads the log of others is in the log too. The portal could not write that down, so it shows nothing."


def audit_list(request: PortalRequest) -> HttpResponse:
    """Show what happened, newest first, filtered by what the address says; the first look at it is recorded."""
    form = FilterForm(request.GET)
    with timezone.override(form.zone):
        if not form.is_valid():
            return _show(request, form, {"stopped": "mistake"}, status=UNPROCESSABLE)
        try:
            return _answer(request, form)
        except BadCursor as error:
            return render(request, "400.html", {"why": str(error)}, status=HTTPStatus.BAD_REQUEST)
        except TookTooLong:
            return _show(request, form, {"stopped": "too long"}, status=UNPROCESSABLE)


def _answer(request: PortalRequest, form: FilterForm) -> HttpResponse:
    """Read and render one page, or a fragment of it. Raises BadCursor and TookTooLong."""
    purpose = form.purpose(request.user.handle)
    cursor, seen = request.GET.get("cursor", ""), request.GET.get("seen", "")
    shown = read_mark(seen, purpose) if seen else None
    if not (cursor or seen) and not _is_recorded(request, form):
        return show_unrecorded(request, "The audit is not shown", UNRECORDED)
    if seen and request.htmx.target == "chart":
        return render(request, "audit/_chart.html", _chart(request, form))
    with bounded_read():
        page = search.page(form.filters(), cursor=cursor, purpose=purpose)
        words_since = search.words_since(form.filters())
    newest = page.rows[0].id if page.rows else 0
    if request.htmx and shown is not None and newest <= shown:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    fresh = [row.id for row in page.rows if shown is not None and row.id > shown]
    context = {"seen": mark(newest, purpose), "fresh": fresh, "words_since": words_since}
    return _show(request, form, {**context, **_listed(request, form, page)})


def _is_recorded(request: PortalRequest, form: FilterForm) -> bool:
    what = around.given_texts(form)
    return note_read(user=request.user, origin=origin_of(request), subject="audit:list", what=what)


def _listed(request: PortalRequest, form: FilterForm, page: Page[Event]) -> dict[str, Any]:
    """Return what the rows of a page need, and around the first one the chart."""
    context = {
        "days": around.by_day(page.rows),
        "first_at": page.rows[0].at if page.rows else None,
        "last_at": page.rows[-1].at if page.rows else None,
        **around.addresses(request.GET, page),
    }
    return context if request.htmx else {**context, **_chart(request, form)}


def _chart(request: PortalRequest, form: FilterForm) -> dict[str, Any]:
    """Return the chart, or why there is none. What has to be counted one by one follows by itself, after the rows."""
    filters = form.filters()
    everything = form.cleaned_data["range"] == "all"
    try:
        with bounded_read():
            extent = search.extent()
            if not drawable(filters):
                return {"extent": extent}
            if not (is_tallied(filters) or request.htmx or request.GET.get("chart")):
                return {"extent": extent, "chart_later": True}
            span = chart_range(filters, extent, everything=everything, now=form.now)
            return {"extent": extent, "chart": draw(request.GET, filters, span, search.matching(filters))}
    except TooManyToDraw:
        return {"no_chart": "many", "most_drawn": MOST_DRAWN}
    except TookTooLong:
        return {"no_chart": "slow"}


def _show(request: PortalRequest, form: FilterForm, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    query = request.GET
    shared = {
        "form": form,
        "chips": around.chips_of(form, query) if form.is_valid() else [],
        "ignored": around.ignored(query),
        "live": form.is_valid() and form.cleaned_data["live"] and not query.get("cursor"),
        "switch": around.switches(query),
        "kept": around.kept(form),
        "folded_out": around.has_rare(form),
        "zone": form.zone.key,
    }
    page = "audit/_rows.html" if request.htmx else "audit/list.html"
    return render(request, page, {**shared, **context}, status=status)
