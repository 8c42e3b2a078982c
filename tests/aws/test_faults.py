"""Each way in which STS goes wrong, over real HTTP: what the person, the audit and the log get."""

import contextlib
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest

from credportal.aws import sts as portal
from credportal.aws.errors import AssumeRoleError
from credportal.domain.types import SessionSpec, Status
from tests.aws.conftest import SHORT_DEADLINE_SECONDS
from tests.fault_sts import ANSWERS, CANARY, ERRORS, FAULTS, WIRE, FaultSTS

FAILED, UNKNOWN = Status.FAILED, Status.UNKNOWN

# fault: (code, HTTP status of our answer, outcome, may the portal try again by itself)
TABLE = {
    "throttling": ("sts_throttled", 503, FAILED, True),
    "too_many_requests": ("sts_throttled", 503, FAILED, True),
    "internal_failure": ("sts_unavailable", 502, UNKNOWN, False),
    "service_unavailable": ("sts_unavailable", 502, FAILED, False),
    "html_502": ("sts_unavailable", 502, UNKNOWN, False),
    "html_403": ("sts_error", 502, FAILED, False),
    "access_denied": ("sts_denied", 502, FAILED, False),
    "access_denied_tag_session": ("sts_denied_tags", 502, FAILED, False),
    "access_denied_set_source_identity": ("sts_denied_source_identity", 502, FAILED, False),
    "source_identity_already_set": ("sts_denied_source_identity", 502, FAILED, False),
    "expired_token": ("portal_identity_invalid", 503, FAILED, False),
    "invalid_client_token_id": ("portal_identity_invalid", 503, FAILED, False),
    "signature_does_not_match": ("portal_identity_invalid", 503, FAILED, False),
    "signature_expired": ("clock_skew", 503, FAILED, False),
    "request_expired": ("clock_skew", 503, FAILED, False),
    "clock_skew": ("clock_skew", 503, UNKNOWN, False),
    "duration_exceeds_role_max": ("duration_too_long", 422, FAILED, False),
    "duration_exceeds_chaining": ("chaining_too_long", 422, FAILED, False),
    "validation_error": ("bad_parameters", 422, FAILED, False),
    "malformed_input": ("bad_parameters", 422, FAILED, False),
    "packed_policy_too_large": ("packed_policy_too_large", 422, FAILED, False),
    "malformed_policy_document": ("policy_malformed", 502, FAILED, False),
    "region_disabled": ("sts_region_disabled", 503, FAILED, False),
    "unknown_code": ("sts_error", 502, FAILED, False),
    "unknown_code_500": ("sts_error", 502, UNKNOWN, False),
    "unsupported_action": ("sts_error", 502, FAILED, False),
    "hang": ("sts_timeout", 504, UNKNOWN, False),
    "hang_after_mint": ("sts_timeout", 504, UNKNOWN, False),
    "drip_body": ("sts_timeout", 504, UNKNOWN, False),
    "drip_headers": ("sts_timeout", 504, UNKNOWN, False),
    "drip_chunks": ("sts_timeout", 504, UNKNOWN, False),
    "reset_before_mint": ("sts_connection_lost", 502, UNKNOWN, False),
    "reset_after_mint": ("sts_connection_lost", 502, UNKNOWN, False),
    "close_without_answer": ("sts_connection_lost", 502, UNKNOWN, False),
    "cut_short": ("sts_bad_response", 502, UNKNOWN, False),
    "truncated_xml": ("sts_bad_response", 502, UNKNOWN, False),
    "malformed_xml": ("sts_bad_response", 502, UNKNOWN, False),
    "other_xml": ("sts_bad_response", 502, UNKNOWN, False),
    "empty_body": ("sts_bad_response", 502, UNKNOWN, False),
    "redirect_301": ("sts_bad_response", 502, UNKNOWN, False),
    "html_200": ("sts_bad_response", 502, UNKNOWN, False),
    "no_credentials": ("sts_bad_response", 502, UNKNOWN, False),
    "missing_access_key_id": ("sts_bad_response", 502, UNKNOWN, False),
    "missing_secret_access_key": ("sts_bad_response", 502, UNKNOWN, False),
    "missing_session_token": ("sts_bad_response", 502, UNKNOWN, False),
    "empty_session_token": ("sts_bad_response", 502, UNKNOWN, False),
    "broken_session_token": ("sts_bad_response", 502, UNKNOWN, False),
    "missing_expiration": ("sts_bad_response", 502, UNKNOWN, False),
    "bad_expiration": ("sts_bad_response", 502, UNKNOWN, False),
    "past_expiration": ("sts_bad_response", 502, UNKNOWN, False),
    "short_expiration": ("sts_bad_response", 502, UNKNOWN, False),
    "long_expiration": ("sts_bad_response", 502, UNKNOWN, False),
    "huge_body": ("sts_bad_response", 502, UNKNOWN, False),
    "huge_body_without_length": ("sts_bad_response", 502, UNKNOWN, False),
    "endless_headers": ("sts_bad_response", 502, UNKNOWN, False),
}
# What the fault STS calls a fault and a person does not meet as one.
HARMLESS = {"bare_user", "keep_alive_closed"}
# These wait for the deadline; the first test meets them all, the others one of them.
SLOW = {"hang", "hang_after_mint", "drip_body", "drip_headers", "drip_chunks"}


def test_every_fault_that_the_sts_knows_is_in_the_table() -> None:
    assert set(TABLE) | HARMLESS == FAULTS


@pytest.mark.parametrize("fault", TABLE)
def test_a_fault_has_its_code_status_outcome_and_one_call(
    fault: str, sts: FaultSTS, spec: SessionSpec, point_at: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sts.fault(fault, count=None)
    if fault in SLOW:
        point_at(sts.url, deadline=SHORT_DEADLINE_SECONDS)
    started = time.monotonic()
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    took = time.monotonic() - started
    failure = caught.value.failure
    assert (failure.code, failure.status, failure.outcome, failure.may_retry) == TABLE[fault]
    assert len(sts.ledger.calls_of("AssumeRole")) == 1
    assert fault not in SLOW or took < SHORT_DEADLINE_SECONDS + 1
    told = f"{caught.value} {caught.value!r} {failure!r} {''.join(traceback.format_exception(caught.value))}"
    assert CANARY not in told + caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("fault", sorted({*ANSWERS, *WIRE} - HARMLESS - SLOW))
def test_no_part_of_what_is_no_error_document_reaches_the_words_of_aws(
    fault: str, sts: FaultSTS, spec: SessionSpec
) -> None:
    sts.fault(fault)
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert caught.value.failure.aws_words == ""
    assert caught.value.failure.aws_code == ""


@pytest.mark.parametrize("fault", sorted(ERRORS))
def test_an_error_document_keeps_code_words_and_request_id_for_admins(
    fault: str, sts: FaultSTS, spec: SessionSpec
) -> None:
    sts.fault(fault)
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    failure = caught.value.failure
    assert failure.aws_code == ERRORS[fault].code
    assert ERRORS[fault].message.startswith(failure.aws_words)
    assert failure.aws_request_id == sts.ledger.calls[0].request_id


@pytest.mark.parametrize("fault", sorted({*ERRORS, *WIRE, *ANSWERS} - HARMLESS - SLOW))
def test_the_person_is_told_what_and_why_and_what_next_without_arns(
    fault: str, sts: FaultSTS, spec: SessionSpec
) -> None:
    sts.fault(fault)
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    failure = caught.value.failure
    words = f"{failure.headline} {failure.why} {failure.next_step}"
    assert failure.headline
    assert failure.next_step
    assert "arn:" not in words
    assert (failure.outcome is UNKNOWN) == ("never shown" in failure.why)


def test_signing_details_in_the_words_of_aws_are_cut_off(sts: FaultSTS, spec: SessionSpec) -> None:
    sts.fault("signature_does_not_match")
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert caught.value.failure.aws_words.endswith("Check your key.")


def test_a_closed_port_is_unreachable_and_may_be_tried_again(point_at: Callable[..., None], spec: SessionSpec) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        free = listener.getsockname()[1]
    point_at(f"http://127.0.0.1:{free}")
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    failure = caught.value.failure
    assert (failure.code, failure.status, failure.outcome, failure.may_retry) == ("sts_unreachable", 503, FAILED, True)


def test_a_name_without_an_address_is_unreachable_and_may_be_tried_again(
    point_at: Callable[..., None], spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_name(*_args: object, **_kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    point_at("http://sts.nowhere.invalid")
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    failure = caught.value.failure
    assert (failure.code, failure.outcome, failure.may_retry) == ("sts_unreachable", FAILED, True)


def test_a_name_service_that_hangs_ends_at_the_deadline(
    point_at: Callable[..., None], spec: SessionSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def hang(*_args: object, **_kwargs: object) -> list[object]:
        over.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    point_at("http://sts.nowhere.invalid", deadline=SHORT_DEADLINE_SECONDS)
    started = time.monotonic()
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(spec)
    assert time.monotonic() - started < SHORT_DEADLINE_SECONDS + 1
    over.set()
    failure = caught.value.failure
    assert (failure.code, failure.outcome, failure.may_retry) == ("sts_unreachable", FAILED, False)


def test_a_server_that_does_not_accept_is_unreachable_and_not_tried_again(
    point_at: Callable[..., None], spec: SessionSpec
) -> None:
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        # The queue of waiting connections is full: the next one gets no answer.
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        point_at(f"http://127.0.0.1:{listener.getsockname()[1]}", deadline=SHORT_DEADLINE_SECONDS)
        started = time.monotonic()
        with pytest.raises(AssumeRoleError) as caught:
            portal.assume_role(spec)
    assert time.monotonic() - started < SHORT_DEADLINE_SECONDS + 1
    failure = caught.value.failure
    assert (failure.code, failure.outcome, failure.may_retry) == ("sts_unreachable", FAILED, False)


def test_a_spec_that_aws_would_refuse_is_never_sent(sts: FaultSTS, spec: SessionSpec) -> None:
    with pytest.raises(AssumeRoleError) as caught:
        portal.assume_role(replace(spec, session_name="alice smith"))
    failure = caught.value.failure
    assert (failure.code, failure.status, failure.outcome) == ("bad_parameters", 422, FAILED)
    assert "session name" in failure.aws_words
    assert sts.ledger.calls == []


def test_an_answer_without_a_user_is_welcome(sts: FaultSTS, spec: SessionSpec) -> None:
    sts.fault("bare_user")
    assumed = portal.assume_role(spec)
    assert assumed.credentials.access_key_id == sts.ledger.mints[0].access_key_id
    assert assumed.assumed_role_arn == ""


def test_a_connection_that_the_server_closed_in_between_is_opened_anew(sts: FaultSTS, spec: SessionSpec) -> None:
    sts.fault("keep_alive_closed", count=3)
    for _ in range(6):
        portal.assume_role(spec)
        time.sleep(0.02)
    assert len(sts.ledger.mints) == 6
