"""The run that shows whether the audit stays quick when it is long, and what its chain costs those who write."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import audit_writing
from bench.audit_budgets import of_reading, pages_table
from bench.audit_past import drop, made
from bench.audit_reading import read
from bench.figures import Verdict, verdicts_table

LARGE, SMALL = 10_000_000, 10_000
QUICK_LARGE, QUICK_SMALL = 30_000, 3_000
FOLDER = Path(tempfile.gettempdir()) / "credportal-bench-audit"


def make(kinds: list[str], events: int, folder: Path) -> None:
    """Fill a database on each server, and keep it for later runs."""
    for kind in kinds:
        print(made(kind, events, folder), flush=True)


def forget(kinds: list[str], events: int, folder: Path) -> None:
    """Take away what was kept: the large audit and the small one."""
    for kind in kinds:
        for each in (events, SMALL):
            drop(kind, each, folder)


def run(
    kinds: list[str], *, quick: bool, events: int | None, folder: Path, writing: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """Measure on each database, print the tables, and return the figures. Raises RuntimeError where it fails."""
    large, small = (events or QUICK_LARGE, QUICK_SMALL) if quick else (events or LARGE, SMALL)
    figures: dict[str, Any] = {}
    verdicts: list[Verdict] = []
    for kind in kinds:
        figures[kind] = read(made(kind, large, folder), made(kind, small, folder), quick=quick, say=say)
        verdicts += of_reading(kind, figures[kind])
        print(pages_table(kind, figures[kind]), end="\n\n", flush=True)
        if quick:
            drop(kind, large, folder)
            drop(kind, small, folder)
    if writing and "postgresql" in kinds:
        figures["writing"], more = audit_writing.run(quick=quick, say=say)
        verdicts += more
        print(audit_writing.writing_table(figures["writing"]), end="\n\n", flush=True)
    print(verdicts_table(verdicts), flush=True)
    return {**figures, "budgets": [verdict.as_json() for verdict in verdicts]}
