"""The roles page of a person with many roles beside one with few, in a large catalogue.

``python -m bench.people_and_roles`` runs inside the environment that ``bin/bench catalogue`` made for
it, on an empty database. It prints one JSON object with the medians in seconds and the statements.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from statistics import median
from typing import Any

import django
from django.core.management import call_command

django.setup()

from django.conf import settings  # noqa: E402 -- all of these need django.setup() first.
from django.contrib.auth.hashers import make_password  # noqa: E402 -- as above.
from django.contrib.auth.models import Group  # noqa: E402 -- as above.
from django.db import connection  # noqa: E402 -- as above.
from django.test import Client  # noqa: E402 -- as above.
from django.test.utils import CaptureQueriesContext  # noqa: E402 -- as above.

from credportal.access.models import Account, Eligibility, Role, User  # noqa: E402 -- as above.
from credportal.access.selectors import facts_for  # noqa: E402 -- as above.

ROLES, PEOPLE, ACCOUNTS = 2000, 10_000, 40
MANY, FEW = 300, 3
ENVIRONMENTS = ("production", "staging", "development", "sandbox")


def main() -> None:
    """Fill the database, then let the two people take turns."""
    rounds = int(sys.argv[1])
    call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
    call_command("createcachetable", verbosity=0, stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)
    few_in_a_small_one = _small_catalogue()
    many, few = _large_catalogue()
    print(json.dumps({**_pages(many, few, rounds), **_facts(few_in_a_small_one, few)}))


def _small_catalogue() -> tuple[str, int]:
    """Make one role for one person, and count what ``decide`` needs read for them."""
    account = Account.objects.create(number="100000000000", name="first", environment="sandbox")
    [role] = _roles([account], 1)
    person = User.objects.create_user(username="alone", password=None)
    Eligibility.objects.create(role=role, user=person, max_duration=timedelta(hours=1))
    return role.id, _statements_of_facts(person, role.id)


def _large_catalogue() -> tuple[User, User]:
    """Make the catalogue of a large house; return the person with many roles and the one with few."""
    accounts = Account.objects.bulk_create(
        Account(number=f"{200000000000 + number}", name=f"account-{number:02}", environment=ENVIRONMENTS[number % 4])
        for number in range(ACCOUNTS)
    )
    roles = _roles(accounts, ROLES)
    holders = [Group.objects.create(name=name) for name in ("many", "few", "others")]
    spans = (roles[:MANY], roles[MANY : MANY + FEW], roles[MANY + FEW :])
    Eligibility.objects.bulk_create(
        Eligibility(role=role, group=group, max_duration=timedelta(hours=4))
        for group, span in zip(holders, spans, strict=True)
        for role in span
    )
    nobody_signs_in = make_password(None)
    people = User.objects.bulk_create(
        User(username=f"person-{number}", handle=f"person-{number}", password=nobody_signs_in)
        for number in range(PEOPLE)
    )
    holders[0].user_set.add(people[0])
    holders[1].user_set.add(people[1])
    holders[2].user_set.add(*people[2:])
    call_command("housekeeping", stdout=sys.stderr)
    return people[0], people[1]


def _roles(accounts: list[Account], count: int) -> list[Role]:
    return Role.objects.bulk_create(
        Role(
            account=accounts[number % len(accounts)],
            arn=f"arn:aws:iam::{accounts[number % len(accounts)].number}:role/BenchRole{number:04}",
            description="A role of the bench.",
            max_session_duration=timedelta(hours=12),
            default_region="eu-west-1",
        )
        for number in range(count)
    )


def _pages(many: User, few: User, rounds: int) -> dict[str, Any]:
    clients = {"many": _signed_in(many), "few": _signed_in(few)}
    spent: dict[str, list[float]] = {"many": [], "few": []}
    for number in range(rounds + 5):
        for name, client in clients.items():
            began = time.perf_counter()
            answer = client.get("/")
            if answer.status_code != 200:
                raise RuntimeError(f"status {answer.status_code}")
            if number >= 5:  # The first ones compile templates.
                spent[name].append(time.perf_counter() - began)
    return {
        "many_seconds": median(spent["many"]),
        "few_seconds": median(spent["few"]),
        "many_statements": _statements(clients["many"], "/"),
        "few_statements": _statements(clients["few"], "/"),
        "search_statements": _catalogue_statements(clients["many"], "/?q=BenchRole01"),
    }


def _facts(small: tuple[str, int], few: User) -> dict[str, int]:
    role = Role.objects.filter(eligibilities__group__user=few).order_by("id")[0]
    return {"facts_small": small[1], "facts_large": _statements_of_facts(few, role.id)}


def _signed_in(user: User) -> Client:
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def _statements(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        client.get(path)
    return len(seen.captured_queries)


def _catalogue_statements(client: Client, path: str) -> int:
    """Count the statements of a search that read the catalogue; session, person and stars are read besides."""
    with CaptureQueriesContext(connection) as seen:
        client.get(path, headers={"hx-request": "true"})
    return sum("access_role" in query["sql"] and "access_eligibility" in query["sql"] for query in seen)


def _statements_of_facts(user: User, role_id: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        facts_for(user, role_id)
    return len(seen.captured_queries)


if __name__ == "__main__":
    main()
