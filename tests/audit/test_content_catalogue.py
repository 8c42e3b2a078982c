"""What the events of the catalogue, its probes, people and groups carry."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import Account, Eligibility, Role, User
from credportal.access.selectors import actor_of
from credportal.audit.models import Event, EventKind
from credportal.flows import catalogue_pages as pages
from credportal.flows import groups, people
from credportal.flows.catalogue import import_catalogue
from credportal.flows.doctor import probe_role
from tests.fault_sts import FaultSTS, RoleRule
from tests.support.cast import Cast, Catalogue
from tests.support.content import BY_FLOW, BY_PORTAL, assert_content, by, of_account, of_role
from tests.support.requests import ORIGIN

ARN = "arn:aws:iam::602217449035:role/Auditor"
COMMAND = {"command": "import_catalogue"}


def dana_of(cast: Cast) -> pages.By:
    return pages.By(cast.dana, ORIGIN)


def test_an_account_carries_its_number_and_name(cast: Cast) -> None:
    values = {"number": "001122334455", "name": "data-prod", "environment": "production"}
    pages.add_account(by=dana_of(cast), values=values)
    account = Account.objects.get()
    parts = (BY_FLOW, by(cast.dana), of_account(account))
    subject = "account:001122334455"
    assert_content(EventKind.ACCOUNT_ADDED, *parts, subject=subject, detail={"before": {}, "after": values})
    pages.change_account(by=dana_of(cast), number=account.number, version=1, values={"name": "data"})
    detail = {"before": {"name": "data-prod"}, "after": {"name": "data"}}
    assert_content(EventKind.ACCOUNT_CHANGED, *parts, account_name="data", subject=subject, detail=detail)


def test_a_role_carries_its_arn_label_and_account(cast: Cast, catalogue: Catalogue) -> None:
    pages.add_role(by=dana_of(cast), values={"arn": ARN, "default_region": "eu-west-1"})
    role = Role.objects.get(arn=ARN)
    parts = (BY_FLOW, by(cast.dana), of_role(role))
    detail: dict[str, Any] = {"before": {}, "after": {"arn": ARN, "default_region": "eu-west-1"}}
    assert_content(EventKind.ROLE_ADDED, *parts, subject=f"role:{role.id}", detail=detail)
    pages.change_role(by=dana_of(cast), role_id=role.id, version=1, values={"label": "Read it all"})
    detail = {"before": {"label": ""}, "after": {"label": "Read it all"}}
    assert_content(EventKind.ROLE_CHANGED, *parts, role_name="Read it all", subject=f"role:{role.id}", detail=detail)


def test_a_row_carries_its_role_and_the_person_whom_it_names(cast: Cast, catalogue: Catalogue) -> None:
    role = catalogue.deployer
    pages.add_eligibility(by=dana_of(cast), role=role, values={"user": cast.bob, "max_duration": timedelta(hours=1)})
    row = Eligibility.objects.get(user=cast.bob)
    parts = (BY_FLOW, by(cast.dana), of_role(role), {"subject": f"eligibility:{row.pk}", "on_behalf_of": "bob"})
    detail: dict[str, Any] = {"before": {}, "after": {"role": role.arn, "user": "bob", "max_duration": "1 h"}}
    assert_content(EventKind.ELIGIBILITY_ADDED, *parts, detail=detail)
    now = timezone.now()
    pages.end_eligibility(by=dana_of(cast), eligibility_id=row.pk, now=now)
    detail = {"before": {"valid_until": None}, "after": {"valid_until": f"{now:%Y-%m-%dT%H:%M:%SZ}"}}
    assert_content(EventKind.ELIGIBILITY_CHANGED, *parts, detail=detail)


def test_a_row_of_a_group_is_on_behalf_of_nobody_but_who_acts(cast: Cast, catalogue: Catalogue) -> None:
    values = {"group": catalogue.support, "max_duration": timedelta(hours=1)}
    pages.add_eligibility(by=dana_of(cast), role=catalogue.deployer, values=values)
    assert Event.objects.get().on_behalf_of == "dana"


FILE = """\
accounts: [{number: "602217449035", name: playground, environment: sandbox}]
roles: [{arn: "arn:aws:iam::602217449035:role/Administrator", label: Yours, default_region: eu-west-1}]
groups: [{name: leads, members: [bob]}]
eligibilities: [{role: "arn:aws:iam::602217449035:role/Administrator", user: bob, max_duration: 8h}]
"""


def test_an_import_carries_the_same_and_nobody_acts(cast: Cast, catalogue: Catalogue) -> None:
    gone = Eligibility.objects.get(role=catalogue.administrator, user=cast.alice)
    assert import_catalogue(FILE, dry_run=False).problems == []
    role, row = Role.objects.get(id=catalogue.administrator.id), Eligibility.objects.get(user=cast.bob)
    removed = {"before": {"role": role.arn, "user": "alice", "max_duration": "12h"}}
    assert_content(
        EventKind.ELIGIBILITY_REMOVED,
        BY_PORTAL,
        of_role(role),
        subject=f"eligibility:{gone.pk}",
        on_behalf_of="alice",
        detail=COMMAND | removed,
    )
    added = {"after": {"role": role.arn, "user": "bob", "max_duration": "8h"}}
    added_row = {"subject": f"eligibility:{row.pk}", "on_behalf_of": "bob", "detail": COMMAND | added}
    assert_content(EventKind.ELIGIBILITY_ADDED, BY_PORTAL, of_role(role), added_row)
    label = {"before": {"label": ""}, "after": {"label": "Yours"}}
    assert_content(EventKind.ROLE_CHANGED, BY_PORTAL, of_role(role), subject=f"role:{role.id}", detail=COMMAND | label)
    assert role.name == "Yours"
    name = {"before": {"name": "sandbox"}, "after": {"name": "playground"}}
    account = {"subject": "account:602217449035", "detail": COMMAND | name}
    assert_content(EventKind.ACCOUNT_CHANGED, BY_PORTAL, of_account(role.account), account)
    members = {"after": {"members": ["bob"]}}
    assert_content(EventKind.GROUP_ADDED, BY_PORTAL, subject="group:leads", detail=COMMAND | members)


def test_a_person_carries_themselves_as_whom_it_is_about(cast: Cast) -> None:
    people.add_person(actor=cast.dana, origin=ORIGIN, username="frank", name="Frank Ito", email="", groups=frozenset())
    frank = User.objects.get(username="frank")
    parts = (BY_FLOW, by(cast.dana), {"subject": "person:frank", "on_behalf_of": "frank"})
    detail: dict[str, Any] = {"before": {}, "after": {"username": "frank", "name": "Frank Ito"}}
    assert_content(EventKind.PERSON_ADDED, *parts, detail=detail)
    people.set_password(actor=cast.dana, origin=ORIGIN, person=frank)
    assert_content(EventKind.PASSWORD_SET, *parts)


def test_a_person_who_joins_a_group_has_an_event_and_so_has_the_group(cast: Cast, catalogue: Catalogue) -> None:
    people.change_person(
        actor=cast.dana,
        origin=ORIGIN,
        person=cast.bob,
        version=1,
        name=cast.bob.name,
        email="",
        is_active=True,
        groups=frozenset({catalogue.support.pk, catalogue.engineers.pk}),
    )
    parts = (BY_FLOW, by(cast.dana), {"on_behalf_of": "bob"})
    detail: dict[str, Any] = {"before": {"groups": ["support"]}, "after": {"groups": ["engineers", "support"]}}
    assert_content(EventKind.PERSON_CHANGED, *parts, subject="person:bob", detail=detail)
    detail = {"before": {}, "after": {"joined": ["bob"]}}
    assert_content(EventKind.GROUP_CHANGED, *parts, subject="group:engineers", detail=detail)


def test_an_admin_from_the_command_line_is_made_by_nobody(db: None) -> None:
    people.create_admin(username="dana", name="Dana Haddad", email="", password="correct horse battery staple")
    after = {"username": "dana", "name": "Dana Haddad", "groups": ["admins"]}
    detail = {"before": {}, "after": after, "command": "create_admin"}
    assert_content(EventKind.PERSON_ADDED, BY_PORTAL, subject="person:dana", on_behalf_of="dana", detail=detail)


def test_a_group_is_about_many_and_each_who_moves_has_an_event(cast: Cast) -> None:
    groups.add_group(actor=cast.dana, origin=ORIGIN, name="desk", duties=frozenset(), joining=frozenset({cast.bob.pk}))
    detail: dict[str, Any] = {"before": {}, "after": {"name": "desk", "members": ["bob"]}}
    assert_content(EventKind.GROUP_ADDED, BY_FLOW, by(cast.dana), subject="group:desk", detail=detail)
    detail = {"before": {"groups": []}, "after": {"groups": ["desk"]}}
    bob = {"subject": "person:bob", "on_behalf_of": "bob", "detail": detail}
    assert_content(EventKind.PERSON_CHANGED, BY_FLOW, by(cast.dana), bob)
    assert Group.objects.filter(name="desk").exists()


@pytest.fixture
def role(catalogue: Catalogue, settings: Settings, sts: FaultSTS) -> Role:
    """A role that AWS knows as it is, of a portal that does not chain."""
    settings.IDENTITY_CHAINS = False
    found = catalogue.read_only
    sts.roles[found.arn] = RoleRule(external_id=found.account.external_id)
    return found


def probe(cast: Cast, role: Role) -> dict[str, Any]:
    """Let Dana probe a role; return what each event of it has."""
    probe_role(role_id=role.id, actor=actor_of(cast.dana), origin=ORIGIN)
    return {**BY_FLOW, **by(cast.dana), **of_role(role), "subject": f"role:{role.id}"}


def steps_of(kind: EventKind) -> dict[str, Any]:
    """Return the detail of the one event of a kind: its steps have a test of their own."""
    detail = Event.objects.get(kind=kind.value).detail
    assert detail.keys() == {"steps", "open", "before", "after"}
    return {"detail": detail}


def test_a_probe_carries_its_role_and_the_request_that_could_assume_it(cast: Cast, role: Role, sts: FaultSTS) -> None:
    same = probe(cast, role)
    assert_content(EventKind.PROBE_STARTED, same)
    base = sts.ledger.calls_of("AssumeRole")[0]
    assert_content(EventKind.PROBE_PASSED, same, steps_of(EventKind.PROBE_PASSED), aws_request_id=base.request_id)


@pytest.mark.parametrize(("rule", "deciding", "code"), [({"trusts_portal": False}, 0, "sts_denied"), (None, 1, "")])
def test_a_refused_probe_carries_the_step_that_decided(
    cast: Cast, role: Role, sts: FaultSTS, *, rule: dict[str, bool] | None, deciding: int, code: str
) -> None:
    """Either AWS does not let the portal in, or it does so without the ExternalId too."""
    sts.roles = {role.arn: replace(sts.roles[role.arn], **rule)} if rule else {}  # type: ignore[arg-type]  # a flag of the rule
    same = probe(cast, role)
    decided = sts.ledger.calls_of("AssumeRole")[deciding]
    steps = steps_of(EventKind.PROBE_REFUSED)
    assert_content(EventKind.PROBE_REFUSED, same, steps, code=code, aws_request_id=decided.request_id)


def test_a_probe_that_could_not_tell_carries_the_trouble(cast: Cast, role: Role, sts: FaultSTS) -> None:
    sts.fault("throttling")
    same = probe(cast, role)
    [call] = sts.ledger.calls_of("AssumeRole")
    steps = steps_of(EventKind.PROBE_FAILED)
    assert_content(EventKind.PROBE_FAILED, same, steps, code="sts_throttled", aws_request_id=call.request_id)


def test_a_probe_of_what_is_no_role_says_why_aws_was_not_asked(cast: Cast, role: Role, sts: FaultSTS) -> None:
    Role.objects.filter(id=role.id).update(arn="arn:aws:iam::491200653381:role/*")
    role.refresh_from_db()
    same = probe(cast, role)
    assert_content(EventKind.PROBE_FAILED, same, steps_of(EventKind.PROBE_FAILED), code="role_unfit")
