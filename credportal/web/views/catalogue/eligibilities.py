"""The eligibilities of the catalogue."""

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from credportal.access import selectors as access
from credportal.access.models import Eligibility
from credportal.audit.selectors import history_of
from credportal.flows.catalogue_pages import Saved, add_eligibility, change_eligibility, end_eligibility
from credportal.web.forms.catalogue.eligibilities import EligibilityForm
from credportal.web.http import PortalRequest
from credportal.web.pages import show
from credportal.web.views.catalogue.roles import LONGEST_QUERY
from credportal.web.views.catalogue.saving import by, lead, refused, saying, sent, settle


def eligibility_list(request: PortalRequest) -> HttpResponse:
    """Show the rows; ``q`` searches, ``ended`` shows those too that have ended."""
    query = request.GET.get("q", "")[:LONGEST_QUERY]
    with_ended = "ended" in request.GET
    now = timezone.now()
    context = {
        "listed": access.eligibilities(query, ended_before=None if with_ended else now),
        "query": query,
        "with_ended": with_ended,
        "now": now,
        "most": access.MOST_LISTED,
    }
    return show(request, "catalogue/eligibilities.html", context)


def eligibility_new(request: PortalRequest) -> HttpResponse:
    """Let somebody have a role. Without one in the address, choose it first."""
    role = access.role(request.GET.get("role", ""))
    if role is None:
        return _choose_role(request)
    form = EligibilityForm(sent(request), role=role, initial=named_holder(request))
    context = {"form": form, "role": role}
    return settle(
        request,
        form,
        lambda: add_eligibility(by=by(request), role=role, values=form.values()),
        page=lambda status: show(request, "catalogue/eligibility_new.html", context, status=status),
        leads_to=lambda _: saying(reverse("catalogue_role", args=[role.id]), "eligibility"),
    )


def eligibility_page(request: PortalRequest, eligibility_id: int) -> HttpResponse:
    """Show one row with the longest duration that it gives, and change it."""
    row = access.eligibility(eligibility_id)
    if row is None:
        raise Http404
    form = EligibilityForm(sent(request), role=row.role, row=row)
    return settle(
        request,
        form,
        lambda: change_eligibility(
            by=by(request), eligibility_id=row.pk, version=form.seen_version, values=form.values()
        ),
        page=lambda status: _page(request, row, form, status),
        leads_to=lambda saved: saying(request.path, "changed" if saved.changed else "nothing"),
    )


def eligibility_end(request: PortalRequest, eligibility_id: int) -> HttpResponse:
    """End a row now, and go back to the page that asked: ``next``, or the row's own."""
    outcome = end_eligibility(by=by(request), eligibility_id=eligibility_id, now=timezone.now())
    if not isinstance(outcome, Saved):
        return refused(request, outcome)
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = saying(reverse("eligibility", args=[eligibility_id]), "ended" if outcome.changed else "nothing")
    return lead(request, back)


def _page(request: PortalRequest, row: Eligibility, form: EligibilityForm, status: int) -> HttpResponse:
    context = {
        "row": row,
        "role": row.role,
        "form": form,
        "maximum": access.maximum_of(row),
        "now": timezone.now(),
        "history": history_of(f"eligibility:{row.pk}"),
        "saved": request.GET.get("saved", ""),
    }
    return show(request, "catalogue/eligibility.html", context, status=status)


def _choose_role(request: PortalRequest) -> HttpResponse:
    """Offer the roles to add a row to. A form without its role has nothing to be saved in."""
    query = request.GET.get("q", "")[:LONGEST_QUERY]
    context = {
        "role": None,
        "listed": access.roles(query),
        "query": query,
        "most": access.MOST_LISTED,
        "passed_on": {name: request.GET[name] for name in ("user", "group") if name in request.GET},
    }
    status = 404 if request.method == "POST" else 200
    return show(request, "catalogue/eligibility_new.html", context, status=status)


def named_holder(request: PortalRequest) -> dict[str, object]:
    """Return who the address says will have it: a group by name or number, a person by name or handle."""
    group = access.group_named(request.GET.get("group", ""))
    person = access.person_named(request.GET.get("user", ""))
    return {"group": group.pk if group else None, "user": person.username if person else ""}
