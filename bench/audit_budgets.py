"""The budgets of the audit, held against what was read of a large one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.figures import Verdict

PAGE_LIMIT = 1.3
STATEMENT_LIMIT = 0.005  # Seconds.
CHART_LIMIT = 1 / 100
WORDS_LIMIT = 0.150  # Seconds, on PostgreSQL.
EXPORT_RATE = 60_000
MEMORY_LIMIT = 16  # MiB above rest.
VERIFY_RATE = 100_000


def of_reading(kind: str, seen: dict[str, Any]) -> Iterator[Verdict]:
    """Judge the figures of one database."""
    for name, page in seen["pages"].items():
        yield Verdict(f"{kind}: {name}, large / small", page["ratio"], PAGE_LIMIT)
    pages = seen["pages"] | seen["rare"]
    slowest = max(pages, key=lambda name: float(pages[name]["statement"]))
    what = f"{kind}: slowest statement of these and of rare things, ms ({slowest})"
    yield Verdict(what, pages[slowest]["statement"] * 1000, STATEMENT_LIMIT * 1000)
    chart = seen["chart"]
    yield Verdict(f"{kind}: 90-day chart, tallies / events", chart["tallied"] / chart["counted"], CHART_LIMIT)
    yield Verdict(f"{kind}: charts that differ", 0 if chart["equal"] else 1, 0)
    if kind == "postgresql":
        slowest = max(seen["words"], key=lambda name: float(seen["words"][name]["seconds"]))
        what = f"{kind}: free text, whole request, ms ({slowest})"
        yield Verdict(what, seen["words"][slowest]["seconds"] * 1000, WORDS_LIMIT * 1000)
    for form, export in seen["exports"].items():
        yield Verdict(
            f"{kind}: export as {form}, rows/s", export["rows"] / export["seconds"], EXPORT_RATE, at_least=True
        )
        yield Verdict(f"{kind}: export as {form}, MiB above rest", export["mebibytes"], MEMORY_LIMIT)
    walked = seen["verified"]
    yield Verdict(
        f"{kind}: verify_audit, events/s of one core", walked["rows"] / walked["cpu"], VERIFY_RATE, at_least=True
    )
    yield Verdict(f"{kind}: verify_audit, MiB above rest", walked["mebibytes"], MEMORY_LIMIT)


def pages_table(kind: str, seen: dict[str, Any]) -> str:
    """Lay the pages of one database out for a terminal; all in milliseconds."""
    title = f"{kind}, {seen['events']:,} events"
    lines = [f"{title:40} {'large':>8} {'small':>8} {'ratio':>6} {'slowest statement':>18} {'statements':>11}"]
    for name, page in {**seen["pages"], **seen["rare"], **seen["words"]}.items():
        beside = f"{page['small'] * 1000:8.1f} {page['ratio']:6.2f}" if "small" in page else " " * 15
        statement = f"{page['statement'] * 1000:18.2f} {page['statements']:11}"
        lines.append(f"{name:40} {page['seconds'] * 1000:8.1f} {beside} {statement}")
    return "\n".join(lines)
