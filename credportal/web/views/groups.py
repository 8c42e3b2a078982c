"""Groups, as their admins look after them."""

from typing import Any

from django.contrib.auth.models import Group
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from credportal.access.models import User
from credportal.access.selectors import people as reads
from credportal.audit import selectors as audit
from credportal.flows import groups as flows
from credportal.flows.people import NotSaved, Saved, Stale
from credportal.web.forms.people import DUTIES, GroupForm, NewGroupForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import CONFLICT, UNPROCESSABLE, show, show_unchanged
from credportal.web.views.people import back_with, ended_with, say

MOST_TOLD = 20


def group_list(request: PortalRequest) -> HttpResponse:
    """Show groups, by words."""
    query = request.GET.get("q", "")[:100]
    groups, is_cut = reads.groups(query)
    context = {"groups": groups, "is_cut": is_cut, "most": reads.MOST_GROUPS, "find": query}
    return show(request, "people/groups.html", context)


def group_new(request: PortalRequest) -> HttpResponse:
    """Make a group."""
    form = NewGroupForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _new(request, form, UNPROCESSABLE if form.is_bound else 200)
    outcome = flows.add_group(
        actor=request.user,
        origin=origin_of(request),
        name=form.cleaned_data["name"],
        duties=form.duties_ticked(),
        joining=form.cleaned_data["joining"],
    )
    match outcome:
        case flows.Made():
            return redirect(f"{reverse('group', args=[outcome.group.pk])}?saved=1")
        case NotSaved():
            say(form, outcome)
            return _new(request, form, UNPROCESSABLE)
    return show_unchanged(request)


def group_page(request: PortalRequest, group_id: int) -> HttpResponse:
    """Show a group, and change it."""
    group = _group(group_id)
    find = request.GET.get("member", "")[:100]
    members, total = reads.members(group, find)
    form = GroupForm(request.POST if request.method == "POST" else None, members=members, initial=_initial(group))
    page = {"group": group, "members": members, "total": total, "find": find}
    if not form.is_valid():
        return _page(request, form, page, UNPROCESSABLE if form.is_bound else 200)
    outcome = flows.change_group(
        actor=request.user, origin=origin_of(request), group=group, duties=form.duties_ticked(), **form.wanted()
    )
    match outcome:
        case Saved():
            return back_with(request, outcome)
        case NotSaved():
            say(form, outcome)
            return _page(request, form, page, UNPROCESSABLE)
        case Stale():
            return _page(request, form, {**page, "conflict": _conflict(group, members, form)}, CONFLICT)
    return show_unchanged(request)


def _group(group_id: int) -> Group:
    group = reads.group(group_id)
    if group is None:
        raise Http404
    return group


def _initial(group: Group) -> dict[str, Any]:
    duties = [duty.value for duty in reads.duties_of(group)]
    return {"name": group.name, "duties": duties, "state": flows.state_of(group)}


def _new(request: PortalRequest, form: NewGroupForm, status: int) -> HttpResponse:
    return show(request, "people/new_group.html", {"form": form}, status=status)


def _page(request: PortalRequest, form: GroupForm, page: dict[str, Any], status: int) -> HttpResponse:
    group: Group = page["group"]
    context = {
        "form": form,
        "rights": reads.group_rights(group),
        "history": audit.history_of(flows.subject_of(group)),
        "saved": request.GET.get("saved", ""),
        "ended": ended_with(request),
        "most": reads.MOST_MEMBERS,
        "ticked": form.ticked(),
        **page,
    }
    return show(request, "people/group.html", context, status=status)


def _conflict(group: Group, members: list[User], form: GroupForm) -> list[tuple[str, str, str]]:
    """Return what differs, as label, what it is now and what was wanted; the form may then be sent once more."""
    now = _initial(group)
    form.show_seen("state", now["state"])
    duties_now, duties = reads.duties_of(group), form.duties_ticked()
    told = [
        _few([words.partition(":")[0] for duty, words in DUTIES.items() if duty in some])
        for some in (duties_now, duties)
    ]
    wanted = form.wanted()
    leaving = [str(person) for person in members if person.pk in wanted["leaving"]]
    typed = " ".join(str(form.data.get("joining", "")).split())
    yours = [*([f"add {typed}"] if typed else []), *([f"take out {_few(leaving)}"] if leaving else [])]
    rows = [
        ("Name", group.name, wanted["name"]),
        ("Duties", *told),
        ("Members", _few([str(person) for person in members]), "; ".join(yours) or "as they are"),
    ]
    return [(label, then, asked) for label, then, asked in rows if then != asked]


def _few(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return (", ".join(names[:MOST_TOLD]) + more) or "none"
