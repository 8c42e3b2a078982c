"""The accounts of the catalogue."""

from django.http import Http404, HttpResponse
from django.urls import reverse

from credportal.access import selectors as access
from credportal.access.models import Account
from credportal.audit.selectors import history_of
from credportal.domain.naming import partition_from
from credportal.flows.catalogue_pages import add_account, change_account
from credportal.web.forms.catalogue.accounts import AccountForm
from credportal.web.http import PortalRequest
from credportal.web.pages import show
from credportal.web.views.catalogue.saving import by, saying, sent, settle

LONGEST_QUERY = 200


def account_list(request: PortalRequest) -> HttpResponse:
    """Show the accounts; ``q`` searches."""
    query = request.GET.get("q", "")[:LONGEST_QUERY]
    listed = access.accounts(query)
    context = {"listed": listed, "query": query, "most": access.MOST_LISTED, "saved": request.GET.get("saved", "")}
    return show(request, "catalogue/accounts.html", context)


def account_new(request: PortalRequest) -> HttpResponse:
    """Add an account."""
    form = AccountForm(sent(request), initial={"number": request.GET.get("number", "")[:40]})
    return settle(
        request,
        form,
        lambda: add_account(by=by(request), values=form.values()),
        page=lambda status: show(request, "catalogue/account_new.html", {"form": form}, status=status),
        leads_to=lambda saved: saying(reverse("catalogue_account", args=[saved.row.pk]), "added"),
    )


def account_page(request: PortalRequest, number: str) -> HttpResponse:
    """Show one account, and change it."""
    account = access.account(number)
    if account is None:
        raise Http404
    form = AccountForm(sent(request), row=account)
    return settle(
        request,
        form,
        lambda: change_account(by=by(request), number=account.number, version=form.seen_version, values=form.values()),
        page=lambda status: _page(request, account, form, status),
        leads_to=lambda saved: saying(request.path, "changed" if saved.changed else "nothing"),
    )


def _page(request: PortalRequest, account: Account, form: AccountForm, status: int) -> HttpResponse:
    an_arn = vars(account)["an_arn"]
    context = {
        "account": account,
        "form": form,
        "partition": partition_from(an_arn) if an_arn else "",
        "history": history_of(f"account:{account.number}"),
        "saved": request.GET.get("saved", ""),
    }
    return show(request, "catalogue/account.html", context, status=status)
