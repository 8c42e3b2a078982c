"""AssumeRole's arguments: our session spec in AWS's words, checked before anything is sent.

botocore checks types and minimum lengths only, so longest lengths and patterns are ours
to check. They are those of the service model (API version 2011-06-15) and of
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from credportal.aws.errors import AssumeRoleError, failure
from credportal.domain.types import SessionSpec

if TYPE_CHECKING:
    from mypy_boto3_sts.type_defs import AssumeRoleRequestTypeDef

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
MAX_TAGS = 50
MAX_POLICY_ARNS = 10
# Inline policy and managed policy ARNs share this limit of plain text.
MAX_POLICY_CHARACTERS = 2048

# Some endpoints leave the account out of an ARN or put no digits there, so only its shape is checked.
_ARN = re.compile(r"arn:[!-~]{16,2044}")
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
# AWS allows letters of all scripts in tags; Python's re has no classes for that, and ASCII is enough.
_TAG_KEY = re.compile(r"[\w .:/=+@-]{1,128}", re.ASCII)
_TAG_VALUE = re.compile(r"[\w .:/=+@-]{0,256}", re.ASCII)
_POLICY = re.compile(r"[\t\n\r\x20-\xff]+")


def arguments(spec: SessionSpec) -> "AssumeRoleRequestTypeDef":
    """Write the spec as AssumeRole's arguments. Raises AssumeRoleError ``bad_parameters``, naming the fields."""
    wrong = list(_wrong(spec))
    if wrong:
        raise AssumeRoleError(failure("bad_parameters", aws_words=f"Not sent. Refused here: {', '.join(wrong)}."))
    asked: AssumeRoleRequestTypeDef = {
        "RoleArn": spec.role_arn,
        "RoleSessionName": spec.session_name,
        "DurationSeconds": int(spec.duration.total_seconds()),
    }
    if spec.external_id:
        asked["ExternalId"] = spec.external_id
    if spec.source_identity:
        asked["SourceIdentity"] = spec.source_identity
    if spec.session_tags:
        asked["Tags"] = [{"Key": key, "Value": value} for key, value in spec.session_tags]
    if spec.session_policy:
        asked["Policy"] = spec.session_policy
    if spec.session_policy_arns:
        asked["PolicyArns"] = [{"arn": arn} for arn in spec.session_policy_arns]
    return asked


def _wrong(spec: SessionSpec) -> Iterator[str]:
    if not _ARN.fullmatch(spec.role_arn):
        yield "role ARN"
    if not _NAME.fullmatch(spec.session_name):
        yield "session name"
    if not SHORTEST <= spec.duration <= LONGEST or spec.duration.microseconds:
        yield "duration"
    if spec.external_id and not _EXTERNAL_ID.fullmatch(spec.external_id):
        yield "external id"
    if spec.source_identity and not _NAME.fullmatch(spec.source_identity):
        yield "source identity"
    if not _tags_are_legal(spec.session_tags):
        yield "session tags"
    if not _policies_are_legal(spec.session_policy, spec.session_policy_arns):
        yield "session policy"


def _tags_are_legal(tags: tuple[tuple[str, str], ...]) -> bool:
    # AWS compares keys without regard to case, and keeps the prefix aws: to itself.
    keys = [key.lower() for key, _ in tags]
    return (
        len(tags) <= MAX_TAGS
        and len(set(keys)) == len(keys)
        and not any(key.startswith("aws:") for key in keys)
        and all(_TAG_KEY.fullmatch(key) and _TAG_VALUE.fullmatch(value) for key, value in tags)
    )


def _policies_are_legal(policy: str, arns: tuple[str, ...]) -> bool:
    return (
        len(arns) <= MAX_POLICY_ARNS
        and all(_ARN.fullmatch(arn) for arn in arns)
        and len(policy) + sum(map(len, arns)) <= MAX_POLICY_CHARACTERS
        and (not policy or _POLICY.fullmatch(policy) is not None)
    )
