"""Fills the bench's database: tables, one catalogue, people with passwords.

``python -m bench.seed ROLES PEOPLE`` prints ``{"roles": [...], "people": {name: password}}``.
"""

from __future__ import annotations

import json
import secrets
import sys
from datetime import timedelta

import django
from django.core.management import call_command

django.setup()

from django.contrib.auth.models import Group  # noqa: E402 -- models need django.setup() first.

from credportal.access.models import Account, Eligibility, Role, User  # noqa: E402 -- as above.

ACCOUNTS = (
    ("491200653381", "payments-prod", "production"),
    ("118840276615", "payments-staging", "staging"),
    ("602217449035", "sandbox", "sandbox"),
)
GROUPS = ("engineers", "on-call", "platform")
# Everybody may have this many of the roles; the rest belongs to others.
SHARED_ROLES = 100


def main() -> None:
    """Do it all in an empty database."""
    call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
    call_command("createcachetable", verbosity=0, stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)
    roles = make_catalogue(int(sys.argv[1]))
    print(json.dumps({"roles": roles, "people": make_people(int(sys.argv[2]))}))


def make_catalogue(count: int) -> list[str]:
    """Make accounts, groups, roles and eligibilities; return the ids of the roles that everybody may have."""
    accounts = [Account.objects.create(number=number, name=name, environment=kind) for number, name, kind in ACCOUNTS]
    groups = [Group.objects.create(name=name) for name in GROUPS]
    others = Group.objects.create(name="others")
    shared = []
    for number in range(count):
        account = accounts[number % len(accounts)]
        role = Role.objects.create(
            account=account,
            arn=f"arn:aws:iam::{account.number}:role/bench/BenchRole{number:03}",
            description="A role of the bench.",
            max_session_duration=timedelta(hours=12),
            default_region="eu-west-1",
            accepts_source_identity=True,
            accepts_session_tags=True,
        )
        if number < SHARED_ROLES:
            shared.append(role.id)
        holder = groups[number % len(groups)] if number < SHARED_ROLES else others
        Eligibility.objects.create(role=role, group=holder, max_duration=timedelta(hours=8))
    return shared


def make_people(count: int) -> dict[str, str]:
    """Make people who are in all the groups; return their passwords."""
    people = {f"bench-user-{number}": secrets.token_urlsafe(16) for number in range(count)}
    for username, password in people.items():
        user = User.objects.create_user(username=username, password=password, name=username)
        user.groups.set(Group.objects.filter(name__in=GROUPS))
    return people


if __name__ == "__main__":
    main()
