"""The same two policies as text to paste: JSON, AWS CLI commands, CloudFormation, Terraform.

Only ARNs, an ExternalId and numbers reach these texts, never what a person wrote about a role. Each format still
quotes every value, because the path of an ARN may hold quotes, dollars and braces.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from credportal.domain.quoting import quote_posix
from credportal.domain.trust import Policy, Reach, TrustOptions, TrustSubject, portal_policy, trust_policy

_LINE_WIDTH = 80


@dataclass(frozen=True, slots=True)
class _Style:
    """How a notation writes an object: what stands between key and value, and inside of the braces."""

    colon: str
    pad: str


_JSON = _Style(": ", "")
_HCL = _Style(" : ", " ")
"""An object of Terraform's language as terraform fmt spaces it. JSON is one, its templates aside."""


@dataclass(frozen=True, slots=True)
class PolicyText:
    """One text to copy. ``key`` names it on the page; ``note`` is a sentence on when to take it."""

    key: str
    title: str
    note: str
    text: str


def policy_text(policy: Policy) -> str:
    """Return a policy as JSON for people: what is short stands on one line."""
    return _spread(policy, _JSON)


def role_texts(subject: TrustSubject, options: TrustOptions) -> tuple[PolicyText, ...]:
    """Return the role's trust policy in every format; all of them belong into the role's account."""
    policy = trust_policy(subject, options)
    seconds = int(subject.max_session_duration.total_seconds())
    described = {"Path": subject.path, "RoleName": subject.name, "MaxSessionDuration": seconds}
    resource = {"Type": "AWS::IAM::Role", "Properties": {**described, "AssumeRolePolicyDocument": policy}}
    return (
        PolicyText(
            "trust-json",
            "JSON",
            "In the IAM console: the role’s tab “Trust relationships”, “Edit trust policy”. It replaces what is there.",
            policy_text(policy),
        ),
        *_role_commands(subject, policy, seconds),
        PolicyText(
            "trust-cloudformation",
            "CloudFormation",
            "For a role of a stack. Add ManagedPolicyArns or Policies for what its sessions may do, "
            "and deploy it with the capability CAPABILITY_NAMED_IAM.",
            _template("CredportalRole", resource),
        ),
        PolicyText(
            "trust-terraform",
            "Terraform",
            "Attach what its sessions may do with aws_iam_role_policy_attachment. Import a role that exists before.",
            _terraform(
                "aws_iam_role",
                subject.name,
                ("name", subject.name),
                ("path", subject.path),
                ("max_session_duration", seconds),
                ("assume_role_policy", policy),
            ),
        ),
    )


def _role_commands(subject: TrustSubject, policy: Policy, seconds: int) -> tuple[PolicyText, PolicyText]:
    return (
        PolicyText(
            "trust-cli",
            "AWS CLI, the role exists",
            "For bash or zsh. It replaces the whole trust policy of the role.",
            _command("update-assume-role-policy", ("role-name", subject.name), ("policy-document", policy)),
        ),
        PolicyText(
            "trust-cli-new",
            "AWS CLI, a new role",
            "For bash or zsh. A new role may do nothing yet: attach permissions with aws iam attach-role-policy.",
            _command(
                "create-role",
                ("path", subject.path),
                ("role-name", subject.name),
                ("max-session-duration", seconds),
                ("assume-role-policy-document", policy),
            ),
        ),
    )


def portal_texts(subject: TrustSubject, options: TrustOptions, reach: Reach) -> tuple[PolicyText, ...]:
    """Return the portal's own permission policy in every format; all of them belong into the portal's account.

    Each reach has a policy name of its own, so that the policy of one role never replaces that of another.
    """
    policy = portal_policy(subject, options, reach)
    kind, whose = subject.principal.kind, subject.principal.name
    name = f"credportal-{subject.role_id if reach is Reach.ROLE else subject.account_number}"
    described = {"PolicyName": name, f"{kind.title()}Name": whose, "PolicyDocument": policy}
    resource = {"Type": f"AWS::IAM::{kind.title()}Policy", "Properties": described}
    return (
        PolicyText(
            "portal-json",
            "JSON",
            f"In the IAM console: the {kind} {whose}, “Add permissions”, “Create inline policy”.",
            policy_text(policy),
        ),
        PolicyText(
            "portal-cli",
            "AWS CLI",
            "For bash or zsh. It adds one inline policy, or replaces the one of the same name.",
            _command(f"put-{kind}-policy", (f"{kind}-name", whose), ("policy-name", name), ("policy-document", policy)),
        ),
        PolicyText(
            "portal-cloudformation",
            "CloudFormation",
            "Deploy it with the capability CAPABILITY_NAMED_IAM.",
            _template("CredportalPermission", resource),
        ),
        PolicyText(
            "portal-terraform",
            "Terraform",
            f"The {kind} may be managed elsewhere: this adds one inline policy to it.",
            _terraform(f"aws_iam_{kind}_policy", name, ("name", name), (kind, whose), ("policy", policy)),
        ),
    )


def _command(verb: str, *arguments: tuple[str, str | int | Policy]) -> str:
    """Write a command of the AWS CLI for bash and zsh, one option a line."""
    return " \\\n  ".join([f"aws iam {verb}", *(_option(name, value) for name, value in arguments)])


def _option(name: str, value: str | int | Policy) -> str:
    if isinstance(value, int):
        return f"--{name} {value}"
    text = value if isinstance(value, str) else policy_text(value)
    # IAM takes names that begin with a hyphen. The CLI would take them for an option.
    return f"--{name}{'=' if text.startswith('-') else ' '}{quote_posix(text)}"


def _template(logical_id: str, resource: dict[str, Any]) -> str:
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {logical_id: resource}}
    return "\n".join(_yaml(template))


def _yaml(value: dict[str, Any] | list[Any], indent: str = "") -> Iterator[str]:
    """Write YAML in which every text is a JSON string, which YAML reads alike: so no date and no tag can arise."""
    pairs = [(f"{key}:", item) for key, item in value.items()] if isinstance(value, dict) else [("-", i) for i in value]
    for head, item in pairs:
        if not isinstance(item, dict | list):
            yield f"{indent}{head} {json.dumps(item)}"
        elif head == "-":
            first, *rest = _yaml(item, f"{indent}  ")
            yield f"{indent}- {first.strip()}"
            yield from rest
        else:
            yield f"{indent}{head}"
            yield from _yaml(item, f"{indent}  ")


def _terraform(kind: str, name: str, *arguments: tuple[str, str | int | Policy]) -> str:
    """Write a resource as terraform fmt does."""
    # The policy comes last and takes several lines: terraform fmt aligns only the lines before it.
    width = max(len(argument) for argument, _ in arguments[:-1])
    label = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    label = f"_{label}" if label[0] in "-0123456789" else label
    lines = [f"  {argument:<{width}} = {_hcl(value)}" for argument, value in arguments[:-1]]
    policy = f"  {arguments[-1][0]} = {_hcl(arguments[-1][1])}"
    return "\n".join([f'resource "{kind}" "{label}" {{', *lines, policy, "}"])


def _hcl(value: str | int | Policy) -> str:
    """Spell a value in Terraform's language, in whose quotes ``${`` and ``%{`` would begin a template.

    Their signs are written by number, which no reader takes for anything else. Doubled signs some do not read.
    """
    if isinstance(value, int):
        return str(value)
    spelled = json.dumps(value) if isinstance(value, str) else f"jsonencode({_spread(value, _HCL)})"
    return spelled.replace("${", "\\u0024{").replace("%{", "\\u0025{").replace("\n", "\n  ")


def _spread(value: Any, style: _Style, indent: str = "") -> str:
    """Write a value over several lines, except for what is short and no statement."""
    line = _line(value, style)
    if not isinstance(value, dict | list) or ("Effect" not in line and len(line) < _LINE_WIDTH):
        return line
    inside = f"{indent}  "
    if isinstance(value, dict):
        opening, closing = "{", "}"
        parts = [f"{json.dumps(key)}{style.colon}{_spread(item, style, inside)}" for key, item in value.items()]
    else:
        opening, closing = "[", "]"
        parts = [_spread(item, style, inside) for item in value]
    return "\n".join([opening, ",\n".join(f"{inside}{part}" for part in parts), f"{indent}{closing}"])


def _line(value: Any, style: _Style) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)}{style.colon}{_line(item, style)}" for key, item in value.items())
        return f"{{{style.pad}{', '.join(pairs)}{style.pad}}}"
    if isinstance(value, list):
        return f"[{', '.join(_line(item, style) for item in value)}]"
    return json.dumps(value)
