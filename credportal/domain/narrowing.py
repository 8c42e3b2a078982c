"""Narrowing: what a person gives up for one session, as session policies.

A session may do what its role may do *and* its session policies allow; a deny in any policy wins
(IAM user guide, "Session policies" and "Policy evaluation logic"). Several session policies count
like several policies of one role: what any of them allows is allowed. So the inline policy must
not allow everything where a managed one is there to allow only reading.
"""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any

from credportal.domain.types import Narrowing

MAX_SESSION_POLICY_LENGTH = 2048
"""STS's limit in characters for the inline policy and the policy ARNs together (STS API reference)."""

# Services with one endpoint for the whole partition: their calls carry that endpoint's region whatever region
# the person works in. From AWS's own examples of region denial (IAM user guide, "Denies access to AWS based on
# the requested Region"; Organizations user guide, "General examples"). Kept short: STS also limits the packed size.
_GLOBAL_ACTIONS = (
    "account:*",
    "billing:*",
    "budgets:*",
    "ce:*",
    "cloudfront:*",
    "globalaccelerator:*",
    "health:*",
    "iam:*",
    "importexport:*",
    "networkmanager:*",
    "organizations:*",
    "pricing:*",
    "route53:*",
    "route53domains:*",
    "s3:ListAllMyBuckets",
    "shield:*",
    "sts:*",
    "support:*",
    "trustedadvisor:*",
    "waf:*",
)
_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]", re.ASCII)
_REGION_MAX_LENGTH = 32
_PARTITION = re.compile(r"aws(?:-[a-z]+)*", re.ASCII)


def session_policy(narrowing: Narrowing, partition: str) -> tuple[str, tuple[str, ...]]:
    """Return the inline session policy as compact JSON, and the ARNs of managed ones.

    Nothing narrowed gives ``("", ())``. Every narrowed session is also denied ``sts:Assume*``:
    session policies do not follow into the next role, so whoever holds the session could assume
    another role (or the same one again) and be rid of the narrowing. It binds the session's own
    calls; what an AWS service does with a role that was passed to it is that role's affair.

    An absent condition key counts as "not from there": a call without ``aws:SourceIp`` (through a
    VPC endpoint) or without ``aws:RequestedRegion`` is denied. Calls that a service makes for the
    person come from the service's address; ``aws:ViaAWSService`` lets them pass.

    Raises ValueError for an address that is none, a region or a partition of the wrong form.
    """
    if not _PARTITION.fullmatch(partition):
        raise ValueError("That is not an AWS partition.")
    if not narrowing:
        return "", ()
    statements = [_statement("DenyChaining", "Deny", Action="sts:Assume*")]
    managed: tuple[str, ...] = ()
    if narrowing.read_only:
        managed = (f"arn:{partition}:iam::aws:policy/ReadOnlyAccess",)
    else:
        statements.append(_statement("AllowRole", "Allow", Action="*"))
    if narrowing.address:
        statements.append(_only_from(narrowing.address))
    if narrowing.region:
        statements.append(_only_in(narrowing.region))
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")), managed


def describe(narrowing: Narrowing) -> tuple[str, ...]:
    """Say what is narrowed: ``read-only``, ``only from 203.0.113.24``, ``only in eu-west-1``.

    Raises ValueError as ``session_policy`` does.
    """
    words = ["read-only"] if narrowing.read_only else []
    if narrowing.address:
        words.append(f"only from {canonical_address(narrowing.address)}")
    if narrowing.region:
        words.append(f"only in {_checked_region(narrowing.region)}")
    return tuple(words)


def canonical_address(text: str) -> str:
    """Return an IP address in its usual form; an IPv4 address inside an IPv6 one comes out as IPv4.

    Raises ValueError where the text is no single address, or names a network interface (``%eth0``).
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError("That is not an IP address.") from None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise ValueError("That is not an IP address.")
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
    return str(address)


def is_region(text: str) -> bool:
    """Tell whether a text has the form of an AWS region, such as ``eu-west-1`` or ``us-gov-west-1``."""
    return len(text) <= _REGION_MAX_LENGTH and _REGION.fullmatch(text) is not None


def _checked_region(text: str) -> str:
    if not is_region(text):
        raise ValueError("That is not an AWS region.")
    return text


def _statement(sid: str, effect: str, **parts: object) -> dict[str, Any]:
    return {"Sid": sid, "Effect": effect, **parts, "Resource": "*"}


def _only_from(address: str) -> dict[str, Any]:
    network = ipaddress.ip_network(canonical_address(address))
    return _statement("DenyOtherAddresses", "Deny", Action="*") | {
        "Condition": {
            "NotIpAddress": {"aws:SourceIp": str(network)},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
        }
    }


def _only_in(region: str) -> dict[str, Any]:
    return _statement("DenyOtherRegions", "Deny", NotAction=list(_GLOBAL_ACTIONS)) | {
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": _checked_region(region)}}
    }
