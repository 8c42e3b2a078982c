"""AssumeRole's answer, believed only when it is whole.

botocore returns an answer without credentials, with half of them, or with an expiration
in the past without a word. Nothing of that may reach a person.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from django.views.decorators.debug import sensitive_variables

from credportal.aws.errors import AssumeRoleError, failure
from credportal.domain.types import AssumedRole, Credentials

# AWS refuses a signature that is more than five minutes off, so an honest expiration is no further away.
TOLERANCE = timedelta(minutes=5)
SKEW = timedelta(seconds=60)


@sensitive_variables()
def assumed_role(answer: Mapping[str, Any], *, duration: timedelta, now: datetime) -> AssumedRole:
    """Check the answer of AssumeRole and give it in our words; the expiration in whole seconds, UTC.

    ``now`` is aware and taken before the call, ``duration`` is what was asked. Ids and ARN
    of the assumed role may be empty: some endpoints leave them out, and they open nothing.
    Raises AssumeRoleError ``sts_bad_response`` or ``clock_skew``, with no part of the answer in it.
    """
    metadata, now = _mapping(answer.get("ResponseMetadata")), now.replace(microsecond=0)
    credentials = _credentials(_mapping(answer.get("Credentials")))
    if credentials is None:
        raise _unbelievable("sts_bad_response", metadata)
    ends = credentials.expiration
    if ends <= now or abs(ends - now - duration) > TOLERANCE:
        raise _unbelievable("clock_skew.answer" if _clocks_differ(metadata, now) else "sts_bad_response", metadata)
    user = _mapping(answer.get("AssumedRoleUser"))
    size = answer.get("PackedPolicySize")
    return AssumedRole(
        credentials=credentials,
        assumed_role_id=str(user.get("AssumedRoleId") or ""),
        assumed_role_arn=str(user.get("Arn") or ""),
        aws_request_id=str(metadata.get("RequestId") or ""),
        packed_policy_size=size if isinstance(size, int) else None,
    )


@sensitive_variables()
def _credentials(found: Mapping[str, Any]) -> Credentials | None:
    key, secret, token = (found.get(name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    ends = found.get("Expiration")
    if not isinstance(ends, datetime) or ends.tzinfo is None:
        return None
    if not (_is_value(key) and _is_value(secret) and _is_value(token)):
        return None
    return Credentials(
        access_key_id=str(key),
        secret_access_key=str(secret),
        session_token=str(token),
        expiration=ends.astimezone(UTC).replace(microsecond=0),
    )


def _is_value(value: object) -> bool:
    # Key id and token travel in HTTP headers later, so nothing but visible ASCII can be right.
    return isinstance(value, str) and value.isascii() and value.isprintable() and value != "" and " " not in value


def _clocks_differ(metadata: Mapping[str, Any], now: datetime) -> bool:
    try:
        theirs = parsedate_to_datetime(str(_mapping(metadata.get("HTTPHeaders")).get("date")))
    except ValueError:
        return False
    return abs(theirs.astimezone(UTC) - now) > SKEW


def _unbelievable(row: str, metadata: Mapping[str, Any]) -> AssumeRoleError:
    return AssumeRoleError(failure(row, aws_request_id=str(metadata.get("RequestId") or "")))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
