"""For load balancers and orchestrators. They tell no names, addresses or ARNs."""

from dataclasses import asdict

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse

from credportal.flows.readiness import readiness


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process answers."""
    del request
    return JsonResponse({"status": "ok"})


@login_not_required
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether this process can issue: audit writable, migrated, AWS identity known."""
    del request
    state = readiness()
    return JsonResponse(asdict(state), status=200 if state.ready else 503)
