"""The claim pages. Opening one changes nothing, whoever opens it; only a press claims."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from credportal.flows import claim as flow
from credportal.flows.claim_door import Unclaimed
from credportal.web import claims
from credportal.web.forms.claim import code_of, token_in, token_of
from credportal.web.http import PortalRequest, origin_of, signed_in_at_of


@login_not_required
@sensitive_post_parameters("token", "code")
def claim(request: PortalRequest) -> HttpResponse:
    """Show the page that takes a link, the same for everybody; by POST, claim what was handed out."""
    if request.method != "POST":
        return claims.show_paste(request)
    token, person = token_of(request), claims.person_of(request)
    if claims.is_shut(request, token):
        return claims.show_obstacle(request, Unclaimed.TOO_MANY)
    answer = flow.claim(
        token=token,
        code=code_of(request),
        user=person,
        origin=origin_of(request),
        now=timezone.now(),
        signed_in_at=signed_in_at_of(request) if person else None,
    )
    return claims.show_claimed(request, answer, token)


@login_not_required
@sensitive_post_parameters("token")
def claim_look(request: PortalRequest) -> HttpResponse:
    """Say what a link leads to."""
    typed = request.POST.get("token", "")
    token = token_in(typed)
    if not token:
        return claims.show_paste(request, typed)
    if not claims.may_look(request):
        return claims.show_obstacle(request, Unclaimed.TOO_MANY)
    person = claims.person_of(request)
    answer = flow.look(token=token, user=person, origin=origin_of(request), now=timezone.now())
    return claims.show_found(request, answer, token)


@login_not_required
@sensitive_post_parameters("token")
def claim_report(request: PortalRequest) -> HttpResponse:
    """Take word that a claim was not the recipient's."""
    token = token_of(request)
    if claims.is_shut(request):  # However often others press a dead link, its recipient may report it.
        return claims.show_obstacle(request, Unclaimed.TOO_MANY)
    answer = flow.report(token=token, user=claims.person_of(request), origin=origin_of(request), now=timezone.now())
    return claims.show_reported(request, answer, token)
