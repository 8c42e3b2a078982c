"""The demo's catalogue lets each of its people show something."""

from typing import Any

import pytest

from credportal.access.models import Delegation, Role, User
from credportal.flows.catalogue import import_catalogue
from credportal.flows.handout import HandedOut, NotHandedOut
from demo.people import CAST
from demo.seed import CATALOGUE
from tests.support.cast import make_person
from tests.support.handouts import VENDOR, hand_out


@pytest.fixture
def people(db: None) -> dict[str, User]:
    """Import the demo's catalogue, with the demo's people."""
    made = {name: make_person(name, fields["name"]) for name, fields in CAST}
    plan = import_catalogue(CATALOGUE.read_text(encoding="utf-8"), dry_run=False)
    assert [str(problem) for problem in plan.problems] == []
    return made


def role(account: str, name: str) -> Role:
    return Role.objects.get(account__name=account, arn__endswith=f"/{name}")


def by_bob(people: dict[str, User], what: Role, to: Any) -> Any:
    return hand_out(people["bob"], what, to, submission=f"submission-{what.id}")


@pytest.mark.parametrize(
    ("account", "name"),
    [("staging", "PaymentsReadOnly"), ("sandbox", "Developer"), ("production", "SupportReadOnly")],
)
def test_bob_hands_out_to_charlie(people: dict[str, User], account: str, name: str) -> None:
    assert isinstance(by_bob(people, role(account, name), people["charlie"]), HandedOut)


def test_bob_hands_staging_to_an_outsider_and_production_to_none(people: dict[str, User]) -> None:
    assert isinstance(by_bob(people, role("staging", "PaymentsReadOnly"), VENDOR), HandedOut)
    assert isinstance(by_bob(people, role("production", "SupportReadOnly"), VENDOR), NotHandedOut)


def test_nobody_hands_out_what_needs_approval(people: dict[str, User]) -> None:
    assert not Delegation.objects.filter(roles__needs_approval=True).exists()


def test_a_second_import_has_nothing_to_change(people: dict[str, User]) -> None:
    assert import_catalogue(CATALOGUE.read_text(encoding="utf-8"), dry_run=True).lines == []
