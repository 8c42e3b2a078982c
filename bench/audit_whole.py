"""``python -m bench.audit_whole EVENTS`` ends well where the database was filled to its end, by today's schema."""

from __future__ import annotations

import sys

import django

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402 -- models need django.setup() first.
from django.db import DatabaseError  # noqa: E402 -- as above.

from credportal.audit.models import Progress  # noqa: E402 -- as above.


def main() -> int:
    """Look, and change nothing."""
    try:
        call_command("migrate", check_unapplied=True, verbosity=0, stdout=sys.stderr)
        return 0 if Progress.objects.filter(reader="bench", through=int(sys.argv[1])).exists() else 1
    except (DatabaseError, CommandError):
        return 1


if __name__ == "__main__":
    sys.exit(main())
