"""Each way STS can fail, through the whole portal: the page, its status, the audit, and what nobody may read."""

import re
import secrets
import time
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from credportal.audit.models import Event, Issuance
from credportal.aws.sts import warm_up
from credportal.domain.sentences import SENTENCES
from tests.fault_sts import ANSWERS, CANARY, ERRORS, FAULTS, FaultSTS
from tests.fault_sts.faults import CALLER, ROLE
from tests.support.cast import Cast, Catalogue, allow

DEADLINE_SECONDS = 1.0
ASKED, RETRIED, FAILED, UNKNOWN = "issuance:requested", "issuance:retried", "issuance:failed", "issuance:unknown"


@dataclass(frozen=True)
class Row:
    """What one fault must come to. ``again``: a button to try again. ``calls``: how often STS was asked."""

    status: int
    code: str
    outcome: str
    again: bool = False
    calls: int = 1


BROKEN_ANSWER = Row(502, "sts_bad_response", "unknown", again=True)
TIMEOUT = Row(504, "sts_timeout", "unknown", again=True)
LOST = Row(502, "sts_connection_lost", "unknown", again=True)
DENIED = Row(502, "sts_denied", "failed")
THROTTLED = Row(503, "sts_throttled", "failed", again=True, calls=2)
BROKE = Row(502, "sts_unavailable", "unknown", again=True)
IDENTITY = Row(503, "portal_identity_invalid", "failed")
SOURCE_IDENTITY = Row(502, "sts_denied_source_identity", "failed")

TABLE = {
    "throttling": THROTTLED,
    "too_many_requests": THROTTLED,
    "internal_failure": BROKE,
    "service_unavailable": Row(502, "sts_unavailable", "failed", again=True),
    "html_502": BROKE,
    "access_denied": DENIED,
    "access_denied_tag_session": Row(502, "sts_denied_tags", "failed"),
    "access_denied_set_source_identity": SOURCE_IDENTITY,
    "source_identity_already_set": SOURCE_IDENTITY,
    "expired_token": IDENTITY,
    "invalid_client_token_id": IDENTITY,
    "signature_does_not_match": IDENTITY,
    "signature_expired": Row(503, "clock_skew", "failed"),
    "request_expired": Row(503, "clock_skew", "failed"),
    "clock_skew": Row(503, "clock_skew", "unknown"),
    "duration_exceeds_role_max": Row(422, "duration_too_long", "failed"),
    "duration_exceeds_chaining": Row(422, "chaining_too_long", "failed"),
    "validation_error": Row(422, "bad_parameters", "failed"),
    "malformed_input": Row(422, "bad_parameters", "failed"),
    "packed_policy_too_large": Row(422, "packed_policy_too_large", "failed"),
    "malformed_policy_document": Row(502, "policy_malformed", "failed"),
    "region_disabled": Row(503, "sts_region_disabled", "failed"),
    "unknown_code": Row(502, "sts_error", "failed"),
    "unknown_code_500": Row(502, "sts_error", "unknown"),
    "unsupported_action": Row(502, "sts_error", "failed"),
    **{name: BROKEN_ANSWER for name in ANSWERS if name != "bare_user"},
    "html_200": BROKEN_ANSWER,
    "html_403": Row(502, "sts_error", "failed"),
    "redirect_301": BROKEN_ANSWER,
    "hang": TIMEOUT,
    "hang_after_mint": TIMEOUT,
    "drip_body": TIMEOUT,
    "drip_headers": TIMEOUT,
    "drip_chunks": TIMEOUT,
    "reset_before_mint": LOST,
    "reset_after_mint": LOST,
    "close_without_answer": LOST,
    "cut_short": BROKEN_ANSWER,
    "endless_headers": BROKEN_ANSWER,
    "huge_body": BROKEN_ANSWER,
    "huge_body_without_length": BROKEN_ANSWER,
}
# Odd, but good: credentials come of them.
WELCOME = {"bare_user", "keep_alive_closed"}


@pytest.fixture
def impatient(sts: FaultSTS, settings: Settings) -> None:
    """Keep a short deadline, with a client that is ready as a worker's is."""
    settings.AWS_DEADLINE_SECONDS = DEADLINE_SECONDS
    warm_up()


def ask(client: Client, catalogue: Catalogue, **headers: str) -> Any:
    fields = {"duration": "3600", "submission": secrets.token_urlsafe(16), "reason": "Look at a queue"}
    return client.post(f"/roles/{catalogue.read_only.id}/issue/", fields, headers=headers)


def text_of(response: Any) -> str:
    return re.sub(r"<wbr>|<bdi>|</bdi>", "", response.content.decode())


def test_every_fault_has_a_row() -> None:
    assert set(TABLE) | WELCOME == FAULTS
    assert not set(TABLE) & WELCOME


@pytest.mark.parametrize("fault", TABLE)
@pytest.mark.usefixtures("impatient")
def test_a_fault_is_told_recorded_and_leaks_nothing(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    row = TABLE[fault]
    sts.fault(fault, count=None)
    began = time.monotonic()
    response = ask(alice, catalogue)
    took = time.monotonic() - began
    page = text_of(response)

    assert response.status_code == row.status
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert (">Try again<" in page) == row.again
    assert response.has_header("Retry-After") == (row.status == 503 and row.again)
    assert took < row.calls * DEADLINE_SECONDS + 3.0, "the deadline is kept"

    issuance = Issuance.objects.get()
    assert (issuance.status, issuance.code) == (row.outcome, row.code)
    assert issuance.access_key_id == ""
    assert issuance.finished_at is not None
    assert row.code in SENTENCES, "the audit page says it in words"
    assert issuance.id in page, "the reference leads to the audit"
    middle = [RETRIED] if row.calls == 2 else []
    events = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert events == [ASKED, *middle, UNKNOWN if row.outcome == "unknown" else FAILED]
    assert len(sts.ledger.calls_of("AssumeRole")) == row.calls

    assert (issuance.session_name in page) == (row.outcome == "unknown"), "CloudTrail is searched by it"
    assert row.outcome == "unknown" or sts.ledger.mints == [], "failed means that nothing was minted"
    for leak in leaks_of(fault):
        assert leak not in page
    recorded = repr([*Issuance.objects.values_list(), *Event.objects.values_list()]) + caplog.text
    for mint in sts.ledger.mints:
        assert mint.secret_access_key not in page + recorded
        assert mint.session_token not in page + recorded
    assert CANARY not in page + recorded


def leaks_of(fault: str) -> list[str]:
    """Return what a person who is no admin must not read: ARNs and AWS's own words."""
    words = ERRORS[fault].message.partition("\n")[0] if fault in ERRORS else ""
    return [CALLER, ROLE, "arn:aws", *([words] if words else [])]


@pytest.mark.parametrize("fault", [name for name in TABLE if name in ERRORS and ERRORS[name].message])
def test_an_admin_reads_awss_own_words(
    cast: Cast, dana: Client, catalogue: Catalogue, sts: FaultSTS, fault: str
) -> None:
    allow(catalogue.read_only, cast.dana)
    sts.fault(fault, count=None)
    page = text_of(ask(dana, catalogue))
    words = ERRORS[fault].message.partition("\n")[0].replace("'", "&#x27;")
    if ERRORS[fault].code in {"InternalFailure", "ServiceUnavailable"}:
        words = ERRORS[fault].code
    assert words in page
    assert ERRORS[fault].code in page
    assert CANARY not in page, "the portal's own token may be quoted in AWS's words"


@pytest.mark.parametrize("fault", sorted(WELCOME))
def test_an_odd_but_whole_answer_is_taken(alice: Client, catalogue: Catalogue, sts: FaultSTS, fault: str) -> None:
    sts.fault(fault)
    assert ask(alice, catalogue).status_code == 200
    assert ask(alice, catalogue).status_code == 200, "and the next call is none the worse"


def test_a_fragment_has_the_same_status_as_the_page(alice: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    sts.fault("access_denied")
    response = ask(alice, catalogue, **{"HX-Request": "true"})
    assert response.status_code == 502
    assert b"<html" not in response.content


def test_nobody_listening_is_a_clear_page_and_recorded_as_failed(
    alice: Client, catalogue: Catalogue, settings: Settings
) -> None:
    settings.AWS_ENDPOINT_URL_STS = "http://127.0.0.1:9"
    response = ask(alice, catalogue)
    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert ">Try again<" in response.content.decode()
    issuance = Issuance.objects.get()
    assert (issuance.status, issuance.code) == ("failed", "sts_unreachable")
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [ASKED, RETRIED, FAILED]


def test_the_next_person_is_served_after_a_fault(
    alice: Client, bob: Client, catalogue: Catalogue, sts: FaultSTS, impatient: None
) -> None:
    sts.fault("drip_body")
    assert ask(alice, catalogue).status_code == 504
    assert ask(bob, catalogue).status_code == 200
