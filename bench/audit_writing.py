"""Issuances a second with the hash chain of the audit and without it, side by side, on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.figures import Cell, Round, Verdict
from bench.load import Batch
from bench.processes import STS, Worker, running, running_sts
from bench.site import Plan, filled_database, running_site
from bench.unchained import strip

CROWD = 32
PROCESSES = 2
RATE_LIMIT = 0.8
LONE_LIMIT = 1.3
KEYS = ("chained", "unchained")
OVER_HTTP = "over HTTP"
Party = Callable[[int, int], Batch]
"""Writes so many issuances with so many clients."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many issuances each party writes in a round, by the number of clients."""

    rounds: int = 15
    issuances: tuple[tuple[int, int], ...] = ((CROWD, 480), (1, 60))
    roles: int = 100


QUICK = Counts(rounds=2, issuances=((CROWD, 64), (1, 5)), roles=10)


def run(*, quick: bool, say: Callable[[str], None]) -> tuple[list[dict[str, Any]], list[Verdict]]:
    """Measure over HTTP and without it; return figures and verdicts. Raises RuntimeError where an issuance fails."""
    counts = QUICK if quick else Counts()
    rows: list[dict[str, Any]] = []
    verdicts: list[Verdict] = []
    # One after the other: PostgreSQL's hundred connections are not enough for both.
    for way, party_of in ((OVER_HTTP, _over_http), ("alone", _alone)):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="credportal-bench-")))
            sts = stack.enter_context(running_sts())
            parties = {key: stack.enter_context(party_of(folder, sts, counts, key)) for key in KEYS}
            more_rows, more_verdicts = _compare(way, parties, counts, say)
            rows, verdicts = rows + more_rows, verdicts + more_verdicts
    return rows, verdicts


def _compare(
    way: str, parties: dict[str, Party], counts: Counts, say: Callable[[str], None]
) -> tuple[list[dict[str, Any]], list[Verdict]]:
    rows, verdicts = [], []
    for clients, issuances in counts.issuances:
        say(f"writing {way}, {clients} clients, with the chain and without")
        cells = {key: Cell(f"{way} {key}", 0, clients) for key in parties}
        for number in range(counts.rounds + 1):
            for key in KEYS if number % 2 else KEYS[::-1]:  # Who begins changes, and the first round is not counted.
                batch = parties[key](issuances, clients)
                if batch.errors:
                    raise RuntimeError(f"{way}, {key}: {batch.errors[0]}")
                if number:
                    cells[key].rounds.append(Round(batch.seconds, batch.wall, batch.cpu))
        verdict = of_writing(way, clients, *(cells[key] for key in KEYS))
        rows += [{**cell.as_json(), "chained_over_unchained": round(verdict.measured, 3)} for cell in cells.values()]
        if way == OVER_HTTP:  # People come that way. Writing alone shows what the chain itself would bear.
            verdicts.append(verdict)
    return rows, verdicts


def of_writing(way: str, clients: int, chained: Cell, unchained: Cell) -> Verdict:
    """Judge what the chain costs: the rate of a crowd, the time of a lone writer; each the median of the rounds."""
    pairs = list(zip(chained.rounds, unchained.rounds, strict=True))
    if clients == 1:
        ratio = median(one.p50 / other.p50 for one, other in pairs)
        return Verdict(f"writing {way}: a lone writer's time, chain / none", ratio, LONE_LIMIT)
    ratio = median(len(one.seconds) / one.wall / (len(other.seconds) / other.wall) for one, other in pairs)
    return Verdict(f"writing {way}: rate of {clients} clients, chain / none", ratio, RATE_LIMIT, at_least=True)


@contextmanager
def _over_http(folder: Path, sts: STS, counts: Counts, key: str) -> Iterator[Party]:
    """Run a portal of two processes."""
    with running_site("postgresql", folder, sts, Plan(roles=counts.roles), chained=key == "chained") as site:
        site.warm(CROWD)
        yield lambda issuances, clients: site.issue(issuances, clients, htmx=True)


@contextmanager
def _alone(folder: Path, sts: STS, counts: Counts, key: str) -> Iterator[Party]:
    """Run two processes that write without HTTP; the clients are shared out among them."""
    with filled_database("postgresql", folder, sts, Plan(roles=counts.roles)) as (env, _), ExitStack() as stack:
        if key == "unchained":
            strip(env["DATABASE_URL"])
        command = [sys.executable, "-m", "bench.audit_writers", key]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        processes = [Worker(stack.enter_context(running(command, env=env, **pipes))) for _ in range(PROCESSES)]

        def write(issuances: int, clients: int) -> Batch:
            busy = processes[: min(PROCESSES, clients)]
            for process in busy:
                process.begin(issuances // len(busy), clients // len(busy))
            batches = [process.end() for process in busy]
            seconds = [each for batch in batches for each in batch.seconds]
            return Batch(seconds, max(batch.wall for batch in batches), sum(batch.cpu for batch in batches), [])

        yield write


def writing_table(rows: list[dict[str, Any]]) -> str:
    """Lay out for a terminal how many issuances a second were written, and how long one took."""
    lines = [f"{'writing':24} {'clients':>8} {'/s':>8} {'p50 ms':>8} {'p99 ms':>8}  chained / unchained"]
    for row in rows:
        figures = f"{row['clients']:8} {row['per_second']:8.1f} {row['p50_ms']:8.2f} {row['p99_ms']:8.2f}"
        lines.append(f"{row['party']:24} {figures} {row['chained_over_unchained']:20.2f}")
    return "\n".join(lines)
