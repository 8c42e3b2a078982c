"""Pure figures of the claims: three ledgers beside each other, and what they must not differ in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from bench.claim_load import Killed, Link, Reply
from bench.figures import Verdict, percentile

PRICE_LIMIT = 1.15
"""How much longer a claim may take than an issuance, STS at 80 ms."""
Minted = Sequence[tuple[str, str]]


def race_figures(
    links: Sequence[Link], replies: Sequence[Sequence[Reply]], minted: Minted, ledger: dict[str, Any]
) -> dict[str, Any]:
    """Count what clients got, what STS minted and what the audit says. The ledger holds this race alone."""
    delivered = [frozenset().union(*(reply.key_ids for reply in each)) for each in replies]
    statuses = Counter(reply.status for each in replies for reply in each)
    spent = [each[0].seconds for each in replies]
    return {
        "links": len(links),
        "claims": statuses.total(),
        "delivered": sum(map(len, delivered)),
        "without": sum(not keys for keys in delivered),
        "doubles": sum(len(keys) > 1 for keys in delivered) + max(0, statuses[200] - len(links)),
        "minted": len(minted),
        "issued": len(ledger["issued"]),
        "not in the audit": len(frozenset().union(*delivered) ^ _issued_keys(ledger)),
        "losers": statuses[409],
        "losers recorded": ledger["events"].get("handout:refused handout_claimed", 0),
        "other answers": statuses.total() - statuses[200] - statuses[409],
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "p50_ms": round(median(spent) * 1000, 1),
        "p99_ms": round(percentile(spent, 99) * 1000, 1),
    }


def of_race(kind: str, seen: dict[str, Any]) -> Iterator[Verdict]:
    """Hold a race against what may not be."""
    yield Verdict(f"{kind}: links that gave no credentials", seen["without"], 0)
    yield Verdict(f"{kind}: links that gave them twice", seen["doubles"], 0)
    yield Verdict(f"{kind}: credentials minted beyond one a link", abs(seen["minted"] - seen["links"]), 0)
    yield Verdict(f"{kind}: delivered and not recorded, or the other way", seen["not in the audit"], 0)
    yield Verdict(f"{kind}: losers without a row of their own", abs(seen["losers"] - seen["losers recorded"]), 0)
    yield Verdict(f"{kind}: answers other than credentials or 409", seen["other answers"], 0)


def kill_figures(links: Sequence[Link], killed: Killed, minted: Minted, ledger: dict[str, Any]) -> dict[str, Any]:
    """Count what came of claims whose worker was killed, and when it died where the first answer broke off."""
    delivered = {
        link_id: frozenset().union(*(reply.key_ids for reply in replies)) for link_id, replies in killed.presses.items()
    }
    issuances = ledger["issuances"]
    claimed = {issuance_id: handout_id for handout_id, issuance_id in ledger["claims"]}
    statuses = {link.id: _status_of(ledger["handouts"][link.id], issuances) for link in links}
    minted_of = Counter(claimed.get(name.rpartition("-")[2], "") for name, _ in minted)
    traced = {row["session_name"] for row in issuances.values()}
    deaths = Counter(_died(statuses[link_id], bool(delivered[link_id])) for link_id in killed.broken)
    return {
        "links": len(links),
        "kills": killed.kills,
        "presses": sum(map(len, killed.presses.values())),
        "broke off": len(killed.broken),
        "died": dict(sorted(deaths.items())),
        "delivered": sum(map(len, delivered.values())),
        "doubles": sum(len(keys) > 1 for keys in delivered.values()),
        "minted": len(minted),
        "minted twice": sum(count > 1 for count in minted_of.values()),
        "delivered without a row": len(frozenset().union(*delivered.values()) - _issued_keys(ledger)),
        "minted without a trace": sum(name not in traced for name, _ in minted),
        "left without an outcome": len(ledger["left"]),
        "afterwards": dict(sorted(Counter(statuses.values()).items())),
        "in no good state": sum(status not in {"open", "issued", "unknown"} for status in statuses.values()),
    }


def of_kills(kind: str, seen: dict[str, Any]) -> Iterator[Verdict]:
    """Hold the killed claims against what may not be."""
    yield Verdict(f"{kind}, kill -9: links that gave credentials twice", seen["doubles"], 0)
    yield Verdict(f"{kind}, kill -9: links that minted twice", seen["minted twice"], 0)
    yield Verdict(f"{kind}, kill -9: delivered without a row", seen["delivered without a row"], 0)
    yield Verdict(f"{kind}, kill -9: minted without a trace", seen["minted without a trace"], 0)
    yield Verdict(f"{kind}, kill -9: links neither open, issued nor unknown", seen["in no good state"], 0)


def of_previews(kind: str, seen: dict[str, Any]) -> Iterator[Verdict]:
    """Hold the previews against what may not be."""
    yield Verdict(
        f"{kind}: links that a preview used up, of {seen['links']}", seen["links"] - sum(seen["open"].values()), 0
    )
    claimed = sum(seen["claimed"].values())
    yield Verdict(f"{kind}: links that could not be claimed after it", seen["links"] - claimed, 0)


def price_figures(rounds: Sequence[dict[str, list[float]]], statements: dict[str, int]) -> dict[str, Any]:
    """Return the medians of each party in milliseconds, and their ratios to an issuance, round by round."""
    parties = list(rounds[0])
    each = {name: median(second for batch in rounds for second in batch[name]) for name in parties}
    ratios = {name: median(median(batch[name]) / median(batch["issue"]) for batch in rounds) for name in parties}
    return {
        "p50_ms": {name: round(seconds * 1000, 2) for name, seconds in each.items()},
        "ratio": {name: round(ratio, 3) for name, ratio in ratios.items()},
        "statements": statements,
    }


def of_price(kind: str, seen: dict[str, Any]) -> Iterator[Verdict]:
    """Hold the price of a claim against its budget."""
    for name in ("claim", "claim, outsider"):
        yield Verdict(f"{kind}: p50 of {name} / issuance, STS 80 ms", seen["ratio"][name], PRICE_LIMIT)


def _issued_keys(ledger: dict[str, Any]) -> frozenset[str]:
    return frozenset(ledger["issuances"][issuance_id]["access_key_id"] for issuance_id in ledger["issued"])


def _status_of(handout: dict[str, str], issuances: dict[str, dict[str, str]]) -> str:
    """Say where a link stands: ``open``, or what its issuance came to."""
    if handout["state"] != "claimed":
        return handout["state"]
    return issuances[handout["issuance_id"]]["status"]


def _died(status: str, delivered: bool) -> str:
    """Say when the first press of a link lost its worker, by what there is in the end."""
    if delivered or status == "open":
        return "before the intent"
    return "after the outcome" if status == "issued" else "in between"
