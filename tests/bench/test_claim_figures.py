"""The bench of claims counts what it is there to find: doubles, what is not recorded, what nobody can claim."""

from typing import Any

import pytest

from bench.claim_figures import kill_figures, of_kills, of_price, of_race, price_figures, race_figures
from bench.claim_load import Killed, Link, Reply, read

LINKS = [Link("one", "t1", "", "alice"), Link("two", "t2", "12345678", "")]
PAGE = b'<b data-field="access-key-id">ASIA%s</b>'


def won(key: str) -> Reply:
    return Reply(200, frozenset({key}), 0.1)


LOST = Reply(409, frozenset(), 0.1)


def a_ledger(**other: Any) -> dict[str, Any]:
    """What portal and audit know of two links that gave credentials once each."""
    issuances = {
        name: {"id": name, "status": "issued", "access_key_id": f"K{name}", "session_name": f"alice+bob-{name}"}
        for name in ("i1", "i2")
    }
    return {
        "left": [],
        "handouts": {
            link.id: {"state": "claimed", "issuance_id": f"i{number}"} for number, link in enumerate(LINKS, 1)
        },
        "issuances": issuances,
        "issued": ["i1", "i2"],
        "claims": [("one", "i1"), ("two", "i2")],
        "events": {"handout:claimed": 2, "handout:refused handout_claimed": 2},
        **other,
    }


MINTED = [("alice+bob-i1", "Ki1"), ("alice+bob-i2", "Ki2")]


def race_misses(replies: list[list[Reply]], minted: list[tuple[str, str]], **ledger: Any) -> list[str]:
    seen = race_figures(LINKS, replies, minted, a_ledger(**ledger))
    return [verdict.what.removeprefix(": ") for verdict in of_race("", seen) if not verdict.met]


def test_a_race_that_keeps_the_promise_misses_nothing() -> None:
    assert race_misses([[won("Ki1"), LOST], [LOST, won("Ki2")]], MINTED) == []


def test_each_broken_promise_of_a_race_is_found() -> None:
    fair = [[won("Ki1"), LOST], [LOST, won("Ki2")]]
    twice = [[won("Ki1"), won("Kx")], [LOST, won("Ki2")]]
    assert "links that gave them twice" in race_misses(twice, MINTED)
    assert "delivered and not recorded, or the other way" in race_misses(twice, MINTED)
    assert "links that gave no credentials" in race_misses([[LOST, LOST], [LOST, won("Ki2")]], MINTED)
    assert race_misses(fair, [*MINTED, ("alice+bob-i3", "K")]) == ["credentials minted beyond one a link"]
    assert race_misses(fair, MINTED, events={}) == ["losers without a row of their own"]
    broken = [[won("Ki1"), Reply(503, frozenset())], fair[1]]
    assert "answers other than credentials or 409" in race_misses(broken, MINTED)


def kill_misses(presses: dict[str, list[Reply]], minted: list[tuple[str, str]], **ledger: Any) -> list[str]:
    seen = kill_figures(LINKS, Killed(2, presses), minted, a_ledger(**ledger))
    return [verdict.what.removeprefix(", kill -9: ") for verdict in of_kills("", seen) if not verdict.met]


def test_each_broken_promise_of_killed_workers_is_found() -> None:
    broke = Reply(0, frozenset())
    fair = {"one": [won("Ki1")], "two": [broke, LOST]}
    assert kill_misses(fair, MINTED) == []
    assert kill_misses({**fair, "one": [Reply(0, frozenset({"Ki1"})), won("Ky")]}, MINTED) == [
        "links that gave credentials twice",
        "delivered without a row",
    ]
    minted_again = [*MINTED, ("alice+bob-i3", "K")]
    assert kill_misses(fair, minted_again) == ["minted without a trace"]
    assert kill_misses(fair, minted_again, claims=[("one", "i1"), ("two", "i2"), ("two", "i3")]) == [
        "links that minted twice",
        "minted without a trace",
    ]
    hanging = {**a_ledger()["issuances"]["i2"], "status": "requested"}
    assert kill_misses(fair, MINTED, issuances={**a_ledger()["issuances"], "i2": hanging}) == [
        "links neither open, issued nor unknown"
    ]


def test_a_price_is_a_ratio_taken_round_by_round() -> None:
    rounds = [{"issue": [slow], "claim": [1.1 * slow], "claim, outsider": [1.3 * slow]} for slow in (0.1, 1.0, 0.1)]
    seen = price_figures(rounds, {"claim": 16})
    assert seen["ratio"] == {"issue": 1.0, "claim": 1.1, "claim, outsider": 1.3}
    assert [verdict.met for verdict in of_price("", seen)] == [True, False]


@pytest.mark.parametrize(
    ("answer", "status", "keys"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n" + PAGE % (b"A" * 16), 200, {"ASIA" + "A" * 16}),
        (b"HTTP/1.1 409 Conflict\r\n\r\n", 409, set()),
        (b"HTTP/1.1 000 broke off\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + PAGE % (b"B" * 16), 0, {"ASIA" + "B" * 16}),
        (b"", 0, set()),
    ],
)
def test_a_part_of_an_answer_counts_for_what_arrived(answer: bytes, status: int, keys: set[str]) -> None:
    reply = read(answer)
    assert (reply.status, set(reply.key_ids)) == (status, keys)
