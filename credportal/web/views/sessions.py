"""My sessions, live and past. They hold no secrets."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from credportal.access import selectors as access
from credportal.audit import selectors as audit
from credportal.audit.paging import BadCursor
from credportal.audit.selectors import life
from credportal.web import rows
from credportal.web.http import PortalRequest
from credportal.web.pages import show


def session_list(request: PortalRequest) -> HttpResponse:
    """Show what I have and had, newest first."""
    user, now = request.user, timezone.now()
    try:
        page = audit.page_of(user.handle, cursor=request.GET.get("cursor", ""))
    except BadCursor as error:
        return render(request, "400.html", {"why": str(error)}, status=400)
    mine = rows.role_rows(access.catalogue_of(user), now=now, favourites=set())
    context = {
        "live": rows.live_rows(audit.live_of(user.handle, now=now), now=now, renewable={row.id for row in mine}),
        "past": page.rows,
        "older_url": f"?cursor={page.older}" if page.older else "",
        "newer_url": f"?cursor={page.newer}" if page.newer else "",
        "now": now,
    }
    return show(request, "sessions/list.html", context)


def session_detail(request: PortalRequest, issuance_id: str) -> HttpResponse:
    """Show one of mine. Somebody else's does not exist here."""
    issuance = audit.issuance_of(request.user.pk, id=issuance_id)
    if issuance is None:
        raise Http404
    mine = {facts.role.id for facts in access.catalogue_of(request.user) if facts.role}
    context = {
        "issuance": issuance,
        "events": [event for one in life.lives_of([issuance.id]) for event in one.events],
        "live": rows.live_row(issuance, now=timezone.now(), renewable=mine),
    }
    return render(request, "sessions/detail.html", context)
