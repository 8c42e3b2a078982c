"""Delegations in a catalogue file: what an import adds, changes, removes and leaves, what it tells, what it refuses."""

from typing import Any

import pytest
import yaml
from django.db import connection
from django.test.utils import CaptureQueriesContext

from credportal.access.models import Delegation, Role
from credportal.audit.models import Event
from credportal.flows.catalogue import import_catalogue
from tests.support.cast import Cast, Catalogue, make_role
from tests.support.forms import told
from tests.support.handouts import handed_out, support


def entry(*roles: Role, **keys: Any) -> dict[str, Any]:
    """Return one entry; None leaves a key out."""
    usual = {"name": "Cases", "group": "support", "roles": [role.arn for role in roles], "max_duration": "2h"}
    return {key: value for key, value in {**usual, **keys}.items() if value is not None}


def run(*entries: dict[str, Any], dry_run: bool = False, **sections: Any) -> list[str]:
    """Import a file of these delegations; return the lines of what changed."""
    plan = import_catalogue(yaml.safe_dump({"delegations": list(entries), **sections}), dry_run=dry_run)
    assert [str(problem) for problem in plan.problems] == []
    return plan.lines


def wrong(*entries: dict[str, Any]) -> list[str]:
    """Return what is wrong with a file of these delegations, which writes nothing."""
    plan = import_catalogue(yaml.safe_dump({"delegations": list(entries)}), dry_run=False)
    assert not Delegation.objects.exists()
    assert told() == []
    return [problem.words for problem in plan.problems]


def test_a_new_delegation_is_added_with_its_event(catalogue: Catalogue) -> None:
    lines = run(entry(catalogue.read_only, catalogue.on_call, outsider_duration="45m", recipients="engineers"))
    row = Delegation.objects.get()
    assert (row.group, row.recipients, row.max_open) == (catalogue.support, catalogue.engineers, 5)
    assert set(row.roles.all()) == {catalogue.read_only, catalogue.on_call}
    arns = sorted([catalogue.read_only.arn, catalogue.on_call.arn])
    values = 'group "support", max_duration 2 h, outsider_duration 45 min, recipients "engineers"'
    assert lines == [
        f'+ delegation "Cases": {values}, max_open 5, max_per_day 20',
        *[f'+ role {arn} of delegation "Cases"' for arn in arns],
    ]
    event = Event.objects.get()
    assert (event.kind, event.subject, event.actor_handle) == ("delegation:added", f"delegation:{row.pk}", "")
    assert event.detail == {
        "command": "import_catalogue",
        "after": {
            "name": "Cases",
            "group": "support",
            "roles": arns,
            "max_duration": "2h",
            "outsider_duration": "45m",
            "recipients": "engineers",
            "max_open": 5,
            "max_per_day": 20,
        },
    }


def test_a_delegation_of_a_person_is_an_event_on_their_behalf(catalogue: Catalogue, cast: Cast) -> None:
    run(entry(catalogue.read_only, group=None, user="bob"))
    assert Delegation.objects.get().user == cast.bob
    assert Event.objects.get().on_behalf_of == "bob"


def test_a_dry_run_says_the_same_and_writes_nothing(catalogue: Catalogue) -> None:
    lines = run(entry(catalogue.read_only), dry_run=True)
    assert not Delegation.objects.exists()
    assert told() == []
    assert run(entry(catalogue.read_only)) == lines


def test_a_second_import_has_nothing_to_change(catalogue: Catalogue) -> None:
    run(entry(catalogue.read_only, catalogue.on_call))
    assert run(entry(catalogue.on_call, catalogue.read_only)) == []
    assert Delegation.objects.get().version == 1


def test_what_an_entry_leaves_out_is_as_if_it_had_never_been_said(catalogue: Catalogue) -> None:
    run(entry(catalogue.read_only, outsider_duration="45m", recipients="engineers", max_open=9))
    assert run(entry(catalogue.read_only)) == [
        '~ delegation "Cases": outsider_duration 45 min → none, recipients "engineers" → none, max_open 9 → 5'
    ]
    row = Delegation.objects.get()
    assert (row.outsider_duration, row.recipients, row.max_open, row.version) == (None, None, 5, 2)


def test_a_change_of_roles_alone_is_told_by_role_and_whoever_has_the_page_open_is_told(catalogue: Catalogue) -> None:
    run(entry(catalogue.read_only, catalogue.on_call))
    lines = run(entry(catalogue.read_only, catalogue.deployer))
    assert lines == [
        f'+ role {catalogue.deployer.arn} of delegation "Cases"',
        f'- role {catalogue.on_call.arn} of delegation "Cases"',
    ]
    row = Delegation.objects.get()
    assert set(row.roles.all()) == {catalogue.read_only, catalogue.deployer}
    assert row.version == 2
    assert told()[-1][3] == {
        "command": "import_catalogue",
        "before": {"roles": sorted([catalogue.read_only.arn, catalogue.on_call.arn])},
        "after": {"roles": sorted([catalogue.read_only.arn, catalogue.deployer.arn])},
    }


def test_another_holder_makes_another_delegation(catalogue: Catalogue, cast: Cast) -> None:
    run(entry(catalogue.read_only))
    old = Delegation.objects.get()
    lines = run(entry(catalogue.read_only, group="engineers"))
    assert lines[0] == '- delegation "Cases"'
    assert lines[1].startswith('+ delegation "Cases": group "engineers"')
    row = Delegation.objects.get()
    assert row.group == catalogue.engineers
    assert row.pk != old.pk
    assert [kind for kind, *_ in told()] == ["delegation:added", "delegation:removed", "delegation:added"]


def test_a_file_without_the_section_leaves_delegations_alone(catalogue: Catalogue) -> None:
    run(entry(catalogue.read_only))
    roles = [{"arn": catalogue.read_only.arn, "default_region": "eu-west-1"}]
    assert import_catalogue(yaml.safe_dump({"roles": roles}), dry_run=False).lines == []
    assert Delegation.objects.exists()


def test_a_delegation_without_an_entry_goes_where_the_file_names_all_its_roles_and_stays_where_not(
    catalogue: Catalogue, cast: Cast
) -> None:
    mine = support(cast, catalogue.read_only, name="Mine")
    support(cast, catalogue.read_only, catalogue.on_call, name="Of another file too")
    handed_out(cast.bob, catalogue.read_only, cast.charlie)
    roles = [{"arn": catalogue.read_only.arn, "default_region": "eu-west-1"}]
    plan = import_catalogue(yaml.safe_dump({"delegations": [], "roles": roles}), dry_run=False)
    assert plan.lines == ['- delegation "Mine"']
    assert plan.left["delegation"] == 1
    assert [row.name for row in Delegation.objects.all()] == ["Of another file too"]
    kind, subject, actor, detail = told()[-1]
    assert (kind, subject, actor) == ("delegation:removed", f"delegation:{mine.pk}", "")
    assert detail["before"]["roles"] == [catalogue.read_only.arn]
    assert "after" not in detail


def test_a_new_group_and_a_new_role_of_the_same_file_may_be_named(catalogue: Catalogue) -> None:
    role = {"arn": f"arn:aws:iam::{catalogue.sandbox.number}:role/New", "default_region": "eu-west-1"}
    said = entry(group="second line", roles=[role["arn"]], recipients="second line")
    run(said, groups=[{"name": "second line"}], roles=[role])
    row = Delegation.objects.get()
    assert (str(row.group), row.recipients, row.roles.get().arn) == ("second line", row.group, role["arn"])


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"name": None}, "name is missing. Write it into this entry."),
        ({"roles": None}, "roles is missing. Write it into this entry."),
        ({"max_duration": None}, "max_duration is missing. Write it into this entry."),
        ({"group": None}, "Name a group or a user here: one of them, not both."),
        ({"user": "bob"}, "Name a group or a user here: one of them, not both."),
        ({"group": "nobody"}, 'Group "nobody" is not in the catalogue. Write it under groups.'),
        ({"recipients": "nobody"}, 'Group "nobody" is not in the catalogue. Write it under groups.'),
        ({"group": None, "user": "nobody"}, 'There is no person "nobody". Make the person first, or mend the name.'),
        ({"roles": []}, 'roles is "". Name at least one.'),
        ({"roles": "all"}, "roles is a list. Write its words in brackets, such as [a, b]."),
        (
            {"roles": ["arn:aws:iam::491200653381:role/None"]},
            'Role "arn:aws:iam::491200653381:role/None" is not in the catalogue. Write it under roles.',
        ),
        ({"max_duration": "13h"}, 'max_duration is "13h". Write 15m to 12h, such as 45m, 8h or 1h30m.'),
        ({"outsider_duration": "5m"}, 'outsider_duration is "5m". Write 15m to 12h, such as 45m, 8h or 1h30m.'),
        ({"outsider_duration": "3h"}, "outsider_duration is longer than max_duration. Write a shorter one."),
        ({"max_open": "0"}, 'max_open is "0". Write a number from 1 to 100.'),
        ({"max_per_day": "1001"}, 'max_per_day is "1001". Write a number from 1 to 1000.'),
        ({"name": "Cаses"}, "Write the whole word in one script."),
        ({"max_opened": "1"}, 'Unknown key "max_opened". Did you mean max_open?'),
    ],
)
def test_a_mistake_is_told_in_a_sentence_and_nothing_is_written(
    catalogue: Catalogue, keys: dict[str, Any], words: str
) -> None:
    found = wrong(entry(catalogue.read_only, **keys))
    assert any(words in line for line in found), found


def test_each_mistake_has_its_line_and_a_name_stands_once(catalogue: Catalogue) -> None:
    text = f"""\
delegations:
  - name: Cases
    group: support
    roles: [{catalogue.read_only.arn}]
    max_duration: 2h
  - name: Cases
    group: support
    roles: [{catalogue.read_only.arn}, {catalogue.read_only.arn}]
    max_duration: 1h
"""
    assert [str(problem) for problem in import_catalogue(text, dry_run=False).problems] == [
        'line 6: The delegation "Cases" stands twice, first on line 2. Keep one.',
        f'line 8: "{catalogue.read_only.arn}" is named twice in roles. Keep one.',
    ]


@pytest.mark.parametrize(("text", "words"), [("45m", "+ 45 min"), ('""', "nothing"), ("5m", "wrong"), ("1d", "wrong")])
def test_a_role_says_for_how_long_it_may_go_to_outsiders(catalogue: Catalogue, text: str, words: str) -> None:
    file = f"roles: [{{arn: {catalogue.deployer.arn}, default_region: eu-west-1, outsider_duration: {text}}}]"
    plan = import_catalogue(file, dry_run=False)
    if words == "wrong":
        assert [problem.words for problem in plan.problems] == [
            f'outsider_duration is "{text}". Write 15m to 12h, such as 45m, 8h or 1h30m.'
        ]
        return
    told_lines = [f"~ role {catalogue.deployer.arn}: outsider_duration none → 45 min"] if words != "nothing" else []
    assert plan.lines == told_lines
    import_catalogue(file.replace(text, '""'), dry_run=False)
    assert Role.objects.get(pk=catalogue.deployer.pk).outsider_duration is None


def test_an_import_takes_as_many_statements_for_many_delegations_as_for_one(catalogue: Catalogue) -> None:
    roles = [make_role(catalogue.staging, f"Role{number}") for number in range(60)]

    def statements(many: int) -> int:
        text = yaml.safe_dump({"delegations": [entry(*roles, name=f"Cases {number}") for number in range(many)]})
        with CaptureQueriesContext(connection) as queries:
            import_catalogue(text, dry_run=True)
        return len(queries)

    assert statements(1) == statements(30)
