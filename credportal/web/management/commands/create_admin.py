"""Make an admin: a person who looks after the catalogue and reviews the audit."""

import getpass
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from credportal.flows.people import Refused, create_admin


class Command(BaseCommand):
    """Make one admin. The password is asked twice on a terminal, else it is the first line of standard input."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user name, and a name and an address to show."""
        parser.add_argument("username")
        parser.add_argument("--name", default="", help="The name that pages show.")
        parser.add_argument("--email", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the admin and print the handle that AWS will know them by."""
        try:
            password = _asked_twice() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
            person = create_admin(
                username=options["username"], name=options["name"], email=options["email"], password=password
            )
        except Refused as refused:
            self.stderr.write("\n".join(refused.sentences))
            sys.exit(1)
        except (EOFError, KeyboardInterrupt):
            self.stderr.write("\nNobody was made.")
            sys.exit(1)
        self.stdout.write(f"Made {person.username}. The handle in AWS is {person.handle}")


def _asked_twice() -> str:
    """Return the password. Raises Refused where the two differ."""
    password = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != password:
        raise Refused(["The two passwords are not the same. Nobody was made."])
    return password
