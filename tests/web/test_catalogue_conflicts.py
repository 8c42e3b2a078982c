"""Two admins at one row of the catalogue: neither loses anything, and both see it."""

import threading
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from credportal.access import catalogue_changes
from credportal.access.models import Account, Eligibility, Role, User
from credportal.domain.types import Duty
from tests.support.cast import Cast, Catalogue, give_duties, make_cast, make_catalogue
from tests.support.forms import fields_of, opened, send, told


@pytest.fixture
def other(cast: Cast, sign_in: Callable[[User], Client]) -> Client:
    """A second admin of the catalogue."""
    give_duties("admins", (Duty.CATALOGUE_ADMIN,), cast.charlie)
    return sign_in(cast.charlie)


def at_once(clients: list[Client], path: str, forms: list[dict[str, str]]) -> list[int]:
    """Send the forms at the same moment; return the status of each answer."""
    together, statuses = threading.Barrier(len(clients)), [0] * len(clients)

    def save(number: int) -> None:
        together.wait(10)
        statuses[number] = clients[number].post(path, forms[number]).status_code
        connection.close()

    threads = [threading.Thread(target=save, args=(number,)) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return statuses


def test_the_second_to_save_sees_both_and_loses_nothing(dana: Client, other: Client, catalogue: Catalogue) -> None:
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    mine = {**opened(dana, path), "label": "Mine", "tags": "books", "needs_reason": "on"}
    send(other, path, label="Theirs", description="Their words", max_session_duration="8 h")

    response = dana.post(path, mine)
    page = unescape(response.content.decode())
    assert response.status_code == 409
    assert "Somebody else changed this while you were at it" in page
    assert "The last change was made by <bdi>charlie</bdi>." in page
    for now in ("Theirs", "Their words", "8 h", "empty", "off"):
        assert f"Now: <bdi>{now}</bdi>" in page
    assert page.count("Now: <bdi>") == 5, "only what differs has a mark"
    kept = fields_of(response.content.decode())
    assert {name: kept[name] for name in mine if name not in {"version", "csrfmiddlewaretoken"}} == {
        name: value for name, value in mine.items() if name not in {"version", "csrfmiddlewaretoken"}
    }, "what was typed is kept"
    role = Role.objects.get(id=catalogue.read_only.id)
    assert (role.label, role.version) == ("Theirs", 2)
    assert [actor for _, _, actor, _ in told()] == ["charlie"]


def test_the_second_to_save_may_save_over_it_knowingly(dana: Client, other: Client, catalogue: Catalogue) -> None:
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    mine = {**opened(dana, path), "label": "Mine"}
    send(other, path, label="Theirs", description="Their words")
    conflict = dana.post(path, mine).content.decode()
    assert "Save over it" in conflict

    again = dana.post(path, {**fields_of(conflict), "description": "Their words"})
    assert again["Location"] == f"{path}?saved=changed"
    role = Role.objects.get(id=catalogue.read_only.id)
    assert (role.label, role.description, role.version) == ("Mine", "Their words", 3)
    assert told()[-1][2:] == ("dana", {"before": {"label": "Theirs"}, "after": {"label": "Mine"}})


def test_saving_over_it_is_refused_again_where_a_third_change_came_between(
    dana: Client, other: Client, catalogue: Catalogue
) -> None:
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    mine = {**opened(dana, path), "label": "Mine"}
    send(other, path, label="Theirs")
    conflict = dana.post(path, mine).content.decode()
    send(other, path, label="Theirs again")
    response = dana.post(path, fields_of(conflict))
    assert response.status_code == 409
    assert "Now: <bdi>Theirs again</bdi>" in response.content.decode()


def test_both_saving_the_same_is_no_conflict(dana: Client, other: Client, catalogue: Catalogue) -> None:
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    mine = {**opened(dana, path), "label": "The same"}
    send(other, path, label="The same")
    assert dana.post(path, mine)["Location"] == f"{path}?saved=nothing"
    assert len(told()) == 1


@pytest.mark.parametrize("kind", ["account", "eligibility"])
def test_an_account_and_an_eligibility_conflict_likewise(
    dana: Client, other: Client, catalogue: Catalogue, kind: str
) -> None:
    row = catalogue.on_call.eligibilities.get()
    path, field, theirs = {
        "account": ("/catalogue/accounts/491200653381/", "owner", "Treasury"),
        "eligibility": (f"/catalogue/eligibilities/{row.pk}/", "max_duration", "45 min"),
    }[kind]
    mine = {**opened(dana, path), field: "1 h"}
    send(other, path, **{field: theirs})
    response = dana.post(path, mine)
    assert response.status_code == 409
    assert f"Now: <bdi>{theirs}</bdi>" in response.content.decode()
    assert dana.post(path, fields_of(response.content.decode())).status_code == 302


def test_a_row_that_ended_meanwhile_is_a_conflict_that_says_so(
    dana: Client, other: Client, catalogue: Catalogue
) -> None:
    row = catalogue.on_call.eligibilities.get()
    path = f"/catalogue/eligibilities/{row.pk}/"
    mine = {**opened(dana, path), "note": "Keep it"}
    other.post(f"{path}end/")
    response = dana.post(path, mine)
    page = response.content.decode()
    assert response.status_code == 409
    assert page.count("Now: <bdi>") == 2, "the end, and the note that is typed"
    row.refresh_from_db()
    assert row.valid_until is not None


def test_a_row_that_an_import_took_away_meanwhile_is_not_found(
    dana: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = catalogue.on_call.eligibilities.get()
    path = f"/catalogue/eligibilities/{row.pk}/"
    mine = {**opened(dana, path), "note": "Keep it"}
    change = catalogue_changes.change

    def late(*arguments: Any, **options: Any) -> Any:
        Eligibility.objects.filter(pk=row.pk).delete()
        return change(*arguments, **options)

    monkeypatch.setattr(catalogue_changes, "change", late)
    assert dana.post(path, mine).status_code == 404
    assert told() == []


@pytest.mark.parametrize("kind", ["account", "role", "eligibility"])
def test_the_same_added_between_look_and_write_is_a_mistake_of_the_form(
    dana: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The look before the write is blind here, as it is for a row that another transaction has not committed."""
    monkeypatch.setattr(catalogue_changes, "ONCE", {Account: {}, Role: {}, Eligibility: {}})
    path, asked = {
        "account": ("/catalogue/accounts/new/", {"number": "491200653381", "name": "n", "environment": "sandbox"}),
        "role": ("/catalogue/roles/new/", {"arn": catalogue.read_only.arn, "default_region": "eu-west-1"}),
        "eligibility": (
            f"/catalogue/eligibilities/new/?role={catalogue.on_call.id}",
            {"group": str(catalogue.engineers.pk), "max_duration": "1 h"},
        ),
    }[kind]
    response = send(dana, path, **asked)
    assert response.status_code == 422
    assert "Somebody else saved the same at this moment." in response.content.decode()
    assert told() == []


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_the_same_moment_exactly_one_is_told(sign_in: Callable[[User], Client]) -> None:
    cast = make_cast()
    catalogue = make_catalogue(cast)
    give_duties("admins", (Duty.CATALOGUE_ADMIN,), cast.charlie)
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    clients = [sign_in(cast.dana), sign_in(cast.charlie)]
    forms = [{**opened(client, path), "label": f"Label {number}"} for number, client in enumerate(clients)]
    statuses = at_once(clients, path, forms)
    assert sorted(statuses) == [302, 409]
    role = Role.objects.get(id=catalogue.read_only.id)
    assert (role.label, role.version) == (f"Label {statuses.index(302)}", 2)
    assert len(told()) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_add_the_same_at_the_same_moment_exactly_one_does(sign_in: Callable[[User], Client]) -> None:
    cast = make_cast()
    catalogue = make_catalogue(cast)
    give_duties("admins", (Duty.CATALOGUE_ADMIN,), cast.charlie)
    clients = [sign_in(cast.dana), sign_in(cast.charlie)]
    arn = f"arn:aws:iam::{catalogue.sandbox.number}:role/New"
    path = "/catalogue/roles/new/"
    forms = [{**opened(client, path), "arn": arn, "default_region": "eu-west-1"} for client in clients]
    statuses = at_once(clients, path, forms)
    assert sorted(statuses) == [302, 422]
    assert Role.objects.filter(arn=arn).count() == 1
    assert len(told()) == 1
