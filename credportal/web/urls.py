"""Every address of the portal. docs/architecture.md names the ones scripts may rely on."""

from allauth.account import views as allauth
from django.urls import path

from credportal.web.views import account, audit, health, roles, sessions

handler400 = "credportal.web.views.errors.bad_request"
handler403 = "credportal.web.views.errors.permission_denied"
handler404 = "credportal.web.views.errors.page_not_found"
handler500 = "credportal.web.views.errors.server_error"

urlpatterns = [
    path("", roles.role_list, name="roles"),
    path("roles/<str:role_id>/", roles.role_request, name="role"),
    path("roles/<str:role_id>/issue/", roles.role_issue, name="issue"),
    path("roles/<str:role_id>/console/", roles.role_console, name="console"),
    path("roles/<str:role_id>/favourite/", roles.role_favourite, name="favourite"),
    path("sessions/", sessions.session_list, name="sessions"),
    path("sessions/<str:issuance_id>/", sessions.session_detail, name="session"),
    path("audit/", audit.audit_list, name="audit"),
    path("audit/<str:issuance_id>/", audit.audit_detail, name="audit_detail"),
    path("account/", account.about_me, name="account"),
    path("account/login/", allauth.login, name="account_login"),
    path("account/logout/", account.sign_out, name="account_logout"),
    path("account/inactive/", allauth.account_inactive, name="account_inactive"),
    path("account/password/", allauth.password_change, name="account_change_password"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
