"""Writes issuances from many threads, without HTTP and without STS: intent and outcome, as the portal records them.

``python -m bench.audit_writers [unchained]`` reads ``<issuances> <threads>`` lines and answers each with one line
of JSON as ``bench.raw`` does. The environment says which database.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from credportal.audit import chain, record  # noqa: E402 -- models need django.setup() first.
from credportal.domain.naming import issuance_id_from  # noqa: E402 -- as above.
from credportal.domain.types import (  # noqa: E402 -- as above.
    Actor,
    AssumedRole,
    Credentials,
    EligibilityFacts,
    Environment,
    Granted,
    IssuanceRequest,
    Origin,
    RoleFacts,
    SessionSpec,
    Source,
)

HOUR = timedelta(hours=1)
ACTOR = Actor(1, "bench-user-1", "Bench User")
ORIGIN = Origin("203.0.113.9", "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0", secrets.token_hex(16))
ROLE = RoleFacts(
    id="bench-role",
    arn="arn:aws:iam::491200653381:role/bench/BenchRole017",
    name="BenchRole017",
    description="",
    account_number="491200653381",
    account_name="payments-prod",
    account_owner="",
    environment=Environment.PRODUCTION,
    enabled=True,
    max_session_duration=HOUR,
    default_region="eu-west-1",
    external_id="K2Zz0S9wqk3p5mQ7yT1vB8dR4uXcLhNf",
    accepts_source_identity=True,
    accepts_session_tags=True,
)
SPEC = SessionSpec(ROLE.arn, "bench-user-1-0123456789ab", HOUR, ROLE.external_id, ACTOR.handle)
GRANTED = Granted(SPEC, Source.STANDARD, EligibilityFacts(1, "engineers", HOUR))
CREDENTIALS: dict[str, Any] = {"secret_access_key": "", "session_token": ""}


def write_one() -> float:
    """Record one issuance; return the seconds that it took."""
    number = secrets.token_bytes(8)
    asked = IssuanceRequest(ROLE.id, HOUR, "bench", "OPS-1", submission=number.hex())
    spec = replace(SPEC, session_name=f"bench-user-1-{issuance_id_from(number)}")
    began = time.perf_counter()
    issuance = record.record_intent(
        issuance_id=issuance_id_from(number),
        actor=ACTOR,
        origin=ORIGIN,
        asked=asked,
        role=ROLE,
        granted=replace(GRANTED, spec=spec),
    )
    key = f"ASIA{number.hex().upper()}"
    expiration = datetime.now(UTC).replace(microsecond=0) + HOUR
    assumed = AssumedRole(
        Credentials(access_key_id=key, expiration=expiration, **CREDENTIALS), "AROABENCH:bench", "", number.hex()
    )
    record.record_issued(issuance=issuance, actor=ACTOR, origin=ORIGIN, assumed=assumed, duration=HOUR)
    return time.perf_counter() - began


def cpu_seconds() -> float:
    """Return the CPU time of this process so far, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Answer lines until there are no more. Each thread keeps its own connection."""
    if sys.argv[1:] == ["unchained"]:
        chain.EARLY = ""
        chain.make_durable = lambda: None

    def in_a_row(count: int) -> list[float]:
        return [write_one() for _ in range(count)]

    crowds: dict[int, ThreadPoolExecutor] = {}
    for line in sys.stdin:
        count, threads = map(int, line.split())
        if threads not in crowds:
            crowds[threads] = ThreadPoolExecutor(threads)
            list(crowds[threads].map(in_a_row, [2] * threads))  # Starts the threads and opens the connections.
        shares = [count // threads + (number < count % threads) for number in range(threads)]
        cpu, began = cpu_seconds(), time.perf_counter()
        seconds = [each for some in crowds[threads].map(in_a_row, shares) for each in some]
        wall, cpu = time.perf_counter() - began, cpu_seconds() - cpu
        print(json.dumps({"seconds": seconds, "wall": wall, "cpu": cpu, "errors": []}), flush=True)
    os._exit(0)  # Threads that hold connections are nobody to wait for.


if __name__ == "__main__":
    main()
