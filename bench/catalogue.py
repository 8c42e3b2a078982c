"""The run that shows whether pages and decisions stay quick in a large catalogue."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.databases import database
from bench.figures import Verdict, verdicts_table
from bench.processes import ROOT, environment

ROUNDS, QUICK_ROUNDS = 60, 5
STATEMENTS_LIMIT = 8
PAGE_LIMIT = 3.0
FACTS_LIMIT = 2
IMPORT_LIMIT = 30.0


def run(kinds: list[str], *, quick: bool) -> dict[str, Any]:
    """Measure on each database, print the table, and return the figures. Raises RuntimeError where it fails."""
    figures: dict[str, Any] = {}
    verdicts: list[Verdict] = []
    for kind in kinds:
        figures[kind] = _measure(kind, "bench.people_and_roles", str(QUICK_ROUNDS if quick else ROUNDS))
        verdicts += of_catalogue(kind, figures[kind])
        if not quick:
            figures[kind] |= _measure(kind, "bench.import_file")
            verdicts += of_import(kind, figures[kind])
        many, few = (figures[kind][f"{name}_seconds"] * 1000 for name in ("many", "few"))
        print(f"{kind}: roles page with 300 roles {many:.1f} ms, with 3 roles {few:.1f} ms (medians)", flush=True)
    print(verdicts_table(verdicts))
    return {**figures, "budgets": [verdict.as_json() for verdict in verdicts]}


def of_catalogue(kind: str, seen: dict[str, float]) -> Iterator[Verdict]:
    """Hold the figures against their budgets."""
    yield Verdict(f"{kind}: roles page, 300 roles / 3 roles", seen["many_seconds"] / seen["few_seconds"], PAGE_LIMIT)
    yield Verdict(f"{kind}: statements of the page with 300 roles", seen["many_statements"], STATEMENTS_LIMIT)
    yield Verdict(f"{kind}: more of them than with 3 roles", seen["many_statements"] - seen["few_statements"], 0)
    yield Verdict(f"{kind}: statements of a search that read the catalogue", seen["search_statements"], 1)
    yield Verdict(f"{kind}: statements for a decision's facts", seen["facts_large"], FACTS_LIMIT)
    yield Verdict(f"{kind}: more of them than with 1 role", seen["facts_large"] - seen["facts_small"], 0)


def of_import(kind: str, seen: dict[str, float]) -> Iterator[Verdict]:
    """Hold the import of a large file against its budget, in seconds."""
    yield Verdict(f"{kind}: import 2,000 roles, 500 groups, 20,000 rows, s", seen["import_new"], IMPORT_LIMIT)
    yield Verdict(f"{kind}: import them with every row changed, s", seen["import_changed"], IMPORT_LIMIT)
    yield Verdict(f"{kind}: import them with nothing to change, s", seen["import_same"], IMPORT_LIMIT)


def _measure(kind: str, module: str, *arguments: str) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="credportal-bench-") as folder,
        database(kind, Path(folder)) as url,
    ):
        env = environment(
            CREDPORTAL_MODE="demo",
            SECRET_KEY="bench-only-bench-only-bench-only-bench-only",  # noqa: S106 -- it protects nothing.
            DATABASE_URL=url,
            STATIC_ROOT=str(Path(folder) / "static"),
            DJANGO_SETTINGS_MODULE="credportal.settings",
            LOG_LEVEL="ERROR",
        )
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{kind}: {done.stderr[-2000:]}")
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen
