"""The oracle itself: its ledger is whole, its faults can be chosen from outside, and it runs as a process."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.fault_sts import CANARY, FaultSTS

ROOT = Path(__file__).resolve().parents[2]
FORM = {
    "Action": "AssumeRole",
    "Version": "2011-06-15",
    "RoleArn": "arn:aws:iam::222222222222:role/target",
    "RoleSessionName": "alice-1",
    "DurationSeconds": "900",
    "Tags.member.1.Key": "ticket",
    "Tags.member.1.Value": "OPS-1",
}


@pytest.fixture
def sts() -> Iterator[FaultSTS]:
    with FaultSTS() as server:
        yield server


def ask(url: str, method: str, path: str, body: str = "") -> tuple[int, bytes]:
    connection = HTTPConnection(str(urlsplit(url).netloc), timeout=5)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def control(url: str, path: str, **asked: Any) -> int:
    return ask(url, "POST", path, json.dumps(asked))[0]


def mint(url: str, **changes: str) -> tuple[int, bytes]:
    return ask(url, "POST", "/", urlencode({**FORM, **changes}))


def test_the_ledger_over_http_lists_what_was_minted_without_its_secrets(sts: FaultSTS) -> None:
    mint(sts.url)
    status, body = ask(sts.url, "GET", "/_ledger")
    (entry,) = json.loads(body)
    assert status == 200
    assert (entry["session_name"], entry["tags"], entry["duration"]) == ("alice-1", {"ticket": "OPS-1"}, 900)
    assert CANARY.encode() not in body


def test_the_calls_over_http_name_their_fault(sts: FaultSTS) -> None:
    control(sts.url, "/_fault", name="throttling")
    assert mint(sts.url)[0] == 400
    assert mint(sts.url)[0] == 200
    calls = json.loads(ask(sts.url, "GET", "/_calls")[1])
    assert [call["fault"] for call in calls] == ["throttling", ""]
    assert len(sts.ledger.mints) == 1


def test_no_two_credentials_are_alike_and_each_carries_the_canary(sts: FaultSTS) -> None:
    for _ in range(20):
        mint(sts.url)
    mints = sts.ledger.mints
    assert len({m.access_key_id for m in mints}) == len({m.secret_access_key for m in mints}) == 20
    assert all(m.secret_access_key.startswith(CANARY) and m.session_token.startswith(CANARY) for m in mints)
    assert all(len(m.secret_access_key) == 40 and m.access_key_id.startswith("ASIA") for m in mints)


def test_a_fault_lasts_as_many_calls_as_asked_or_until_healed(sts: FaultSTS) -> None:
    control(sts.url, "/_fault", name="throttling", count=2)
    assert [mint(sts.url)[0] for _ in range(3)] == [400, 400, 200]
    control(sts.url, "/_fault", name="internal_failure", forever=True)
    assert [mint(sts.url)[0] for _ in range(3)] == [500, 500, 500]
    control(sts.url, "/_heal")
    assert mint(sts.url)[0] == 200


def test_a_fault_may_be_a_matter_of_chance(sts: FaultSTS) -> None:
    control(sts.url, "/_fault", name="throttling", forever=True, probability=0.5)
    assert {mint(sts.url)[0] for _ in range(60)} == {200, 400}


def test_an_unknown_fault_is_refused(sts: FaultSTS) -> None:
    assert control(sts.url, "/_fault", name="earthquake") == 400


def test_a_rule_of_a_role_can_be_set_from_outside(sts: FaultSTS) -> None:
    control(sts.url, "/_role", arn=FORM["RoleArn"], external_id="abc", max_duration=3600)
    assert mint(sts.url)[0] == 403
    assert mint(sts.url, ExternalId="abc")[0] == 200
    assert b"MaxSessionDuration" in mint(sts.url, ExternalId="abc", DurationSeconds="3601")[1]


def test_a_process_writes_its_ledger_as_lines_before_it_answers(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fault_sts", "--ledger", str(ledger), "--latency-ms", "5"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert mint(url)[0] == 200
        kinds = [json.loads(line)["kind"] for line in ledger.read_text().splitlines()]
        assert kinds == ["call", "mint"]
        assert CANARY not in ledger.read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        process.stdout.close()
