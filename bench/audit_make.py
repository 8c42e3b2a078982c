"""Fills one database with a made-up audit: ``python -m bench.audit_make EVENTS`` inside its environment."""

from __future__ import annotations

import sys
import time

import django

django.setup()

from django.contrib.auth.models import Group  # noqa: E402 -- models need django.setup() first.
from django.core.management import call_command  # noqa: E402 -- as above.

from bench.audit_calendar import last_day  # noqa: E402 -- as above.
from bench.audit_load import fill  # noqa: E402 -- as above.
from credportal.access.models import GroupDuty, User  # noqa: E402 -- as above.
from credportal.audit.models import Progress  # noqa: E402 -- as above.
from credportal.domain.types import Duty  # noqa: E402 -- as above.

AUDITOR = "bench-auditor"
MADE = "bench"
"""The reader of events whose progress says that a database was filled to its end."""


def main() -> None:
    """Do it all in an empty database."""
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"bench: {time.monotonic() - began:5.0f} s  {line}", file=sys.stderr, flush=True)

    call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
    call_command("createcachetable", verbosity=0, stdout=sys.stderr)
    auditors = Group.objects.create(name="auditors")
    GroupDuty.objects.create(group=auditors, duty=Duty.AUDITOR.value)
    User.objects.create_user(username=AUDITOR, password=None, name="Bench Auditor").groups.add(auditors)
    events = int(sys.argv[1])
    fill(events, last_day(), say)
    Progress.objects.create(reader=MADE, through=events)
    say("done")


if __name__ == "__main__":
    main()
