"""Who may open and send what, as one table; and the fifth, sixth and seventh promise."""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.urls import NoReverseMatch, resolve

from credportal.access.models import Eligibility, User
from credportal.audit.models import Event, Issuance
from credportal.web.rights import RIGHTS
from tests.fault_sts import FaultSTS
from tests.support.cast import PASSWORD, Cast, Catalogue, allow
from tests.support.html import hidden
from tests.support.routes import Route, all_routes

IN = "302 to sign-in"
PEOPLE = ("anonymous", "alice", "bob", "charlie", "dana", "erin")
EVERYBODY = (IN, 200, 200, 200, 200, 200)
NO_POST = (IN, 405, 405, 405, 405, 405)
NO_METHOD = (405,) * 6
REVIEWERS = (IN, 403, 403, 403, 200, 200)

# Alice and Bob may have the role; the issuance is Alice's. An empty form is sent.
# fmt: off
TABLE: dict[str, tuple[Any, ...]] = {
    #                                 anonymous, alice, bob, charlie, dana, erin
    "GET roles":                      EVERYBODY,
    "POST roles":                     NO_POST,
    "GET role":                       (IN, 200, 200, 404, 404, 404),
    "POST role":                      NO_POST,
    "GET issue":                      NO_POST,
    "POST issue":                     (IN, 422, 422, 403, 403, 403),
    # The tests' STS is a stand-in that opens no console, so there is nothing here for anybody.
    "GET console":                    NO_POST,
    "POST console":                   (IN, 404, 404, 404, 404, 404),
    "GET favourite":                  NO_POST,
    "POST favourite":                 (IN, 302, 302, 404, 404, 404),
    "GET sessions":                   EVERYBODY,
    "POST sessions":                  NO_POST,
    "GET session":                    (IN, 200, 404, 404, 404, 404),
    "POST session":                   NO_POST,
    "GET audit":                      REVIEWERS,
    "POST audit":                     NO_POST,
    "GET audit_detail":               REVIEWERS,
    "POST audit_detail":              NO_POST,
    "GET account":                    EVERYBODY,
    "POST account":                   EVERYBODY,
    "GET account_change_password":    EVERYBODY,
    "POST account_change_password":   EVERYBODY,
    "GET account_login":              (200, 302, 302, 302, 302, 302),
    "POST account_login":             (200, 302, 302, 302, 302, 302),
    "GET account_logout":             NO_POST,
    "POST account_logout":            (IN, IN, IN, IN, IN, IN),
    "GET account_inactive":           (200, 200, 200, 200, 200, 200),
    "POST account_inactive":          NO_METHOD,
    "GET healthz":                    (200, 200, 200, 200, 200, 200),
    "POST healthz":                   NO_METHOD,
    "GET readyz":                     (200, 200, 200, 200, 200, 200),
    "POST readyz":                    NO_METHOD,
}
# fmt: on
WITHOUT_SIGN_IN = {"account_login", "account_inactive", "healthz", "readyz", "claim", "claim_look", "claim_report"}
ROUTES = all_routes()
# Whose object it is decides here, beside the table of rights (test_rights.py checks every route against that).
EXACT = [route for route in ROUTES if f"GET {route.name}" in TABLE]

SignIn = Callable[[User], Client]


@pytest.fixture
def issuance_id(cast: Cast) -> str:
    """Return the id of something that Alice asked for."""
    row = Issuance(id="0123456789ab", submission="s", status="failed", duration_asked=timedelta(hours=1))
    row.actor_id, row.actor_handle = cast.alice.pk, cast.alice.handle
    row.save()
    return row.pk


def issue(client: Client, role_id: str, fields: dict[str, str] | None = None) -> Any:
    asked = {"duration": "3600", "submission": secrets.token_urlsafe(16), **(fields or {})}
    return client.post(f"/roles/{role_id}/issue/", asked)


def become(client: Client, person: User | None) -> Client:
    """Sign a client in as somebody else, or as nobody. A new client costs more than a request."""
    client.cookies.clear()
    if person is not None:
        client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def answer_of(response: Any) -> Any:
    to_sign_in = response.status_code == 302 and response["Location"].startswith("/account/login/")
    return IN if to_sign_in else response.status_code


def path_of(route: Route, catalogue: Catalogue, issuance_id: str = "x") -> str:
    return route.path(role_id=catalogue.read_only.id, issuance_id=issuance_id)


@pytest.mark.parametrize("route", EXACT, ids=lambda route: route.name)
def test_authorisation_is_exactly_the_table(
    client: Client, cast: Cast, catalogue: Catalogue, issuance_id: str, route: Route
) -> None:
    path = path_of(route, catalogue, issuance_id)
    for method in ("GET", "POST"):
        seen = []
        for name in PEOPLE:
            become(client, getattr(cast, name, None))
            seen.append(answer_of(client.generic(method, path)))
        line = f"{method} {route.name}"
        assert dict(zip(PEOPLE, seen, strict=True)) == dict(zip(PEOPLE, TABLE[line], strict=True)), line


def test_invariant_5_every_page_needs_a_login_unless_it_says_otherwise(client: Client, catalogue: Catalogue) -> None:
    opened = set()
    for route in ROUTES:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            response = become(client, None).generic(method, path_of(route, catalogue))
            if response.status_code != 302:
                opened.add(resolve(path_of(route, catalogue)).view_name)
            else:
                assert response["Location"].startswith("/account/login/")
    assert opened == WITHOUT_SIGN_IN


@pytest.mark.parametrize("name", ["account_signup", "account_reset_password", "account_set_password", "account_email"])
def test_sign_up_and_password_reset_have_no_route(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        Route(name, ()).path()


def test_invariant_5_every_refusal_is_recorded(charlie: Client, dana: Client, catalogue: Catalogue) -> None:
    assert issue(charlie, catalogue.read_only.id).status_code == 403
    assert issue(dana, catalogue.nobody.id).status_code == 403
    rows = Issuance.objects.order_by("requested_at").values_list("actor_handle", "role_name", "status", "code")
    assert list(rows) == [
        ("charlie", "PaymentsReadOnly", "denied", "not_eligible"),
        ("dana", "NobodyMayHaveThis", "denied", "not_eligible"),
    ]
    assert set(Event.objects.values_list("kind", flat=True)) == {"issuance:denied"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE"])
def test_invariant_6_only_a_post_mints(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, sign_in: SignIn, method: str
) -> None:
    query = f"?duration=3600&submission={secrets.token_urlsafe(16)}"
    for person in (cast.alice, cast.dana):
        client = sign_in(person)
        for route in ROUTES:
            client.generic(method, path_of(route, catalogue) + query)
    assert sts.ledger.mints == []
    assert not Issuance.objects.exists()


def test_invariant_6_a_post_needs_the_token_of_a_page_of_ours(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, sign_in: SignIn
) -> None:
    client = sign_in(cast.dana)
    stranger = sign_in(cast.charlie)
    foreign = hidden(stranger.get("/account/").content.decode(), "csrfmiddlewaretoken")
    tokens: list[dict[str, str]] = [{}]
    tokens += [{"csrfmiddlewaretoken": token} for token in (foreign, secrets.token_hex(32), "")]
    fields = {"duration": "3600", "submission": secrets.token_urlsafe(16), "starred": "1", "time_zone": "Asia/Tokyo"}
    paths = [path_of(route, catalogue) for route in ROUTES if "POST" in RIGHTS[route.name]]
    assert len(paths) > 15
    assert {f"/roles/{catalogue.read_only.id}/issue/", "/account/logout/", "/account/login/"} <= set(paths)
    allow(catalogue.read_only, cast.dana)
    client.get("/account/")  # It has a token cookie of its own now.
    client.handler.enforce_csrf_checks = True
    before = Issuance.objects.count()
    for path in paths:
        for token in tokens:
            assert client.post(path, {**fields, **token}).status_code == 403, (path, token)
            assert client.post(path, {**fields, **token}, content_type="text/plain").status_code == 403, (path, token)
    assert sts.ledger.mints == []
    assert Issuance.objects.count() == before
    cast.dana.refresh_from_db()
    assert cast.dana.time_zone == "UTC"


def test_invariant_6_the_token_of_the_page_lets_its_form_through(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/account/login/").content.decode()
    sent = {"login": "alice", "password": PASSWORD, "csrfmiddlewaretoken": hidden(page, "csrfmiddlewaretoken")}
    assert client.post("/account/login/", sent).status_code == 302
    page = client.get(f"/roles/{catalogue.read_only.id}/").content.decode()
    names = set(re.findall(r'<input type="hidden" name="(\w+)"', page))
    form = {name: hidden(page, name) for name in names}
    path = f"/roles/{catalogue.read_only.id}/issue/"
    assert client.post(path, {**form, "duration": "900"}).status_code == 200
    assert client.post(path, {**form, "duration": "900"}).status_code == 409
    assert len(sts.ledger.mints) == 1


def test_invariant_6_a_resubmitted_form_says_already_issued_and_shows_no_secret(
    alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    submission = secrets.token_urlsafe(16)
    first = issue(alice, catalogue.read_only.id, {"submission": submission})
    again = issue(alice, catalogue.read_only.id, {"submission": submission, "duration": "900"})
    [mint] = sts.ledger.mints
    assert (first.status_code, again.status_code) == (200, 409)
    assert Issuance.objects.get().pk in again.content.decode()
    assert mint.secret_access_key not in again.content.decode()


def test_invariant_7_rights_are_computed_at_the_post(alice: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    assert alice.get(f"/roles/{catalogue.read_only.id}/").status_code == 200
    Eligibility.objects.filter(role=catalogue.read_only).delete()
    assert issue(alice, catalogue.read_only.id).status_code == 403
    assert (Issuance.objects.get().status, Issuance.objects.get().code) == ("denied", "not_eligible")
    assert sts.ledger.calls == []


def test_invariant_7_leaving_the_group_counts_at_the_post(
    cast: Cast, alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    assert alice.get(f"/roles/{catalogue.read_only.id}/").status_code == 200
    catalogue.engineers.user_set.remove(cast.alice)
    assert issue(alice, catalogue.read_only.id).status_code == 403
    assert sts.ledger.calls == []


def test_invariant_7_a_role_switched_off_counts_at_the_post(alice: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    catalogue.read_only.enabled = False
    catalogue.read_only.save()
    assert issue(alice, catalogue.read_only.id).status_code == 403
    assert Issuance.objects.get().code == "role_disabled"
    assert sts.ledger.calls == []


def test_invariant_7_a_duration_over_the_own_maximum_is_refused_and_recorded(
    bob: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    response = issue(bob, catalogue.read_only.id, {"duration": "7200"})
    assert response.status_code == 403
    assert "You may have PaymentsReadOnly for 1 h, not 2 h" in re.sub("<wbr>", "", response.content.decode())
    assert Issuance.objects.get().code == "duration_too_long"
    assert sts.ledger.calls == []


STS_PARAMETERS = """
    RoleArn RoleSessionName DurationSeconds ExternalId SourceIdentity Policy PolicyArns Tags Action TransitiveTagKeys
    SerialNumber TokenCode ProvidedContexts Tags.member.1.Key Tags.member.1.Value PolicyArns.member.1.arn
    role role_arn arn session_name source_identity external_id user user_id actor status approved_by policy address
"""


def every_field_name() -> set[str]:
    fields = {field.name for model in apps.get_models() for field in model._meta.get_fields()}
    columns = {field.attname for model in apps.get_models() for field in model._meta.concrete_fields}
    return fields | columns | set(STS_PARAMETERS.split())


def test_invariant_7_no_extra_field_changes_what_sts_is_asked(
    cast: Cast, alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    extra = dict.fromkeys(every_field_name(), catalogue.administrator.arn)
    for name in ("duration", "reason", "ticket", "narrowing", "submission"):
        extra.pop(name, None)
    names = list(extra)
    for start in range(0, len(names), 100):  # A form may have 200 fields.
        part = {name: extra[name] for name in names[start : start + 100]}
        assert issue(alice, catalogue.read_only.id, part).status_code == 200
    assert len(names) > 100
    assert issue(alice, catalogue.read_only.id).status_code == 200
    *with_extra, plain = [_without_ids(call.arguments) for call in sts.ledger.calls_of("AssumeRole")]
    assert all(arguments == plain for arguments in with_extra)
    assert set(Issuance.objects.values_list("actor_handle", "role_arn", "status")) == {
        ("alice", catalogue.read_only.arn, "issued")
    }
    assert set(User.objects.filter(groups__duties__isnull=False)) == {cast.dana, cast.erin}


def _without_ids(arguments: dict[str, str]) -> dict[str, str]:
    """Take the issuance ids out: they differ from call to call."""
    issuance_id = arguments["RoleSessionName"].rsplit("-", 1)[1]
    return {name: text.replace(issuance_id, "ID") for name, text in arguments.items()}


def test_an_extra_field_changes_nobodys_rights_on_the_account_page(cast: Cast, alice: Client) -> None:
    fields = {"time_zone": "UTC", "day_ends": "17:00", "groups": str(cast.dana.groups.get().pk), "duties": "user-admin"}
    assert alice.post("/account/", {**fields, "handle": "dana", "username": "dana"}).status_code == 302
    cast.alice.refresh_from_db()
    assert (cast.alice.duties, set(cast.alice.groups.values_list("name", flat=True))) == (frozenset(), set())
    assert (cast.alice.handle, cast.alice.username) == ("alice", "alice")
