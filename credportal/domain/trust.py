"""The policies that let the portal into a role: the role's trust policy, and the portal's own permissions.

Across accounts AWS asks both sides for each action (IAM user guide, "Cross-account policy evaluation logic"), and
it is all or nothing: tags or a source identity sent to a role that does not allow them fail the whole call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from credportal.domain.naming import ISSUANCE_TAG, ISSUED_BY_TAG, TICKET_TAG, account_number_from, is_role_arn

TRUST_POLICY_LIMIT = 2048
"""Characters of a trust policy without white space, as IAM sets it for a new account."""
INLINE_POLICY_LIMITS = {"role": 10_240, "user": 2_048}
"""Characters of all inline policies of one role or user together, without white space ("IAM quotas" of its guide)."""
TAG_KEYS = (ISSUANCE_TAG, TICKET_TAG, ISSUED_BY_TAG)

Policy = dict[str, Any]

# A path may hold any printable ASCII. The wildcards * and ? are left out: a principal is one role or one user.
_PRINCIPAL = re.compile(
    r"arn:(?P<partition>aws(?:-[a-z]+)*):iam::(?P<account>[0-9]{12}):(?P<kind>role|user)"
    r"/(?:[!-)+->@-~]{1,510}/)?(?P<name>[A-Za-z0-9_+=,.@-]{1,64})",
    re.ASCII,
)
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_+=,.@:/-]{2,1224}", re.ASCII)


class Reach(StrEnum):
    """For what the portal's own policy is written: one role, or all roles of the catalogue in its account."""

    ROLE = "role"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """What a trust policy asks for and allows beside the principal. All of it unless somebody switches it off."""

    external_id: bool = True
    tags: bool = True
    source_identity: bool = True

    @property
    def actions(self) -> list[str]:
        """Return the actions that both sides have to allow."""
        wanted = {"sts:AssumeRole": True, "sts:TagSession": self.tags, "sts:SetSourceIdentity": self.source_identity}
        return [action for action, on in wanted.items() if on]


@dataclass(frozen=True, slots=True)
class Principal:
    """The portal as trust policies name it. ``kind`` is ``role`` or ``user``. Raises ValueError for any other ARN."""

    arn: str

    def __post_init__(self) -> None:
        if not _PRINCIPAL.fullmatch(self.arn):
            raise ValueError("A principal is the ARN of one IAM role or user.")

    @property
    def partition(self) -> str:
        """Return the partition, such as ``aws-cn``."""
        return self._part("partition")

    @property
    def account_number(self) -> str:
        """Return the twelve digits of the portal's own account."""
        return self._part("account")

    @property
    def kind(self) -> str:
        """Return ``role`` or ``user``."""
        return self._part("kind")

    @property
    def name(self) -> str:
        """Return the name without the path."""
        return self._part("name")

    @property
    def has_path(self) -> bool:
        """Tell whether the ARN names a path."""
        return self.arn.count("/") > 1

    def _part(self, name: str) -> str:
        match = _PRINCIPAL.fullmatch(self.arn)
        return match[name] if match else ""


@dataclass(frozen=True, slots=True)
class TrustSubject:
    """A role and the portal that wants in. ``neighbours`` are the catalogue's roles in the same account, as ARNs.

    Raises ValueError where a part could not stand in a policy, so that no text below can break out of its quotes.
    """

    role_id: str
    role_arn: str
    max_session_duration: timedelta
    principal: Principal
    external_id: str = field(repr=False)
    neighbours: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(is_role_arn(arn) for arn in (self.role_arn, *self.neighbours)):
            raise ValueError("A trust policy belongs to the ARN of one IAM role.")
        if not is_external_id(self.external_id):
            raise ValueError("An ExternalId has 2 to 1224 characters of [A-Za-z0-9_+=,.@:/-].")
        if not re.fullmatch("[a-z0-9]{1,16}", self.role_id, re.ASCII):
            raise ValueError("A role's id is made of lower case letters and digits.")

    @property
    def account_number(self) -> str:
        """Return the twelve digits of the role's account."""
        return account_number_from(self.role_arn)

    @property
    def name(self) -> str:
        """Return the role's name without its path."""
        return self.role_arn.rpartition("/")[2]

    @property
    def path(self) -> str:
        """Return the role's path, ``/`` where it has none of its own."""
        return self.role_arn.partition(":role")[2].removesuffix(self.name)


def is_external_id(text: str) -> bool:
    """Tell whether STS takes a text as an ExternalId."""
    return _EXTERNAL_ID.fullmatch(text) is not None


def principal_problem(arn: str, partition: str) -> str:
    """Say what is wrong with an ARN as the portal's principal in this partition; empty where nothing is."""
    try:
        principal = Principal(arn)
    except ValueError:
        return "Write the ARN of the portal’s own role or user, such as arn:aws:iam::111122223333:role/credportal."
    if principal.partition != partition:
        return (
            f"This role is in the partition {partition}, the portal’s principal in {principal.partition}. AWS lets "
            "nobody cross partitions: this role needs a portal of its own partition."
        )
    return ""


def trust_policy(subject: TrustSubject, options: TrustOptions) -> Policy:
    """Return the trust policy of the role: one action, one statement, its own condition.

    A condition on tags beside sts:SetSourceIdentity refuses every call, so the three never share a statement.
    """
    assume = _allow("Assume", subject, "sts:AssumeRole")
    if options.external_id:
        assume["Condition"] = {"StringEquals": {"sts:ExternalId": subject.external_id}}
    statements = [assume]
    if options.tags:
        only_ours = {"ForAllValues:StringEquals": {"aws:TagKeys": list(TAG_KEYS)}}
        statements.append({**_allow("Tag", subject, "sts:TagSession"), "Condition": only_ours})
    if options.source_identity:
        statements.append(_allow("SourceIdentity", subject, "sts:SetSourceIdentity"))
    return _document(statements)


def portal_policy(subject: TrustSubject, options: TrustOptions, reach: Reach) -> Policy:
    """Return what the portal's own role or user needs: the same actions, on this role or on all of its account."""
    arns = [subject.role_arn] if reach is Reach.ROLE else sorted({subject.role_arn, *subject.neighbours})
    # In a Resource ${...} is a policy variable; ${$} is the dollar sign itself (IAM user guide, "Policy variables").
    resources = [arn.replace("${", "${$}{") for arn in arns]
    resource: str | list[str] = resources[0] if len(resources) == 1 else resources
    return _document([{"Sid": "Issue", "Effect": "Allow", "Action": options.actions, "Resource": resource}])


def trust_warnings(
    subject: TrustSubject, options: TrustOptions, *, accepts_tags: bool, accepts_source_identity: bool
) -> list[str]:
    """Say what somebody should know before they paste this trust policy. The two flags are the catalogue's."""
    found = []
    if not options.external_id:
        found.append(
            "Without the ExternalId this role lets the portal in on its ARN alone. Whoever gets that ARN into another "
            "catalogue of the same principal gets in too, and the probe will report the role as open. "
            "The portal always sends the ExternalId, and nobody has to type it: leave it on."
        )
    if accepts_tags and not options.tags:
        found.append(_mismatch("session tags"))
    if accepts_source_identity and not options.source_identity:
        found.append(_mismatch("a source identity"))
    size = _characters(trust_policy(subject, options))
    if size > TRUST_POLICY_LIMIT:
        found.append(
            f"This trust policy has {size} characters, and IAM takes {TRUST_POLICY_LIMIT} unless the account’s quota "
            "was raised. Ask AWS for more, or give the portal’s role a shorter path."
        )
    return found


def portal_warnings(subject: TrustSubject, options: TrustOptions, reach: Reach) -> list[str]:
    """Say what somebody should know before they paste the portal's own policy."""
    size = _characters(portal_policy(subject, options, reach))
    limit = INLINE_POLICY_LIMITS[subject.principal.kind]
    if size <= limit:
        return []
    return [
        (
            f"This policy has {size:,} characters, and IAM takes {limit:,} in all inline policies of a "
            f"{subject.principal.kind} together. Put the roles under one path and name that path in its place: "
            f"arn:{subject.principal.partition}:iam::{subject.account_number}:role/credportal/*"
        )
    ]


def _mismatch(what: str) -> str:
    return (
        f"The catalogue says that this role accepts {what}. With this trust policy AWS would refuse every session, "
        "until the next probe or an admin takes that back."
    )


def _allow(sid: str, subject: TrustSubject, action: str) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": subject.principal.arn}, "Action": action}


def _document(statements: Sequence[Policy]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _characters(policy: Policy) -> int:
    return len(json.dumps(policy, separators=(",", ":")))
