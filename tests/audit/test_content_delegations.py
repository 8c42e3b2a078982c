"""What the events of delegations carry."""

from datetime import timedelta
from typing import Any

import pytest

from credportal.access.models import Delegation
from credportal.audit.models import Event, EventKind
from credportal.flows import catalogue_pages as pages
from credportal.flows.catalogue import import_catalogue
from tests.support.cast import Cast, Catalogue
from tests.support.content import BY_FLOW, assert_content, by
from tests.support.requests import ORIGIN

HOUR = timedelta(hours=1)


def dana_of(cast: Cast) -> pages.By:
    return pages.By(cast.dana, ORIGIN)


@pytest.fixture
def row(cast: Cast, catalogue: Catalogue) -> Delegation:
    """A delegation of the group support, made by Dana on its page."""
    values = {
        "name": "Support: payments",
        "group": catalogue.support,
        "roles": frozenset({catalogue.read_only, catalogue.deployer}),
        "max_duration": 2 * HOUR,
        "max_open": 3,
    }
    pages.add_delegation(by=dana_of(cast), values=values)
    return Delegation.objects.get()


def test_a_delegation_carries_its_holder_its_roles_and_its_limits(
    cast: Cast, catalogue: Catalogue, row: Delegation
) -> None:
    after = {
        "name": "Support: payments",
        "group": "support",
        "roles": sorted([catalogue.read_only.arn, catalogue.deployer.arn]),
        "max_duration": "2 h",
        "max_open": 3,
    }
    detail: dict[str, Any] = {"before": {}, "after": after}
    subject = f"delegation:{row.pk}"
    assert_content(EventKind.DELEGATION_ADDED, BY_FLOW, by(cast.dana), subject=subject, detail=detail)


def test_a_change_of_a_delegation_carries_before_and_after_of_just_that(
    cast: Cast, catalogue: Catalogue, row: Delegation
) -> None:
    values = {"roles": frozenset({catalogue.read_only}), "max_duration": HOUR, "max_open": 3}
    pages.change_delegation(by=dana_of(cast), delegation_id=row.pk, version=1, values=values)
    both = sorted([catalogue.read_only.arn, catalogue.deployer.arn])
    detail = {
        "before": {"roles": both, "max_duration": "2 h"},
        "after": {"roles": [catalogue.read_only.arn], "max_duration": "1 h"},
    }
    subject = f"delegation:{row.pk}"
    assert_content(EventKind.DELEGATION_CHANGED, BY_FLOW, by(cast.dana), subject=subject, detail=detail)


def test_a_removal_carries_all_that_the_delegation_allowed(cast: Cast, catalogue: Catalogue, row: Delegation) -> None:
    pages.remove_delegation(by=dana_of(cast), delegation_id=row.pk)
    event = Event.objects.get(kind="delegation:removed")
    assert event.detail["before"]["roles"] == sorted([catalogue.read_only.arn, catalogue.deployer.arn])
    assert event.detail["before"]["group"] == "support"
    subject = f"delegation:{row.pk}"
    assert_content(EventKind.DELEGATION_REMOVED, BY_FLOW, by(cast.dana), subject=subject, detail=event.detail)


def test_a_delegation_of_a_person_is_on_their_behalf(cast: Cast, catalogue: Catalogue) -> None:
    values = {"name": "Bob", "user": cast.bob, "roles": frozenset({catalogue.read_only}), "max_duration": HOUR}
    pages.add_delegation(by=dana_of(cast), values=values)
    event = Event.objects.get(kind="delegation:added")
    assert (event.actor_handle, event.on_behalf_of) == ("dana", "bob")


def test_nothing_changed_is_no_event(cast: Cast, row: Delegation) -> None:
    pages.change_delegation(by=dana_of(cast), delegation_id=row.pk, version=1, values={"max_open": 3})
    assert not Event.objects.filter(kind="delegation:changed").exists()


FILE = """
delegations:
  - name: Bob alone
    user: bob
    roles: [arn:aws:iam::491200653381:role/PaymentsReadOnly]
    max_duration: 1h
    outsider_duration: 30m
"""


def test_an_import_tells_the_same_of_a_delegation_and_that_it_was_one(
    cast: Cast, catalogue: Catalogue, row: Delegation
) -> None:
    assert import_catalogue(FILE, dry_run=False).problems == []
    event = Event.objects.filter(kind="delegation:added").latest("id")
    subject = f"delegation:{Delegation.objects.get(user=cast.bob).pk}"
    assert (event.actor_id, event.on_behalf_of, event.subject) == (None, "bob", subject)
    assert event.detail["command"] == "import_catalogue"
    after = event.detail["after"]
    assert (after["max_duration"], after["outsider_duration"]) == ("1h", "30m")
