"""The one door: signing in and out, throttling, where a sign-in may lead, and whose address is counted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

from credportal.access.models import User
from credportal.web.http import client_address
from tests.support.cast import PASSWORD, Cast, make_cast
from tests.support.portal import running_portal
from tests.support.visitor import Visitor

ALLOWED_WRONG_TRIES = 5  # By name, in five minutes: ACCOUNT_RATE_LIMITS.
ELSEWHERE = [
    "https://evil.example/",
    "http://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    " //evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "//evil.example@testserver",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
    "http://testserver:80@evil.example/",
    "//testserver.evil.example",
    "https://evil.example#@testserver",
    "https://evil.example?testserver",
    "///testserver@evil.example",
    "//\u3002evil.example",
    "//evil\uff0eexample",
    "http://[::1]@evil.example",
    "http://[evil",
    "mailto:a@evil.example",
    "//%65vil.example",
    "/\x0b/evil.example",
    "?next=//evil.example",
    "//evil.example/\u202e",
    "ftp://testserver/",
]


@pytest.fixture(autouse=True)
def _fresh_throttle(request: pytest.FixtureRequest) -> None:
    """Forget earlier tries: they stand in the cache's table, which no test empties."""
    if "cast" in request.fixturenames or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("cast" if "cast" in request.fixturenames else "transactional_db")
        cache.clear()


def sign_in_form(client: Client, login: str, password: str, **fields: str) -> Any:
    return client.post("/account/login/", {"login": login, "password": password, **fields})


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/").status_code == 200)


def test_signing_in_leads_to_the_roles_with_a_new_session(client: Client, cast: Cast) -> None:
    before = client.get("/account/login/").cookies.get("session")
    response = sign_in_form(client, "alice", PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_signed_in(client)
    assert response.cookies["session"]["httponly"]
    assert response.cookies["session"]["max-age"] == "", "it ends with the browser"
    assert before is None or before.value != response.cookies["session"].value


@pytest.mark.parametrize(("login", "password"), [("alice", "wrong"), ("nobody", "wrong"), ("ALICE\u200b", PASSWORD)])
def test_a_wrong_sign_in_says_the_same_whoever_it_was_for(
    client: Client, cast: Cast, login: str, password: str
) -> None:
    response = sign_in_form(client, login, password)
    page = response.content.decode()
    assert response.status_code == 200
    assert "You are not signed in" in page
    assert "The username and/or password you specified are not correct." in page
    assert password not in page.replace(login, "")
    assert f'value="{login}"' in page, "the name is kept, the password is not"
    assert not is_signed_in(client)


def test_a_person_who_is_switched_off_reads_so_and_is_not_in(client: Client, cast: Cast) -> None:
    User.objects.filter(username="alice").update(is_active=False)
    response = client.post("/account/login/", {"login": "alice", "password": PASSWORD}, follow=True)
    assert response.redirect_chain == [("/account/inactive/", 302)]
    assert b"This account is switched off" in response.content
    assert not is_signed_in(client)


def test_wrong_tries_are_counted_by_name_and_then_even_the_right_password_waits(client: Client, cast: Cast) -> None:
    for _ in range(ALLOWED_WRONG_TRIES):
        assert b"not correct" in sign_in_form(client, "alice", "wrong").content
    response = sign_in_form(client, "alice", PASSWORD)
    assert b"Too many failed login attempts" in response.content
    assert not is_signed_in(client)
    assert sign_in_form(client, "bob", PASSWORD).status_code == 302, "others are not locked out"


def test_very_many_tries_from_one_address_are_429_with_a_page_of_ours(client: Client, cast: Cast) -> None:
    statuses = [sign_in_form(client, f"nobody-{number}", "wrong").status_code for number in range(61)]
    assert statuses == [*[200] * 60, 429]
    assert b"Too many tries, please wait" in sign_in_form(client, "alice", PASSWORD).content


@pytest.mark.django_db(transaction=True)
def test_throttling_is_shared_by_all_processes(tmp_path: Path) -> None:
    make_cast()
    with (
        running_portal(sts_url="http://127.0.0.1:9", log=tmp_path / "log", workers=2) as portal,
        ThreadPoolExecutor(4) as pool,
    ):

        def wrong(_: int) -> bool:
            visitor = Visitor(portal.url)
            visitor.open_form("/account/login/")
            return "are not correct" in visitor.post("/account/login/", {"login": "alice", "password": "no"}).text

        checked = sum(pool.map(wrong, range(20)))
        assert 1 <= checked <= ALLOWED_WRONG_TRIES
        visitor = Visitor(portal.url)
        visitor.open_form("/account/login/")
        assert visitor.post("/account/login/", {"login": "alice", "password": PASSWORD}).status == 200
        assert visitor.get("/").status == 302


def test_signing_out_takes_a_post_and_has_the_browser_forget(alice: Client) -> None:
    assert alice.get("/account/logout/").status_code == 405
    assert is_signed_in(alice)
    response = alice.post("/account/logout/")
    assert (response.status_code, response["Location"]) == (302, "/account/login/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_signed_in(alice)


@pytest.mark.parametrize("door", ["/account/logout/"])
def test_a_copied_cookie_is_worth_nothing_after_signing_out(dana: Client, door: str) -> None:
    thief = Client()
    thief.cookies["session"] = dana.cookies["session"].value
    assert is_signed_in(thief)
    dana.post(door)
    assert not is_signed_in(thief)
    assert not Session.objects.exists()


def test_switching_a_person_off_ends_their_session_at_the_next_request(cast: Cast, alice: Client) -> None:
    assert is_signed_in(alice)
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    assert not is_signed_in(alice)


def test_a_new_password_ends_the_other_sessions(cast: Cast, alice: Client, sign_in: Callable[[User], Client]) -> None:
    other = sign_in(cast.alice)
    new = "a quite different staple 77"
    sent = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert alice.post("/account/password/", sent).status_code == 302
    assert not is_signed_in(other)
    assert is_signed_in(alice)


@pytest.mark.parametrize("target", ELSEWHERE, ids=ascii)
def test_no_sign_in_or_sign_out_leads_elsewhere(client: Client, cast: Cast, target: str) -> None:
    response = sign_in_form(client, "alice", PASSWORD, next=target)
    assert response.status_code in {200, 302, 400}
    if response.status_code == 302:
        there = urlsplit(response["Location"])
        assert (there.scheme, there.netloc) == ("", ""), response["Location"]
        assert response["Location"].startswith(("/", "?"))
        assert not response["Location"].startswith(("//", "/\\"))
    again = client.get("/account/login/", {"next": target})  # Signed in by now: it sends on at once.
    if again.status_code == 302:
        assert urlsplit(again["Location"]).netloc == ""
        assert not again["Location"].startswith(("//", "/\\"))
    out = client.post("/account/logout/", {"next": target})
    if out.status_code == 302:
        assert urlsplit(out["Location"]).netloc == ""


def test_a_sign_in_leads_back_to_the_page_that_asked_for_it(client: Client, cast: Cast) -> None:
    to_sign_in = client.get("/sessions/?cursor=x")
    assert to_sign_in["Location"] == "/account/login/?next=/sessions/%3Fcursor%3Dx"
    assert sign_in_form(client, "alice", PASSWORD, next="/sessions/")["Location"] == "/sessions/"


def test_htmx_without_a_sign_in_sends_the_whole_page_there(client: Client, db: None) -> None:
    response = client.get("/", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/account/login/"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "", "10.0.0.7"),
        (0, "1.1.1.1", "10.0.0.7"),
        (0, "1.1.1.1, 2.2.2.2", "10.0.0.7"),
        (1, "", "10.0.0.7"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        (1, "1.1.1.1,2.2.2.2 ,, 203.0.113.9 ", "203.0.113.9"),
        (1, "nonsense", ""),
        (1, "203.0.113.9, <script>", ""),
        (1, "2001:db8::0:1", "2001:db8::1"),
        (1, f"fe80::1%{'a' * 200}", "fe80::1"),
        (2, "203.0.113.9", "10.0.0.7"),
        (2, "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
    ],
)
def test_the_address_is_the_one_our_outermost_proxy_saw(
    settings: Settings, proxies: int, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR="10.0.0.7")) == address


@pytest.mark.parametrize("forwarded", ["", "1.1.1.1", "x", ",,,", "a" * 3000, "::1%x"])
@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_no_forwarded_header_breaks_the_sign_in(
    client: Client, cast: Cast, settings: Settings, proxies: int, forwarded: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    sent = {"login": "alice", "password": PASSWORD}
    response = client.post("/account/login/", sent, headers={"x-forwarded-for": forwarded})
    assert response.status_code == 302


def test_a_forged_forwarded_header_does_not_get_around_the_throttle(
    client: Client, cast: Cast, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    for number in range(61):
        chain = f"198.51.100.{number}, 203.0.113.9"
        sent = {"login": f"nobody-{number}", "password": "wrong"}
        last = client.post("/account/login/", sent, headers={"x-forwarded-for": chain})
    assert last.status_code == 429


@pytest.mark.parametrize(
    "path", ["signup/", "password/reset/", "password/set/", "email/", "confirm-email/", "reauthenticate/"]
)
def test_there_is_no_sign_up_and_no_reset(client: Client, db: None, path: str) -> None:
    assert client.get(f"/account/{path}").status_code == 404
    assert client.post(f"/account/{path}", {"username": "mallory", "password1": PASSWORD}).status_code == 404
    assert not User.objects.exists()
