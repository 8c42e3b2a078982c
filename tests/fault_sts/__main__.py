"""Run the fault STS as a process of its own, until it is told to stop."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from tests.fault_sts.server import FaultSTS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fault_sts", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one; the address is printed")
    parser.add_argument("--ledger", type=Path, help="append every mint and call to this file, as JSON lines")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait so long before each answer")
    asked = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with FaultSTS(port=asked.port, ledger_path=asked.ledger, latency_seconds=asked.latency_ms / 1000) as sts:
        sys.stdout.write(f"{sts.url}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
