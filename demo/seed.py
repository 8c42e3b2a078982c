"""Builds the roles of the catalogue on the local AWS endpoint, through its own API."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml

HERE = Path(__file__).parent
CATALOGUE = HERE / "catalogue.yaml"
PERMISSIONS = HERE / "permissions.yaml"
REGION = "eu-west-1"


@dataclass(frozen=True)
class PortalUser:
    """The portal's own IAM user on the local endpoint, with its access key."""

    arn: str
    access_key_id: str
    secret_access_key: str


class Seeder:
    """Writes to one endpoint as long as its authorisation is still off."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url

    def client(self, service: str, account: str) -> Any:
        """Make a client that acts inside an account. The endpoint puts a session into the account of its role."""
        anybody = _session("seeding", "seeding")
        answer = anybody.client("sts", endpoint_url=self.endpoint_url).assume_role(
            RoleArn=f"arn:aws:iam::{account}:role/seeding", RoleSessionName="seeding"
        )
        key = answer["Credentials"]
        inside = _session(key["AccessKeyId"], key["SecretAccessKey"], key["SessionToken"])
        return inside.client(service, endpoint_url=self.endpoint_url)

    def portal(self, facts: dict[str, Any]) -> PortalUser:
        """Make the portal's IAM user with a fresh access key and the policy that it has on AWS too."""
        iam = self.client("iam", facts["account"])
        arn = iam.create_user(UserName=facts["user"])["User"]["Arn"]
        policy = _document([_allow(facts["actions"], facts["resource"])])
        iam.put_user_policy(UserName=facts["user"], PolicyName="credportal", PolicyDocument=policy)
        key = iam.create_access_key(UserName=facts["user"])["AccessKey"]
        return PortalUser(arn, key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, arn: str, *, trusted: str, external_id: str, seconds: int, actions: list[str]) -> None:
        """Make one role: who may assume it, for how many seconds at most, and what its sessions may do."""
        path, _, name = arn.partition(":role")[2].rpartition("/")
        iam = self.client("iam", arn.split(":")[4])
        iam.create_role(
            RoleName=name,
            Path=f"{path}/",
            AssumeRolePolicyDocument=trust_policy(trusted, external_id),
            MaxSessionDuration=seconds,
        )
        iam.put_role_policy(RoleName=name, PolicyName="demo", PolicyDocument=_document([_allow(actions, "*")]))

    def bucket(self, account: str, name: str, key: str, body: str) -> None:
        """Make one bucket with one object."""
        s3 = self.client("s3", account)
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=name, Key=key, Body=body.encode())


def trust_policy(principal: str, external_id: str) -> str:
    """Return a trust policy as docs/walkthrough.md has it: assume with the ExternalId, tag, set the source identity."""
    who = {"AWS": principal}
    assume = {"Sid": "Assume", "Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
    return _document(
        [
            {**assume, "Condition": {"StringEquals": {"sts:ExternalId": external_id}}},
            {"Sid": "Tag", "Effect": "Allow", "Principal": who, "Action": "sts:TagSession"},
            {"Sid": "SourceIdentity", "Effect": "Allow", "Principal": who, "Action": "sts:SetSourceIdentity"},
        ]
    )


def seed(endpoint_url: str, external_ids: dict[str, str]) -> PortalUser:
    """Build everything on an empty endpoint. ``external_ids`` are the portal's, by account number."""
    catalogue = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    facts = yaml.safe_load(PERMISSIONS.read_text(encoding="utf-8"))
    seeder = Seeder(endpoint_url)
    portal = seeder.portal(facts["portal"])
    for account in catalogue["accounts"]:
        for bucket in facts["buckets"]:
            name = f"{bucket['name']}-{account['name']}"
            seeder.bucket(account["number"], name, bucket["key"], bucket["body"])
    for role in catalogue["roles"]:
        arn: str = role["arn"]
        account_number, name = arn.split(":")[4], arn.rpartition("/")[2]
        stranger = f"arn:aws:iam::{account_number}:role/batch-runner"
        seeder.role(
            arn,
            trusted=stranger if name in facts["trusts_somebody_else"] else portal.arn,
            external_id=external_ids[account_number],
            seconds=3600 * int(role["max_session_duration"].removesuffix("h")),
            actions=facts["permissions"][name],
        )
    return portal


def _session(access_key_id: str, secret_access_key: str, session_token: str | None = None) -> Any:
    return boto3.Session(access_key_id, secret_access_key, session_token, region_name=REGION)


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
