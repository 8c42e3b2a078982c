"""Reads of a large audit beside those of a small one: pages, the chart, exports, and the walk along the chain."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.audit_cases import Query, cases, rare_cases, words
from bench.audit_past import audit_environment
from bench.processes import running

WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Reader:
    """An auditor at one database, in a process of its own (``bench.audit_reader``)."""

    process: subprocess.Popen[str]
    log: Path

    def ask(self, do: str, **task: Any) -> dict[str, Any]:
        """Let it do something. Raises RuntimeError where that fails."""
        if self.process.stdin is None or self.process.stdout is None:
            raise AssertionError("it was started with pipes")
        self.process.stdin.write(json.dumps({"do": do, **task}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{do}: {self.log.read_text()[-2000:]}")
        seen: dict[str, Any] = json.loads(line)
        return seen


@contextmanager
def running_reader(url: str) -> Iterator[Reader]:
    """Run an auditor at the database with this URL."""
    with tempfile.TemporaryDirectory(prefix="credportal-bench-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "bench.audit_reader"]
        env = audit_environment(url, folder)
        log = folder / "reader.log"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with log.open("w") as output, running(command, env=env, stderr=output, **pipes) as process:
            yield Reader(process, log)


def read(large_url: str, small_url: str, *, quick: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure both; return the figures. Raises RuntimeError where a page or a download goes wrong."""
    rounds = 3 if quick else 40
    with running_reader(large_url) as large, running_reader(small_url) as small:
        there, there_small = large.ask("samples"), small.ask("samples")
        say(f"pages of {there['events']:,} events beside those of {there_small['events']:,}")
        pages = _side_by_side(large, small, cases(there), cases(there_small), rounds)
        say("rare things and words")
        rare = _alone(large, rare_cases(there), rounds)
        found = _alone(large, words(), max(3, rounds // 4))
        say("the chart")
        chart = large.ask("chart", rounds=rounds)
    # A process of its own for each: what one has left in memory is no rest for the next.
    exports = {}
    for form, span in (("csv", "all"), ("jsonl", "all"), ("csv", "90d")):
        say(f"the export as {form}, {span}")
        with running_reader(large_url) as reader:
            exports[f"{form}, {span}"] = reader.ask("export", form=form, query={"range": span, "steps": "on"})
    say("the walk along the chain")
    with running_reader(large_url) as reader:
        verified = reader.ask("verify")
    return {
        "events": there["events"],
        "issuances": there["issuances"],
        "pages": pages,
        "rare": rare,
        "words": found,
        "chart": {**chart, "tallied": median(chart["tallied"]), "counted": median(chart["counted"])},
        "exports": exports,
        "verified": verified,
    }


def _side_by_side(
    large: Reader, small: Reader, queries: dict[str, Query], small_queries: dict[str, Query], rounds: int
) -> dict[str, dict[str, Any]]:
    """Ask both for each page in turns; a page's ratio is the median of what it was round by round."""
    pairs: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {name: [] for name in queries}
    for number in range(WARM_UP + rounds):
        for name, query in queries.items():
            first, second = (large, query), (small, small_queries[name])
            order = [first, second] if number % 2 else [second, first]
            seen = {id(reader): reader.ask("page", query=each) for reader, each in order}
            if number >= WARM_UP:
                pairs[name].append((seen[id(large)], seen[id(small)]))
    return {
        name: {
            **_medians([one for one, _ in pair]),
            "small": median(other["seconds"] for _, other in pair),
            "small_rows": pair[-1][1]["rows"],
            "ratio": median(one["seconds"] / other["seconds"] for one, other in pair),
        }
        for name, pair in pairs.items()
    }


def _alone(reader: Reader, queries: dict[str, Query], rounds: int) -> dict[str, dict[str, Any]]:
    seen = {}
    for name, query in queries.items():
        some = [reader.ask("page", query=query) for _ in range(WARM_UP + rounds)]
        seen[name] = _medians(some[WARM_UP:])
    return seen


def _medians(some: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "seconds": median(each["seconds"] for each in some),
        "statement": median(each["statement"] for each in some),
        "statements": some[-1]["statements"],
        "rows": some[-1]["rows"],
    }
