"""The door and the audit: nobody comes in unrecorded, everybody gets out, and a flood at the door floods no log."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from structlog.testing import capture_logs

from credportal.access.models import User
from credportal.audit.models import Event
from tests.support.cast import PASSWORD, Cast, make_person
from tests.support.unwritable import unwritable_audit

NEW = "a quite different staple 77"
LOGIN, CONFIRM = "/account/login/", "/account/confirm/"


@pytest.fixture(autouse=True)
def _fresh_throttle(cast: Cast) -> None:
    cache.clear()


def sign_in_form(client: Client, login: str, password: str, address: str = "127.0.0.1") -> Any:
    return client.post(LOGIN, {"login": login, "password": password}, REMOTE_ADDR=address)


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/").status_code == 200)


def events(kind: str) -> list[tuple[str, str, str]]:
    """Return on whose behalf, with which code and from where the events of a kind are."""
    rows = Event.objects.filter(kind=kind).order_by("id")
    return list(rows.values_list("on_behalf_of", "code", "address"))


def test_nobody_is_signed_in_unrecorded(client: Client) -> None:
    with unwritable_audit():
        response = sign_in_form(client, "alice", PASSWORD)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "You are not signed in" in response.content.decode()
    assert not is_signed_in(client)


def test_no_guess_is_answered_unrecorded_so_right_and_wrong_look_the_same(client: Client) -> None:
    with unwritable_audit():
        right, wrong = sign_in_form(client, "alice", PASSWORD), sign_in_form(Client(), "alice", "wrong")
    assert right.status_code == wrong.status_code == 503
    assert right.content == wrong.content


def test_whoever_is_switched_off_learns_nothing_unrecorded(client: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    with unwritable_audit():
        assert sign_in_form(client, "alice", PASSWORD).status_code == 503


def test_signing_out_works_also_where_it_cannot_be_recorded(alice: Client) -> None:
    with unwritable_audit(), capture_logs() as logs:
        assert alice.post("/account/logout/").status_code == 302
    assert not is_signed_in(alice)
    [told] = [line for line in logs if line["event"] == "audit.unavailable"]
    assert told["kind"] == "sign-in:ended"


def test_signing_out_twice_is_one_event(alice: Client) -> None:
    alice.post("/account/logout/")
    alice.post("/account/logout/")
    assert len(events("sign-in:ended")) == 1


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_a_password_is_not_confirmed_unrecorded(alice: Client, password: str) -> None:
    with unwritable_audit():
        response = alice.post(CONFIRM, {"password": password})
    assert response.status_code == 503
    assert "Nothing was confirmed" in response.content.decode()
    assert "account_authentication_methods" not in alice.session
    assert is_signed_in(alice)


def test_a_password_is_not_changed_unrecorded(alice: Client, cast: Cast) -> None:
    sent = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    with unwritable_audit():
        response = alice.post("/account/password/", sent)
    assert response.status_code == 503
    assert "Nothing was changed" in response.content.decode()
    assert User.objects.get(pk=cast.alice.pk).check_password(PASSWORD)
    assert is_signed_in(alice)


def test_a_new_password_tells_an_admin_who_has_the_person_open(alice: Client, cast: Cast) -> None:
    alice.post("/account/password/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    person = User.objects.get(pk=cast.alice.pk)
    assert person.check_password(NEW)
    assert person.version == cast.alice.version + 1


def test_tries_beyond_the_limit_of_a_name_are_told_once_in_five_minutes(client: Client) -> None:
    for number in range(12):
        sign_in_form(client, "alice", "wrong", f"203.0.113.{number}")
    wrong = [("alice", "wrong_password", f"203.0.113.{number}") for number in range(5)]
    assert events("sign-in:failed") == [*wrong, ("alice", "throttled", "203.0.113.5")]


def test_tries_with_nobodys_name_are_told_once_for_each_address(client: Client) -> None:
    for _ in range(12):
        sign_in_form(client, "nobody", "wrong", "203.0.113.1")
    assert events("sign-in:failed") == [("", "wrong_password", "203.0.113.1")] * 5 + [("", "throttled", "203.0.113.1")]


def test_a_flood_with_everybodys_name_is_told_at_most_twenty_times_for_an_address(client: Client) -> None:
    for number in range(30):
        make_person(f"person{number}", "")
    for number in range(30):
        sign_in_form(client, f"person{number}", "wrong", "203.0.113.1")
    assert [code for _, code, _ in events("sign-in:failed")].count("wrong_password") == 20
    before = len(events("sign-in:failed"))
    for number in range(60):
        sign_in_form(client, f"person{number % 30}", "wrong", "203.0.113.1")
    told = [whose for whose, code, _ in events("sign-in:failed") if code == "throttled"]
    assert len(told) == len(set(told)) == 20
    assert len(events("sign-in:failed")) <= before + 20


def test_a_door_that_is_shut_for_an_address_tells_of_it(client: Client) -> None:
    statuses = [sign_in_form(client, "", "", "203.0.113.1").status_code for _ in range(62)]
    assert statuses[-2:] == [429, 429]
    assert events("sign-in:failed") == [("", "throttled", "203.0.113.1")]


@pytest.mark.parametrize("typed", ["a\0b", "a\ud800", "é" * 5000, "", PASSWORD])
def test_whatever_is_typed_at_a_shut_door_is_429_and_stands_nowhere(client: Client, typed: str) -> None:
    body = f"login={typed}&password=x".encode(errors="surrogatepass")
    for _ in range(61):
        response = client.generic("POST", LOGIN, body, "application/x-www-form-urlencoded", REMOTE_ADDR="203.0.113.1")
    assert response.status_code == 429
    told = Event.objects.filter(code="throttled").values().first()
    assert told is not None
    assert told["on_behalf_of"] == ""
    assert typed == "" or typed not in repr(told)


def test_confirmations_beyond_the_limit_are_told_once(alice: Client) -> None:
    for _ in range(15):
        alice.post(CONFIRM, {"password": "wrong"})
    told = events("sign-in:not-confirmed")
    assert [code for _, code, _ in told] == ["wrong_password"] * 5 + ["throttled"]
    assert {whose for whose, _, _ in told} == {"alice"}
    assert events("sign-in:failed") == []


def test_an_unrecorded_throttled_try_gets_the_same_answer(client: Client) -> None:
    for _ in range(5):
        sign_in_form(client, "alice", "wrong")
    with unwritable_audit():
        response = sign_in_form(client, "alice", PASSWORD)
    assert response.status_code == 200
    assert "Too many failed login attempts" in response.content.decode()
