"""The delegations of the catalogue: who may hand out which roles."""

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone

from credportal.access import selectors as access
from credportal.access.models import Delegation
from credportal.access.selectors import delegations as rows
from credportal.audit.selectors import history_of
from credportal.flows.catalogue_pages import Saved, add_delegation, change_delegation, remove_delegation
from credportal.web.delegations import standing
from credportal.web.forms.catalogue.delegations import DelegationForm
from credportal.web.http import PortalRequest
from credportal.web.pages import show
from credportal.web.views.catalogue.eligibilities import named_holder
from credportal.web.views.catalogue.roles import LONGEST_QUERY
from credportal.web.views.catalogue.saving import by, lead, refused, saying, sent, settle


def delegation_list(request: PortalRequest) -> HttpResponse:
    """Show the delegations; ``q`` searches."""
    query = request.GET.get("q", "")[:LONGEST_QUERY]
    context = {
        "listed": rows.delegations(query, now=timezone.now()),
        "query": query,
        "most": access.MOST_LISTED,
        "saved": request.GET.get("saved", ""),
    }
    return show(request, "catalogue/delegations.html", context)


def delegation_new(request: PortalRequest) -> HttpResponse:
    """Let somebody hand out roles. The address may name them: ``role``, ``group``, ``user``."""
    form = DelegationForm(sent(request), initial={**named_holder(request), "roles": request.GET.getlist("role")[:1]})
    return settle(
        request,
        form,
        lambda: add_delegation(by=by(request), values=form.values()),
        page=lambda status: show(request, "catalogue/delegation_new.html", {"form": form}, status=status),
        leads_to=lambda saved: saying(reverse("delegation", args=[saved.row.pk]), "added"),
    )


def delegation_page(request: PortalRequest, delegation_id: int) -> HttpResponse:
    """Show one delegation and what of it has no effect, and change it."""
    row = _found(delegation_id)
    form = DelegationForm(sent(request), row=row)
    return settle(
        request,
        form,
        lambda: change_delegation(
            by=by(request), delegation_id=row.pk, version=form.seen_version, values=form.values()
        ),
        page=lambda status: _page(request, row, form, status),
        leads_to=lambda saved: saying(request.path, "changed" if saved.changed else "nothing"),
    )


def delegation_end(request: PortalRequest, delegation_id: int) -> HttpResponse:
    """Ask whether to remove a delegation, and remove it."""
    if request.method != "POST":
        row = _found(delegation_id)
        context = {"row": row, "standing": standing(row, now=timezone.now())}
        return show(request, "catalogue/delegation_end.html", context)
    outcome = remove_delegation(by=by(request), delegation_id=delegation_id)
    if not isinstance(outcome, Saved):
        return refused(request, outcome)
    return lead(request, saying(reverse("delegations"), "removed"))


def _found(delegation_id: int) -> Delegation:
    """Return one delegation. Raises Http404."""
    row = rows.delegation(delegation_id)
    if row is None:
        raise Http404
    return row


def _page(request: PortalRequest, row: Delegation, form: DelegationForm, status: int) -> HttpResponse:
    context = {
        "row": row,
        "form": form,
        "standing": standing(row, now=timezone.now()),
        "history": history_of(f"delegation:{row.pk}"),
        "saved": request.GET.get("saved", ""),
    }
    return show(request, "catalogue/delegation.html", context, status=status)
