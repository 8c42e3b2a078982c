"""The arithmetic of the bench. No test here or elsewhere depends on how fast a machine is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import budgets
from bench.figures import Cell, Round, Verdict, cells_table, percentile, verdicts_table

SECONDS = st.lists(st.floats(min_value=1e-6, max_value=100), min_size=1, max_size=50)


@given(SECONDS, st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_percent_do_not_exceed(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100
    assert sum(value < found for value in values) < len(values) * percent / 100


@pytest.mark.parametrize(("percent", "expected"), [(1, 1.0), (50, 50.0), (99, 99.0), (100, 100.0)])
def test_of_a_hundred_values_the_percentile_is_the_one_at_that_rank(percent: int, expected: float) -> None:
    assert percentile(map(float, range(100, 0, -1)), percent) == expected


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 0), ([1.0], 101)])
def test_a_percentile_of_nothing_or_out_of_range_is_refused(values: list[float], percent: float) -> None:
    with pytest.raises(ValueError, match=r"values|percentage"):
        percentile(values, percent)


def a_cell(party: str, *p50s: float, clients: int = 1, latency: int = 0, wall: float = 1.0) -> Cell:
    rounds = [Round([p50] * 10, wall=wall, cpu=p50 * 5) for p50 in p50s]
    return Cell(party, latency, clients, rounds)


def test_ratios_are_taken_round_by_round_so_that_a_slow_minute_of_the_machine_cancels_out() -> None:
    raw = a_cell("raw", 1.0, 10.0, 1.0)
    portal = a_cell("sqlite page", 3.0, 30.0, 3.0)
    assert portal.against(raw) == {"p50": 3.0, "cpu": 3.0}


def test_each_budget_of_the_load_is_judged_once() -> None:
    cells = [a_cell("raw", 1.0), a_cell("sqlite page", 3.5)]
    cells += [a_cell(party, 1.0, clients=8, wall=1.0) for party in ("raw", "sqlite page")]
    cells += [a_cell(party, 1.0, clients=64, wall=2.0) for party in ("raw", "sqlite page")]
    found = [(verdict.measured, verdict.limit, verdict.met) for verdict in budgets.of_cells(cells)]
    assert found == [
        (3.5, 3.0, False),  # p50 against raw
        (3.5, 3.0, False),  # CPU against raw
        (0, 0, True),  # errors
        (1.0, 4.0, True),  # p99 over p50 of the crowds
        (0.5, 0.85, False),  # the rate of 64 clients over that of 8
    ]


@pytest.mark.parametrize(
    ("measured", "limit", "at_least", "met"),
    [(3.0, 3.0, False, True), (3.01, 3.0, False, False), (0.85, 0.85, True, True), (0.84, 0.85, True, False)],
)
def test_a_figure_on_its_limit_keeps_to_it(measured: float, limit: float, at_least: bool, met: bool) -> None:
    verdict = Verdict("a figure", measured, limit, at_least=at_least)
    assert verdict.met is met
    assert ("NOT MET" in verdicts_table([verdict])) is not met


def test_the_table_has_a_line_for_each_cell() -> None:
    cells = [a_cell("raw", 0.001), a_cell("sqlite page", 0.003)]
    head, raw, portal = cells_table(cells).splitlines()
    assert head.split()[-1] == "errors"
    assert raw.split() == ["0", "1", "raw", "1.00", "1.00", "1.00", "1.0", "10.0", "0.50", "1.00", "0"]
    assert portal.split() == ["0", "1", "sqlite", "page", "3.00", "3.00", "3.00", "1.0", "10.0", "1.50", "3.00", "0"]
