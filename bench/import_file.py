"""How long a large catalogue file takes: 2,000 roles, 500 groups, 20,000 eligibilities, then a change of every row.

``python -m bench.import_file`` runs inside the environment that ``bin/bench catalogue`` made for
it, on an empty database. It prints one JSON object with seconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator

import django
from django.core.management import call_command

django.setup()

from credportal.access.models import User  # noqa: E402 -- it needs django.setup() first.
from credportal.flows.catalogue import import_catalogue  # noqa: E402 -- as above.

ACCOUNTS, ROLES, GROUPS, ROWS, PEOPLE = 100, 2000, 500, 20_000, 10_000
MEMBERS = 40


def main() -> None:
    """Import into an empty catalogue, change every role and eligibility, then find nothing to change."""
    call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
    people = (User(username=f"p{number}", handle=f"p{number}") for number in range(PEOPLE))
    User.objects.bulk_create(people, batch_size=500)
    text = "\n".join(_lines())
    changed = text.replace("max_session_duration: 8h", "max_session_duration: 7h").replace("4h", "3h")
    seconds = {"import_new": _seconds(text), "import_changed": _seconds(changed), "import_same": _seconds(changed)}
    print(json.dumps(seconds))


def _seconds(text: str) -> float:
    began = time.perf_counter()
    plan = import_catalogue(text, dry_run=False)
    if plan.problems:
        raise RuntimeError(str(plan.problems[0]))
    return time.perf_counter() - began


def _lines() -> Iterator[str]:
    arns = [f"arn:aws:iam::{100000000000 + number % ACCOUNTS}:role/team/Role{number}" for number in range(ROLES)]
    yield "accounts:"
    for number in range(ACCOUNTS):
        yield f'  - {{number: "{100000000000 + number}", name: account-{number}, environment: sandbox}}'
    yield "roles:"
    for number, arn in enumerate(arns):
        yield (
            f'  - {{arn: "{arn}", default_region: eu-west-1, max_session_duration: 8h, needs: [reason, ticket], '
            f'ticket_pattern: "INC-#", approvers: g{number % GROUPS}, tags: [a, b], narrowing: [read-only]}}'
        )
    yield "groups:"
    for number in range(GROUPS):
        members = ", ".join(f"p{(number * MEMBERS + each) % PEOPLE}" for each in range(MEMBERS))
        yield f"  - {{name: g{number}, members: [{members}], duties: [support]}}"
    yield "eligibilities:"
    for number in range(ROWS):
        group = (number // ROLES * 37 + number) % GROUPS
        yield f'  - {{role: "{arns[number % ROLES]}", group: g{group}, max_duration: 4h, needs: [reason], note: why}}'


if __name__ == "__main__":
    main()
