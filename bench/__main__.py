"""The command line of the bench."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench import audit, catalogue, claims, issue
from bench.databases import postgresql_answers
from bench.site import QUICK, Plan


def main() -> int:
    """Run one bench. It reports; it does not fail for a budget that is not met."""
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure the portal on this machine.")
    parser.add_argument(
        "bench",
        choices=["issue", "layers", "catalogue", "audit", "claims"],
        help="one issuance beside the raw call; its layers; the roles page in a large catalogue; a long audit; or the "
        "claims of hand-outs",
    )
    parser.add_argument("--quick", action="store_true", help="small counts: does it run at all?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as JSON too (not of layers)")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--no-browser", action="store_true", help="leave out the browser and the aws process")
    of_audit = parser.add_argument_group("of the audit")
    of_audit.add_argument("--events", type=int, metavar="N", help="how long the long audit is (10 million)")
    of_audit.add_argument("--make", type=int, metavar="N", help="only fill a database with N events, and keep it")
    of_audit.add_argument("--forget", action="store_true", help="only take away the databases that were kept")
    of_audit.add_argument("--folder", type=Path, default=audit.FOLDER, help="where SQLite's are kept (%(default)s)")
    of_audit.add_argument("--no-writing", action="store_true", help="leave out what the chain costs")
    chosen = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if chosen.database == "both" else [chosen.database]
    if "postgresql" in kinds and not postgresql_answers():
        print("bench: no PostgreSQL answers (DATABASE_URL_POSTGRES), so it is left out", file=sys.stderr)
        kinds.remove("postgresql")
    if not kinds:
        return 1
    figures = _run(chosen, kinds)
    if chosen.json and figures:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


def _run(chosen: argparse.Namespace, kinds: list[str]) -> dict[str, Any]:
    """Run what was chosen; return its figures, where it has any."""
    plan = QUICK if chosen.quick else Plan()
    match chosen.bench:
        case "layers":
            issue.layers(plan, kinds)
            return {}
        case "catalogue":
            return catalogue.run(kinds, quick=chosen.quick)
        case "claims":
            return claims.run(kinds, quick=chosen.quick, with_browser=not chosen.no_browser)
        case "audit":
            return _run_audit(chosen, kinds)
        case _:
            return issue.run(plan, kinds, with_browser=not chosen.no_browser)


def _run_audit(chosen: argparse.Namespace, kinds: list[str]) -> dict[str, Any]:
    if chosen.make:
        audit.make(kinds, chosen.make, chosen.folder)
        return {}
    if chosen.forget:
        audit.forget(kinds, chosen.events or audit.LARGE, chosen.folder)
        return {}
    return audit.run(
        kinds,
        quick=chosen.quick,
        events=chosen.events,
        folder=chosen.folder,
        writing=not chosen.no_writing,
        say=issue.say,
    )


if __name__ == "__main__":
    sys.exit(main())
