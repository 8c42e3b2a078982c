"""What a worker does before its first request."""

from contextlib import suppress

from django.db import connection
from django.template import Engine
from django.template.loader import get_template
from django.urls import resolve, reverse

from credportal.audit import record
from credportal.flows.identity import known

FIRST_TEMPLATES = ("roles/list.html", "roles/request.html", "roles/issued.html", "roles/_issued.html")


def warm_up() -> None:
    """Do before the first request what a person would otherwise wait for. Never raises for a part that is away.

    Builds the STS client, resolves the portal's identity, compiles the first pages and the addresses, and
    walks once to the database and back: the first time loads its driver, and copies memory that the
    worker shared with its master so far.
    """
    known.warm_up()
    for name in FIRST_TEMPLATES:
        get_template(name)
    resolve(reverse("issue", args=["a-role"]))
    _ = Engine.get_default().template_context_processors
    with suppress(record.AuditUnavailable, OSError):
        record.probe_writable()
    connection.close()  # Each thread that answers has a connection of its own.
