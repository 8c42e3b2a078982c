"""Narrowing: the session policies that take away, and never give."""

import ipaddress
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.narrowing import MAX_SESSION_POLICY_LENGTH, canonical_address, describe, session_policy
from credportal.domain.types import Narrowing

REGIONS = st.from_regex(re.compile(r"[a-z]{2,4}(-[a-z]{1,9}){1,2}-[0-9]", re.ASCII), fullmatch=True)
PARTITIONS = st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-b"])
NARROWINGS = st.builds(
    Narrowing, st.booleans(), st.one_of(st.just(""), st.ip_addresses().map(str)), st.one_of(st.just(""), REGIONS)
).filter(bool)


def statements_of(narrowing: Narrowing, partition: str = "aws") -> dict[str, dict[str, Any]]:
    return {
        statement["Sid"]: statement for statement in json.loads(session_policy(narrowing, partition)[0])["Statement"]
    }


def test_nothing_narrowed_needs_no_session_policy() -> None:
    assert session_policy(Narrowing(), "aws") == ("", ())
    assert describe(Narrowing()) == ()


def test_read_only_is_the_managed_policy_of_the_partition() -> None:
    assert session_policy(Narrowing(read_only=True), "aws-cn")[1] == ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess",)


def test_a_read_only_session_has_no_inline_allow_that_would_widen_it() -> None:
    both = Narrowing(read_only=True, address="203.0.113.24", region="eu-west-1")
    assert {statement["Effect"] for statement in statements_of(both).values()} == {"Deny"}


def test_without_read_only_the_inline_policy_allows_what_the_role_allows() -> None:
    allow = statements_of(Narrowing(region="eu-west-1"))["AllowRole"]
    assert (allow["Effect"], allow["Action"], allow["Resource"]) == ("Allow", "*", "*")


@given(NARROWINGS)
def test_every_narrowed_session_is_denied_chaining(narrowing: Narrowing) -> None:
    assert statements_of(narrowing)["DenyChaining"] == {
        "Sid": "DenyChaining",
        "Effect": "Deny",
        "Action": "sts:Assume*",
        "Resource": "*",
    }


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.24", "203.0.113.24/32"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1/128"),
        ("::ffff:203.0.113.24", "203.0.113.24/32"),
    ],
)
def test_my_address_is_one_address_and_lets_services_call_for_me(address: str, network: str) -> None:
    deny = statements_of(Narrowing(address=address))["DenyOtherAddresses"]
    assert (deny["Effect"], deny["Action"]) == ("Deny", "*")
    assert deny["Condition"] == {
        "NotIpAddress": {"aws:SourceIp": network},
        "BoolIfExists": {"aws:ViaAWSService": "false"},
    }


def test_one_region_denies_the_others_and_spares_global_services() -> None:
    deny = statements_of(Narrowing(region="eu-west-1"))["DenyOtherRegions"]
    assert deny["Condition"] == {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    assert {"iam:*", "sts:*", "organizations:*", "route53:*", "cloudfront:*", "support:*"} <= set(deny["NotAction"])
    assert not {"*", "s3:*", "ec2:*", "kms:*"} & set(deny["NotAction"])
    assert "Action" not in deny


@pytest.mark.parametrize(
    "address",
    [
        " ",
        "203.0.113",
        "203.0.113.24/8",
        "0/0",
        "203.0.113.24 ",
        "203.0.113.024",
        "٢٠٣.0.113.24",
        "fe80::1%eth0",
        "*",
        '203.0.113.24","0.0.0.0/0',
        "localhost",
        "203.0.113.24, 198.51.100.1",
        "203.0.113.24\n",
    ],
)
def test_a_text_that_is_no_address_is_refused(address: str) -> None:
    for speak in (lambda narrowing: session_policy(narrowing, "aws"), describe):
        with pytest.raises(ValueError, match="not an IP address"):
            speak(Narrowing(address=address))


@pytest.mark.parametrize(
    "region",
    [
        " ",
        "*",
        "eu-west-*",
        "eu-west-1 ",
        "eu-west-1\n",
        "EU-WEST-1",
        "eu-west",
        "eu--1",
        "eu-west-12",
        "eu-west-١",
        "e-west-1",
        "europe-west-1",
        '"',
        "eu-" + "a" * 40 + "-1",
    ],
)
def test_a_text_that_is_no_region_is_refused(region: str) -> None:
    for speak in (lambda narrowing: session_policy(narrowing, "aws"), describe):
        with pytest.raises(ValueError, match="not an AWS region"):
            speak(Narrowing(region=region))


@pytest.mark.parametrize("partition", ["", "AWS", "aws:iam", "aws\n", "gcp", "aws-"])
def test_a_text_that_is_no_partition_is_refused(partition: str) -> None:
    with pytest.raises(ValueError, match="not an AWS partition"):
        session_policy(Narrowing(read_only=True), partition)


@given(NARROWINGS, PARTITIONS)
def test_a_session_policy_is_compact_json_that_fits(narrowing: Narrowing, partition: str) -> None:
    policy, managed = session_policy(narrowing, partition)
    assert json.dumps(json.loads(policy), separators=(",", ":")) == policy
    assert re.fullmatch(r"[!-~]+", policy)
    assert len(policy) + sum(map(len, managed)) <= MAX_SESSION_POLICY_LENGTH


@given(NARROWINGS, PARTITIONS)
def test_every_statement_has_its_own_sid(narrowing: Narrowing, partition: str) -> None:
    sids = [statement["Sid"] for statement in json.loads(session_policy(narrowing, partition)[0])["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", sid) for sid in sids)


@given(st.ip_addresses())
def test_the_policy_names_exactly_the_persons_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    deny = statements_of(Narrowing(address=str(address)))["DenyOtherAddresses"]
    network = ipaddress.ip_network(deny["Condition"]["NotIpAddress"]["aws:SourceIp"])
    assert network.num_addresses == 1
    assert str(network.network_address) == canonical_address(str(address))


def test_a_narrowing_is_said_in_words() -> None:
    assert describe(Narrowing(read_only=True, address="203.0.113.24", region="eu-west-1")) == (
        "read-only",
        "only from 203.0.113.24",
        "only in eu-west-1",
    )
