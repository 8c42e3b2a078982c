"""Brings the demo's database up to date: tables, people, catalogue.

``python -m demo.prepare USERS_FILE`` prints the portal's ExternalIds as one line of JSON,
by account number. What the commands say goes to standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import django
import yaml
from django.core.management import call_command

django.setup()

from credportal.access.models import Account  # noqa: E402 - models need django.setup() first.
from demo.people import make_people  # noqa: E402 - as above.
from demo.seed import CATALOGUE  # noqa: E402 - as above.


def main() -> None:
    """Do it all; every step may run again without harm."""
    call_command("migrate", interactive=False, verbosity=0, stdout=sys.stderr)
    call_command("createcachetable", verbosity=0, stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)
    make_people(Path(sys.argv[1]))
    if missing_accounts():  # Later starts keep what an admin has changed.
        call_command("import_catalogue", str(CATALOGUE), stdout=sys.stderr)
    print(json.dumps(dict(Account.objects.values_list("number", "external_id"))))


def missing_accounts() -> set[str]:
    """Return the accounts of the catalogue file that this database does not know."""
    catalogue = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    wanted = {account["number"] for account in catalogue["accounts"]}
    return wanted - set(Account.objects.values_list("number", flat=True))


if __name__ == "__main__":
    main()
