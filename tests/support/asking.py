"""Asking for roles by the pages, as a person does."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.contrib.auth.models import Group
from django.test import Client

from credportal.access.models import Eligibility, Role
from credportal.audit.models import Event, EventKind, Issuance
from tests.support.cast import Cast, Catalogue, allow, make_role
from tests.support.html import hidden


def text_of(answer: Any) -> str:
    """Return the words of a page, without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))


def ask_more(role: Role, **fields: object) -> None:
    """Change what a role asks for or offers, past the forms."""
    Role.objects.filter(pk=role.pk).update(**fields)


def post(client: Client, role: Role, route: str = "issue", **fields: str) -> Any:
    """Send the form of a role's page, with some fields changed."""
    page = client.get(f"/roles/{role.id}/").content.decode()
    asked = {"duration": "3600", "submission": hidden(page, "submission"), **fields}
    return client.post(f"/roles/{role.id}/{route}/", asked)


def only_denial() -> Issuance:
    """Return the one issuance that there is: a refusal, recorded once."""
    issuance = Issuance.objects.get()
    assert (issuance.status, Event.objects.filter(kind=EventKind.DENIED).count()) == ("denied", 1)
    return issuance


def make_vault(cast: Cast, catalogue: Catalogue) -> Role:
    """Make a role that always waits for two approvals, with a glass to break for half an hour."""
    leads = Group.objects.create(name="payments-leads")
    leads.user_set.add(cast.erin, cast.dana)
    role = make_role(
        catalogue.production, "Vault", needs_approval=True, approvers=leads, approvals_needed=2, label="The vault"
    )
    row = allow(role, catalogue.engineers, hours=4)
    Eligibility.objects.filter(pk=row.pk).update(break_glass_duration=timedelta(minutes=30))
    return role
