"""Support's pages: the board, the form that hands out, one hand-out and what can be done with it."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from credportal.access.selectors import person_named
from credportal.access.selectors.handout_board import colleagues
from credportal.domain.types import DenialReason, Denied
from credportal.flows import handout_changes as flow
from credportal.flows.answers import AuditUnavailable
from credportal.flows.handout import Addressee, HandedOut, HandedOutBefore, NotHandedOut, hand_out
from credportal.flows.handout_events import Changed, NotChanged
from credportal.web import handing_out, handouts
from credportal.web.forms.handouts import BoardForm, HandoutForm, ShortenForm
from credportal.web.http import PortalRequest, origin_of, signed_in_at_of
from credportal.web.pages import CONFLICT, UNPROCESSABLE, show, show_unchanged, show_unrecorded

FORBIDDEN, NO_CONTENT = 403, 204
# What is missing comes back on its field as a mistake of the form; the refusal is recorded all the same.
ON_FIELD = {
    DenialReason.REASON_REQUIRED: "reason",
    DenialReason.TICKET_REQUIRED: "ticket",
    DenialReason.TICKET_MALFORMED: "ticket",
}
UNRECORDED = "The portal could not write its audit, so it made no link. Nothing is handed out unrecorded."


def handout_list(request: PortalRequest) -> HttpResponse:
    """Show the board: support their own hand-outs, reviewers everybody's. A board that watches gets what is new."""
    form = BoardForm(request.GET)
    if not form.is_valid():
        return render(request, "handouts/list.html", {"form": form, "board": None}, status=UNPROCESSABLE)
    words = form.cleaned_data["person"] if request.user.may_review else ""
    board = handouts.board_context(request.user, stand=form.stand, words=words, now=timezone.now())
    seen = request.GET.get("seen", "")
    if request.htmx and seen == board["version"]:
        return HttpResponse(status=NO_CONTENT)
    filters = request.GET.copy()
    filters.pop("seen", None)
    context = {"form": form, "board": board, "filters": filters.urlencode(), "changed": bool(seen)}
    return show(request, "handouts/list.html", context)


def handout_new(request: PortalRequest) -> HttpResponse:
    """Show the form that hands out; sent, hand out or say why not."""
    if request.method == "POST":
        return _hand_out(request, HandoutForm(request.POST))
    if request.htmx and request.htmx.target == "people":
        people, more = colleagues(request.GET.get("recipient", "")[:100], without=request.user)
        return render(request, "handouts/_people.html", {"people": people, "more_people": more})
    typed = handing_out.typed_before(request)
    form = HandoutForm(initial=typed)
    return show(request, "handouts/new.html", handing_out.context_of(request, form, role_id=typed["role"]))


def handout_page(request: PortalRequest, handout_id: str) -> HttpResponse:
    """Show one hand-out. A page that watches says what it has ``seen``, and gets nothing (204) until that changes."""
    page = _page(request, handout_id)
    seen = request.GET.get("seen", "")
    if not (request.htmx and seen):
        return _render(request, page)
    if seen == page.version:
        return HttpResponse(status=NO_CONTENT)
    # What can be done is replaced only where it is something else now: somebody may be writing there.
    moved = seen.partition("-")[0] != page.row.state
    return render(request, "handouts/_watched.html", {**handouts.page_context(page), "moved": moved})


def handout_link(request: PortalRequest, handout_id: str) -> HttpResponse:
    """Make a new link, shown once; the old one is dead."""
    page = _mine(request, handout_id)
    answer = flow.make_link(
        user=request.user,
        handout=page.row.handout,
        origin=origin_of(request),
        now=timezone.now(),
        mail_link=bool(request.POST.get("mail_link")),
    )
    if isinstance(answer, HandedOut):
        return show(request, "handouts/made.html", handouts.made_context(answer, again=True, now=timezone.now()))
    return _stepped(request, handout_id, answer)


def handout_shorten(request: PortalRequest, handout_id: str) -> HttpResponse:
    """End the claim window sooner."""
    page, form = _mine(request, handout_id), ShortenForm(request.POST)
    if not form.is_valid():
        return _render(request, page, why=str(form.errors["window"][0]), status=UNPROCESSABLE)
    now = timezone.now()
    # No window is longer than a day, and further than that no moment need be counted.
    until = now + min(form.cleaned_data["window"], timedelta(days=2))
    answer = flow.shorten(user=request.user, handout=page.row.handout, until=until, origin=origin_of(request), now=now)
    return _stepped(request, handout_id, answer)


def handout_cancel(request: PortalRequest, handout_id: str) -> HttpResponse:
    """Cancel one hand-out, as its issuer or a catalogue admin."""
    page = _page(request, handout_id)
    if not page.may_cancel:
        raise Http404
    answer = flow.cancel(user=request.user, handout=page.row.handout, origin=origin_of(request), now=timezone.now())
    return _stepped(request, handout_id, answer)


def handout_cancel_all(request: PortalRequest) -> HttpResponse:
    """Cancel all that one person has open: support their own, catalogue admins anybody's."""
    handle = request.POST.get("person", "")
    if handle and handle != request.user.handle and not request.user.is_catalogue_admin:
        raise PermissionDenied
    person = person_named(handle) if handle.isprintable() else None
    if person is None:
        raise Http404
    answer = flow.cancel_all(user=request.user, issuer=person, origin=origin_of(request), now=timezone.now())
    return show_unchanged(request) if isinstance(answer, AuditUnavailable) else redirect("handouts")


def _hand_out(request: PortalRequest, form: HandoutForm) -> HttpResponse:
    """Make the one flow call of the form, and render its answer."""
    if not form.is_valid():
        return _form(request, form, status=UNPROCESSABLE)
    said, now = form.cleaned_data, timezone.now()
    answer = hand_out(
        user=request.user,
        asked=form.handout_request(),
        addressee=Addressee(
            handle=handing_out.handle_typed(said["recipient"]) if said["recipient"] else "",
            name=said["outsider_name"],
            email=said["outsider_email"],
        ),
        origin=origin_of(request),
        now=now,
        signed_in_at=signed_in_at_of(request),
        mail_link=said["mail_link"],
    )
    match answer:
        case HandedOut():
            return show(request, "handouts/made.html", handouts.made_context(answer, again=False, now=now))
        case NotHandedOut(denied=denied):
            return _refused(request, form, denied)
        case HandedOutBefore():
            return show(request, "handouts/before.html", {"handout": answer.handout}, status=CONFLICT)
        case AuditUnavailable():
            return show_unrecorded(request, "Nothing was handed out", UNRECORDED)


def _refused(request: PortalRequest, form: HandoutForm, denied: Denied) -> HttpResponse:
    """Show the form again with all that was typed, and what the rule book said."""
    if denied.reason in ON_FIELD:
        form.add_error(ON_FIELD[denied.reason], denied.next_step)
        return _form(request, form, status=UNPROCESSABLE)
    return _form(request, form, denied=denied, status=FORBIDDEN)


def _form(request: PortalRequest, form: HandoutForm, *, status: int, denied: Denied | None = None) -> HttpResponse:
    role_id = form.cleaned_data.get("role", "")
    context = handing_out.context_of(request, form, denied=denied, role_id=role_id)
    return show(request, "handouts/new.html", context, status=status)


def _page(request: PortalRequest, handout_id: str) -> handouts.HandoutPage:
    """Return the page of a hand-out. Raises Http404: what is not for this person does not exist for them."""
    page = handouts.page_of(handout_id, request.user, now=timezone.now())
    if page is None:
        raise Http404
    return page


def _mine(request: PortalRequest, handout_id: str) -> handouts.HandoutPage:
    """Return the page of a hand-out of the person's own. Raises Http404."""
    page = _page(request, handout_id)
    if not page.is_mine:
        raise Http404
    return page


def _stepped(request: PortalRequest, handout_id: str, answer: Changed | NotChanged | AuditUnavailable) -> HttpResponse:
    match answer:
        case AuditUnavailable():
            return show_unchanged(request)
        case NotChanged():
            why = "It is not open any more, or it ends sooner than that already. Below is how it stands."
            return _render(request, _page(request, handout_id), why=why, status=CONFLICT)
    return redirect("handout", handout_id)


def _render(request: PortalRequest, page: handouts.HandoutPage, *, why: str = "", status: int = 200) -> HttpResponse:
    return show(request, "handouts/handout.html", {**handouts.page_context(page), "why": why}, status=status)
