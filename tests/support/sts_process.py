"""The fault STS as a process of its own, with its ledger in a file."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.portal import ROOT


@dataclass(frozen=True)
class StsProcess:
    """A running fault STS. The ledger is read from its file: it shares nothing with the product."""

    url: str
    ledger: Path

    def mints(self) -> list[dict[str, Any]]:
        return [entry for entry in self._entries() if entry["kind"] == "mint"]

    def calls(self) -> list[dict[str, Any]]:
        """Return the calls of AssumeRole; those that ask who the portal is do not count."""
        return [entry for entry in self._entries() if entry["kind"] == "call" and entry["action"] == "AssumeRole"]

    def fault(self, name: str, **asked: Any) -> None:
        """Plan a fault, as FaultSTS.fault does."""
        body = json.dumps({"name": name, **asked}).encode()
        with urllib.request.urlopen(f"{self.url}/_fault", data=body, timeout=5) as answer:  # noqa: S310 -- our own.
            assert answer.status == 200

    def _entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]


@contextmanager
def running_sts(folder: Path, *, latency_ms: float = 0) -> Iterator[StsProcess]:
    """Run the fault STS until the block ends. Its ledger is a file in ``folder``."""
    ledger = folder / "sts-ledger.jsonl"
    command = [sys.executable, "-m", "tests.fault_sts", "--ledger", str(ledger), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield StsProcess(process.stdout.readline().strip(), ledger)
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()
