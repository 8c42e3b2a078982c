"""Pure figures: percentiles, cells of the table, ratios against budgets."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the nearest-rank percentile: the smallest value that so many percent do not exceed.

    Raises ValueError where there are no values, or the percentage is not above 0 and at most 100.
    """
    ranked = sorted(values)
    if not ranked:
        raise ValueError("no values")
    if not 0 < percent <= 100:
        raise ValueError("a percentage is above 0 and at most 100")
    return ranked[math.ceil(len(ranked) * percent / 100) - 1]


@dataclass(frozen=True, slots=True)
class Round:
    """One batch of one party. ``seconds`` are those of each issuance, ``cpu`` and ``wall`` those of all."""

    seconds: Sequence[float]
    wall: float
    cpu: float
    errors: int = 0

    @property
    def p50(self) -> float:
        """Return the median, in seconds."""
        return median(self.seconds)

    @property
    def cpu_each(self) -> float:
        """Return the CPU of one issuance, in seconds."""
        return self.cpu / len(self.seconds)


@dataclass(slots=True)
class Cell:
    """All rounds of one party at one latency with so many clients, and the yardstick's beside them."""

    party: str  # "raw", or database and way: "sqlite fragment".
    latency: int  # Milliseconds.
    clients: int
    rounds: list[Round] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        """Return the seconds of every issuance."""
        return [each for batch in self.rounds for each in batch.seconds]

    @property
    def p50(self) -> float:
        """Return the median over all rounds, in seconds."""
        return median(self.seconds)

    @property
    def p99(self) -> float:
        """Return the 99th percentile over all rounds, in seconds."""
        return percentile(self.seconds, 99)

    @property
    def tail(self) -> float:
        """Return p99 over p50: the median of the rounds, for one hiccup of the machine is not the portal's."""
        return median(percentile(batch.seconds, 99) / batch.p50 for batch in self.rounds)

    @property
    def rate(self) -> float:
        """Return issuances a second: the median of the rounds."""
        return median(len(batch.seconds) / batch.wall for batch in self.rounds)

    @property
    def cpu_each(self) -> float:
        """Return the CPU of one issuance, in seconds: the median of the rounds."""
        return median(batch.cpu_each for batch in self.rounds)

    @property
    def errors(self) -> int:
        """Return how many issuances went wrong."""
        return sum(batch.errors for batch in self.rounds)

    def against(self, raw: Cell) -> dict[str, float]:
        """Return the ratios of p50 and CPU: the medians of what they were round by round, side by side."""
        pairs = list(zip(self.rounds, raw.rounds, strict=True))
        return {
            "p50": median(mine.p50 / theirs.p50 for mine, theirs in pairs),
            "cpu": median(mine.cpu_each / theirs.cpu_each for mine, theirs in pairs),
        }

    def as_json(self) -> dict[str, Any]:
        """Return the figures as JSON takes them, in milliseconds."""
        return {
            "party": self.party,
            "latency_ms": self.latency,
            "clients": self.clients,
            "issuances": len(self.seconds),
            "p50_ms": round(self.p50 * 1000, 3),
            "p99_ms": round(self.p99 * 1000, 3),
            "p99_over_p50": round(self.tail, 2),
            "per_second": round(self.rate, 1),
            "cpu_ms": round(self.cpu_each * 1000, 3),
            "errors": self.errors,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """One budget: what was measured beside what is allowed."""

    what: str
    measured: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Tell whether the figure keeps to its limit."""
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {**asdict(self), "measured": round(self.measured, 4), "met": self.met}


def cells_table(cells: Sequence[Cell]) -> str:
    """Lay the cells out for a terminal; each ratio is to the raw cell of the same latency and clients."""
    raw = {(cell.latency, cell.clients): cell for cell in cells if cell.party == "raw"}
    lines = ["STS ms clients  party                 p50 ms  x raw   p99 ms  /p50    /s  cpu ms  x raw  errors"]
    for cell in cells:
        ratio = cell.against(raw[cell.latency, cell.clients])
        lines.append(
            f"{cell.latency:6} {cell.clients:7}  {cell.party:20} {cell.p50 * 1000:7.2f} {ratio['p50']:6.2f}"
            f" {cell.p99 * 1000:8.2f} {cell.tail:5.1f} {cell.rate:6.1f} {cell.cpu_each * 1000:6.2f}"
            f" {ratio['cpu']:6.2f} {cell.errors:7}"
        )
    return "\n".join(lines)


def verdicts_table(verdicts: Sequence[Verdict]) -> str:
    """Lay the budgets out for a terminal."""
    width = max((len(verdict.what) for verdict in verdicts), default=0)
    lines = []
    for verdict in verdicts:
        sign = "≥" if verdict.at_least else "≤"
        word = "met" if verdict.met else "NOT MET"
        lines.append(f"{verdict.what:{width}}  {verdict.measured:8.3f}  {sign} {verdict.limit:<7.3f}  {word}")
    return "\n".join(lines)
