"""One portal to be measured: its database, its people, its processes."""

from __future__ import annotations

import os
import random
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from bench import databases
from bench.load import Batch, drive, issue_request
from bench.processes import STS, Portal, environment, running_portal, seed, wait_for_workers
from bench.unchained import strip
from bench.visit import Visitor, sign_in

FIRST_WARM_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. ``calls`` are per round and party, by the number of clients."""

    latencies: tuple[int, ...] = (0, 20, 80)  # Milliseconds.
    calls: dict[int, int] = field(default_factory=lambda: {1: 40, 8: 96, 32: 224, 64: 320})
    rounds: int = 5
    roles: int = 300
    people: int = 6
    worker_starts: int = 7
    presses: int = 15
    browser_latencies: tuple[int, ...] = (0, 50)


QUICK = Plan(
    latencies=(0, 80),
    calls={1: 5, 8: 16, 64: 64},
    rounds=2,
    roles=30,
    people=1,
    worker_starts=2,
    presses=2,
)


@dataclass(frozen=True, slots=True)
class Site:
    """One running portal with its signed-in people and the roles that all of them may have."""

    database: str
    database_url: str
    portal: Portal
    environment: dict[str, str] = field(repr=False)
    visitors: list[Visitor]
    roles: list[str]

    def issue(self, count: int, clients: int, *, htmx: bool) -> Batch:
        """Issue so many times and return what came of it, with the CPU of the portal's processes."""
        requests = [
            issue_request(random.choice(self.visitors), random.choice(self.roles), htmx=htmx)  # noqa: S311 -- no secret.
            for _ in range(count)
        ]
        before = self.portal.cpu_seconds()
        batch = drive("127.0.0.1", self.portal.port, requests, clients)
        return replace(batch, cpu=self.portal.cpu_seconds() - before)

    def warm(self, clients: int) -> None:
        """Give every thread of every worker its connections. Raises RuntimeError where an issuance goes wrong."""
        batch = self.issue(4 * clients, clients, htmx=True)
        if batch.errors:
            raise RuntimeError(f"{self.database}: {batch.errors[0]}: {self.portal.log.read_text()[-2000:]}")

    def leaked(self, clients: int) -> int:
        """Return how many files and connections each crowd of clients leaves open: what grows every time.

        A thread that was spared so far opens its connections once; that is no leak.
        """
        held = []
        for _ in range(3):
            self.issue(2 * clients, clients, htmx=True)
            time.sleep(1.0)
            held.append(self.portal.open_files() + databases.backends(self.database_url))
        return max(0, min(held[1] - held[0], held[2] - held[1]))


@contextmanager
def filled_database(kind: str, folder: Path, sts: STS, plan: Plan) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """Make and fill a database; give the environment of a portal on it, and what ``bench.seed`` says."""
    with databases.database(kind, folder) as url:
        env = environment(
            CREDPORTAL_MODE="demo",  # Its cookies and addresses do without TLS.
            DJANGO_SETTINGS_MODULE="credportal.settings",
            SECRET_KEY=secrets.token_urlsafe(48),
            DATABASE_URL=url,
            STATIC_ROOT=str(folder / "static"),
            AWS_ENDPOINT_URL_STS=sts.url,
        )
        yield env, seed(env, roles=plan.roles, people=plan.people)


@contextmanager
def running_site(kind: str, folder: Path, sts: STS, plan: Plan, *, chained: bool = True) -> Iterator[Site]:
    """Set up a database and run the portal on it until the block ends; without its chain where that is measured."""
    application = "credportal.wsgi:application" if chained else "bench.unchained_wsgi:application"
    name = kind if chained else f"{kind}-unchained"
    with filled_database(kind, folder, sts, plan) as (env, seeded), ExitStack() as stack:
        if not chained:
            strip(env["DATABASE_URL"])
        portal = stack.enter_context(running_portal(env, folder / f"{name}.log", application=application))
        visitors = [sign_in(portal.url, *person) for person in seeded["people"].items()]
        yield Site(kind, env["DATABASE_URL"], portal, env, visitors, seeded["roles"])


def first_over_warm(site: Site, folder: Path, *, starts: int) -> float:
    """Return the first request of a fresh worker over a warm one: the medians of several starts.

    One worker at a time, so that it is known who answers; nothing else asks it before.
    """
    first, warm = [], []
    with running_portal(site.environment, folder / f"{site.database}-first.log", workers=1) as portal:
        visitors = [replace(visitor, host=f"127.0.0.1:{portal.port}") for visitor in site.visitors]
        alone = replace(site, portal=portal, visitors=visitors)
        for start in range(1, starts + 1):
            batch = alone.issue(1 + FIRST_WARM_REQUESTS, 1, htmx=True)
            if batch.errors:
                raise RuntimeError(f"{site.database}: {batch.errors[0]}")
            first.append(batch.seconds[0])
            warm += batch.seconds[1:]
            if start < starts:
                os.kill(portal.workers()[0], signal.SIGTERM)
                wait_for_workers(portal, start + 1)
    return median(first) / median(warm)
