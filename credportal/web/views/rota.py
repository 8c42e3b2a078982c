"""Who is on duty when: the rotas for everybody in support, and their settings for catalogue admins."""

from datetime import datetime, timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from credportal.access.models import Rota
from credportal.access.selectors import rota as reads
from credportal.access.selectors.rota import Turn
from credportal.audit.selectors import history_of
from credportal.flows import rota as flows
from credportal.web.forms.rota import RotaForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import CONFLICT, UNPROCESSABLE, show, show_unchanged
from credportal.web.rota import dates_of, panels, shown

SAME_NAME = "Another rota has this name. Choose one that tells them apart."


def rota_list(request: PortalRequest) -> HttpResponse:
    """Show who is on duty, my next dates, and the slots of the coming weeks."""
    now = timezone.now()
    context = {"panels": panels(now=now), "dates": dates_of(request.user, now=now), "weeks": reads.WEEKS_SHOWN}
    return show(request, "rota/list.html", context)


def rota_new(request: PortalRequest) -> HttpResponse:
    """Add a rota; its page is where people get their slots."""
    sent = request.POST if request.method == "POST" else None
    form = RotaForm(sent, initial={"time_zone": request.user.time_zone, "days": list("12345")})
    if not form.is_bound:
        return show(request, "rota/new.html", {"form": form})
    if form.is_valid():
        outcome = flows.add_rota(user=request.user, origin=origin_of(request), values=form.values())
        match outcome:
            case flows.Saved():
                return redirect(f"{reverse('rota_page', args=[outcome.rota.pk])}?saved=added")
            case flows.AuditUnavailable():
                return show_unchanged(request)
        form.add_error("name", SAME_NAME)
    return show(request, "rota/new.html", {"form": form}, status=UNPROCESSABLE)


def rota_page(request: PortalRequest, rota_id: int) -> HttpResponse:
    """Show one rota with whose its coming slots are, and change both; ``fill`` only proposes."""
    now = timezone.now()
    rota, turns = _turns(rota_id, now)
    sent = request.POST if request.method == "POST" else None
    form = RotaForm(sent, rota=rota, turns=turns, members=reads.members_of(rota))
    if not form.is_bound:
        return _page(request, form, 200)
    if not form.is_valid():
        return _page(request, form, UNPROCESSABLE)
    if "fill" in request.POST:
        form.fill()
        return _page(request, form, 200)
    return _save(request, rota, form)


def _save(request: PortalRequest, rota: Rota, form: RotaForm) -> HttpResponse:
    outcome = flows.change_rota(
        user=request.user,
        origin=origin_of(request),
        rota=rota,
        version=form.cleaned_data["version"],
        values=form.values(),
        assigned=form.assigned(),
    )
    match outcome:
        case flows.Saved():
            return redirect(f"{request.path}?saved={'changed' if outcome.changed else 'nothing'}")
        case flows.Stale():
            form.show_conflict(*_turns(rota.pk, timezone.now()))
            return _page(request, form, CONFLICT)
        case flows.Taken():
            form.add_error("name", SAME_NAME)
            return _page(request, form, UNPROCESSABLE)
    return show_unchanged(request)


def _turns(rota_id: int, now: datetime) -> tuple[Rota, list[Turn]]:
    rota = reads.rota(rota_id)
    if rota is None:
        raise Http404
    return rota, reads.turns([rota], now, now + timedelta(weeks=reads.WEEKS_ASSIGNED))[rota.pk]


def _page(request: PortalRequest, form: RotaForm, status: int) -> HttpResponse:
    rota = form.rota
    context = {
        "rota": rota,
        "form": form,
        "slots": list(zip(shown(form.turns, now=timezone.now()), form.slots, strict=True)),
        "is_crowded": len(form.members) == reads.MOST_MEMBERS,
        "most": reads.MOST_MEMBERS,
        "weeks": reads.WEEKS_ASSIGNED,
        "delegations": reads.delegations_by(rota) if rota else [],
        "history": history_of(flows.subject_of(rota)) if rota else [],
        "saved": request.GET.get("saved", ""),
    }
    return show(request, "rota/page.html", context, status=status)
