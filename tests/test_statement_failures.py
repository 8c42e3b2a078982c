"""Make every statement of an issuance fail once, and every commit: nothing is delivered without its rows."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from credportal.access.models import User
from credportal.audit.models import Event, Issuance
from tests.fault_sts import FaultSTS
from tests.support.cast import PASSWORD, Cast, make_cast, make_catalogue
from tests.support.sign_in_service import sign_in_service

pytestmark = pytest.mark.django_db(transaction=True)


class FailNth:
    """Lets statements through until the nth, which fails as if the database had gone."""

    def __init__(self, nth: int, error: type[Exception]) -> None:
        self.nth, self.error = nth, error
        self.seen: list[str] = []

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        self.seen.append(sql)
        if len(self.seen) == self.nth:
            raise self.error("server closed the connection unexpectedly")
        return execute(sql, *rest)

    @property
    def struck(self) -> bool:
        return len(self.seen) >= self.nth


@contextmanager
def failing_commit(monkeypatch: pytest.MonkeyPatch, nth: int, *, after: bool) -> Iterator[list[int]]:
    """Make the nth commit fail: before the database heard of it, or after, when only its answer is lost."""
    done: list[int] = []
    real = connection._commit  # type: ignore[attr-defined]  # the stubs leave it out.

    def commit() -> None:
        done.append(1)
        if after or len(done) != nth:
            real()
        if len(done) != nth:
            return
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", commit)
        yield done


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend=django_settings.AUTHENTICATION_BACKENDS[0])
    return client


def post(client: Client, role_id: str, act: str = "issue") -> Any:
    asked = {"duration": "3600", "submission": secrets.token_urlsafe(16)}
    return client.post(f"/roles/{role_id}/{act}/", asked)


def check(response: Any, sts: FaultSTS) -> None:
    """Check one attempt, of which something may have failed; then forget it."""
    page = response.content.decode()
    rows = {row.session_name: row for row in Issuance.objects.filter(id__in=re.findall(r"\b[0-9a-z]{12}\b", page))}
    assert "Traceback" not in page
    assert "server closed" not in page
    for mint in sts.ledger.mints:
        kept = Issuance.objects.filter(session_name=mint.session_name).first()
        assert kept is not None, "minted without a trace"
        delivered = mint.secret_access_key in page or mint.session_token in page
        assert not delivered or (kept.status == "issued" and mint.session_name in rows), "delivered without a row"
        assert not delivered or response.status_code == 200
        assert not delivered or Event.objects.filter(issuance_id=kept.id, kind="issuance:issued").exists()
    for call in sts.ledger.calls_of("AssumeRole"):
        name = call.arguments["RoleSessionName"]
        assert Event.objects.filter(issuance_id=name.rsplit("-", 1)[1], kind="issuance:requested").exists()
    sts.ledger.clear()


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_invariant_1_no_row_no_secret_whichever_statement_fails(sts: FaultSTS, error: type[Exception]) -> None:
    cast = make_cast()
    role_id = make_catalogue(cast).read_only.id
    client = signed_in(cast.alice)
    statuses = []
    minted = []
    for nth in range(1, 50):
        fail = FailNth(nth, error)
        with connection.execute_wrapper(fail):
            response = post(client, role_id)
        if not fail.struck:
            break
        minted.append(bool(sts.ledger.mints))
        check(response, sts)
        statuses.append(response.status_code)
        assert response["Retry-After"], fail.seen[-1]
    assert response.status_code == 200, "with no failure it is issued"
    assert len(statuses) >= 8
    assert statuses == [503] * len(statuses)
    assert minted == sorted(minted), "what fails before the intent is committed never reaches STS"
    assert not minted[5]
    assert minted[-1]


def test_invariant_1_no_row_no_secret_no_console_opens_whichever_statement_fails(
    sts: FaultSTS, settings: Settings
) -> None:
    cast = make_cast()
    role_id = make_catalogue(cast).read_only.id
    client = signed_in(cast.alice)
    with sign_in_service() as aws:
        settings.AWS_ENDPOINT_URL_SIGNIN = aws.url
        for nth in range(1, 60):
            fail = FailNth(nth, OperationalError)
            with connection.execute_wrapper(fail):
                response = post(client, role_id, "console")
            if not fail.struck:
                break
            assert response.status_code == 503, fail.seen[-1]
            assert "Location" not in response
            check(response, sts)
    assert nth >= 10, "the event of the console is one more statement"
    assert response.status_code == 302
    assert Event.objects.filter(kind="console:opened").count() == 1


@pytest.mark.parametrize("after", [False, True], ids=["not committed", "committed, answer lost"])
def test_invariant_1_no_row_no_secret_where_a_commit_fails(
    sts: FaultSTS, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    cast = make_cast()
    role_id = make_catalogue(cast).read_only.id
    client = signed_in(cast.alice)
    for nth in (1, 2):
        with failing_commit(monkeypatch, nth, after=after) as done:
            response = post(client, role_id)
        assert len(done) >= nth
        assert len(sts.ledger.mints) == nth - 1, "STS is asked only once the intent is committed"
        check(response, sts)
        assert response.status_code == 503
        assert response["Retry-After"]
    assert post(client, role_id).status_code == 200


def test_a_refusal_that_cannot_be_recorded_is_503(sts: FaultSTS) -> None:
    cast = make_cast()
    role_id = make_catalogue(cast).read_only.id
    client = signed_in(cast.charlie)
    for nth in range(1, 50):
        fail = FailNth(nth, OperationalError)
        with connection.execute_wrapper(fail):
            response = post(client, role_id)
        if not fail.struck:
            break
        assert response.status_code == 503
    assert response.status_code == 403
    assert Issuance.objects.count() == 1
    assert sts.ledger.calls == []


@pytest.mark.parametrize("path", ["/", "/roles/{role}/", "/sessions/", "/audit/", "/account/", "/catalogue/"])
def test_a_page_is_503_whichever_statement_fails(sts: FaultSTS, path: str) -> None:
    cast = make_cast()
    catalogue = make_catalogue(cast)
    who = cast.dana if path in {"/audit/", "/catalogue/"} else cast.alice
    client = signed_in(who)
    for nth in range(1, 50):
        fail = FailNth(nth, OperationalError)
        with connection.execute_wrapper(fail):
            response = client.get(path.format(role=catalogue.read_only.id))
        if not fail.struck:
            break
        assert response.status_code == 503, fail.seen[-1]
        # What cannot be recorded is not shown: the page of the audit says so itself.
        told = b"The portal cannot work right now" in response.content
        assert told or (path == "/audit/" and b"The audit is not shown" in response.content)
        assert response["Retry-After"]
        assert response["Cache-Control"] == "no-store, private"
        assert "content-security-policy" in response.headers
    assert nth > 2
    assert response.status_code == 200


def test_signing_in_never_breaks_whichever_statement_fails(client: Client) -> None:
    cast: Cast = make_cast()
    client.raise_request_exception = False
    for nth in range(1, 80):
        fail = FailNth(nth, OperationalError)
        client.cookies.clear()
        cache.clear()  # What failed counts as a wrong try.
        with connection.execute_wrapper(fail):
            response = client.post("/account/login/", {"login": "alice", "password": PASSWORD})
        if not fail.struck:
            break
        # Django answers 400 where a session that was read cannot be written: it takes it as deleted.
        assert response.status_code in {200, 302, 400, 429, 503}, fail.seen[-1]
    assert nth > 5
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert cast.alice.is_active
