"""Who has access: by role, by person, as a matrix, and why (not)."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from credportal.access import selectors as access
from credportal.access.selectors import delegations
from credportal.flows import access_review
from credportal.web.forms.who import MatrixForm, WhyForm
from credportal.web.http import PortalRequest
from credportal.web.pages import UNPROCESSABLE, show


def matrix(request: PortalRequest) -> HttpResponse:
    """Hold people against roles."""
    form = MatrixForm(request.GET)
    context: dict[str, object] = {"form": form, "why_form": WhyForm()}
    if not form.is_valid():
        return show(request, "who/matrix.html", context, status=UNPROCESSABLE)
    asked = form.cleaned_data
    context["matrix"] = access_review.matrix(asked["people"], asked["roles"], asked["account"], now=timezone.now())
    context["searched"] = any(asked.values())
    return show(request, "who/matrix.html", context)


def by_role(request: PortalRequest, role_id: str) -> HttpResponse:
    """Show who has one role, and through which rows."""
    now = timezone.now()
    found = access_review.role_access(role_id, now=now)
    if found is None:
        raise Http404
    if role_id != found.role.id:
        return redirect("who_role", found.role.id)
    context = {
        "found": found,
        "role": found.role,
        "handings": delegations.handings_of_role(found.role),
        "now": now,
        "back": request.path,
        "why_form": WhyForm(),
    }
    return render(request, "who/role.html", context)


def by_person(request: PortalRequest, handle: str) -> HttpResponse:
    """Show which roles one person has, and because of what."""
    now = timezone.now()
    found = access_review.person_access(handle, now=now)
    if found is None:
        raise Http404
    person, roles = found
    handings = delegations.handings_of_person(person)
    context = {"person": person, "roles": roles, "handings": handings, "now": now, "back": request.path}
    return render(request, "who/person.html", context)


def why(request: PortalRequest) -> HttpResponse:
    """Answer for one person and one role, as the rule book would."""
    form = WhyForm(request.GET)
    if not form.is_valid():
        return render(request, "who/why.html", {"form": form}, status=UNPROCESSABLE)
    asked = form.cleaned_data
    person, role = access.person_named(asked["person"]), access.role_named(asked["role"])
    if person is None:
        form.add_error("person", "Nobody has this user name or handle. Look for them under Who has access.")
    if role is None:
        form.add_error("role", "No role has this ARN, and no single one this name. Look for it under Who has access.")
    if person is None or role is None:
        return render(request, "who/why.html", {"form": form}, status=UNPROCESSABLE)
    cell = access_review.why(person, role, duration=asked["duration"], now=timezone.now())
    context = {
        "form": form,
        "cell": cell,
        "person": person,
        "role": role,
        "duration": asked["duration"],
        "handings": delegations.handings_between(person, role),
    }
    return render(request, "who/why.html", context)
