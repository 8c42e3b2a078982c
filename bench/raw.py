"""The yardstick: one warm boto3 client that calls ``assume_role``, in a process of its own.

``python -m bench.raw ENDPOINT`` reads ``<calls> <clients>`` lines and answers each with one
line of JSON: the seconds that every call took, and the seconds of CPU of the whole batch.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

# What the portal sends, so that both are asked for the same.
ARGUMENTS = {
    "RoleArn": "arn:aws:iam::491200653381:role/bench/BenchRole017",
    "RoleSessionName": "bench-user-3-0123456789ab",
    "DurationSeconds": 3600,
    "ExternalId": "K2Zz0S9wqk3p5mQ7yT1vB8dR4uXcLhNf",
    "SourceIdentity": "bench-user-3",
    "Tags": [
        {"Key": "credportal:issuance", "Value": "0123456789ab"},
        {"Key": "credportal:issued-by", "Value": "bench-user-3"},
    ],
}
MOST_CLIENTS = 64


def cpu_seconds() -> float:
    """Return the CPU time of this process so far, in all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Answer lines until there are no more."""
    config = Config(max_pool_connections=MOST_CLIENTS, retries={"mode": "standard", "total_max_attempts": 1})
    client = boto3.Session().client("sts", region_name="eu-west-1", endpoint_url=sys.argv[1], config=config)

    def calls_in_a_row(calls: int) -> list[float]:
        seconds = []
        for _ in range(calls):
            began = time.perf_counter()
            client.assume_role(**ARGUMENTS)  # type: ignore[arg-type]  # one mapping of several types.
            seconds.append(time.perf_counter() - began)
        return seconds

    calls_in_a_row(1)
    for line in sys.stdin:
        calls, clients = map(int, line.split())
        shares = [calls // clients + (number < calls % clients) for number in range(clients)]
        with ThreadPoolExecutor(clients) as threads:
            list(threads.map(calls_in_a_row, [1] * clients))  # Opens the connections and starts the threads.
            cpu, began = cpu_seconds(), time.perf_counter()
            seconds = [each for some in threads.map(calls_in_a_row, shares) for each in some]
            wall, cpu = time.perf_counter() - began, cpu_seconds() - cpu
        print(json.dumps({"seconds": seconds, "wall": wall, "cpu": cpu, "errors": []}), flush=True)


if __name__ == "__main__":
    main()
