"""The two policies that let the portal in, weighed by a small evaluator and by an IAM."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from credportal.domain.naming import session_tags
from credportal.domain.trust import (
    INLINE_POLICY_LIMITS,
    TRUST_POLICY_LIMIT,
    Policy,
    Principal,
    Reach,
    TrustOptions,
    TrustSubject,
    portal_policy,
    portal_warnings,
    principal_problem,
    trust_policy,
    trust_warnings,
)

PORTAL = "arn:aws:iam::111111111111:role/credportal-portal"
STRANGER = "arn:aws:iam::111111111111:role/somebody-else"
ROLE = "arn:aws:iam::491200653381:role/credportal/ReadOnly"
EXTERNAL_ID = "THE-EXTERNAL-ID-OF-THIS-ACCOUNT"
TAGS = tuple(key for key, _ in session_tags("4k9zq2h7m3xw", "INC-7", "portal"))
DOCUMENT = Path(__file__).parents[2] / "docs" / "trust-policies.md"
ALL_OPTIONS = [TrustOptions(*switches) for switches in product((True, False), repeat=3)]


def a_subject(role_arn: str = ROLE, principal: str = PORTAL, **fields: Any) -> TrustSubject:
    usual: dict[str, Any] = {"max_session_duration": timedelta(hours=4), "external_id": EXTERNAL_ID}
    return TrustSubject("4k9zq2h7m3xw", role_arn, principal=Principal(principal), **{**usual, **fields})


def holds(condition: dict[str, Any], context: dict[str, Any]) -> bool:
    """Weigh a condition as IAM does: all operators, all keys; ForAllValues also passes where there are no values."""
    for operator, keys in condition.items():
        for key, wanted in keys.items():
            allowed = wanted if isinstance(wanted, list) else [wanted]
            if operator == "StringEquals":
                held = context.get(key) in allowed
            else:
                assert operator == "ForAllValues:StringEquals"
                held = all(value in allowed for value in context.get(key, ()))
            if not held:
                return False
    return True


def lets_in(
    policy: Policy,
    *,
    principal: str = PORTAL,
    external_id: str = "",
    tags: tuple[str, ...] = (),
    source_identity: str = "",
) -> bool:
    """Weigh AssumeRole as STS does: what comes along asks for actions of its own, and all have to be allowed."""
    context: dict[str, Any] = {"aws:TagKeys": tags} if tags else {}
    if external_id:
        context["sts:ExternalId"] = external_id
    if source_identity:
        context["sts:SourceIdentity"] = source_identity
    actions = ["sts:AssumeRole", *(["sts:TagSession"] if tags else [])]
    actions += ["sts:SetSourceIdentity"] if source_identity else []
    return all(
        any(
            statement["Action"] == action
            and statement["Principal"] == {"AWS": principal}
            and holds(statement.get("Condition", {}), context)
            for statement in policy["Statement"]
        )
        for action in actions
    )


def json_blocks(text: str) -> Iterator[Any]:
    for block in text.split("```json\n")[1:]:
        yield json.loads(block.partition("```")[0])


def test_the_whole_trust_policy_is_three_statements_of_one_action_each() -> None:
    who = {"AWS": PORTAL}
    assert trust_policy(a_subject(), TrustOptions()) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Assume",
                "Effect": "Allow",
                "Principal": who,
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
            },
            {
                "Sid": "Tag",
                "Effect": "Allow",
                "Principal": who,
                "Action": "sts:TagSession",
                "Condition": {
                    "ForAllValues:StringEquals": {
                        "aws:TagKeys": ["credportal:issuance", "credportal:ticket", "credportal:issued-by"]
                    }
                },
            },
            {"Sid": "SourceIdentity", "Effect": "Allow", "Principal": who, "Action": "sts:SetSourceIdentity"},
        ],
    }


def test_the_document_shows_the_same_policy() -> None:
    whole, tightened = json_blocks(DOCUMENT.read_text(encoding="utf-8"))
    assume, _tag, source_identity = whole["Statement"]
    assert trust_policy(a_subject(), TrustOptions())["Statement"] == [assume, tightened, source_identity]


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_the_portal_gets_in_with_all_that_is_switched_on(options: TrustOptions) -> None:
    policy = trust_policy(a_subject(), options)
    asked: dict[str, Any] = {"tags": TAGS if options.tags else (), "source_identity": "alice" * options.source_identity}
    assert lets_in(policy, external_id=EXTERNAL_ID, **asked)


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_what_is_switched_off_is_refused(options: TrustOptions) -> None:
    policy = trust_policy(a_subject(), options)
    assert lets_in(policy, external_id=EXTERNAL_ID, tags=TAGS) is options.tags
    assert lets_in(policy, external_id=EXTERNAL_ID, source_identity="alice") is options.source_identity


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_only_without_the_condition_does_a_call_without_the_external_id_get_in(options: TrustOptions) -> None:
    policy = trust_policy(a_subject(), options)
    assert lets_in(policy) is not options.external_id
    assert lets_in(policy, external_id="another") is not options.external_id


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_nobody_else_gets_in(options: TrustOptions) -> None:
    assert not lets_in(trust_policy(a_subject(), options), principal=STRANGER, external_id=EXTERNAL_ID)


def test_a_foreign_tag_is_refused() -> None:
    policy = trust_policy(a_subject(), TrustOptions())
    assert not lets_in(policy, external_id=EXTERNAL_ID, tags=(*TAGS, "department"))


def test_the_portals_policy_allows_the_same_actions_on_this_role() -> None:
    (statement,) = portal_policy(a_subject(), TrustOptions(), Reach.ROLE)["Statement"]
    actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
    assert statement == {"Sid": "Issue", "Effect": "Allow", "Action": actions, "Resource": ROLE}


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_both_sides_allow_the_same_actions(options: TrustOptions) -> None:
    trusted = [statement["Action"] for statement in trust_policy(a_subject(), options)["Statement"]]
    assert portal_policy(a_subject(), options, Reach.ROLE)["Statement"][0]["Action"] == trusted


def test_the_account_wide_policy_names_every_role_once() -> None:
    other = "arn:aws:iam::491200653381:role/Another"
    policy = portal_policy(a_subject(neighbours=(ROLE, other)), TrustOptions(), Reach.ACCOUNT)
    assert policy["Statement"][0]["Resource"] == [other, ROLE]


def test_a_policy_variable_in_a_path_is_spelled_as_text() -> None:
    policy = portal_policy(a_subject("arn:aws:iam::491200653381:role/${aws:userid}/R"), TrustOptions(), Reach.ROLE)
    assert policy["Statement"][0]["Resource"] == "arn:aws:iam::491200653381:role/${$}{aws:userid}/R"


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_an_iam_takes_both_policies(options: TrustOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    subject = a_subject(neighbours=("arn:aws:iam::491200653381:role/Another",))
    trusted, allowed = trust_policy(subject, options), portal_policy(subject, options, Reach.ACCOUNT)
    with mock_aws():
        iam = boto3.client("iam", region_name="eu-west-1")
        iam.create_role(Path=subject.path, RoleName=subject.name, AssumeRolePolicyDocument=json.dumps(trusted))
        assert iam.get_role(RoleName=subject.name)["Role"]["AssumeRolePolicyDocument"] == trusted
        iam.put_role_policy(RoleName=subject.name, PolicyName="issue", PolicyDocument=json.dumps(allowed))
        assert iam.get_role_policy(RoleName=subject.name, PolicyName="issue")["PolicyDocument"] == allowed


@pytest.mark.parametrize(
    ("arn", "path", "name"),
    [
        ("arn:aws:iam::491200653381:role/ReadOnly", "/", "ReadOnly"),
        ("arn:aws:iam::491200653381:role/credportal/ReadOnly", "/credportal/", "ReadOnly"),
        ("arn:aws-cn:iam::491200653381:role/a/b/a", "/a/b/", "a"),
        ("arn:aws-us-gov:iam::491200653381:role/:role/R", "/:role/", "R"),
    ],
)
def test_path_and_name_come_from_the_arn(arn: str, path: str, name: str) -> None:
    subject = a_subject(arn)
    assert (subject.path, subject.name) == (path, name)


@pytest.mark.parametrize(
    ("arn", "kind", "name", "has_path"),
    [
        (PORTAL, "role", "credportal-portal", False),
        ("arn:aws-cn:iam::111111111111:user/credportal", "user", "credportal", False),
        ("arn:aws-us-gov:iam::111111111111:role/team/x/portal", "role", "portal", True),
    ],
)
def test_a_principal_is_a_role_or_a_user(arn: str, kind: str, name: str, has_path: bool) -> None:
    principal = Principal(arn)
    assert (principal.kind, principal.name, principal.has_path) == (kind, name, has_path)
    assert principal.account_number == "111111111111"
    assert principal_problem(arn, arn.split(":")[1]) == ""


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "*",
        "111111111111",
        "arn:aws:iam::111111111111:root",
        "arn:aws:iam::111111111111:role/*",
        "arn:aws:iam::111111111111:role/a?",
        "arn:aws:iam::111111111111:role/",
        "arn:aws:iam::11111111111:role/portal",
        "arn:aws:sts::111111111111:assumed-role/portal/i-0abc",
        "arn:aws:iam::111111111111:role/portal\n",
        'arn:aws:iam::111111111111:role/portal"',
        "arn:aws:iam::１１１１１１１１１１１１:role/portal",
        "arn:aws:iam::111111111111:role/pörtal",
    ],
)
def test_what_is_not_one_role_or_user_is_refused_as_principal(arn: str) -> None:
    assert principal_problem(arn, "aws").startswith("Write the ARN of the portal’s own role or user")
    with pytest.raises(ValueError, match="one IAM role or user"):
        Principal(arn)


def test_a_principal_of_another_partition_is_refused_with_both_names() -> None:
    said = principal_problem(PORTAL, "aws-cn")
    assert "partition aws-cn" in said
    assert "in aws." in said


@pytest.mark.parametrize(
    "wrong",
    [
        {"role_arn": "arn:aws:iam::491200653381:role/*"},
        {"external_id": "a"},
        {"external_id": 'x", "y'},
        {"external_id": "x\n"},
        {"neighbours": ("arn:aws:iam::491200653381:user/u",)},
    ],
    ids=str,
)
def test_what_cannot_stand_in_a_policy_makes_no_subject(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ARN|ExternalId"):
        a_subject(**wrong)


def test_a_subject_does_not_show_the_external_id() -> None:
    assert EXTERNAL_ID not in repr(a_subject())


def warned(subject: TrustSubject, options: TrustOptions, *, tags: bool = False, identity: bool = False) -> list[str]:
    return trust_warnings(subject, options, accepts_tags=tags, accepts_source_identity=identity)


def test_the_whole_policy_needs_no_warning() -> None:
    assert warned(a_subject(), TrustOptions(), tags=True, identity=True) == []


def test_the_external_id_is_switched_off_only_with_a_warning() -> None:
    (said,) = warned(a_subject(), TrustOptions(external_id=False))
    assert "on its ARN alone" in said


@pytest.mark.parametrize(
    ("options", "flags", "words"),
    [
        (TrustOptions(tags=False), {"tags": True}, "accepts session tags"),
        (TrustOptions(source_identity=False), {"identity": True}, "accepts a source identity"),
    ],
)
def test_a_flag_of_the_catalogue_that_would_be_wrong_is_named(
    options: TrustOptions, flags: dict[str, bool], words: str
) -> None:
    (said,) = warned(a_subject(), options, **flags)
    assert words in said
    assert warned(a_subject(), options) == []


def test_a_trust_policy_too_long_for_iam_is_told() -> None:
    long = f"arn:aws:iam::111111111111:role/{'p' * 500}/portal"
    assert f"IAM takes {TRUST_POLICY_LIMIT}" in warned(a_subject(principal=long), TrustOptions())[0]


@pytest.mark.parametrize("kind", ["role", "user"])
def test_a_policy_too_long_for_its_holder_is_told_with_a_way_out(kind: str) -> None:
    many = tuple(f"arn:aws:iam::491200653381:role/Role{number:04}" for number in range(300))
    subject = a_subject(principal=f"arn:aws:iam::111111111111:{kind}/portal", neighbours=many)
    (said,) = portal_warnings(subject, TrustOptions(), Reach.ACCOUNT)
    assert f"{INLINE_POLICY_LIMITS[kind]:,}" in said
    assert "arn:aws:iam::491200653381:role/credportal/*" in said
    assert portal_warnings(subject, TrustOptions(), Reach.ROLE) == []
