"""What is exported can be imported again, and then there is nothing to change: every column, any text."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.access.catalogue_export import catalogue_text
from credportal.access.catalogue_rows import ACCOUNT_VALUES, DELEGATION_VALUES, ELIGIBILITY_VALUES, ROLE_VALUES
from credportal.access.models import Account, Delegation, Eligibility, GroupDuty, Role, User
from credportal.flows.catalogue import export_catalogue, import_catalogue
from tests.support.cast import Cast, Catalogue, make_person
from tests.support.handouts import delegate

WHOLE = """\
# The catalogue of credportal. manage.py import_catalogue reads it back; docs/operating.md describes it.

accounts:
  - number: "111122223333"
    name: sandbox
    environment: sandbox
    owner: "Platform: #1 \\"team\\""
    enabled: false

roles:
  - arn: arn:aws:iam::111122223333:role/Admin
    label: "no"
    description: ""
    tags: [on-call, "2fa"]
    max_session_duration: 1h30m
    default_region: eu-west-1
    accepts_source_identity: true
    accepts_session_tags: false
    needs: [reason, step-up]
    ticket_pattern: "INC-# CHG-#"
    approvers: leads
    approvals_needed: 2
    narrowing: [my-address]
    outsider_duration: 30m
    enabled: true

groups:
  - name: leads
    duties: [support, user-admin]
    members:
      - bob
      - dana

eligibilities:
  - role: arn:aws:iam::111122223333:role/Admin
    group: leads
    max_duration: 45m
  - role: arn:aws:iam::111122223333:role/Admin
    user: alice
    max_duration: 12h
    needs: [ticket, approval]
    break_glass_duration: 15m10s
    valid_from: "2026-12-01T07:00:00Z"
    valid_until: "2027-01-01T00:00:00.000001Z"
    note: "Until she is back: é"

delegations:
  - name: Cases
    group: leads
    roles:
      - arn:aws:iam::111122223333:role/Admin
    max_duration: 2h
    outsider_duration: 45m
    recipients: leads
    max_open: 3
    max_per_day: 7
  - name: The pager
    user: bob
    roles:
      - arn:aws:iam::111122223333:role/Admin
    max_duration: 1h
"""


@pytest.fixture
def people(db: None) -> None:
    for name in ("alice", "bob", "dana"):
        make_person(name, name.title())


def snapshot() -> list[list[dict[str, Any]]]:
    """Return everything that the catalogue says, without keys and versions."""
    roles = Role.objects.order_by("arn")
    return [
        [*Account.objects.order_by("number").values()],
        [*roles.values(*(field.name for field in Role._meta.fields if field.name not in {"id", "approvers"}))],
        [*roles.values("approvers__name")],
        [*GroupDuty.objects.order_by("group__name", "duty").values("group__name", "duty")],
        [*User.objects.order_by("username", "groups__name").values("username", "groups__name")],
        [*Eligibility.objects.order_by("role__arn", "group__name", "user__username").values(
            "role__arn", "group__name", "user__username", "max_duration", "needs_reason", "needs_ticket",
            "needs_approval", "needs_step_up", "break_glass_duration", "valid_from", "valid_until", "note",
        )],
        [*Delegation.objects.order_by("name", "roles__arn").values(
            "name", "group__name", "user__username", "roles__arn", "max_duration", "outsider_duration",
            "recipients__name", "rota__name", "max_open", "max_per_day",
        )],
    ]  # fmt: skip


def empty() -> None:
    """Leave only the people, in no group."""
    for model in (Delegation, Eligibility, Role, Account, GroupDuty, Group):
        model.objects.all().delete()


def test_a_file_with_every_key_comes_out_as_it_went_in(people: None) -> None:
    assert import_catalogue(WHOLE, dry_run=False).problems == []
    assert export_catalogue(with_external_ids=False) == WHOLE


def test_every_column_of_the_catalogue_stands_in_the_file() -> None:
    """Whoever adds a column is told here that the file misses it."""
    told = {*ACCOUNT_VALUES, *ROLE_VALUES, *ELIGIBILITY_VALUES, *DELEGATION_VALUES}
    columns = {field.name for model in (Account, Role, Eligibility, Delegation) for field in model._meta.fields}
    others = {"id", "version", "number", "external_id", "arn", "account", "role", "group", "user"}
    others |= {"name"}  # Of a delegation: what it is known by.
    flags = {name for name in columns if name.startswith(("needs_", "allows_"))}
    assert columns - told - others - flags == set()


def test_an_empty_database_exports_a_file_that_changes_nothing(db: None) -> None:
    text = export_catalogue(with_external_ids=False)
    assert yaml.safe_load(text) == {"accounts": [], "roles": [], "groups": [], "eligibilities": [], "delegations": []}
    plan = import_catalogue(text, dry_run=True)
    assert (plan.problems, plan.lines) == ([], [])


def test_an_export_has_nothing_to_change(catalogue: Catalogue) -> None:
    plan = import_catalogue(export_catalogue(with_external_ids=False), dry_run=True)
    assert (plan.problems, plan.lines) == ([], [])
    assert sum(plan.left.values()) == 0


def test_an_export_with_external_ids_rebuilds_an_empty_database(people: None) -> None:
    import_catalogue(WHOLE, dry_run=False)
    before, text = snapshot(), export_catalogue(with_external_ids=True)
    empty()
    assert import_catalogue(text, dry_run=False).problems == []
    assert snapshot() == before


def test_without_being_asked_for_no_external_id_is_exported(catalogue: Catalogue) -> None:
    text = export_catalogue(with_external_ids=False)
    assert not [account for account in Account.objects.all() if account.external_id in text]


def test_the_same_catalogue_gives_the_same_text_however_it_was_made(people: None) -> None:
    import_catalogue(WHOLE, dry_run=False)
    empty()
    turned = yaml.safe_load(WHOLE)
    for section in turned.values():
        section.reverse()
    turned["groups"][0]["members"].reverse()
    assert import_catalogue(yaml.safe_dump(turned), dry_run=False).problems == []
    assert export_catalogue(with_external_ids=False) == WHOLE


def test_members_stand_in_one_order_whoever_came_first(people: None) -> None:
    group = Group.objects.create(name="leads")
    for name in ("dana", "alice", "bob"):
        group.user_set.add(User.objects.get(username=name))
    assert yaml.safe_load(catalogue_text(with_external_ids=False))["groups"][0]["members"] == ["alice", "bob", "dana"]


@pytest.mark.parametrize(
    "owner", ["a: b", "ends:", "#", "a #b", "- a", "Off", "null", "~", "1e3", "12:30:45", "[a]", '"']
)
def test_any_reader_of_yaml_takes_a_text_for_that_text(db: None, owner: str) -> None:
    Account.objects.create(number="012345678901", name="a", environment="sandbox", owner=owner)
    (account,) = yaml.safe_load(catalogue_text(with_external_ids=False))["accounts"]
    assert (account["number"], account["owner"]) == ("012345678901", owner)


def test_an_export_takes_eight_statements_whatever_the_size(catalogue: Catalogue) -> None:
    delegate(catalogue.support, catalogue.read_only, catalogue.on_call)
    delegate(catalogue.support, catalogue.read_only)
    with CaptureQueriesContext(connection) as queries:
        catalogue_text(with_external_ids=False)
    assert len(queries) == 8


TEXTS = st.text(st.characters(codec="utf-8"), max_size=30).filter(str.isprintable)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_:#é\"'[]{},&*!|>%@`", min_size=1, max_size=10)
DURATIONS = st.integers(900, 43200).map(lambda seconds: timedelta(seconds=seconds))
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 -- as it wants it.
ROLES = st.fixed_dictionaries(
    {
        "description": TEXTS,
        "tags": st.lists(WORDS, max_size=4, unique=True).map(" ".join),
        "max_session_duration": st.integers(3600, 43200).map(lambda seconds: timedelta(seconds=seconds)),
        "outsider_duration": st.none() | DURATIONS,
        "approvals_needed": st.integers(1, 5),
        **dict.fromkeys(
            (
                "accepts_source_identity", "accepts_session_tags", "allows_read_only", "allows_my_address", "enabled",
                "allows_one_region", "needs_reason", "needs_ticket", "needs_approval", "needs_step_up",
            ),
            st.booleans(),
        ),
    }
)  # fmt: skip
ELIGIBILITIES = st.fixed_dictionaries(
    {
        "max_duration": DURATIONS,
        "break_glass_duration": st.none() | DURATIONS,
        "valid_from": st.none() | TIMES,
        "note": TEXTS,
        **dict.fromkeys(("needs_reason", "needs_ticket", "needs_approval", "needs_step_up"), st.booleans()),
    }
)


DELEGATIONS = st.fixed_dictionaries(
    {
        "max_duration": DURATIONS,
        "outsider_duration": st.none() | st.just(timedelta(minutes=15)),
        "max_open": st.integers(1, 100),
        "max_per_day": st.integers(1, 1000),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(role=ROLES, rows=st.tuples(ELIGIBILITIES, DELEGATIONS), owner=TEXTS, approves=st.booleans())
def test_whatever_a_catalogue_holds_is_exported_and_read_back(
    cast: Cast, role: dict[str, Any], rows: tuple[dict[str, Any], dict[str, Any]], owner: str, approves: bool
) -> None:
    empty()
    eligibility, delegation = rows
    group = Group.objects.create(name="leads")
    account = Account.objects.create(number="111122223333", name="a", environment="sandbox", owner=owner)
    arn = "arn:aws:iam::111122223333:role/path/R=x,y"
    approvers = group if approves else None
    made = Role.objects.create(account=account, arn=arn, default_region="eu-west-1", approvers=approvers, **role)
    Eligibility.objects.create(role=made, group=group, **eligibility)
    Eligibility.objects.create(role=made, user=cast.alice, **eligibility)
    Delegation.objects.create(name="a", group=group, recipients=approvers, **delegation).roles.add(made)
    Delegation.objects.create(name="b", user=cast.bob, **delegation).roles.add(made)
    before, text = snapshot(), export_catalogue(with_external_ids=True)
    plan = import_catalogue(text, dry_run=True)
    assert (plan.problems, plan.lines) == ([], [])
    empty()
    assert import_catalogue(text, dry_run=False).problems == []
    assert snapshot() == before
