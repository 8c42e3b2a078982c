"""People, as their admins look after them."""

import re
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from credportal.access.models import User
from credportal.access.selectors import people as reads
from credportal.audit import selectors as audit
from credportal.flows import people as flows
from credportal.web.forms.people import NewPersonForm, PersonForm
from credportal.web.http import PortalRequest, origin_of
from credportal.web.pages import CONFLICT, UNPROCESSABLE, show, show_unchanged

STATES = [("", "Everybody"), ("active", "Active"), ("inactive", "Switched off")]
ACTIVE = {"active": True, "inactive": False}


def person_list(request: PortalRequest) -> HttpResponse:
    """Show people, by words and by whether they are active."""
    query, state = request.GET.get("q", "")[:100], request.GET.get("state", "")
    people, is_cut = reads.people(query, is_active=ACTIVE.get(state))
    context = {"people": people, "is_cut": is_cut, "most": reads.MOST_PEOPLE, "find": query, "state": state}
    context |= {"states": STATES, "passed_on": {"state": state}}
    return show(request, "people/people.html", context)


def person_new(request: PortalRequest) -> HttpResponse:
    """Make a person, and show their first password once."""
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return show(request, "people/new.html", {"form": form}, status=UNPROCESSABLE if form.is_bound else 200)
    outcome = flows.add_person(
        actor=request.user,
        origin=origin_of(request),
        username=form.cleaned_data["username"],
        name=form.cleaned_data["name"],
        email=form.cleaned_data["email"],
        groups=form.group_ids(),
    )
    match outcome:
        case flows.PasswordSet():
            return _password(request, outcome, is_new=True)
        case flows.NotSaved():
            say(form, outcome)
            return show(request, "people/new.html", {"form": form}, status=UNPROCESSABLE)
    return show_unchanged(request)


def person_page(request: PortalRequest, handle: str) -> HttpResponse:
    """Show a person, and change them."""
    person = _person(handle)
    form = PersonForm(request.POST if request.method == "POST" else None, initial=_initial(person))
    if not form.is_valid():
        return _page(request, person, form, UNPROCESSABLE if form.is_bound else 200)
    wanted = {name: form.cleaned_data[name] for name in ("version", "name", "email", "is_active")}
    outcome = flows.change_person(
        actor=request.user, origin=origin_of(request), person=person, groups=form.group_ids(), **wanted
    )
    match outcome:
        case flows.Saved():
            return back_with(request, outcome)
        case flows.NotSaved():
            say(form, outcome)
            return _page(request, person, form, UNPROCESSABLE)
        case flows.Stale():
            person = _person(handle)
            return _page(request, person, form, CONFLICT, conflict=_conflict(person, form))
    return show_unchanged(request)


def person_password(request: PortalRequest, handle: str) -> HttpResponse:
    """Give somebody else a new password, and show it once."""
    person = _person(handle)
    outcome = flows.set_password(actor=request.user, origin=origin_of(request), person=person)
    match outcome:
        case flows.PasswordSet():
            return _password(request, outcome)
        case flows.NotSaved():
            problem = outcome.problems[""]
            return _page(request, person, PersonForm(initial=_initial(person)), UNPROCESSABLE, problem=problem)
    return show_unchanged(request)


def say(form: Any, outcome: flows.NotSaved) -> None:
    """Let the form say why nothing was saved, at its fields where it has them."""
    for field, sentence in outcome.problems.items():
        form.add_error(field if field in form.fields else None, sentence)


def back_with(request: PortalRequest, outcome: flows.Saved) -> HttpResponse:
    """Return to the page, whose address then says what was saved and how many hand-outs ended with it."""
    ended = f"&ended={outcome.ended}" if outcome.ended else ""
    return redirect(f"{request.path}?saved={int(outcome.changed)}{ended}")


def ended_with(request: PortalRequest) -> int:
    """Return how many hand-outs the address says have ended, 0 where it says nothing sensible."""
    told = request.GET.get("ended", "")
    return int(told) if re.fullmatch("[0-9]{1,4}", told) else 0


def _person(handle: str) -> User:
    person = reads.person(handle)
    if person is None:
        raise Http404
    return person


def _initial(person: User) -> dict[str, Any]:
    columns = {name: getattr(person, name) for name in ("name", "email", "is_active", "version")}
    return {**columns, "groups": reads.group_ids_of(person)}


def _page(request: PortalRequest, person: User, form: PersonForm, status: int, **more: Any) -> HttpResponse:
    context = {
        "person": person,
        "form": form,
        "is_me": person.pk == request.user.pk,
        "history": audit.history_of(flows.subject_of(person)),
        "saved": request.GET.get("saved", ""),
        "ended": ended_with(request),
        **more,
    }
    return show(request, "people/person.html", context, status=status)


def _password(request: PortalRequest, done: flows.PasswordSet, *, is_new: bool = False) -> HttpResponse:
    context = {"done": done, "is_new": is_new, "to": reverse("person", args=[done.person.handle])}
    return show(request, "people/password.html", context)


def _conflict(person: User, form: PersonForm) -> list[tuple[str, str, str]]:
    """Return what differs, as label, what it is now and what was chosen; the form may then be sent once more."""
    form.show_seen("version", str(person.version))
    names = dict(reads.group_choices())
    now, chosen = _initial(person), {**form.cleaned_data, "groups": form.group_ids()}

    def told(state: dict[str, Any]) -> list[str]:
        groups = ", ".join(sorted(names[pk] for pk in state["groups"]))
        return [state["name"], state["email"], "yes" if state["is_active"] else "no", groups]

    rows = zip(("Name", "E-mail", "Active", "Groups"), told(now), told(chosen), strict=True)
    return [(label, then or "none", yours or "none") for label, then, yours in rows if then != yours]
