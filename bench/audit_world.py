"""The company whose audit is made up: its people, accounts, roles and words. The same every time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, product

SEED = "credportal"
PEOPLE, ROLES, ACCOUNTS, WORDS = 400, 300, 40, 4000
ROLES_EACH = 12

# How far from UTC, in hours, how many of a hundred people, and the addresses of the offices there.
PLACES = (
    (1, 50, ("198.51.100.7", "198.51.100.8")),
    (-5, 18, ("203.0.113.20",)),
    (-8, 14, ("203.0.113.40", "2001:db8:20::7")),
    (5.5, 13, ("192.0.2.99",)),
    (10, 5, ("2001:db8:30::1",)),
)
ENVIRONMENTS = ("development",) * 14 + ("sandbox",) * 10 + ("staging",) * 8 + ("production",) * 8
FIRST = (
    "Ada",
    "Bjørn",
    "Chidi",
    "Dora",
    "Émile",
    "Farah",
    "Grete",
    "Hiro",
    "Ines",
    "Jonas",
    "Katja",
    "Luca",
    "Maja",
    "Noor",
    "Ömer",
    "Petra",
    "Quinn",
    "Rosa",
    "Søren",
    "Tomáš",
)
LAST = (
    "Adler",
    "Becker",
    "Çelik",
    "Dahl",
    "Eriksen",
    "Fuchs",
    "García",
    "Horvath",
    "Ito",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Müller",
    "Novák",
    "Okafor",
    "Petrov",
    "Ruiz",
    "Sato",
    "Tanaka",
    "王",
)
TEAMS = ("payments", "orders", "search", "billing", "media", "identity", "data", "edge", "mobile", "reports")
JOBS = ("ReadOnly", "Developer", "Deploy", "Operator", "Admin", "Support", "Analyst", "DatabaseReader")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "curl/8.15.0",
)
# How often each word stands in a reason is what free text is measured by. Everybody's releases go under
# one ticket; the others belong to their weeks.
STANDING_TICKET = "OPS-1"
RARE, MEDIUM, COMMON = "heisenbug", "rollback", "deploy"
DOINGS = (
    "deploy",
    "look into alarms of",
    "read logs of",
    "check the queue of",
    "debug",
    "migrate",
    "restart",
    "review",
)


@dataclass(frozen=True, slots=True)
class Role:
    """A role: number and name of its account, environment, ARN and label, as an event has them."""

    about: tuple[str, str, str, str, str]
    unique_id: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks: id, handle and name as an event has them, and what they usually do."""

    actor: tuple[str, str, str]
    zone: float  # Hours from UTC.
    addresses: tuple[str, ...]
    agent: str
    roles: tuple[Role, ...]  # The one they use most comes first.

    @property
    def handle(self) -> str:
        """Return the handle."""
        return self.actor[1]


@dataclass(frozen=True, slots=True)
class World:
    """All of it. The weights add up, for ``random.choices``."""

    people: tuple[Person, ...]
    people_weights: Sequence[float]
    roles: tuple[Role, ...]
    words: tuple[str, ...]
    word_weights: Sequence[float]


def zipf(count: int, steepness: float) -> list[float]:
    """Return the cumulative weights of ``count`` things of which few come up often."""
    return list(accumulate(1 / rank**steepness for rank in range(1, count + 1)))


def make_world() -> World:
    """Make the company."""
    rng = random.Random(SEED)  # noqa: S311 -- made-up data.
    roles = _roles(rng)
    syllables = ["".join(pair) for pair in product("bcdfghjklmnprstvwz", "aeiou")]
    words = list(dict.fromkeys("".join(rng.choices(syllables, k=3)) for _ in range(WORDS)))
    people = tuple(_person(rng, number, roles) for number in range(PEOPLE))
    return World(people, zipf(PEOPLE, 0.8), roles, tuple(words), zipf(len(words), 1.0))


def _roles(rng: random.Random) -> tuple[Role, ...]:
    environments = rng.sample(ENVIRONMENTS, ACCOUNTS)
    accounts = [
        (f"{rng.randrange(10**11, 10**12)}", f"{TEAMS[number % len(TEAMS)]}-{environment[:4]}-{number}", environment)
        for number, environment in enumerate(environments)
    ]
    found = []
    for number in range(ROLES):
        account = accounts[number % ACCOUNTS]
        name = f"{account[1].split('-')[0].title()}{JOBS[number // ACCOUNTS]}"
        arn = f"arn:aws:iam::{account[0]}:role/people/{name}{number}"
        found.append(Role((*account, arn, name), f"AROA{rng.getrandbits(64):016X}"))
    return tuple(found)


def _person(rng: random.Random, number: int, roles: Sequence[Role]) -> Person:
    zone, _, offices = rng.choices(PLACES, [share for _, share, _ in PLACES])[0]
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST)]
    home = f"100.64.{number // 250}.{number % 250 + 1}"
    usual = rng.choices(roles, cum_weights=zipf(len(roles), 0.6), k=4 * ROLES_EACH)
    return Person(
        actor=(str(number + 1), f"person{number:03}", f"{first} {last}"),
        zone=zone,
        addresses=(rng.choice(offices), home, f"2001:db8:{number:x}::{rng.randrange(1, 999):x}"),
        agent=rng.choice(AGENTS),
        roles=tuple(dict.fromkeys(usual))[:ROLES_EACH],
    )
