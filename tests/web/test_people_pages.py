"""People: added, changed, switched off, given passwords; who did it stands in the audit."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credportal.access.models import User
from credportal.audit.models import Event
from tests.support.cast import PASSWORD, Cast, Catalogue, give_duties, make_person
from tests.support.html import hidden
from tests.support.unwritable import unwritable_audit

SHOWN = re.compile(r'<span class="id" id="password">([^<]+)</span>')


def page(handle: str) -> str:
    return f"/people/{handle}/profile/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode().replace("<wbr>", ""))


def fields_of(client: Client, person: User, **changed: Any) -> dict[str, Any]:
    """Return what the page of a person would send, with some fields changed."""
    seen = client.get(page(person.handle)).content.decode()
    groups = [str(pk) for pk in person.groups.values_list("pk", flat=True)]
    fields = {"name": person.name, "email": person.email, "is_active": "on", "groups": groups}
    sent = {**fields, "version": hidden(seen, "version"), **changed}
    return {name: value for name, value in sent.items() if value is not None}


def told() -> list[tuple[str, str, str, Any]]:
    """Return every event about a person or a group as kind, subject, actor and detail."""
    events = Event.objects.filter(kind__regex="^(person|group):").order_by("id")
    return [(event.kind, event.subject, event.actor_handle, event.detail) for event in events]


def test_a_person_is_added_with_a_password_that_is_shown_once_and_lets_them_in(
    dana: Client, client: Client, catalogue: Catalogue
) -> None:
    fields = {"username": "frank", "name": "Frank Ito", "email": "f@example.com", "groups": [catalogue.support.pk]}
    answer = dana.post("/people/new/", fields)
    [password] = SHOWN.findall(answer.content.decode())
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store, private")
    assert client.post("/account/login/", {"login": "frank", "password": password}).status_code == 302
    frank = User.objects.get(username="frank")
    assert (frank.name, frank.email, list(frank.groups.all())) == ("Frank Ito", "f@example.com", [catalogue.support])
    assert password not in dana.get(page("frank")).content.decode()
    after = {"username": "frank", "name": "Frank Ito", "email": "f@example.com", "groups": ["support"]}
    assert told() == [
        ("person:added", "person:frank", "dana", {"before": {}, "after": after}),
        ("group:changed", "group:support", "dana", {"before": {}, "after": {"joined": ["frank"]}}),
    ]


def test_every_password_is_another_and_hard_to_guess(dana: Client) -> None:
    pages = [dana.post("/people/new/", {"username": f"frank{number}"}).content.decode() for number in range(3)]
    passwords = {SHOWN.findall(text)[0] for text in pages}
    assert len(passwords) == 3
    assert all(
        re.fullmatch(r"([bcdfghjkmnpqrstvwxz2-9]{4}-){4}[bcdfghjkmnpqrstvwxz2-9]{4}", word) for word in passwords
    )


def test_neither_a_password_nor_its_hash_stands_in_the_audit_the_log_or_a_repr(
    dana: Client, cast: Cast, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    seen = [dana.post("/people/new/", {"username": "frank"}), dana.post("/people/alice/password/")]
    secrets = [SHOWN.findall(answer.content.decode())[0] for answer in seen]
    secrets += User.objects.filter(handle__in=("frank", "alice")).values_list("password", flat=True)
    assert len(set(secrets)) == 4
    assert all(repr(answer.context["done"]).count(word) == 0 for answer in seen for word in secrets)
    rows = json.dumps([list(row) for row in Event.objects.values_list("kind", "subject", "detail")])
    out, err = capfd.readouterr()
    assert not any(word in text for word in secrets for text in (rows, out, err, caplog.text))


@pytest.mark.parametrize(
    ("username", "words"),
    [
        ("alice", "There is a person with this user name already"),
        ("ALICE", "in other capitals"),
        ("JÜRGEN", "in other capitals"),
        ("two words", "No spaces"),
        ("аlice", "CYRILLIC"),
        ("", "This field is required"),
        ("x" * 151, "at most 150 characters"),
        ("hid\u200bden", "name"),
    ],
)
def test_a_user_name_that_would_mislead_is_refused_and_what_was_typed_stays(
    dana: Client, cast: Cast, username: str, words: str
) -> None:
    make_person("jürgen", "Jürgen")
    before = User.objects.count()
    answer = dana.post("/people/new/", {"username": username, "name": "Somebody Else"})
    assert answer.status_code == 422
    assert words in text_of(answer)
    assert 'value="Somebody Else"' in text_of(answer)
    assert (User.objects.count(), told()) == (before, [])


@pytest.mark.parametrize(
    ("field", "value"), [("name", "Al\u202eice"), ("name", "x" * 151), ("email", "not an address"), ("groups", "999")]
)
def test_what_makes_no_sense_is_refused_at_its_field(dana: Client, cast: Cast, field: str, value: str) -> None:
    answer = dana.post(page("alice"), fields_of(dana, cast.alice, **{field: value}))
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {field}
    assert told() == []


def test_a_change_is_one_event_with_what_changed_alone(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    answer = dana.post(page("alice"), fields_of(dana, cast.alice, name="Alice Berg"))
    assert (answer.status_code, answer["Location"]) == (302, f"{page('alice')}?saved=1")
    cast.alice.refresh_from_db()
    assert (cast.alice.name, cast.alice.version) == ("Alice Berg", 2)
    detail = {"before": {"name": "Alice Engström"}, "after": {"name": "Alice Berg"}}
    assert told() == [("person:changed", "person:alice", "dana", detail)]
    assert "name: Alice Engström → Alice Berg" in text_of(dana.get(page("alice")))


def test_where_nothing_differs_nothing_is_written(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    assert dana.post(page("alice"), fields_of(dana, cast.alice))["Location"].endswith("?saved=0")
    cast.alice.refresh_from_db()
    assert (cast.alice.version, told()) == (1, [])


def test_groups_are_told_at_the_person_and_at_each_group(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    dana.post(page("alice"), fields_of(dana, cast.alice, groups=[str(catalogue.support.pk)]))
    assert list(cast.alice.groups.all()) == [catalogue.support]
    assert told() == [
        (
            "person:changed",
            "person:alice",
            "dana",
            {"before": {"groups": ["engineers"]}, "after": {"groups": ["support"]}},
        ),
        ("group:changed", "group:engineers", "dana", {"before": {}, "after": {"left": ["alice"]}}),
        ("group:changed", "group:support", "dana", {"before": {}, "after": {"joined": ["alice"]}}),
    ]


def test_switching_off_ends_a_sign_in_at_the_next_click(dana: Client, alice: Client, cast: Cast) -> None:
    assert alice.get("/").status_code == 200
    dana.post(page("alice"), fields_of(dana, cast.alice, is_active=None))
    assert alice.get("/").status_code == 302
    assert told()[0][3] == {"before": {"is_active": True}, "after": {"is_active": False}}


def test_two_admins_at_once_lose_nothing_and_the_second_one_is_told(dana: Client, cast: Cast) -> None:
    mine = fields_of(dana, cast.alice, name="Alice from Dana", email="a@example.com")
    assert dana.post(page("alice"), fields_of(dana, cast.alice, name="Alice from Else")).status_code == 302
    answer = dana.post(page("alice"), mine)
    assert answer.status_code == 409
    words = text_of(answer)
    assert "Now: <bdi>Alice from Else</bdi>" in words
    assert "Yours: <bdi>Alice from Dana</bdi>" in words
    assert 'value="Alice from Dana"' in words
    assert User.objects.get(handle="alice").name == "Alice from Else"
    again = dana.post(page("alice"), {**mine, "version": hidden(answer.content.decode(), "version")})
    assert again.status_code == 302
    assert User.objects.get(handle="alice").name == "Alice from Dana"


def test_the_last_user_admin_stays(dana: Client, cast: Cast) -> None:
    answer = dana.post(page("dana"), fields_of(dana, cast.dana, groups=[]))
    assert answer.status_code == 422
    assert "nobody who can sign in would look after people" in text_of(answer)
    assert (User.objects.get(handle="dana").is_user_admin, told()) == (True, [])


def test_a_user_admin_who_is_switched_off_does_not_count_as_one(dana: Client, cast: Cast) -> None:
    give_duties("admins", (), cast.erin)
    User.objects.filter(pk=cast.erin.pk).update(is_active=False)
    assert dana.post(page("dana"), fields_of(dana, cast.dana, groups=[])).status_code == 422
    User.objects.filter(pk=cast.erin.pk).update(is_active=True)
    assert dana.post(page("dana"), fields_of(dana, cast.dana, groups=[])).status_code == 302


def test_nobody_switches_themselves_off(dana: Client, cast: Cast) -> None:
    give_duties("admins", (), cast.erin)
    answer = dana.post(page("dana"), fields_of(dana, cast.dana, is_active=None))
    assert (answer.status_code, "cannot switch yourself off" in text_of(answer)) == (422, True)
    assert (User.objects.get(handle="dana").is_active, told()) == (True, [])


def test_a_new_password_is_shown_once_and_ends_what_the_old_one_began(
    dana: Client, alice: Client, client: Client, cast: Cast
) -> None:
    answer = dana.post("/people/alice/password/")
    [password] = SHOWN.findall(answer.content.decode())
    assert alice.get("/").status_code == 302
    assert client.post("/account/login/", {"login": "alice", "password": PASSWORD}).status_code == 200
    assert client.post("/account/login/", {"login": "alice", "password": password}).status_code == 302
    assert told() == [("person:password-set", "person:alice", "dana", {})]


def test_nobody_sets_their_own_password_past_the_old_one(dana: Client, cast: Cast) -> None:
    answer = dana.post("/people/dana/password/")
    assert (answer.status_code, SHOWN.findall(answer.content.decode())) == (422, [])
    assert "Change your own password under My account" in text_of(answer)
    assert dana.get("/").status_code == 200
    assert told() == []


@pytest.mark.parametrize(
    ("query", "handles"),
    [
        ("q=engstr", ["alice"]),
        ("q=ENGINEERS", ["alice"]),
        ("q=novak+charlie", ["charlie"]),
        ("q=novak+alice", []),
        ("state=inactive", ["bob"]),
        ("state=active&q=o", ["charlie", "erin"]),
        ("state=nonsense", ["alice", "bob", "charlie", "dana", "erin"]),
    ],
)
def test_people_are_found_by_words_and_by_state(
    dana: Client, cast: Cast, catalogue: Catalogue, query: str, handles: list[str]
) -> None:
    User.objects.filter(pk=cast.bob.pk).update(is_active=False)
    assert [person.handle for person in dana.get(f"/people/?{query}").context["people"]] == handles


def test_a_list_of_very_many_is_cut_and_asks_no_more_of_the_database(dana: Client, cast: Cast) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        dana.get("/people/")
    User.objects.bulk_create(User(username=f"p{n:03}", handle=f"p{n:03}") for n in range(250))
    Group.objects.get(name="auditors").user_set.add(*User.objects.all())
    with CaptureQueriesContext(connection) as many:
        answer = dana.get("/people/")
    assert len(answer.context["people"]) == 200
    assert "These are the first 200. Search to narrow them." in text_of(answer)
    assert len(many) == len(few)


def test_with_htmx_a_page_is_its_fragment(dana: Client, cast: Cast) -> None:
    for path in ("/people/", "/people/new/", page("alice"), "/groups/", "/groups/new/"):
        answer = dana.get(path, headers={"HX-Request": "true"})
        assert (answer.status_code, "<html" in answer.content.decode()) == (200, False), path


@pytest.mark.parametrize("path", ["/people/nobody/profile/", "/people/nobody/password/"])
def test_nobody_by_this_handle_is_not_found(dana: Client, cast: Cast, path: str) -> None:
    assert dana.post(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "fields"),
    [("/people/new/", {"username": "frank"}), ("/people/alice/password/", {}), (page("alice"), None)],
)
def test_without_the_audit_nothing_is_changed(
    dana: Client, cast: Cast, path: str, fields: dict[str, str] | None
) -> None:
    sent = fields_of(dana, cast.alice, name="Another") if fields is None else fields
    before = list(User.objects.values_list("username", "name", "password"))
    with unwritable_audit():
        answer = dana.post(path, sent)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Nothing was changed" in text_of(answer)
    assert SHOWN.findall(answer.content.decode()) == []
    assert list(User.objects.values_list("username", "name", "password")) == before


def test_the_page_of_a_person_leads_to_their_access_for_whoever_may_read_it(
    dana: Client, cast: Cast, sign_in: Callable[[User], Client]
) -> None:
    give_duties("people desk", (), cast.bob)
    group = Group.objects.get(name="people desk")
    group.duties.create(duty="user-admin")
    assert "/who/people/alice/" in dana.get(page("alice")).content.decode()
    assert "/who/people/alice/" not in sign_in(cast.bob).get(page("alice")).content.decode()
