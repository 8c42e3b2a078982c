"""Metrics in the text format of Prometheus.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Sequence

from django.utils import timezone

from credportal.flows.shipping import Lag, Shipper

PREFIX = "credportal_audit_ship"


def shipping_metrics(lags: Sequence[Lag], shippers: Sequence[Shipper]) -> str:
    """Return how far each target is behind, and what was sent and went wrong since the command began."""
    now = timezone.now()
    seconds = {lag.target: max(0.0, (now - lag.since).total_seconds()) if lag.since else 0.0 for lag in lags}
    return "".join(
        (
            _metric(
                "lag_events", "gauge", "Events that the target has not taken yet.", {x.target: x.behind for x in lags}
            ),
            _metric("lag_seconds", "gauge", "How long the oldest of them waits.", seconds),
            _metric("sent_total", "counter", "Events that the target took.", {x.target.name: x.sent for x in shippers}),
            _metric(
                "failures_total",
                "counter",
                "Batches that it did not take.",
                {x.target.name: x.failures for x in shippers},
            ),
        )
    )


def _metric(name: str, kind: str, words: str, values: dict[str, float]) -> str:
    lines = [f"# HELP {PREFIX}_{name} {words}", f"# TYPE {PREFIX}_{name} {kind}"]
    lines += [f'{PREFIX}_{name}{{target="{target}"}} {value:.15g}' for target, value in values.items()]
    return "\n".join(lines) + "\n"
