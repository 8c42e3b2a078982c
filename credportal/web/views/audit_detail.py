"""One entry of the audit, for auditors and admins: the life of an issuance, or any event by its number."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.utils import timezone

from credportal.access.models import User
from credportal.audit.models import Issuance
from credportal.audit.selectors import life
from credportal.domain.lookups import revoke_command
from credportal.domain.types import Status
from credportal.flows.audit_reading import note_read
from credportal.flows.unresolved import may_close
from credportal.web import entries
from credportal.web.forms.unresolved import CloseUnknownForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import show, show_unrecorded

UNREAD = "The entry is not shown"
WHY_UNREAD = "The portal could not write its audit, and nobody reads of others without a trace."


def audit_detail(request: PortalRequest, issuance_id: str) -> HttpResponse:
    """Show the life of one issuance, with its neighbours by the same person."""
    found = life.life_of(issuance_id)
    if found is None:
        raise Http404
    is_mine = found.told.actor_handle == request.user.handle
    if not is_mine and not note_read(user=request.user, origin=origin_of(request), subject=f"issuance:{issuance_id}"):
        return show_unrecorded(request, UNREAD, WHY_UNREAD)
    told = found.told
    context = {
        "issuance": told,
        "events": found.events,
        "closing": found.closing,
        "handout_id": found.handout_id,
        "neighbours": [near.told for near in life.neighbours_of(told)],
        "is_unresolved": told.status == Status.UNKNOWN.value and found.closing is None,
        "may_close": may_close(request.user, told),
        "form": CloseUnknownForm(),
        **ending_of(told, request.user, now=timezone.now()),
    }
    return show(request, "audit/detail.html", context)


def audit_event(request: PortalRequest, number: int) -> HttpResponse:
    """Show one event by its sequence number: who, when, from where, what it changed, and where it stands."""
    earlier, event, later = life.event_between(number)
    if event is None:
        raise Http404
    is_mine = event.issuance_id and event.on_behalf_of == request.user.handle
    if not is_mine and not note_read(user=request.user, origin=origin_of(request), subject=f"event:{number}"):
        return show_unrecorded(request, UNREAD, WHY_UNREAD)
    context = {
        "event": event,
        "earlier": earlier,
        "later": later,
        "facts": entries.facts_of(event),
        "changes": entries.changes_of(event),
        "kept": entries.kept_by(event),
    }
    return show(request, "audit/event.html", context)


def ending_of(issuance: Issuance, user: User, *, now: datetime) -> dict[str, Any]:
    """Return what a page says about the end of a session: how long it lives, and for an admin how to end it sooner."""
    if issuance.status != Status.ISSUED.value or issuance.expiration is None or issuance.expiration <= now:
        return {"left": None, "revoke": ""}
    command = revoke_command(issuance.role_arn, now) if user.is_catalogue_admin else ""
    return {"left": issuance.expiration - now, "revoke": command}
