"""The run that shows that a link is good for one session: with crowds, with killed workers, with previews."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import browser, previews
from bench.claim_figures import kill_figures, of_kills, of_previews, of_price, of_race, price_figures, race_figures
from bench.claim_load import HOST, Doors, Link, kill_meanwhile, race
from bench.figures import Verdict, verdicts_table
from bench.load import Batch, drive, issue_request
from bench.processes import ROOT, STS, running_portal, running_sts
from bench.site import Plan, filled_database
from bench.visit import sign_in, stranger

KILL_LATENCY = 80  # Milliseconds of STS, so that many a worker dies while it waits for an answer.
KILL_WITHIN = 1.3  # Times what a claim takes then: some workers die when the answer has left.
PRICE_LATENCY = 80
WARM_UP = 4
PEOPLE, ROLES = 4, 100


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done. ``each`` is how many links each kind of preview gets, ``price`` the claims of a round."""

    links: int = 500
    clients: int = 32
    kills: int = 200
    each: int = 10
    rounds: int = 5
    price: int = 12


QUICK = Size(links=8, kills=6, each=1, rounds=2, price=3)


def run(kinds: list[str], *, quick: bool, with_browser: bool) -> dict[str, Any]:
    """Measure on each database, print the tables, and return the figures. Raises RuntimeError where it fails."""
    size = QUICK if quick else Size()
    figures: dict[str, Any] = {}
    verdicts: list[Verdict] = []
    for kind in kinds:
        began = time.perf_counter()
        with _bench(kind) as bench:
            # The race comes first: the audit that it is held against has nothing else in it.
            seen = {"race": bench.race(size), "kills": bench.kills(size)}
            # What a browser does to a page does not depend on the database.
            previewed = bench.previews(size, with_browser=with_browser and kind == kinds[0])
            seen |= {"previews": previewed, "price": bench.price(size)}
        figures[kind] = {**seen, "seconds": round(time.perf_counter() - began, 1)}
        verdicts += [*of_race(kind, seen["race"]), *of_kills(kind, seen["kills"])]
        verdicts += [*of_previews(kind, seen["previews"]), *of_price(kind, seen["price"])]
        for name, part in figures[kind].items():
            told = part if name != "previews" else {what: part[what] for what in ("links", "kinds", "statuses")}
            print(f"{kind}, {name}: {json.dumps(told)}", flush=True)
    print(verdicts_table(verdicts))
    return {**figures, "budgets": [verdict.as_json() for verdict in verdicts]}


@contextmanager
def _bench(kind: str) -> Iterator[Bench]:
    plan = Plan(roles=ROLES, people=PEOPLE)
    with (
        tempfile.TemporaryDirectory(prefix="credportal-bench-") as folder,
        running_sts() as sts,
        filled_database(kind, Path(folder), sts, plan) as (env, seeded),
    ):
        # Each claim comes from an address of its own, as behind a proxy: what is limited by address is not met.
        env["CREDPORTAL_TRUSTED_PROXIES"] = "1"
        yield Bench(kind, sts, env, Path(folder), seeded["people"], seeded["roles"])


@dataclass(frozen=True, slots=True)
class Bench:
    """A database for two portals, the STS behind them, and people with their passwords."""

    kind: str
    sts: STS
    environment: dict[str, str]
    folder: Path
    people: dict[str, str]
    roles: list[str]

    def race(self, size: Size) -> dict[str, Any]:
        """Claim each link from many clients at once; return the counts of all three ledgers."""
        self._say(f"{size.links} links, {size.clients} claims of each at once")
        links = self.make(size.links)
        self.sts.set_latency(0)
        with self.doors(workers=2) as doors:
            began = time.perf_counter()
            replies = race(doors, links, size.clients)
            wall = time.perf_counter() - began
        seen = race_figures(links, replies, self.sts.ledger(), self.ask("ledger"))
        return {**seen, "claims a second": round(seen["claims"] / wall, 1)}

    def kills(self, size: Size) -> dict[str, Any]:
        """Claim links while workers are killed; return the counts."""
        self._say(f"{size.kills} claims, and a worker killed at a random moment of each")
        links, others = self.make(size.kills), self.make(2 * WARM_UP)
        self.sts.set_latency(KILL_LATENCY)
        # One worker each, so that it is known whom a claim loses; four, so that waiting for new ones takes less long.
        with self.doors(workers=1, portals=4) as doors:
            usual = median(reply.seconds for [reply] in race(doors, others, 1))
            known = len(self.sts.ledger())
            killed = kill_meanwhile(doors, links, within=KILL_WITHIN * usual)
        return kill_figures(links, killed, self.sts.ledger()[known:], self.ask("ledger"))

    def previews(self, size: Size, *, with_browser: bool) -> dict[str, Any]:
        """Let every kind of opener at links of its own, then claim each; return how many could be."""
        gestures = previews.GESTURES if with_browser and browser.browser_path() else ()
        names = [*(kind.name for kind in previews.KINDS), *gestures]
        self._say(f"{len(names)} kinds of preview, {size.each} links each")
        links = self.make(len(names) * size.each)
        shares = {name: links[at * size.each : (at + 1) * size.each] for at, name in enumerate(names)}
        self.sts.set_latency(0)
        statuses: dict[str, list[int]] = {}
        with self.doors(workers=2) as doors:
            page = f"{doors.portals[0].url}/claim/"
            for kind in previews.KINDS:
                asked = [status for _ in shares[kind.name] for status in previews.visit(kind, page)]
                statuses[kind.name] = sorted(set(asked))
            for gesture in gestures:
                _watch(page, shares[gesture], gesture)
            handouts = self.ask("ledger")["handouts"]
            is_open = {name: sum(handouts[link.id]["state"] == "open" for link in shares[name]) for name in names}
            claimed = {name: _claimed(doors, share) for name, share in shares.items()}
        return {"links": len(links), "kinds": len(names), "open": is_open, "claimed": claimed, "statuses": statuses}

    def price(self, size: Size) -> dict[str, Any]:
        """Measure issuances, colleagues' claims and outsiders' in turns, one at a time, as whole pages."""
        self._say(f"{size.rounds} rounds of claims beside issuances, STS {PRICE_LATENCY} ms")
        links = self.make(2 * (size.rounds * size.price + WARM_UP))
        statements = self.ask("statements")
        self.sts.set_latency(PRICE_LATENCY)
        with self.doors(workers=2) as doors:
            counts = [WARM_UP, *[size.price] * size.rounds]
            rounds = [self._turns(doors, links, count) for count in counts][1:]
        return price_figures(rounds, statements)

    def _turns(self, doors: Doors, links: list[Link], count: int) -> dict[str, list[float]]:
        portal = doors.portals[0]
        visitor = next(person for name, person in doors.visitors.items() if name)
        requests = {"issue": [issue_request(visitor, random.choice(self.roles), htmx=False) for _ in range(count)]}  # noqa: S311 -- no secret.
        for name, is_outsider in (("claim", False), ("claim, outsider", True)):
            chosen = [link for link in links if (link.person == "") is is_outsider][:count]
            links[:] = [link for link in links if link not in chosen]
            requests[name] = [doors.request(link, portal) for link in chosen]
        return {name: _unbroken(drive(HOST, portal.port, each, 1)).seconds for name, each in requests.items()}

    @contextmanager
    def doors(self, *, workers: int, portals: int = 2) -> Iterator[Doors]:
        """Run portals on the database, with everybody signed in."""
        with ExitStack() as stack:
            running = [
                stack.enter_context(running_portal(self.environment, self.folder / f"{number}.log", workers=workers))
                for number in range(portals)
            ]
            url = running[0].url
            visitors = {name: sign_in(url, name, password) for name, password in self.people.items()}
            yield Doors(running, {**visitors, "": stranger(url)})

    def make(self, count: int) -> list[Link]:
        """Hand out so many times, to a colleague and to an outsider in turn."""
        return [Link(**link) for link in self.ask("make", str(count))]

    def ask(self, *arguments: str) -> Any:
        """Run ``bench.claim_links`` on the database. Raises RuntimeError where it fails."""
        command = [sys.executable, "-m", "bench.claim_links", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{self.kind}: {done.stderr[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def _say(self, line: str) -> None:
        print(f"bench: {self.kind}: {line}", file=sys.stderr, flush=True)


def _unbroken(batch: Batch) -> Batch:
    if batch.errors:
        raise RuntimeError(f"while the price was measured: {batch.errors[0]}")
    return batch


def _claimed(doors: Doors, links: list[Link]) -> int:
    """Claim each link; return how many gave credentials."""
    replies = race(doors, links, 1)
    return sum(reply.status == 200 and len(reply.key_ids) == 1 for each in replies for reply in each)


def _watch(page: str, links: list[Link], gesture: str) -> None:
    with browser.chromium() as chromium:
        for link in links:
            context = chromium.new_context()
            previews.watch(context, f"{page}#{link.token}", gesture)
            context.close()
