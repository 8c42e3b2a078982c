"""Who may open what: every route, every method, everybody, against a list that the product does not know."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client

from credportal.access.models import User
from credportal.audit.models import Event, Issuance
from credportal.domain.types import Duty
from credportal.web import rights
from credportal.web.rights import RIGHTS, Who
from tests.support.cast import Cast, Catalogue, give_duties, make_person
from tests.support.routes import Route, all_routes

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ROUTES = all_routes()
SIGNED_IN = {Who.ANYBODY, Who.SIGNED_IN}

# What each of these people is. Bob's group gives him roles and no duty; an engineer needs no more than a sign-in.
IS: dict[str, set[Who]] = {
    "": {Who.ANYBODY},
    "alice": SIGNED_IN,
    "bob": SIGNED_IN,
    "charlie": SIGNED_IN,
    "dana": SIGNED_IN | {Who.REVIEWER, Who.CATALOGUE_ADMIN, Who.USER_ADMIN},
    "erin": SIGNED_IN | {Who.REVIEWER},
    "no-group": SIGNED_IN,
    "approver": SIGNED_IN | {Who.APPROVER},
    "support": SIGNED_IN | {Who.SUPPORT},
    "auditor": SIGNED_IN | {Who.REVIEWER},
    "catalogue-admin": SIGNED_IN | {Who.REVIEWER, Who.CATALOGUE_ADMIN},
    "user-admin": SIGNED_IN | {Who.USER_ADMIN},
    "switched-off": {Who.ANYBODY},
}
# What each route is for, and of whom, written here once more: a slip in the table fails against it.
ROUTES_FOR: tuple[tuple[set[Who], str], ...] = (
    ({Who.ANYBODY}, "account_login account_inactive healthz readyz claim claim_look claim_report"),
    ({Who.SIGNED_IN}, "roles role issue break_glass console favourite sessions session"),
    ({Who.SIGNED_IN}, "account account_change_password account_reauthenticate account_logout"),
    ({Who.SIGNED_IN}, "approvals approval approval_withdraw approval_collect"),
    ({Who.APPROVER}, "approval_decide"),
    ({Who.APPROVER, Who.REVIEWER}, "reviews review_close"),
    ({Who.SUPPORT}, "handout_new handout_link handout_shorten"),
    ({Who.SUPPORT, Who.REVIEWER}, "handouts handout rota"),
    ({Who.CATALOGUE_ADMIN}, "rota_new rota_page"),
    ({Who.SUPPORT, Who.CATALOGUE_ADMIN}, "handout_cancel handout_cancel_all"),
    ({Who.REVIEWER}, "audit_event audit_find audit_unresolved"),
    ({Who.REVIEWER}, "audit_export audit_export_csv audit_export_jsonl audit_export_progress"),
    ({Who.CATALOGUE_ADMIN}, "audit_close"),
    ({Who.REVIEWER}, "audit audit_detail who who_role who_person why"),
    ({Who.CATALOGUE_ADMIN}, "catalogue_roles catalogue_role_new catalogue_role onboarding probe"),
    ({Who.CATALOGUE_ADMIN}, "catalogue_accounts catalogue_account_new catalogue_account"),
    ({Who.CATALOGUE_ADMIN}, "eligibilities eligibility_new eligibility eligibility_end"),
    ({Who.CATALOGUE_ADMIN}, "delegations delegation_new delegation delegation_end"),
    ({Who.USER_ADMIN}, "people person_new person person_password groups group_new group"),
)
FOR = {name: whos for whos, names in ROUTES_FOR for name in names.split()}
ONLY_POST = {"issue", "break_glass", "console", "favourite", "probe", "eligibility_end", "person_password"}
ONLY_POST |= {
    "approval_decide",
    "approval_withdraw",
    "approval_collect",
    "review_close",
    "audit_close",
    "account_logout",
}
BOTH = {"catalogue_role_new", "catalogue_role", "catalogue_account_new", "catalogue_account", "eligibility_new"}
BOTH |= {"delegation_new", "delegation", "delegation_end"}
BOTH |= {"audit_find", "eligibility", "person_new", "person", "group_new", "group"}
ONLY_POST |= {"handout_link", "handout_shorten", "handout_cancel", "handout_cancel_all"}
BOTH |= {"handout_new", "rota_new", "rota_page"}
ONLY_POST |= {"claim_look", "claim_report"}
BOTH |= {"claim", "account", "account_change_password", "account_reauthenticate", "account_login"}
# A 403 of these may be the rule book's word about one role, and has a record then: that is not the table's.
ASKS_THE_RULE_BOOK = {"issue", "break_glass", "console", "approval_collect"}


def methods_of(name: str) -> set[str]:
    if name in ONLY_POST:
        return {"POST"}
    return {"GET", "HEAD"} | ({"POST"} if name in BOTH else set())


@pytest.fixture
def people(cast: Cast, catalogue: Catalogue) -> dict[str, User | None]:
    """Return everybody of ``IS``; a person for each duty, an approver, and some who are nothing."""
    some = {name: make_person(name, name) for name in IS if name and not hasattr(cast, name)}
    for duty in Duty:
        give_duties(f"only {duty}", (duty,), some[duty.value])
    catalogue.deployer.approvers = Group.objects.create(name="approvers")
    catalogue.deployer.approvers.user_set.add(some["approver"])
    catalogue.deployer.save()
    give_duties("everything", tuple(Duty), some["switched-off"])
    User.objects.filter(pk=some["switched-off"].pk).update(is_active=False)
    return {"": None, **{name: getattr(cast, name, None) or some[name] for name in IS if name}}


@pytest.fixture
def become(client: Client) -> Callable[[User | None], Client]:
    def became(person: User | None) -> Client:
        client.cookies.clear()
        if person is not None:
            client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
        return client

    return became


def path_of(route: Route, catalogue: Catalogue) -> str:
    return route.path(
        role_id=catalogue.read_only.id,
        number=catalogue.sandbox.number,
        handle="alice",
        group_id=str(catalogue.engineers.pk),
    )


def test_the_table_lists_every_route_and_no_other() -> None:
    assert set(RIGHTS) == {route.name for route in ROUTES} == set(FOR)


def test_the_table_says_for_whom_each_route_and_method_is() -> None:
    said = {name: {method: set(whos) for method, whos in methods.items()} for name, methods in RIGHTS.items()}
    assert said == {name: dict.fromkeys(methods_of(name) - {"HEAD"}, whos) for name, whos in FOR.items()}


def test_every_kind_of_person_is_among_those_who_try() -> None:
    assert set().union(*IS.values()) == set(Who)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_everybody_gets_with_every_method_just_what_is_theirs(
    people: dict[str, User | None], catalogue: Catalogue, become: Callable[[User | None], Client], route: Route
) -> None:
    path, wrong = path_of(route, catalogue), []
    for name, person in people.items():
        for method in METHODS:
            answer = become(person).generic(method, path)
            verdict = verdict_of(answer, route, IS[name])
            expected = expected_for(route, method, IS[name])
            if verdict != expected:
                wrong.append(f"{method} by {name or 'nobody'}: {answer.status_code}, {verdict}, not {expected}")
    assert wrong == []


def expected_for(route: Route, method: str, is_: set[Who]) -> str:
    if Who.SIGNED_IN not in is_ and Who.ANYBODY not in FOR[route.name]:
        return "sign in"
    if method not in methods_of(route.name):
        return "405"
    return "theirs" if is_ & FOR[route.name] else "403"


def verdict_of(answer: Any, route: Route, is_: set[Who]) -> str:
    """Say in one word what the table answered. What is theirs may still be empty, wrong or not found."""
    if answer.status_code == 302 and answer["Location"].startswith("/account/login/") and Who.SIGNED_IN not in is_:
        return "sign in"
    if answer.status_code == 403 and route.name in ASKS_THE_RULE_BOOK and Issuance.objects.exists():
        return "theirs"
    if answer.status_code in (403, 405):
        return str(answer.status_code)
    is_health = route.name in ("healthz", "readyz")
    return "theirs" if answer.status_code < 500 or is_health else f"broken: {answer.status_code}"


def test_a_refused_page_does_nothing_and_shows_nothing(
    people: dict[str, User | None], catalogue: Catalogue, become: Callable[[User | None], Client]
) -> None:
    before = everybody()
    fields = {"name": "x", "username": "mallory", "groups": [catalogue.engineers.pk], "version": "1", "state": "x"}
    for route in ROUTES:
        for name in ("charlie", "support", "approver"):
            if FOR[route.name] == {Who.USER_ADMIN} and "POST" in RIGHTS[route.name]:
                answer = become(people[name]).post(path_of(route, catalogue), fields)
                assert answer.status_code == 403
                assert "alice" not in answer.content.decode().casefold()
    assert everybody() == before
    assert not Event.objects.exists()


def everybody() -> list[Any]:
    return list(User.objects.order_by("pk").values_list("username", "password", "is_active", "version"))


@pytest.mark.parametrize("method", METHODS)
def test_a_route_that_is_missing_from_the_table_is_closed_to_everybody(
    dana: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    assert dana.get("/people/").status_code == 200
    monkeypatch.delitem(rights.RIGHTS, "people")
    assert dana.generic(method, "/people/").status_code == 403


def test_a_wrong_method_is_told_the_right_ones(dana: Client, catalogue: Catalogue) -> None:
    assert dana.put("/people/")["Allow"] == "GET, HEAD"
    assert dana.get("/people/alice/password/")["Allow"] == "POST"
