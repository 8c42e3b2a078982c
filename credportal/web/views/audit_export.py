"""Giving the log away as a file, for auditors and admins."""

from django.http import Http404, HttpResponse

from credportal.web.http import PortalRequest


def export_page(request: PortalRequest) -> HttpResponse:
    """Show what would be exported, and the last exports."""
    del request
    raise Http404


def export_csv(request: PortalRequest) -> HttpResponse:
    """Stream the events of the filter as CSV."""
    del request
    raise Http404


def export_jsonl(request: PortalRequest) -> HttpResponse:
    """Stream the events of the filter as JSON lines."""
    del request
    raise Http404


def export_progress(request: PortalRequest, export_id: str) -> HttpResponse:
    """Tell how far one's own export has come."""
    del request, export_id
    raise Http404
