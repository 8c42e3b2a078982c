"""About me."""

from allauth.account import views as allauth
from django.http import HttpResponse
from django.shortcuts import redirect, render

from credportal.access import selectors as access
from credportal.flows.preferences import change_day
from credportal.web.forms.account import AboutMeForm
from credportal.web.http import PortalRequest


def about_me(request: PortalRequest) -> HttpResponse:
    """Show who I am here, and let me set my time zone and the end of my day."""
    user = request.user
    form = AboutMeForm(request.POST or None, initial={"time_zone": user.time_zone, "day_ends": user.day_ends})
    if form.is_valid():
        change_day(user=user, **form.cleaned_data)
        return redirect(f"{request.path}?saved=1")
    context = {"form": form, "groups": access.group_names(user), "saved": "saved" in request.GET}
    return render(request, "account/me.html", context, status=422 if form.is_bound else 200)


def sign_out(request: PortalRequest) -> HttpResponse:
    """End the sign-in, and have the browser forget what it kept of the portal's pages."""
    response: HttpResponse = allauth.logout(request)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
