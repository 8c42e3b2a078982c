"""What the portal writes: one JSON line for one event, nothing that steers a terminal, no secret."""

import io
import json
import logging
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from botocore.session import Session
from django.test import Client

from credportal.web import logs
from tests.fault_sts import CANARY, FaultSTS
from tests.support.cast import Catalogue

FORGERIES = [
    "line\nbreak",
    'line\r\n{"event": "forged"}',
    "\x1b[2J\x1b[31mred",
    "\x00",
    "\x08\x08\x7f\x9b31m",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\u2028\u2029\u0085",
    "\ud800",
    '"},{"event":"x"',
    "𝒰nicode",
]
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\U0010ffff]")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Configure the logs as the product does, at DEBUG, and catch what is written."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, {name: logging.getLogger(name).level for name in logs.HELD_AT_INFO})
    logs.configure({"level": "DEBUG"})
    stream = io.StringIO()
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    try:
        yield stream
    finally:
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        for name, level in before[2].items():
            logging.getLogger(name).setLevel(level)


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("text", FORGERIES, ids=ascii)
def test_one_event_is_one_line_of_ascii_whatever_it_says(written: io.StringIO, text: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = root.handlers[:1]  # pytest's own handlers could not report a lone surrogate.
    structlog.get_logger("credportal.test").info("said", value=text)
    logging.getLogger("django.request").warning("said %s", text)
    raw = written.getvalue()
    assert raw.count("\n") == 2
    assert not RAW.search(raw)
    first, second = events(written)
    assert first["value"] == text
    assert second["event"] == f"said {text}"


def test_a_traceback_is_inside_of_its_one_line(written: io.StringIO) -> None:
    try:
        int("two\nlines")
    except ValueError:
        logging.getLogger("credportal").exception("broke")
    [event] = events(written)
    assert event["event"] == "broke"
    assert "Traceback" in event["exception"]
    assert "\nValueError: " in event["exception"]


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_id_and_without_its_query(written: io.StringIO, client: Client) -> None:
    client.get("/account/login/?next=/sessions/&token=in-the-address")
    client.get("/nothing\u202e%0ahere")
    requests = [event for event in events(written) if event["event"] == "http.request"]
    assert (requests[0]["method"], requests[0]["path"], requests[0]["status"]) == ("GET", "/account/login/", 200)
    assert len(requests) == 2
    assert len({event["request_id"] for event in requests}) == 2
    assert all(re.fullmatch(r"[0-9a-f]{16}", event["request_id"]) for event in requests)
    assert "in-the-address" not in written.getvalue()
    assert not RAW.search(written.getvalue())


@pytest.mark.parametrize("address", ["/claim/%23{}", "/claim/{}", "/claim/?token={}", "/claim/look/{}/"])
def test_a_claim_links_token_that_was_sent_in_an_address_is_not_written(
    written: io.StringIO, client: Client, address: str
) -> None:
    token = secrets.token_urlsafe(32)
    client.get(address.format(token), headers={"referer": f"http://testserver/claim/#{token}"})
    lines = written.getvalue()
    assert '"path": "/claim/' in lines
    assert token not in lines


def test_every_event_of_a_request_has_its_id(
    written: io.StringIO, alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    asked = {"duration": "3600", "submission": secrets.token_urlsafe(16), "reason": "Look at \u202e a queue"}
    response = alice.post(f"/roles/{catalogue.read_only.id}/issue/", {**asked, "reason": "Look at a queue"})
    assert response.status_code == 200
    mine = [event for event in events(written) if event["event"] in {"issuance.issued", "http.request"}]
    assert len(mine) == 2
    assert mine[0]["request_id"] == mine[1]["request_id"]
    assert mine[0]["actor"] == "alice"
    assert "Look at a queue" not in written.getvalue(), "the reason is for the audit"


@pytest.mark.parametrize("name", ["botocore", "botocore.parsers", "boto3.resources", "urllib3.connectionpool"])
def test_what_sees_awss_answers_is_never_written_at_debug_whoever_sets_its_level(
    written: io.StringIO, name: str
) -> None:
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        logger.debug("Response body:\n<SecretAccessKey>%s</SecretAccessKey>", CANARY)
        logger.info("fine")
    finally:
        logger.setLevel(level)
    assert [event["event"] for event in events(written)] == ["fine"]
    assert CANARY not in written.getvalue()


def test_botocores_own_switch_to_debug_writes_no_secret(
    written: io.StringIO, alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    seen: list[str] = []

    class Witness(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    witness = Witness()
    logger = logging.getLogger("botocore")
    level = logger.level
    Session().set_debug_logger("botocore")
    added = [handler for handler in logger.handlers if handler is not witness]
    for handler in added:
        logger.removeHandler(handler)  # Its own handler writes past any of ours, and is not ours to test.
    logger.addHandler(witness)
    try:
        asked = {"duration": "3600", "submission": secrets.token_urlsafe(16)}
        assert alice.post(f"/roles/{catalogue.read_only.id}/issue/", asked).status_code == 200
    finally:
        logger.removeHandler(witness)
        logger.setLevel(level)
    assert any(CANARY in text for text in seen), "botocore did write the secret; our handler did not"
    assert CANARY not in written.getvalue()


def test_a_level_above_debug_is_kept(written: io.StringIO) -> None:
    logs.configure({"level": "ERROR"})
    try:
        assert logging.getLogger().level == logging.ERROR
        assert {logging.getLogger(name).level for name in logs.HELD_AT_INFO} == {logging.ERROR}
    finally:
        logs.configure({"level": "DEBUG"})
