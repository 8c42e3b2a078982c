"""What the events of sign-ins, of passwords and of reading the log carry."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from credportal.access.models import User
from credportal.audit.models import Event, EventKind
from credportal.flows.audit_reading import note_read
from tests.support.cast import PASSWORD, Cast
from tests.support.content import BROWSER, BY_FLOW, BY_PAGE, assert_content, by
from tests.support.requests import ORIGIN

NEW = "a quite different staple 77"


@pytest.fixture(autouse=True)
def _fresh_throttle(cast: Cast) -> None:
    cache.clear()


def post(client: Client, path: str, **fields: str) -> Any:
    return client.post(path, fields, headers={"user-agent": BROWSER})


def test_a_sign_in_carries_who_from_where(client: Client, cast: Cast) -> None:
    post(client, "/account/login/", login="alice", password=PASSWORD)
    assert_content(EventKind.SIGNED_IN, BY_PAGE, by(cast.alice))


@pytest.mark.parametrize("typed", ["alice", "Alice"])
def test_a_refused_sign_in_has_no_actor_and_is_on_behalf_of_whose_name_was_typed(client: Client, typed: str) -> None:
    post(client, "/account/login/", login=typed, password="wrong")
    assert_content(EventKind.SIGN_IN_FAILED, BY_PAGE, on_behalf_of="alice", code="wrong_password")


def test_what_was_typed_stands_nowhere_where_it_is_nobodys_name(client: Client) -> None:
    post(client, "/account/login/", login=PASSWORD, password="my other secret")
    assert_content(EventKind.SIGN_IN_FAILED, BY_PAGE, code="wrong_password")
    rows = repr(list(Event.objects.values()))
    assert PASSWORD not in rows
    assert "my other secret" not in rows


def test_whoever_is_switched_off_is_refused_with_that_code(client: Client, cast: Cast) -> None:
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    post(client, "/account/login/", login="alice", password=PASSWORD)
    assert_content(EventKind.SIGN_IN_FAILED, BY_PAGE, on_behalf_of="alice", code="person_inactive")


def test_signing_out_carries_who_left(alice: Client, cast: Cast) -> None:
    post(alice, "/account/logout/")
    assert_content(EventKind.SIGNED_OUT, BY_PAGE, by(cast.alice))


def test_a_confirmation_carries_who_confirmed(alice: Client, cast: Cast) -> None:
    post(alice, "/account/confirm/", password=PASSWORD)
    assert_content(EventKind.CONFIRMED, BY_PAGE, by(cast.alice))


def test_a_confirmation_that_failed_is_no_failed_sign_in(alice: Client, cast: Cast) -> None:
    post(alice, "/account/confirm/", password="wrong")
    assert_content(EventKind.CONFIRM_FAILED, BY_PAGE, by(cast.alice), code="wrong_password")
    assert Event.objects.count() == 1


def test_a_password_of_ones_own_carries_who_changed_it_and_no_password(alice: Client, cast: Cast) -> None:
    post(alice, "/account/password/", oldpassword=PASSWORD, password1=NEW, password2=NEW)
    assert_content(EventKind.PASSWORD_CHANGED, BY_PAGE, by(cast.alice), subject="person:alice")


def test_an_export_carries_its_filters_at_its_start_and_its_rows_at_its_end(erin: Client, cast: Cast) -> None:
    post(erin, "/account/confirm/", password=PASSWORD)
    answer: Any = erin.get("/audit/export.csv?person=erin", headers={"user-agent": BROWSER})
    assert b"".join(answer.streaming_content).count(b"\n") == 2, "a line of names, and the confirmation"
    subject = Event.objects.get(kind="audit:export-started").subject
    assert re.fullmatch("export:[0-9a-f]{16}", subject)
    detail: dict[str, Any] = {"format": "csv", "filters": {"person": "erin"}}
    parts = (BY_PAGE, by(cast.erin), {"subject": subject})
    assert_content(EventKind.EXPORT_STARTED, *parts, detail=detail)
    detail |= {"rows": 1, "complete": True}
    assert_content(EventKind.EXPORT_FINISHED, *parts, detail=detail)


def test_a_look_at_the_log_carries_what_was_looked_for(cast: Cast) -> None:
    note_read(user=cast.erin, origin=ORIGIN, subject="audit:list", what={"person": "alice"})
    detail = {"person": "alice"}
    assert_content(EventKind.AUDIT_READ, BY_FLOW, by(cast.erin), subject="audit:list", detail=detail)
