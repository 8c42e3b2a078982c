"""How the pages of the catalogue answer a form: saved, mistaken, too late, or not recorded."""

from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django_htmx.http import HttpResponseClientRedirect

from credportal.flows.catalogue_pages import By, Gone, Outcome, Saved, Stale, Taken
from credportal.web.forms.catalogue.delegations import DelegationForm
from credportal.web.forms.catalogue.rows import RowForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import CONFLICT, UNPROCESSABLE, show_unchanged

# Where the other row is, by the column in which it says the same.
TAKEN = {
    "number": ("This account is in the catalogue already.", "catalogue_account"),
    "name": ("Another account has this name. Choose one that tells them apart.", "catalogue_account"),
    "arn": ("This role is in the catalogue already.", "catalogue_role"),
    "group": ("This group has a row for this role already. Change that one, also where it has ended.", "eligibility"),
    "user": ("This person has a row for this role already. Change that one, also where it has ended.", "eligibility"),
}
TAKEN_DELEGATION = ("Another delegation has this name. Choose one that tells them apart.", "delegation")
SAME_MOMENT = "Somebody else saved the same at this moment. Send it again to see theirs."

Page = Callable[[int], HttpResponse]


def by(request: PortalRequest) -> By:
    """Return who acts, and from where."""
    return By(request.user, origin_of(request))


def sent(request: PortalRequest) -> QueryDict | None:
    """Return the form that was sent, also an empty one; None where the page is only opened."""
    return request.POST if request.method == "POST" else None


def settle(
    request: PortalRequest, form: RowForm, act: Callable[[], Outcome], *, page: Page, leads_to: Callable[[Saved], str]
) -> HttpResponse:
    """Show the form, or carry out what a valid one asks for. ``page`` renders the form with a status.

    Raises Http404 where the row is gone.
    """
    if not form.is_bound:
        return page(200)
    if not form.is_valid():
        return page(UNPROCESSABLE)
    outcome = act()
    match outcome:
        case Saved():
            return redirect(leads_to(outcome))
        case Stale():
            form.show_conflict(outcome.row)
            return page(CONFLICT)
        case Taken():
            _say_taken(form, outcome)
            return page(UNPROCESSABLE)
    return refused(request, outcome)


def refused(request: PortalRequest, outcome: Outcome) -> HttpResponse:
    """Say that nothing was saved because it could not be recorded. Raises Http404 where the row is gone."""
    if isinstance(outcome, Gone):
        raise Http404
    return show_unchanged(request)


def lead(request: PortalRequest, address: str) -> HttpResponse:
    """Send the browser to an address of ours. A fragment cannot hold a whole page, so htmx opens it as one."""
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def saying(address: str, saved: str) -> str:
    """Return an address of ours with ``saved``, what its page is to say, in its query."""
    parts = urlsplit(address)
    query = QueryDict(parts.query, mutable=True)
    query["saved"] = saved
    return urlunsplit(parts._replace(query=query.urlencode()))


def _say_taken(form: RowForm, taken: Taken) -> None:
    if taken.column not in TAKEN:
        form.add_error(None, SAME_MOMENT)
        return
    is_delegation = isinstance(form, DelegationForm)
    sentence, route = TAKEN_DELEGATION if is_delegation else TAKEN[taken.column]
    column = taken.column if taken.column in form.fields else None
    form.add_error(column, format_html('{} <a href="{}">Open it</a>.', sentence, reverse(route, args=[taken.other])))
