"""The budgets of an issuance, held against the cells of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bench.figures import Cell, Verdict

# Portal's p50 over raw p50 with one client, by STS latency in milliseconds.
P50_LIMITS = {"sqlite": {80: 1.10, 0: 3.0}, "postgresql": {80: 1.15, 0: 4.0}}
CPU_LIMITS = {"sqlite": 3.0, "postgresql": 4.5}
TAIL_LIMIT = 4.0
RATE_KEPT = 0.85
CROWDS = (32, 64)
FIRST_LIMIT = 3.0
PSS_LIMIT_MEGABYTES = 200.0
BROWSER_LIMITS = {0: 1 / 12, 50: 1 / 8}
PLAIN_PAGE_LIMIT = 1 / 4


def of_cells(cells: Sequence[Cell]) -> Iterator[Verdict]:
    """Judge what the load showed. A cell that was not driven is not judged."""
    at = {(cell.party, cell.latency, cell.clients): cell for cell in cells}
    for party in dict.fromkeys(cell.party for cell in cells if cell.party != "raw"):
        database = party.split()[0]
        for latency, limit in P50_LIMITS[database].items():
            if (party, latency, 1) in at:
                ratio = at[party, latency, 1].against(at["raw", latency, 1])
                yield Verdict(f"{party}: p50 / raw p50, STS {latency} ms, 1 client", ratio["p50"], limit)
                what = f"{party}: CPU / raw CPU, STS {latency} ms, 1 client"
                yield Verdict(what, ratio["cpu"], CPU_LIMITS[database])
        mine = [cell for cell in cells if cell.party == party]
        yield from _of_crowds(party, mine)


def _of_crowds(party: str, cells: Sequence[Cell]) -> Iterator[Verdict]:
    crowds = [cell for cell in cells if cell.clients in CROWDS]
    if not crowds:
        return
    yield Verdict(f"{party}: errors, all cells", sum(cell.errors for cell in cells), 0)
    worst = max(crowds, key=lambda cell: cell.tail)
    what = f"{party}: worst p99 / p50 of 32 and 64 clients (STS {worst.latency} ms, {worst.clients})"
    yield Verdict(what, worst.tail, TAIL_LIMIT)
    rates = {(cell.latency, cell.clients): cell.rate for cell in cells}
    kept = {latency: rate / rates[latency, 8] for (latency, clients), rate in rates.items() if clients == 64}
    if kept:
        latency = min(kept, key=lambda each: kept[each])
        what = f"{party}: least rate at 64 clients / at 8 (STS {latency} ms)"
        yield Verdict(what, kept[latency], RATE_KEPT, at_least=True)


def of_process(database: str, *, pss_megabytes: float, leaked: int, first: float) -> Iterable[Verdict]:
    """Judge what was read from the processes. ``first`` is the first request over a warm one."""
    return (
        Verdict(f"{database}: first request after a worker starts / a warm one", first, FIRST_LIMIT),
        Verdict(f"{database}: connections left open by 64 clients", leaked, 0),
        Verdict(f"{database}: two workers and master, PSS in MB", pss_megabytes, PSS_LIMIT_MEGABYTES),
    )


def of_browser(latency: int, *, command: float, htmx: float, plain: float) -> Iterable[Verdict]:
    """Judge press to painted against the whole ``aws`` process; all in seconds."""
    return (
        Verdict(f"press to painted, htmx / aws process, STS {latency} ms", htmx / command, BROWSER_LIMITS[latency]),
        Verdict(f"press to painted, plain page / aws process, STS {latency} ms", plain / command, PLAIN_PAGE_LIMIT),
    )
