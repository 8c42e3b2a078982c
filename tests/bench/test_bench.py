"""bin/bench runs from one end to the other. What it measures is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.databases import postgresql_answers

ROOT = Path(__file__).parents[2]


def test_a_quick_bench_of_an_issuance_writes_every_figure(tmp_path: Path) -> None:
    file = tmp_path / "figures" / "issue.json"
    command = [sys.executable, "-m", "bench", "issue", "--quick", "--no-browser", "--database", "sqlite"]
    done = subprocess.run([*command, "--json", str(file)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    parties = {cell["party"] for cell in figures["cells"]}
    assert parties == {"raw", "sqlite fragment", "sqlite page"}
    assert [cell["errors"] for cell in figures["cells"]] == [0] * len(figures["cells"])
    assert all(cell["p50_ms"] > 0 and cell["cpu_ms"] >= 0 for cell in figures["cells"])
    assert {type(budget["met"]) for budget in figures["budgets"]} == {bool}
    for budget in figures["budgets"]:
        assert budget["what"] in done.stdout


def test_a_quick_bench_of_the_catalogue_keeps_to_its_counts(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.json"
    command = [sys.executable, "-m", "bench", "catalogue", "--quick", "--database", "sqlite", "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    budgets = json.loads(file.read_text())["budgets"]
    counted = [budget for budget in budgets if "/" not in budget["what"]]
    # How many statements there are does not depend on the machine; how long they take does.
    assert len(counted) == len(budgets) - 1
    assert [budget["what"] for budget in counted if not budget["met"]] == []


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_quick_bench_of_the_audit_makes_one_and_reads_all_of_it(tmp_path: Path, database: str) -> None:
    if database == "postgresql" and not postgresql_answers():
        pytest.skip("no PostgreSQL answers")
    file = tmp_path / "audit.json"
    command = [sys.executable, "-m", "bench", "audit", "--quick", "--no-writing", "--events", "6000"]
    options = ["--database", database, "--folder", str(tmp_path), "--json", str(file)]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())[database]
    # Reading is in the log too: each export and the walk see what was asked before.
    assert 6000 < figures["exports"]["jsonl, all"]["rows"] < figures["verified"]["rows"] < 6000 + 1000
    assert figures["chart"]["equal"]
    assert figures["chart"]["outcomes"] > 0
    assert figures["pages"]["person"]["rows"] > figures["pages"]["access key"]["rows"] > 0
    assert figures["words"]["words: none"]["rows"] == 0
    assert not list(tmp_path.glob("*.sqlite3*"))  # A quick run keeps nothing.


def test_a_quick_bench_of_claims_finds_no_link_used_twice_or_up(tmp_path: Path) -> None:
    # It takes a minute, so one database has to do: tests/test_handout_once.py counts the same on both.
    file = tmp_path / "claims.json"
    command = [sys.executable, "-m", "bench", "claims", "--quick", "--no-browser", "--database", "sqlite"]
    done = subprocess.run([*command, "--json", str(file)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures = json.loads(file.read_text())
    assert figures["sqlite"]["race"]["delivered"] == figures["sqlite"]["race"]["links"] > 0
    counted = [budget for budget in figures["budgets"] if "p50" not in budget["what"]]
    assert len(counted) == 13
    assert [budget["what"] for budget in counted if not budget["met"]] == []


def test_the_bench_says_what_it_can_do() -> None:
    done = subprocess.run([ROOT / "bin" / "bench", "issue", "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "--database" in done.stdout
