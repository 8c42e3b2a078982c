"""Every address of the portal. docs/architecture.md names the ones scripts may rely on; rights.py says for whom."""

from allauth.account import views as allauth
from django.urls import path

from credportal.web.views import (
    account,
    approvals,
    audit,
    audit_detail,
    audit_export,
    audit_find,
    audit_unresolved,
    claim,
    groups,
    health,
    people,
    reviews,
    roles,
    sessions,
    who,
)
from credportal.web.views.catalogue import accounts, eligibilities, onboarding, probes
from credportal.web.views.catalogue import roles as catalogue_roles

handler400 = "credportal.web.views.errors.bad_request"
handler403 = "credportal.web.views.errors.permission_denied"
handler404 = "credportal.web.views.errors.page_not_found"
handler429 = "credportal.web.accounts.too_many_tries"
handler500 = "credportal.web.views.errors.server_error"

urlpatterns = [
    path("", roles.role_list, name="roles"),
    path("roles/<str:role_id>/", roles.role_request, name="role"),
    path("roles/<str:role_id>/issue/", roles.role_issue, name="issue"),
    path("roles/<str:role_id>/break-glass/", roles.role_break_glass, name="break_glass"),
    path("roles/<str:role_id>/console/", roles.role_console, name="console"),
    path("roles/<str:role_id>/favourite/", roles.role_favourite, name="favourite"),
    path("sessions/", sessions.session_list, name="sessions"),
    path("sessions/<str:issuance_id>/", sessions.session_detail, name="session"),
    path("approvals/", approvals.approval_list, name="approvals"),
    path("approvals/<str:approval_id>/", approvals.approval_page, name="approval"),
    path("approvals/<str:approval_id>/decide/", approvals.approval_decide, name="approval_decide"),
    path("approvals/<str:approval_id>/withdraw/", approvals.approval_withdraw, name="approval_withdraw"),
    path("approvals/<str:approval_id>/collect/", approvals.approval_collect, name="approval_collect"),
    path("reviews/", reviews.review_list, name="reviews"),
    path("reviews/<str:review_id>/close/", reviews.review_close, name="review_close"),
    path("audit/", audit.audit_list, name="audit"),
    path("audit/export/", audit_export.export_page, name="audit_export"),
    path("audit/export.csv", audit_export.export_csv, name="audit_export_csv"),
    path("audit/export.jsonl", audit_export.export_jsonl, name="audit_export_jsonl"),
    path("audit/export/<str:export_id>/", audit_export.export_progress, name="audit_export_progress"),
    path("audit/find/", audit_find.audit_find, name="audit_find"),
    path("audit/unresolved/", audit_unresolved.unresolved_list, name="audit_unresolved"),
    path("audit/unresolved/<str:issuance_id>/close/", audit_unresolved.unresolved_close, name="audit_close"),
    path("audit/events/<int:number>/", audit_detail.audit_event, name="audit_event"),
    path("audit/<str:issuance_id>/", audit_detail.audit_detail, name="audit_detail"),
    path("who/", who.matrix, name="who"),
    path("who/why/", who.why, name="why"),
    path("who/roles/<str:role_id>/", who.by_role, name="who_role"),
    path("who/people/<str:handle>/", who.by_person, name="who_person"),
    path("catalogue/", catalogue_roles.role_list, name="catalogue_roles"),
    path("catalogue/roles/new/", catalogue_roles.role_new, name="catalogue_role_new"),
    path("catalogue/roles/<str:role_id>/", catalogue_roles.role_page, name="catalogue_role"),
    path("catalogue/roles/<str:role_id>/trust/", onboarding.onboarding, name="onboarding"),
    path("catalogue/roles/<str:role_id>/probe/", probes.probe, name="probe"),
    path("catalogue/accounts/", accounts.account_list, name="catalogue_accounts"),
    path("catalogue/accounts/new/", accounts.account_new, name="catalogue_account_new"),
    path("catalogue/accounts/<str:number>/", accounts.account_page, name="catalogue_account"),
    path("catalogue/eligibilities/", eligibilities.eligibility_list, name="eligibilities"),
    path("catalogue/eligibilities/new/", eligibilities.eligibility_new, name="eligibility_new"),
    path("catalogue/eligibilities/<int:eligibility_id>/", eligibilities.eligibility_page, name="eligibility"),
    path("catalogue/eligibilities/<int:eligibility_id>/end/", eligibilities.eligibility_end, name="eligibility_end"),
    path("people/", people.person_list, name="people"),
    path("people/new/", people.person_new, name="person_new"),
    path("people/<str:handle>/profile/", people.person_page, name="person"),
    path("people/<str:handle>/password/", people.person_password, name="person_password"),
    path("groups/", groups.group_list, name="groups"),
    path("groups/new/", groups.group_new, name="group_new"),
    path("groups/<int:group_id>/", groups.group_page, name="group"),
    path("claim/", claim.claim, name="claim"),
    path("claim/look/", claim.claim_look, name="claim_look"),
    path("claim/report/", claim.claim_report, name="claim_report"),
    path("account/", account.about_me, name="account"),
    path("account/login/", allauth.login, name="account_login"),
    path("account/logout/", account.sign_out, name="account_logout"),
    path("account/inactive/", allauth.account_inactive, name="account_inactive"),
    path("account/password/", allauth.password_change, name="account_change_password"),
    path("account/confirm/", allauth.reauthenticate, name="account_reauthenticate"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
