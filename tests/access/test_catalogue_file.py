"""A catalogue file: what may stand in it, and that every mistake is named with its line."""

from datetime import UTC, datetime, timedelta
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.access.catalogue_entries import CatalogueFile
from credportal.access.catalogue_file import read_catalogue

ARN = "arn:aws:iam::111122223333:role/credportal/Administrator"
WHOLE = f"""\
accounts:
  - number: "111122223333"
    name: sandbox
    environment: sandbox
    owner: Platform team
roles:
  - arn: {ARN}
    description: Yours to break. Emptied every Sunday.
    max_session_duration: 1h30m
    default_region: eu-west-1
    accepts_source_identity: true
    accepts_session_tags: false
    enabled: true
groups:
  - name: engineers
    members: [alice, bob]
  - name: on-call
eligibilities:
  - role: {ARN}
    group: engineers
    max_duration: 45m
    valid_from: 2026-12-01T09:00:00+02:00
  - role: {ARN}
    user: alice
    max_duration: 8h
    needs_reason: true
"""


def read(text: str) -> CatalogueFile:
    return read_catalogue(dedent(text))


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read(text).problems]


def test_a_whole_file_is_read_without_a_problem() -> None:
    file = read_catalogue(WHOLE)
    assert file.problems == []
    (account,), (role,), groups = file.accounts, file.roles, file.groups
    assert account.key == "111122223333"
    assert account.columns == {"name": "sandbox", "environment": "sandbox", "owner": "Platform team"}
    assert role.key == ARN
    assert role.columns["max_session_duration"] == timedelta(minutes=90)
    assert (role.columns["accepts_source_identity"], role.columns["accepts_session_tags"]) == (True, False)
    assert [(group.name, group.members) for group in groups] == [
        ("engineers", {"alice": 16, "bob": 16}),
        ("on-call", None),
    ]


def test_an_eligibility_has_all_its_columns_whatever_the_file_leaves_out() -> None:
    first, second = read_catalogue(WHOLE).eligibilities or []
    assert (first.group, first.user) == ("engineers", "")
    assert first.columns == {
        "max_duration": timedelta(minutes=45),
        "needs": (),
        "break_glass_duration": None,
        "valid_from": datetime(2026, 12, 1, 7, tzinfo=UTC),
        "valid_until": None,
        "note": "",
    }
    assert (second.group, second.user, second.columns["needs"]) == ("", "alice", ("reason",))


def test_text_stays_the_text_that_was_written() -> None:
    file = read(
        """\
        accounts: [{number: 012345678901, name: 1_000, environment: sandbox, owner: 1:30}]
        groups: [{name: no}, {name: 0x10}]
        """
    )
    assert file.problems == []
    assert file.accounts[0].key == "012345678901"
    assert file.accounts[0].columns == {"name": "1_000", "environment": "sandbox", "owner": "1:30"}
    assert [group.name for group in file.groups] == ["no", "0x10"]


def test_a_key_without_a_value_counts_as_left_out() -> None:
    file = read("groups:\n  - name: engineers\n    members:\neligibilities:\nroles: ~\n")
    assert file.problems == []
    assert file.groups[0].members is None
    assert file.eligibilities is None


def test_empty_lists_are_not_left_out() -> None:
    file = read("groups: [{name: engineers, members: []}]\neligibilities: []\n")
    assert file.groups[0].members == {}
    assert file.eligibilities == []


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("max_session_duration", "13h", "Write 1h to 12h"),
        ("max_session_duration", "59m", "Write 1h to 12h"),
        ("max_session_duration", "3600", "Write 1h to 12h"),
        ("max_session_duration", "٣h", "Write 1h to 12h"),
        ("max_session_duration", "99999999999999999h", "Write 1h to 12h"),
        ("accepts_session_tags", "yes", "Write true or false."),
        ("enabled", "1", "Write true or false."),
        ("default_region", "EU West", "Name a region."),
        ("default_region", '""', "cannot be blank"),
        ("description", "x" * 201, "at most 200"),
        ("description", '"two\\nlines"', "Take line breaks and control characters out."),
        ("description", '"\\0"', "Take line breaks and control characters out."),
        ("description", "[a]", "must be one value"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_to_write(key: str, value: str, words: str) -> None:
    lines = {"arn": ARN, "default_region": "eu-west-1"} | {key: value}
    text = "roles:\n  -\n" + "".join(f"    {name}: {said}\n" for name, said in lines.items())
    (problem,) = read(text).problems
    assert problem.line == 3 + list(lines).index(key)
    assert key in problem.words
    assert words in problem.words


@pytest.mark.parametrize(
    "arn",
    [
        "Administrator",
        "arn:aws:iam::111122223333:user/alice",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::11112222333:role/short",
        "arn:aws:sts::111122223333:assumed-role/a/b",
        "arn:aws:iam::111122223333:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    ],
)
def test_only_the_arn_of_a_role_that_a_person_can_assume_is_taken(arn: str) -> None:
    assert len(problems(f"roles: [{{arn: '{arn}', default_region: eu-west-1}}]")) == 1


@pytest.mark.parametrize("number", ["12345678901", "1234567890123", "12345678901x", "１２３４５６７８９０１２"])
def test_an_account_number_has_twelve_digits(number: str) -> None:
    assert "Write twelve digits." in problems(f"accounts: [{{number: '{number}', name: a, environment: sandbox}}]")[0]


@pytest.mark.parametrize("time", ["2026-12-01", "2026-12-01T09:00:00", "tomorrow", "0001-01-01T00:00:00+14:00"])
def test_a_time_needs_its_offset(time: str) -> None:
    (problem,) = problems(f"eligibilities: [{{role: '{ARN}', group: g, max_duration: 1h, valid_from: '{time}'}}]")
    assert "such as 2027-01-31T18:00:00Z" in problem


def test_an_eligibility_must_not_end_before_it_begins() -> None:
    times = "valid_from: 2026-12-01T00:00:00Z, valid_until: 2026-12-01T00:00:00Z"
    assert (
        "valid_until is not after valid_from"
        in problems(f"eligibilities: [{{role: '{ARN}', group: g, max_duration: 1h, {times}}}]")[0]
    )


@pytest.mark.parametrize("holders", ["", "group: a, user: b,"])
def test_an_eligibility_names_a_group_or_a_user(holders: str) -> None:
    (problem,) = problems(f"eligibilities: [{{role: '{ARN}', {holders} max_duration: 1h}}]")
    assert "one of them, not both" in problem


def test_every_mistake_is_told_at_once() -> None:
    text = """\
    accounts:
      - number: "1"
        nmae: sandbox
        environment: prod
    roles:
      - arn: nonsense
        external_ids: mine
    groups: engineers
    policies: []
    """
    assert [int(problem.split(":")[0].removeprefix("line ")) for problem in sorted(problems(text))] == [
        2, 2, 3, 4, 6, 6, 7, 8, 9,
    ]  # fmt: skip


@pytest.mark.parametrize("external_id", ["chosen-by-me", "x" * 65, f"{'x' * 31} ", f"{'x' * 31}é"])
def test_an_external_id_is_only_taken_as_an_export_writes_it(external_id: str) -> None:
    (problem,) = problems(
        f"accounts: [{{number: '111122223333', name: a, environment: sandbox, external_id: '{external_id}'}}]"
    )
    assert "Write what export_catalogue --with-external-ids wrote" in problem


def test_an_unknown_key_is_told_with_what_was_meant() -> None:
    unknown = "groups: [{name: a, member: [], zzz: 1}]\nacounts: []\n"
    assert sorted(problems(unknown)) == [
        'line 1: Unknown key "member". Did you mean members?',
        'line 1: Unknown key "zzz". Write one of: name, duties, members.',
        'line 2: Unknown key "acounts". Did you mean accounts?',
    ]


def test_lists_of_words_have_one_order_whatever_the_file_has() -> None:
    (role,) = read(f"roles: [{{arn: '{ARN}', default_region: a, needs: [step-up, reason], tags: [z, a]}}]").roles
    assert (role.columns["needs"], role.columns["tags"]) == (("reason", "step-up"), ("z", "a"))


@pytest.mark.parametrize(
    ("section", "wrong", "words"),
    [
        ("roles", "needs: [reason, tiket]", 'needs is "tiket". Write reason, ticket, approval or step-up.'),
        ("roles", "needs: reason", "needs is a list. Write its words in brackets, such as [a, b]."),
        ("roles", "needs: [reason, reason]", '"reason" is named twice in needs. Keep one.'),
        ("roles", "narrowing: [everything]", "Write read-only, my-address or one-region."),
        ("roles", "narrowing: [[read-only]]", "narrowing must be one value."),
        ("roles", 'tags: ["two words"]', "Write one word, without spaces."),
        ("roles", f"tags: [{'x' * 150}, {'y' * 60}]", "at most 200"),
        ("roles", "approvals_needed: 0", "Write a number from 1 to 5."),
        ("roles", "approvals_needed: ٣", "Write a number from 1 to 5."),
        ("roles", "label: p\u0430yments", "label is"),
        ("roles", f"label: {'x' * 65}", "at most 64"),
        ("groups", "duties: [root]", "Write support, auditor, catalogue-admin or user-admin."),
        ("eligibilities", "break_glass_duration: 14m", "Write 15m to 12h"),
        ("eligibilities", "break_glass_duration: 12h1s", "Write 15m to 12h"),
        ("eligibilities", f"note: {'x' * 201}", "at most 200"),
        ("accounts", "enabled: maybe", "Write true or false."),
    ],
)
def test_every_new_key_has_its_limits(section: str, wrong: str, words: str) -> None:
    needed = {
        "accounts": "number: '111122223333', name: a, environment: sandbox",
        "roles": f"arn: '{ARN}', default_region: eu-west-1",
        "groups": "name: engineers",
        "eligibilities": f"role: '{ARN}', group: engineers, max_duration: 1h",
    }
    (problem,) = problems(f"# A comment.\n{section}: [{{{needed[section]}, {wrong}}}]\n")
    assert problem.startswith("line 2: ")
    assert words in problem


@pytest.mark.parametrize("section", ["accounts", "groups"])
def test_a_name_in_letters_of_two_scripts_is_refused(section: str) -> None:
    needed = "number: '111122223333', environment: sandbox, " if section == "accounts" else ""
    (problem,) = problems(f"{section}: [{{{needed}name: p\u0430yments}}]")
    assert "name is" in problem


def test_a_ticket_pattern_is_checked() -> None:
    (problem,) = problems(f"roles: [{{arn: '{ARN}', default_region: eu-west-1, ticket_pattern: 'INC-*'}}]")
    assert 'ticket_pattern is "INC-*".' in problem


def test_what_stands_twice_is_told_with_both_lines() -> None:
    twice = "  - {name: engineers, members: [alice, alice]}\n"
    found = problems(f"groups:\n{twice}{twice}")
    assert found == [
        'line 2: "alice" is named twice in this group. Keep one.',
        'line 3: "alice" is named twice in this group. Keep one.',
        'line 3: The group "engineers" stands twice, first on line 2. Keep one.',
    ]


def test_a_key_that_stands_twice_is_an_error() -> None:
    assert problems("groups: []\nroles: []\ngroups: []\n") == [
        'line 3: "groups" stands twice here, first on line 1. Keep one.'
    ]


def test_two_long_names_that_begin_alike_are_not_the_same() -> None:
    rows = [f"{{role: '{ARN}', group: {'g' * 100}{number}, max_duration: 1h}}" for number in range(2)]
    assert problems(f"eligibilities: [{', '.join(rows)}]") == []


def test_anchors_aliases_and_tags_are_refused() -> None:
    found = problems("groups: &all\n  - name: !!python/object:os.system a\nroles: *all\n")
    assert [problem.split(":")[0] for problem in found[:3]] == ["line 1", "line 2", "line 3"]


def test_a_billion_laughs_are_refused_in_no_time() -> None:
    laughs = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 40))
    assert any("aliases (*) are not read here" in problem for problem in problems(f"l0: &l0 [ha]\n{laughs}"))


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 10_000, "? " * 10_000])
def test_a_file_of_any_depth_is_only_a_wrong_file(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("groups:\n\t- name: a", 2),
        ("groups: [\n", 2),
        ("a: 1\n---\nb: 2", 3),
        ("groups: []\nroles: \x07", 2),
        ("- a", 1),
        ("", 1),
        ("# nothing\n", 1),
        ("hello", 1),
        ("? [a]\n: b", 1),
    ],
)
def test_what_is_no_catalogue_is_said_with_a_line(text: str, line: int) -> None:
    assert line in [problem.line for problem in read_catalogue(text).problems]


def test_an_error_shows_nothing_that_a_terminal_would_obey() -> None:
    (problem,) = problems('groups: [{name: "\\e[2J\\n\\u202eevil"}]')
    assert problem.isprintable()


@given(st.text())
def test_any_text_is_read_or_told_to_be_wrong(text: str) -> None:
    read_catalogue(text)


@given(
    st.lists(st.sampled_from([*WHOLE.splitlines(keepends=True), "  - ", "? ", "&a ", "*a\n", "!t ", "[", "}", "---\n"]))
)
def test_any_pieces_of_a_file_are_read_or_told_to_be_wrong(pieces: list[str]) -> None:
    read_catalogue("".join(pieces))


def test_a_mistake_is_told_on_the_line_of_its_key() -> None:
    assert problems("groups:\n  - name: engineers\n    members:\n\n      alice: true\n") == [
        "line 3: Write a list here, such as [a, b], or lines that begin with a hyphen."
    ]
