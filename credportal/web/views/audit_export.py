"""Giving the log away as a file, for auditors and admins."""

import secrets
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from credportal.flows.audit_export import AT_ONCE, Format, NotStarted, begin, progress_of, recent
from credportal.web import audit_list as around
from credportal.web.forms.audit import FilterForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import UNPROCESSABLE, show_unrecorded

TYPES = {Format.CSV: "text/csv; charset=utf-8", Format.JSONL: "application/jsonl; charset=utf-8"}
UNRECORDED = "Who takes the log away is in the log too. The portal could not write that down, so it gives nothing away."
MOST_ASKED = 30  # Times, a second apart: a download that has not begun by then does not.


def export_page(request: PortalRequest) -> HttpResponse:
    """Show what would be exported, and the last exports."""
    form = FilterForm(request.GET)
    return _page(request, form, status=HTTPStatus.OK if form.is_valid() else UNPROCESSABLE)


def export_csv(request: PortalRequest) -> HttpResponseBase:
    """Stream the events of the filter as CSV."""
    return _file(request, Format.CSV)


def export_jsonl(request: PortalRequest) -> HttpResponseBase:
    """Stream the events of the filter as JSON lines."""
    return _file(request, Format.JSONL)


def export_progress(request: PortalRequest, export_id: str) -> HttpResponse:
    """Tell how far one's own export has come, and at its end give the page addresses for the next one."""
    progress = progress_of(request.user, export_id)
    context: dict[str, Any] = {"progress": progress}
    if progress and progress.over:
        context |= {**_addresses(request), "last": recent()}
    else:
        asked = request.GET.get("asked", "")
        times = 0 if progress else int(asked) + 1 if asked.isdecimal() and len(asked) < len("100") else 1
        if times <= MOST_ASKED:
            context["asked_again"] = request.path + around.address(request.GET, asked=str(times))
    return render(request, "audit/_export_progress.html", context)


def _file(request: PortalRequest, written: Format) -> HttpResponseBase:
    form = FilterForm(request.GET)
    if not form.is_valid():
        return _page(request, form, status=UNPROCESSABLE)
    headers = {"Content-Disposition": f'attachment; filename="audit-{timezone.now():%Y-%m-%d}.{written.value}"'}
    if request.method == "HEAD":  # Nothing is given away, and so nothing is recorded.
        return HttpResponse(content_type=TYPES[written], headers=headers)
    download = begin(
        user=request.user,
        origin=origin_of(request),
        filters=form.filters(),
        given=around.given_texts(form),
        form=written,
        export_id=request.GET.get("export", ""),
    )
    match download:
        case NotStarted.UNRECORDED:
            return show_unrecorded(request, "Nothing was exported", UNRECORDED)
        case NotStarted.TOO_MANY:
            return _page(request, form, status=HTTPStatus.TOO_MANY_REQUESTS, trouble="many", at_once=AT_ONCE)
        case NotStarted.TOO_SLOW:
            return _page(request, form, status=UNPROCESSABLE, trouble="slow")
    return StreamingHttpResponse(download, content_type=TYPES[written], headers=headers)


def _page(request: PortalRequest, form: FilterForm, *, status: int, **more: Any) -> HttpResponse:
    with timezone.override(form.zone):
        chips = around.chips_of(form, request.GET) if form.is_valid() else []
    context = {"form": form, "chips": chips, "last": recent(), **_addresses(request), **more}
    return render(request, "audit/export.html", context, status=status)


def _addresses(request: PortalRequest) -> dict[str, str]:
    """Return what the links to a download need: the filters, and a new id to ask for its progress by."""
    matching = around.address(request.GET, export="", format="", live="", asked="")
    chosen = Format.JSONL if request.GET.get("format") == Format.JSONL else Format.CSV
    return {"matching": matching, "export_id": secrets.token_hex(8), "chosen": chosen.value}
