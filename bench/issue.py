"""The run: every party interleaved, on every database, at every latency, with every crowd."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bench import browser, budgets
from bench.figures import Cell, Round, cells_table, verdicts_table
from bench.load import Batch
from bench.processes import ROOT, STS, Worker, running_raw, running_sts
from bench.site import Plan, Site, filled_database, first_over_warm, running_site

WAYS = {"fragment": True, "page": False}
WARM_UP_LATENCY = 20  # Milliseconds, so that all threads are inside a call at once.


def say(line: str) -> None:
    """Tell the person what happens, apart from the tables."""
    print(f"bench: {line}", file=sys.stderr, flush=True)


def run(plan: Plan, kinds: list[str], *, with_browser: bool) -> dict[str, Any]:
    """Measure, print the tables, and return everything as JSON takes it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="credportal-bench-")))
        sts = stack.enter_context(running_sts())
        raw = stack.enter_context(running_raw(sts))
        say(f"setting up {' and '.join(kinds)}")
        sites = [stack.enter_context(running_site(kind, folder, sts, plan)) for kind in kinds]
        sts.set_latency(WARM_UP_LATENCY)
        for site in sites:
            site.warm(max(plan.calls))
        cells = _load(plan, sts, raw, sites)
        verdicts = list(budgets.of_cells(cells))
        for site in sites:
            sts.set_latency(WARM_UP_LATENCY)
            leaked = site.leaked(max(plan.calls))
            sts.set_latency(0)
            memory = site.portal.pss_megabytes()
            say(f"{site.database}: the first request of a worker")
            first = first_over_warm(site, folder, starts=plan.worker_starts)
            verdicts += budgets.of_process(site.database, pss_megabytes=memory, leaked=leaked, first=first)
        presses = list(_presses(plan, sts, sites[0])) if with_browser else []
        verdicts += [verdict for each in presses for verdict in budgets.of_browser(**each)]
    print(cells_table(cells), *map(_press_line, presses), verdicts_table(verdicts), sep="\n\n")
    return {
        "machine": machine(),
        "cells": [cell.as_json() for cell in cells],
        "browser": presses,
        "budgets": [verdict.as_json() for verdict in verdicts],
    }


def layers(plan: Plan, kinds: list[str]) -> None:
    """Print where an issuance spends its time, on each database. Raises RuntimeError where it fails."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="credportal-bench-")))
        sts = stack.enter_context(running_sts())
        for kind in kinds:
            env, _ = stack.enter_context(filled_database(kind, folder, sts, plan))
            log = folder / f"{kind}-layers.log"  # The portal's own log lines are part of the cost.
            with log.open("w") as output:
                command = [sys.executable, "-m", "bench.layers"]
                done = subprocess.run(
                    command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=output, text=True, check=False
                )
            if done.returncode:
                raise RuntimeError(f"{kind}: {log.read_text()[-2000:]}")
            print(f"{kind}, one fragment, STS answers at once", done.stdout, sep="\n", flush=True)


def machine() -> dict[str, Any]:
    """Say what this was measured on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def _load(plan: Plan, sts: STS, raw: Worker, sites: list[Site]) -> list[Cell]:
    cells: list[Cell] = []
    for latency in plan.latencies:
        sts.set_latency(latency)
        for clients, calls in plan.calls.items():
            say(f"STS {latency} ms, {clients} clients")
            yardstick = Cell("raw", latency, clients)
            cells.append(yardstick)
            row = [(site, way, Cell(f"{site.database} {way}", latency, clients)) for site in sites for way in WAYS]
            for _ in range(plan.rounds):
                yardstick.rounds.append(_round(raw.drive(calls, clients)))
                for site, way, cell in row:
                    cell.rounds.append(_round(site.issue(calls, clients, htmx=WAYS[way])))
            cells += [cell for _, _, cell in row]
    return cells


def _round(batch: Batch) -> Round:
    for error in sorted(set(batch.errors)):
        say(f"{batch.errors.count(error)} times {error}")
    return Round(batch.seconds, batch.wall, batch.cpu, len(batch.errors))


def _presses(plan: Plan, sts: STS, site: Site) -> Iterator[dict[str, Any]]:
    """Yield for each latency the medians of the whole ``aws`` process, of htmx and of the plain page, in seconds."""
    aws = browser.aws_path()
    if aws is None or browser.browser_path() is None:
        say("no browser figures: the AWS CLI or Chromium is not installed")
        return
    visitor = site.visitors[0]
    with (
        browser.chromium() as chromium,
        browser.signed_in_page(chromium, visitor, plain=False) as htmx,
        browser.signed_in_page(chromium, visitor, plain=True) as plain,
    ):
        for latency in plan.browser_latencies:
            say(f"the browser and the aws process, STS {latency} ms")
            sts.set_latency(latency)
            seconds: dict[str, list[float]] = {"command": [], "htmx": [], "plain": []}
            for press in range(plan.presses + 1):
                url = f"{site.portal.url}/roles/{site.roles[press % len(site.roles)]}/"
                seconds["htmx"].append(browser.press(htmx, url))
                seconds["plain"].append(browser.press(plain, url))
                seconds["command"].append(browser.aws_seconds(aws, sts.url))
            # The first of each fills caches: the browser's, and Python's with bytecode.
            yield {"latency": latency, **{name: median(each[1:]) for name, each in seconds.items()}}


def _press_line(each: dict[str, Any]) -> str:
    return (
        f"STS {each['latency']} ms: press to painted {each['htmx'] * 1000:.0f} ms with htmx, "
        f"{each['plain'] * 1000:.0f} ms as a plain page; aws sts assume-role {each['command'] * 1000:.0f} ms"
    )
