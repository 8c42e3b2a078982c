"""The texts that let the portal into a role, ready to paste."""

from typing import Any

from django.http import Http404, HttpResponse

from credportal.domain.trust import portal_warnings, trust_warnings
from credportal.domain.trust_text import portal_texts, role_texts
from credportal.flows.onboarding import Onboarding, role_to_onboard
from credportal.web.forms.onboarding import TrustForm
from credportal.web.http import PortalRequest
from credportal.web.pages import UNPROCESSABLE, show


def onboarding(request: PortalRequest, role_id: str) -> HttpResponse:
    """Show the trust policy of one role and the portal's own policy, for the options in the address."""
    found = role_to_onboard(role_id)
    if found is None:
        raise Http404
    form = TrustForm(
        request.GET,
        principal=found.identity.principal,
        partition=found.role.partition if not found.problem else found.identity.partition,
    )
    context = {"found": found, "role": found.role, "form": form, **_texts(found, form)}
    return show(request, "catalogue/onboarding.html", context, status=UNPROCESSABLE if form.errors else 200)


def _texts(found: Onboarding, form: TrustForm) -> dict[str, Any]:
    """Return the policies in every format, or nothing where they could not be whole."""
    if found.problem or not form.is_valid():
        return {}
    subject, options, reach = found.subject(form.principal_asked()), form.options(), form.reach_asked()
    return {
        "subject": subject,
        "trust": role_texts(subject, options),
        "trust_warnings": trust_warnings(
            subject,
            options,
            accepts_tags=found.role.accepts_session_tags,
            accepts_source_identity=found.role.accepts_source_identity,
        ),
        "own": portal_texts(subject, options, reach),
        "own_warnings": portal_warnings(subject, options, reach),
    }
