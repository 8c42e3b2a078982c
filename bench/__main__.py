"""The command line of the bench."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench import catalogue, issue
from bench.databases import postgresql_answers
from bench.site import QUICK, Plan


def main() -> int:
    """Run one bench. It reports; it does not fail for a budget that is not met."""
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure the portal on this machine.")
    parser.add_argument(
        "bench",
        choices=["issue", "layers", "catalogue"],
        help="one issuance beside the raw call; its layers; or the roles page in a large catalogue",
    )
    parser.add_argument("--quick", action="store_true", help="small counts: does it run at all?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as JSON too (not of layers)")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--no-browser", action="store_true", help="leave out the browser and the aws process")
    chosen = parser.parse_args()
    kinds = ["sqlite", "postgresql"] if chosen.database == "both" else [chosen.database]
    if "postgresql" in kinds and not postgresql_answers():
        print("bench: no PostgreSQL answers (DATABASE_URL_POSTGRES), so it is left out", file=sys.stderr)
        kinds.remove("postgresql")
    if not kinds:
        return 1
    plan = QUICK if chosen.quick else Plan()
    if chosen.bench == "layers":
        issue.layers(plan, kinds)
        return 0
    if chosen.bench == "catalogue":
        figures = catalogue.run(kinds, quick=chosen.quick)
    else:
        figures = issue.run(plan, kinds, with_browser=not chosen.no_browser)
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
