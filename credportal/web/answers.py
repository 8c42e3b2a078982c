"""How the answer of a flow becomes a page: credentials, the form again, a letter, or the request that waits."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import push_url

from credportal.domain.types import DenialReason, IssuanceRequest
from credportal.flows.issue import AlreadySubmitted, Answer, AuditUnavailable, Failed, Issued, Refused, Waiting
from credportal.web import approvals, asking, issued, letters, offers
from credportal.web.forms.issue import IssueForm
from credportal.web.http import PortalRequest
from credportal.web.pages import CONFLICT, UNPROCESSABLE, show, show_unrecorded

ACCEPTED = 202
# What is missing in the form comes back on its field: the person mends it there, and what was typed stays.
ON_FIELD = {
    DenialReason.REASON_REQUIRED: "reason",
    DenialReason.TICKET_REQUIRED: "ticket",
    DenialReason.TICKET_MALFORMED: "ticket",
}


def render_answer(
    request: PortalRequest, answer: Answer, asked: IssuanceRequest, form: IssueForm | None = None
) -> HttpResponse:
    """Answer with the page of what a flow returned. ``form`` is the one that asked, where there was one."""
    match answer:
        case Issued():
            page = issued.issued_page(answer, asked, now=timezone.now())
            return show(request, "roles/issued.html", {"issued": page})
        case Refused(denied=denied) if form is not None and denied.reason in ON_FIELD:
            return _on_field(request, answer, asked, form)
        case Waiting():
            context = approvals.waiting_context(answer.approval_id, request.user)
            response = show(request, "approvals/waiting.html", context, status=ACCEPTED)
            # The request has an address of its own: a reload, or the way back to it, finds it again.
            return push_url(response, reverse("approval", args=[answer.approval_id]))
        case Refused() | Failed():
            return _by_letter(request, answer, asked)
        case AlreadySubmitted():
            again = offers.offer_of(asked, label="Ask again", duration=asked.duration)
            context = {"issuance": answer.issuance, "again": again}
            return show(request, "roles/already.html", context, status=CONFLICT)
        case AuditUnavailable():
            return render_audit_unavailable(request, minted=answer.minted)


def render_letter(request: PortalRequest, letter: letters.Letter, status: int) -> HttpResponse:
    """Answer with the page of a refusal or a failure."""
    response = show(request, "roles/refused.html", {"letter": letter}, status=status)
    if status == 503 and letter.again:  # noqa: PLR2004 -- HTTP's own number.
        response["Retry-After"] = str(letters.RETRY_AFTER_SECONDS)
    return response


def render_audit_unavailable(request: PortalRequest, *, minted: bool) -> HttpResponse:
    """Say that nothing is shown because it could not be recorded."""
    why = "The portal could not write its audit, so AWS was not called."
    if minted:
        why = "The portal could not write its audit, so it showed nothing. No credentials leave it unrecorded."
    return show_unrecorded(request, "Nothing was issued that we could record", why)


def _by_letter(request: PortalRequest, answer: Refused | Failed, asked: IssuanceRequest) -> HttpResponse:
    now = timezone.now()
    if isinstance(answer, Refused):
        return render_letter(request, letters.refusal(answer, asked, now=now), 403)
    letter = letters.failure(answer, asked, now=now, for_admin=request.user.is_catalogue_admin)
    return render_letter(request, letter, answer.failure.status)


def _on_field(request: PortalRequest, answer: Refused, asked: IssuanceRequest, form: IssueForm) -> HttpResponse:
    """Show the form again with the recorded denial on the field that mends it."""
    form.add_error(ON_FIELD[answer.denied.reason], answer.denied.next_step)
    mine = asking.my_role(request, asked.role_id)
    if mine is None:  # The role went away in the meantime; the refusal stands.
        return _by_letter(request, answer, asked)
    return asking.render_form(request, mine, form, broken=asked.break_glass, status=UNPROCESSABLE)
