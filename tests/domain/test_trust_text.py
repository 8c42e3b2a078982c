"""Every text arrives as it was meant: read by a shell, a YAML reader, cfn-lint and a reader of Terraform's language."""

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import cfnlint.api  # type: ignore[import-untyped]  # It ships no types.
import hcl2
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credportal.domain.trust import Principal, Reach, TrustOptions, TrustSubject, portal_policy, trust_policy
from credportal.domain.trust_text import PolicyText, portal_texts, role_texts
from tests.domain.test_trust import ALL_OPTIONS, EXTERNAL_ID, PORTAL, ROLE, a_subject

HOSTILE_PATH = "/a'b\"c`id`$(id)${aws:userid}%{if}$${x}%%{y}\\n#;&|<x>~!/-/"
HOSTILE = f"arn:aws:iam::491200653381:role{HOSTILE_PATH}-Read=Only"
PRINTABLE = "".join(map(chr, range(33, 127))).translate({ord("*"): None, ord("?"): None})
NAMES = st.text("ABCxyz019_+=,.@-", min_size=1, max_size=64)
PATHS = st.just("/") | st.text(PRINTABLE, min_size=1, max_size=60).map(lambda text: f"/{text}/")
PARTITIONS = st.sampled_from(["aws", "aws-cn", "aws-us-gov"])


@st.composite
def subjects(draw: st.DrawFn) -> TrustSubject:
    partition, kind = draw(PARTITIONS), draw(st.sampled_from(["role", "user"]))
    arns = st.builds(lambda path, name: f"arn:{partition}:iam::491200653381:role{path}{name}", PATHS, NAMES)
    return TrustSubject(
        draw(st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=12, max_size=12)),
        draw(arns),
        timedelta(hours=draw(st.integers(1, 12))),
        Principal(f"arn:{partition}:iam::111111111111:{kind}{draw(PATHS)}{draw(NAMES)}"),
        draw(st.from_regex(r"[A-Za-z0-9_+=,.@:/-]{2,64}", fullmatch=True)),
        tuple(draw(st.lists(arns, max_size=3))),
    )


CHOICES = st.sampled_from(ALL_OPTIONS)
REACHES = st.sampled_from(Reach)


def texts(subject: TrustSubject, options: TrustOptions, reach: Reach = Reach.ACCOUNT) -> dict[str, str]:
    every = (*role_texts(subject, options), *portal_texts(subject, options, reach))
    return {item.key: item.text for item in every}


def terraform(text: str) -> tuple[dict[str, Any], Any]:
    """Read a resource: its plain arguments, and the policy. What would begin a template fails."""
    hcl2.loads(text + "\n")
    head, _, policy = text.partition(" = jsonencode(")
    assert not re.search(r"[$%]\{", text)
    plain = {name: json.loads(value) for name, value in re.findall(r"^  (\w+) += (.*)$", head, re.M)}
    return plain, json.loads(policy.removesuffix(")\n}"))


def argv_of(text: str, folder: Path, shell: str = "bash") -> list[str]:
    """Run a text in a real shell whose ``aws`` writes its arguments down; nothing else may run or be written."""
    fake = folder / "aws"
    if not fake.exists():
        fake.write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
        fake.chmod(0o755)
    program = shutil.which(shell)
    assert program
    done = subprocess.run(
        [program, "-c", text],
        cwd=folder,
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\0")[:-1]


@pytest.mark.parametrize("options", ALL_OPTIONS, ids=str)
def test_the_json_is_the_policy(options: TrustOptions) -> None:
    found = texts(a_subject(), options)
    assert json.loads(found["trust-json"]) == trust_policy(a_subject(), options)
    assert json.loads(found["portal-json"]) == portal_policy(a_subject(), options, Reach.ACCOUNT)


def test_the_json_is_laid_out_for_people() -> None:
    assert texts(a_subject(), TrustOptions(tags=False, source_identity=False))["trust-json"] == (
        "{\n"
        '  "Version": "2012-10-17",\n'
        '  "Statement": [\n'
        "    {\n"
        '      "Sid": "Assume",\n'
        '      "Effect": "Allow",\n'
        f'      "Principal": {{"AWS": "{PORTAL}"}},\n'
        '      "Action": "sts:AssumeRole",\n'
        f'      "Condition": {{"StringEquals": {{"sts:ExternalId": "{EXTERNAL_ID}"}}}}\n'
        "    }\n"
        "  ]\n"
        "}"
    )


def test_bash_gives_the_cli_exactly_the_policy(tmp_path: Path) -> None:
    subject = a_subject(HOSTILE)
    found = texts(subject, TrustOptions())
    *words, document = argv_of(found["trust-cli"], tmp_path)
    assert words == ["iam", "update-assume-role-policy", "--role-name=-Read=Only", "--policy-document"]
    assert json.loads(document) == trust_policy(subject, TrustOptions())


def test_bash_makes_a_new_role_with_its_path_and_longest_session(tmp_path: Path) -> None:
    subject = a_subject(HOSTILE)
    *words, document = argv_of(texts(subject, TrustOptions())["trust-cli-new"], tmp_path)
    options = ["--path", HOSTILE_PATH, "--role-name=-Read=Only", "--max-session-duration", "14400"]
    assert words == ["iam", "create-role", *options, "--assume-role-policy-document"]
    assert json.loads(document) == trust_policy(subject, TrustOptions())


@pytest.mark.parametrize(
    ("kind", "reach", "name"),
    [
        ("role", Reach.ROLE, "credportal-4k9zq2h7m3xw"),
        ("user", Reach.ACCOUNT, "credportal-491200653381"),
    ],
)
def test_bash_gives_the_portal_its_policy(kind: str, reach: Reach, name: str, tmp_path: Path) -> None:
    subject = a_subject(HOSTILE, f"arn:aws:iam::111111111111:{kind}/team/portal")
    *words, document = argv_of(texts(subject, TrustOptions(), reach)["portal-cli"], tmp_path)
    named = [f"--{kind}-name", "portal", "--policy-name", name, "--policy-document"]
    assert words == ["iam", f"put-{kind}-policy", *named]
    assert json.loads(document) == portal_policy(subject, TrustOptions(), reach)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=subjects(), options=CHOICES, reach=REACHES)
def test_no_arn_and_no_external_id_breaks_out_of_bash(
    subject: TrustSubject, options: TrustOptions, reach: Reach, tmp_path: Path
) -> None:
    found = texts(subject, options, reach)
    assert json.loads(argv_of(found["trust-cli-new"], tmp_path)[-1]) == trust_policy(subject, options)
    assert json.loads(argv_of(found["portal-cli"], tmp_path)[-1]) == portal_policy(subject, options, reach)
    assert [entry.name for entry in tmp_path.iterdir()] == ["aws"]


@given(subject=subjects(), options=CHOICES, reach=REACHES)
def test_no_arn_and_no_external_id_breaks_out_of_json_or_yaml(
    subject: TrustSubject, options: TrustOptions, reach: Reach
) -> None:
    found = texts(subject, options, reach)
    trusted, allowed = trust_policy(subject, options), portal_policy(subject, options, reach)
    assert (json.loads(found["trust-json"]), json.loads(found["portal-json"])) == (trusted, allowed)
    role = yaml.safe_load(found["trust-cloudformation"])["Resources"]["CredportalRole"]["Properties"]
    assert role == {
        "Path": subject.path,
        "RoleName": subject.name,
        "MaxSessionDuration": subject.max_session_duration.total_seconds(),
        "AssumeRolePolicyDocument": trusted,
    }
    permission = yaml.safe_load(found["portal-cloudformation"])["Resources"]["CredportalPermission"]
    kind = subject.principal.kind.title()
    assert permission["Type"] == f"AWS::IAM::{kind}Policy"
    assert permission["Properties"]["PolicyDocument"] == allowed
    assert permission["Properties"][f"{kind}Name"] == subject.principal.name


@settings(max_examples=25, deadline=None)
@given(subject=subjects(), options=CHOICES, reach=REACHES)
@example(subject=a_subject(HOSTILE), options=TrustOptions(), reach=Reach.ROLE)
@example(subject=a_subject("arn:aws:iam::491200653381:role/%{/$${/R"), options=TrustOptions(), reach=Reach.ROLE)
def test_no_arn_and_no_external_id_breaks_out_of_terraform(
    subject: TrustSubject, options: TrustOptions, reach: Reach
) -> None:
    found = texts(subject, options, reach)
    plain, trusted = terraform(found["trust-terraform"])
    seconds = subject.max_session_duration.total_seconds()
    assert plain == {"name": subject.name, "path": subject.path, "max_session_duration": seconds}
    assert trusted == trust_policy(subject, options)
    plain, allowed = terraform(found["portal-terraform"])
    assert plain[subject.principal.kind] == subject.principal.name
    assert allowed == portal_policy(subject, options, reach)


def test_a_template_of_terraform_in_a_path_is_escaped() -> None:
    found = texts(a_subject("arn:aws:iam::491200653381:role/${a}%{b}/R"), TrustOptions())
    assert '  path                 = "/\\u0024{a}\\u0025{b}/"' in found["trust-terraform"]


@pytest.mark.parametrize(
    ("name", "label"), [("Read.Only@x", "Read_Only_x"), ("1st", "_1st"), ("-x", "_-x"), ("==", "__")]
)
def test_a_resource_of_terraform_gets_a_legal_label(name: str, label: str) -> None:
    text = texts(a_subject(f"arn:aws:iam::491200653381:role/{name}"), TrustOptions())["trust-terraform"]
    assert text.startswith(f'resource "aws_iam_role" "{label}" {{\n')
    hcl2.loads(text + "\n")


@pytest.mark.parametrize(("partition", "kind"), [("aws", "role"), ("aws-cn", "user"), ("aws-us-gov", "role")])
def test_cfn_lint_has_nothing_to_say(partition: str, kind: str) -> None:
    arn, portal = ROLE.replace("arn:aws:", f"arn:{partition}:"), f"arn:{partition}:iam::111111111111:{kind}/portal"
    for reach in Reach:
        subject = a_subject(arn, portal, neighbours=(f"arn:{partition}:iam::491200653381:role/Other",))
        found = texts(subject, TrustOptions(), reach)
        for key in ("trust-cloudformation", "portal-cloudformation"):
            assert [str(match) for match in cfnlint.api.lint(found[key], regions=["us-east-1"])] == []


def test_cfn_lint_would_notice_a_mistake() -> None:
    text = texts(a_subject(), TrustOptions())["trust-cloudformation"]
    assert cfnlint.api.lint(text.replace("MaxSessionDuration: 14400", "MaxSessionDuration: 1"), regions=["us-east-1"])


def test_keys_are_unique_and_every_text_says_when_to_take_it() -> None:
    every: tuple[PolicyText, ...] = (
        *role_texts(a_subject(), TrustOptions()),
        *portal_texts(a_subject(), TrustOptions(), Reach.ROLE),
    )
    assert len({item.key for item in every}) == len(every) == 9
    assert all(item.note.endswith(".") for item in every)
