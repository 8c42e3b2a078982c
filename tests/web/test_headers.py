"""The headers that no answer may lack: pages, fragments, redirects, errors, static files; and production's own."""

import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import OperationalError, connection
from django.test import Client

from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.portal import ROOT, running_portal, test_database_url
from tests.support.visitor import Visitor

EXPECTED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer a browser sends "Origin: null" with a form, and Django refuses that over https.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def check_headers(headers: Any, *, cached: bool = False) -> None:
    """Check what every answer carries. ``cached`` for files, which may be kept."""
    for name, value in EXPECTED.items():
        assert headers.get(name) == value, name
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert directive in policy.split("; ")
    assert "camera=()" in headers["Permissions-Policy"]
    assert ("no-store" in headers["Cache-Control"]) != cached
    assert "Content-Encoding" not in headers or cached
    assert "Server" not in headers or headers["Server"] == "gunicorn"


def kinds_of_answers(cast: Cast, catalogue: Catalogue, sts: FaultSTS, client: Client) -> dict[str, Any]:
    """Provoke one answer of every kind that the portal gives."""
    client.raise_request_exception = False
    role = catalogue.read_only.id
    path = f"/roles/{role}/issue/"
    answers = {"redirect to sign-in": client.get("/"), "sign-in": client.get("/account/login/")}
    answers["wrong password"] = client.post("/account/login/", {"login": "alice", "password": "no"})
    client.force_login(cast.alice, backend=settings.AUTHENTICATION_BACKENDS[0])
    asked = {"duration": "3600", "submission": secrets.token_urlsafe(16)}
    answers |= {"page": client.get("/"), "form": client.get(f"/roles/{role}/"), "sessions": client.get("/sessions/")}
    answers |= {"issued": client.post(path, asked, headers={"Accept-Encoding": "gzip, br, zstd"})}
    answers |= {"again 409": client.post(path, asked), "fragment": client.get("/", headers={"HX-Request": "true"})}
    answers |= {"form error 422": client.post(path, {}), "refused 403": client.post("/roles/nope/issue/", asked)}
    sts.fault("access_denied")
    answers["failed 502"] = client.post(path, {**asked, "submission": secrets.token_urlsafe(16)})
    answers |= {"bad address 400": client.get("/?q=%00"), "weird host 400": client.get("/", headers={"host": "evil"})}
    answers |= {"forbidden 403": client.get("/audit/"), "nothing 404": client.get("/nothing"), "head": client.head("/")}
    answers |= {"wrong method 405": client.get(path), "health": client.get("/healthz"), "ready": client.get("/readyz")}
    answers["star redirect"] = client.post(f"/roles/{role}/favourite/", {"starred": "1"})
    answers["slash redirect"] = client.get("/sessions")
    with connection.execute_wrapper(_away):
        answers["database away 503"] = client.get("/")
    client.handler.enforce_csrf_checks = True
    answers["csrf 403"] = client.post(path, asked)
    return answers


def _away(*_: Any) -> Any:
    raise OperationalError("the database is away")


def test_every_answer_has_the_headers(cast: Cast, catalogue: Catalogue, sts: FaultSTS, client: Client) -> None:
    answers = kinds_of_answers(cast, catalogue, sts, client)
    statuses = {answer.status_code for answer in answers.values()}
    assert statuses >= {200, 301, 302, 400, 403, 404, 405, 409, 422, 502, 503}
    for answer in answers.values():
        check_headers(answer.headers)
        assert "ETag" not in answer.headers
        assert "Last-Modified" not in answer.headers


@pytest.mark.django_db
def test_a_mistake_of_ours_has_the_headers_and_no_details(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("credportal.access.selectors.catalogue_of", lambda _: 1 / 0)
    alice.raise_request_exception = False
    answer = alice.get("/")
    assert answer.status_code == 500
    check_headers(answer.headers)
    assert b"The portal made a mistake" in answer.content
    assert b"ZeroDivisionError" not in answer.content


def test_what_depends_on_the_person_says_so(alice: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    asked = {"duration": "3600", "submission": secrets.token_urlsafe(16)}
    for answer in (alice.get("/"), alice.post(f"/roles/{catalogue.read_only.id}/issue/", asked)):
        assert "Cookie" in answer["Vary"]
        assert answer["Cache-Control"] == "no-store, private"


def test_pages_hold_no_inline_script_or_style(alice: Client, dana: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    asked = {"duration": "3600", "submission": secrets.token_urlsafe(16)}
    pages = [
        alice.get("/"),
        alice.get(f"/roles/{catalogue.read_only.id}/"),
        dana.get("/audit/"),
        alice.get("/account/"),
    ]
    pages += [alice.post(f"/roles/{catalogue.read_only.id}/issue/", asked), Client().get("/account/login/")]
    for page in pages:
        html = page.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", html)
        assert not re.search(r"<style|\bstyle=|\son[a-z]+=|javascript:|hx-on", html)
        assert re.findall(r'(?:src|href|action)="(?!/|#|\?)([^"]*)"', html) == [], "nothing comes from elsewhere"


@pytest.mark.django_db(transaction=True)
def test_static_files_have_the_headers_and_may_be_kept(tmp_path: Path) -> None:
    with running_portal(sts_url="http://127.0.0.1:9", log=tmp_path / "log", workers=1) as portal:
        visitor = Visitor(portal.url)
        kept = visitor.get(staticfiles_storage.url("credportal.css"))
        check_headers(dict(kept.headers), cached=True)
        assert "immutable" in kept.header("Cache-Control")
        missing = visitor.get("/static/nothing.css")
        assert missing.status == 404
        check_headers(dict(missing.headers))
        for path in ("/account/login/", "/", "/nothing", "/healthz", "/%00"):
            check_headers(dict(visitor.get(path).headers))


PRODUCTION = """
import json, sys
from django.test import Client
import credportal.wsgi
asked = [("GET", "/", {}, True), ("GET", "/account/login/", {}, True), ("GET", "/", {}, False),
         ("GET", "/nothing", {}, True), ("GET", "/", {"host": "evil.example"}, False),
         ("GET", "/", {"host": "evil"}, True), ("GET", "/healthz", {}, False), ("POST", "/account/login/", {}, True)]
told = []
for method, path, headers, secure in asked:
    forwarded = {"x-forwarded-proto": "https" if secure else "http", "x-forwarded-for": "203.0.113.9"}
    client = Client(headers={"host": "portal.example.com", **forwarded, **headers})
    answer = client.generic(method, path)
    cookies = {name: dict(morsel.items()) for name, morsel in answer.cookies.items()}
    told.append({"status": answer.status_code, "headers": dict(answer.headers), "cookies": cookies, "secure": secure})
json.dump(told, sys.stdout)
"""


@pytest.mark.django_db(transaction=True)
def test_in_production_every_answer_has_hsts_and_cookies_are_bound_to_the_host() -> None:
    env = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "credportal.settings",
        "SECRET_KEY": "kR7_s0me-rand0m.looking~key-for.these-tests-0nly",
        "ALLOWED_HOSTS": "portal.example.com",
        "CREDPORTAL_URL": "https://portal.example.com",
        "CREDPORTAL_TRUSTED_PROXIES": "1",
        "AWS_REGION": "eu-west-1",
        "DATABASE_URL": test_database_url(),
        "STATIC_ROOT": str(settings.STATIC_ROOT),
    }
    command = [sys.executable, "-c", PRODUCTION]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [answer["status"] for answer in told] == [302, 200, 301, 404, 400, 400, 200, 200]
    for answer in told:
        headers = answer["headers"]
        check_headers(headers)
        if answer["secure"] and answer["status"] != 400:
            assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains; preload"
        for name, morsel in answer["cookies"].items():
            assert name.startswith("__Host-")
            assert (morsel["secure"], morsel["httponly"], morsel["path"]) == (True, True, "/")
            assert morsel["domain"] == ""
            assert morsel["samesite"] in {"Lax", "Strict"}
    assert told[1]["cookies"], "the sign-in page sets the token's cookie"
    assert told[2]["headers"]["Location"] == "https://portal.example.com/"
