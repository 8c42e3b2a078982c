"""The catalogue follows a file: it adds, changes and says so, and deletes nothing that history names."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credportal.access.catalogue import plan_catalogue
from credportal.access.catalogue_file import read_catalogue
from credportal.access.catalogue_plan import Plan
from credportal.access.models import Account, Eligibility, GroupDuty, Role, User
from credportal.domain.naming import is_public_id
from credportal.domain.types import Identity
from credportal.flows.catalogue import import_catalogue
from tests.support.cast import Cast, Catalogue

SANDBOX, STAGING = "111122223333", "444455556666"
ADMINISTRATOR = f"arn:aws:iam::{SANDBOX}:role/credportal/Administrator"
DEPLOYER = f"arn:aws:iam::{STAGING}:role/Deployer"
FILE = f"""\
accounts:
  - {{number: "{SANDBOX}", name: sandbox, environment: sandbox, owner: Platform team}}
  - {{number: "{STAGING}", name: staging, environment: staging}}
roles:
  - {{arn: {ADMINISTRATOR}, description: Yours to break., max_session_duration: 12h, default_region: eu-west-1}}
  - {{arn: {DEPLOYER}, default_region: eu-west-1}}
groups:
  - {{name: engineers, members: [alice, charlie]}}
  - {{name: support, members: [bob]}}
eligibilities:
  - {{role: {ADMINISTRATOR}, group: engineers, max_duration: 8h}}
  - {{role: {ADMINISTRATOR}, user: bob, max_duration: 1h, needs_reason: true}}
  - {{role: {DEPLOYER}, group: engineers, max_duration: 2h}}
"""

Import = Callable[[str], Plan]


@pytest.fixture
def imported(cast: Cast) -> Import:
    """Return a function that imports a text and checks that nothing was wrong; the file above is in already."""

    def follow(text: str) -> Plan:
        plan = import_catalogue(text, dry_run=False)
        assert plan.problems == []
        return plan

    follow(FILE)
    return follow


def everything() -> list[list[tuple[object, ...]]]:
    """Return all rows that an import may touch."""
    tables = (Account, Role, Group, GroupDuty, Eligibility, Group.user_set.through)
    return [sorted(table._default_manager.values_list(), key=str) for table in tables]


def members(name: str) -> list[str]:
    return sorted(Group.objects.get(name=name).user_set.values_list("username", flat=True))


def test_a_new_catalogue_is_all_there(imported: Import) -> None:
    role = Role.objects.get(arn=ADMINISTRATOR)
    assert (role.account_id, role.max_session_duration, role.enabled) == (SANDBOX, timedelta(hours=12), True)
    assert (role.accepts_source_identity, role.accepts_session_tags) == (False, False)
    assert is_public_id(role.id)
    assert Role.objects.get(arn=DEPLOYER).max_session_duration == timedelta(hours=1)
    assert members("engineers") == ["alice", "charlie"]
    rows = Eligibility.objects.order_by("max_duration").values_list("group__name", "user__username", "needs_reason")
    assert list(rows) == [(None, "bob", True), ("engineers", None, False), ("engineers", None, False)]


def test_every_account_gets_an_external_id_of_its_own(imported: Import) -> None:
    first, second = Account.objects.values_list("external_id", flat=True)
    assert first != second
    assert min(len(first), len(second)) >= 32


def test_importing_twice_changes_nothing(imported: Import) -> None:
    before = everything()
    plan = imported(FILE)
    assert (plan.lines, plan.unchanged) == ([], 9)
    assert everything() == before


def test_a_dry_run_writes_nothing(imported: Import) -> None:
    before = everything()
    plan = import_catalogue(FILE.replace("8h", "7h").replace("[bob]", "[]").replace("Deployer", "Other"), dry_run=True)
    assert len(plan.lines) == 4
    assert everything() == before


def test_a_dry_run_says_what_the_import_then_does(imported: Import) -> None:
    changed = FILE.replace("8h", "7h").replace("Platform team", "Nobody").replace("[alice, charlie]", "[alice]")
    dry = import_catalogue(changed, dry_run=True)
    assert imported(changed).lines == dry.lines
    assert dry.lines == [
        f'~ account {SANDBOX}: owner "Platform team" → "Nobody"',
        '- member "charlie" of "engineers"',
        f'~ eligibility of group "engineers" for {ADMINISTRATOR}: max_duration 8 h → 7 h',
    ]


def test_a_change_keeps_the_rows_and_the_external_id(imported: Import) -> None:
    before = {account.number: account.external_id for account in Account.objects.all()}
    ids = set(Eligibility.objects.values_list("id", flat=True)), set(Role.objects.values_list("id", flat=True))
    imported(FILE.replace("8h", "7h").replace("12h", "11h").replace("Platform team", "Somebody"))
    assert {account.number: account.external_id for account in Account.objects.all()} == before
    assert (
        set(Eligibility.objects.values_list("id", flat=True)),
        set(Role.objects.values_list("id", flat=True)),
    ) == ids
    assert Account.objects.get(number=SANDBOX).owner == "Somebody"
    assert Role.objects.get(arn=ADMINISTRATOR).max_session_duration == timedelta(hours=11)


def test_what_a_file_leaves_out_of_a_role_or_account_stays(imported: Import) -> None:
    Role.objects.filter(arn=ADMINISTRATOR).update(enabled=False, accepts_session_tags=True)
    plan = imported(
        f"accounts: [{{number: '{SANDBOX}', name: sandbox, environment: sandbox}}]\n"
        f"roles: [{{arn: {ADMINISTRATOR}, default_region: eu-west-1}}]\n"
    )
    assert plan.lines == []
    role = Role.objects.get(arn=ADMINISTRATOR)
    assert (role.enabled, role.accepts_session_tags, role.description) == (False, True, "Yours to break.")
    assert Account.objects.get(number=SANDBOX).owner == "Platform team"


def test_accounts_roles_and_groups_are_never_deleted(imported: Import) -> None:
    imported("accounts: []\nroles: []\ngroups: []\neligibilities: []\n")
    assert (Account.objects.count(), Role.objects.count()) == (2, 2)
    assert set(Group.objects.values_list("name", flat=True)) == {"admins", "auditors", "engineers", "support"}
    assert Eligibility.objects.count() == 3


def test_the_eligibilities_of_a_role_in_the_file_match_it(imported: Import) -> None:
    plan = imported(f"eligibilities:\n  - {{role: {ADMINISTRATOR}, user: alice, max_duration: 1h}}\n")
    assert plan.lines == [
        f'+ eligibility of user "alice" for {ADMINISTRATOR}: max_duration 1 h',
        f'- eligibility of user "bob" for {ADMINISTRATOR}',
        f'- eligibility of group "engineers" for {ADMINISTRATOR}',
    ]
    holders = Eligibility.objects.filter(role__arn=ADMINISTRATOR).values_list("user__username", flat=True)
    assert list(holders) == ["alice"]
    assert Eligibility.objects.filter(role__arn=DEPLOYER).count() == 1


def test_a_role_that_is_listed_without_eligibilities_loses_them(imported: Import) -> None:
    imported(f"roles: [{{arn: {DEPLOYER}, default_region: eu-west-1}}]\neligibilities: []\n")
    assert Eligibility.objects.filter(role__arn=DEPLOYER).count() == 0
    assert Eligibility.objects.filter(role__arn=ADMINISTRATOR).count() == 2


def test_a_file_without_eligibilities_leaves_them_alone(imported: Import) -> None:
    imported(f"roles: [{{arn: {DEPLOYER}, default_region: eu-west-1}}]\n")
    assert Eligibility.objects.count() == 3


def test_an_eligibility_that_no_longer_says_so_needs_no_reason(imported: Import) -> None:
    imported(f"eligibilities: [{{role: {ADMINISTRATOR}, user: bob, max_duration: 1h}}]")
    assert not Eligibility.objects.get(user__username="bob").needs_reason


def test_a_file_of_version_0_1_0_still_says_that_a_reason_is_needed(imported: Import) -> None:
    assert Eligibility.objects.get(user__username="bob").needs_reason
    plan = imported(FILE.replace("needs_reason: true", "needs: [reason]"))
    assert plan.lines == []


def test_duties_are_untouched_where_the_file_does_not_give_them(imported: Import) -> None:
    plan = imported("groups: [{name: admins}, {name: auditors, duties: [auditor]}]")
    assert plan.lines == []
    assert GroupDuty.objects.count() == 3


def test_the_duties_of_a_group_match_the_file(imported: Import) -> None:
    plan = imported("groups: [{name: admins, duties: [support, user-admin]}, {name: auditors, duties: []}]")
    assert plan.lines == [
        '~ duties of group "admins": "catalogue-admin user-admin" → "support user-admin"',
        '~ duties of group "auditors": "auditor" → none',
    ]
    assert set(GroupDuty.objects.values_list("group__name", "duty")) == {
        ("admins", "support"),
        ("admins", "user-admin"),
    }


def test_an_empty_value_empties_what_a_left_out_one_would_keep(imported: Import) -> None:
    imported(f"roles: [{{arn: {DEPLOYER}, default_region: eu-west-1, approvers: support, label: Ship, tags: [a, b]}}]")
    keeping = f"roles: [{{arn: {DEPLOYER}, default_region: eu-west-1}}]"
    assert imported(keeping).lines == []
    imported(f"roles: [{{arn: {DEPLOYER}, default_region: eu-west-1, approvers: '', label: '', tags: []}}]")
    role = Role.objects.get(arn=DEPLOYER)
    assert (role.approvers, role.label, role.tags) == (None, "", "")


def test_what_changes_counts_its_version_up_and_nothing_else_does(imported: Import) -> None:
    imported(FILE.replace("8h", "7h").replace("Platform team", "Somebody"))
    assert dict(Account.objects.values_list("number", "version")) == {SANDBOX: 2, STAGING: 1}
    assert set(Role.objects.values_list("version", flat=True)) == {1}
    assert sorted(Eligibility.objects.values_list("version", flat=True)) == [1, 1, 2]


def test_whoever_joins_or_leaves_a_group_has_a_new_version(imported: Import) -> None:
    before = dict(User.objects.values_list("username", "version"))
    imported(FILE.replace("[alice, charlie]", "[alice, erin]"))
    after = dict(User.objects.values_list("username", "version"))
    assert {name for name in after if after[name] != before[name]} == {"charlie", "erin"}


def test_a_new_group_may_approve_for_a_new_role_in_the_same_file(imported: Import) -> None:
    arn = f"arn:aws:iam::{SANDBOX}:role/New"
    imported(
        f"roles: [{{arn: '{arn}', default_region: a, needs: [approval], approvers: leads, approvals_needed: 2}}]\n"
        "groups: [{name: leads, members: [bob, dana]}]\n"
    )
    role = Role.objects.get(arn=arn)
    assert role.approvers == Group.objects.get(name="leads")
    assert (role.needs_approval, role.approvals_needed) == (True, 2)


def test_the_external_id_of_a_new_account_may_come_along(imported: Import) -> None:
    brought = "x" * 32
    plan = imported(f"accounts: [{{number: '777788889999', name: new, environment: sandbox, external_id: {brought}}}]")
    assert Account.objects.get(number="777788889999").external_id == brought
    assert brought not in "".join(plan.lines)


def test_an_external_id_is_never_changed_by_a_file(imported: Import) -> None:
    before = Account.objects.get(number=SANDBOX).external_id
    account = f"{{number: '{SANDBOX}', name: sandbox, environment: sandbox, external_id: "
    (problem,) = import_catalogue(f"accounts: [{account}{'x' * 32}}}]", dry_run=False).problems
    assert "has another ExternalId here" in problem.words
    assert imported(f"accounts: [{account}{before}}}]").lines == []
    assert Account.objects.get(number=SANDBOX).external_id == before


def test_two_accounts_never_share_an_external_id(imported: Import) -> None:
    taken = Account.objects.get(number=SANDBOX).external_id
    text = f"accounts: [{{number: '777788889999', name: new, environment: sandbox, external_id: {taken}}}]"
    (problem,) = import_catalogue(text, dry_run=False).problems
    assert f"Account {SANDBOX} has this ExternalId too." in problem.words


def test_what_the_file_does_not_name_is_counted(imported: Import) -> None:
    plan = imported(f"roles: [{{arn: {DEPLOYER}, default_region: eu-west-1}}]\ngroups: [{{name: engineers}}]")
    assert plan.left == {"account": 2, "role": 1, "group": 3}


@pytest.mark.parametrize(
    ("arn", "identity"),
    [
        ("arn:aws-cn:iam::111122223333:role/Developer", Identity(partition="aws")),
        (
            "arn:aws:iam::111122223333:role/Portal",
            Identity(partition="aws", principal="arn:aws:iam::111122223333:role/Portal"),
        ),
    ],
)
def test_a_role_of_another_partition_and_the_portal_itself_are_refused(
    imported: Import, arn: str, identity: Identity
) -> None:
    plan = plan_catalogue(read_catalogue(f"\nroles: [{{arn: '{arn}', default_region: eu-west-1}}]"), identity)
    (problem,) = plan.problems
    assert (problem.line, arn in problem.words) == (2, True)


def test_members_are_untouched_where_the_file_does_not_give_them(imported: Import) -> None:
    imported("groups: [{name: engineers}, {name: support, members: []}]")
    assert (members("engineers"), members("support")) == (["alice", "charlie"], [])


def test_two_accounts_may_swap_their_names(imported: Import) -> None:
    swapped = FILE.replace("name: sandbox", "name: x").replace("name: staging", "name: sandbox")
    imported(swapped.replace("name: x", "name: staging"))
    assert Account.objects.get(number=SANDBOX).name == "staging"
    assert Account.objects.get(number=STAGING).name == "sandbox"


def test_a_new_account_may_take_the_name_that_another_gives_up(imported: Import) -> None:
    imported(
        f"accounts:\n  - {{number: '777788889999', name: sandbox, environment: sandbox}}\n"
        f"  - {{number: '{SANDBOX}', name: old sandbox, environment: sandbox}}\n"
    )
    assert Account.objects.get(number="777788889999").name == "sandbox"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "accounts: [{number: '999900001111', name: sandbox, environment: sandbox}]",
            f"Account {SANDBOX} has the name",
        ),
        ("roles: [{arn: 'arn:aws:iam::999900001111:role/x', default_region: eu-west-1}]", "Write it under accounts."),
        ("groups: [{name: engineers, members: [mallory]}]", 'There is no person "mallory".'),
        (f"roles: [{{arn: '{DEPLOYER}', default_region: eu-west-1, approvers: nobody}}]", "Write it under groups."),
        (f"eligibilities: [{{role: '{ADMINISTRATOR}', group: nobody, max_duration: 1h}}]", "Write it under groups."),
        (f"eligibilities: [{{role: '{ADMINISTRATOR}', user: mallory, max_duration: 1h}}]", 'no person "mallory"'),
        (f"eligibilities: [{{role: '{ADMINISTRATOR}x', user: bob, max_duration: 1h}}]", "Write it under roles."),
    ],
)
def test_what_is_named_must_be_there(imported: Import, text: str, words: str) -> None:
    before = everything()
    plan = import_catalogue(f"# One line of comment.\n{text}\n", dry_run=False)
    (problem,) = plan.problems
    assert problem.line == 2
    assert words in problem.words
    assert everything() == before


def test_one_mistake_stops_the_whole_file(imported: Import) -> None:
    before = everything()
    plan = import_catalogue(FILE.replace("8h", "7h").replace("[bob]", "[mallory]"), dry_run=False)
    assert len(plan.problems) == 1
    assert everything() == before


def test_mistakes_of_the_file_and_of_the_catalogue_are_told_together(imported: Import) -> None:
    plan = import_catalogue(FILE.replace("8h", "80h").replace("[bob]", "[mallory]"), dry_run=False)
    assert [problem.line for problem in plan.problems] == [9, 11]


def test_a_wrong_role_is_told_once_and_not_at_everything_that_names_it(imported: Import) -> None:
    new = FILE.replace(DEPLOYER, f"{DEPLOYER}2").replace(
        "default_region: eu-west-1}\ngroups", "enabled: maybe}\ngroups"
    )
    assert [problem.line for problem in import_catalogue(new, dry_run=False).problems] == [6, 6]


def test_planning_asks_no_more_of_the_database_when_the_file_grows(catalogue: Catalogue) -> None:
    def statements(roles: int) -> int:
        arns = [f"arn:aws:iam::{catalogue.sandbox.number}:role/R{number}" for number in range(roles)]
        text = "roles:\n" + "".join(f"  - {{arn: {arn}, default_region: eu-west-1}}\n" for arn in arns)
        text += "groups: [{name: engineers, members: [alice]}]\neligibilities:\n"
        text += "".join(f"  - {{role: {arn}, group: engineers, max_duration: 1h}}\n" for arn in arns)
        with CaptureQueriesContext(connection) as queries:
            assert plan_catalogue(read_catalogue(text), Identity()).problems == []
        return len(queries)

    assert statements(1) == statements(60) == 7
