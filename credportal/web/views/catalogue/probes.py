"""The button that probes a role."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from credportal.access.selectors import actor_of
from credportal.flows.doctor import AuditUnavailable, Gone, probe_role
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import show_unrecorded


def probe(request: PortalRequest, role_id: str) -> HttpResponse:
    """Probe one role, then show its page with what was found."""
    answer = probe_role(role_id=role_id, actor=actor_of(request.user), origin=origin_of(request))
    if isinstance(answer, Gone):
        raise Http404
    if isinstance(answer, AuditUnavailable):
        return show_unrecorded(request, "Nothing was learned", "The portal could not write its audit.")
    if request.htmx:
        found = {"role": answer.role, "probe": answer.probe, "findings": answer.probe.findings}
        return render(request, "catalogue/_probe.html", found)
    return redirect(f"{reverse('catalogue_role', args=[role_id])}#probe")
