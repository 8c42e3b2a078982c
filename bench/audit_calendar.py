"""How the events of a made-up audit spread over its three years."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

DAYS = 3 * 365
WEEK = (1.0, 1.1, 1.1, 1.05, 0.9, 0.12, 0.1)


def sizes(events: int, last_day: date) -> list[int]:
    """Return how many of the events happen on each of the days up to ``last_day``: more and more, few at weekends."""
    days = [last_day - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]
    weights = [WEEK[day.weekday()] * (0.6 + 0.8 * number / DAYS) for number, day in enumerate(days)]
    whole, so_far, done, counts = sum(weights), 0.0, 0, []
    for weight in weights:
        so_far += weight
        counts.append(round(events * so_far / whole) - done)
        done += counts[-1]
    return counts


def last_day() -> date:
    """Return yesterday by UTC: whatever is written from now on comes after it."""
    return datetime.now(UTC).date() - timedelta(days=1)
