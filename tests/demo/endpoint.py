"""A real local AWS endpoint in a process of its own, and the real AWS CLI against it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.venv import ROOT

SANDBOX, STAGING, PRODUCTION = "348162907451", "720549318264", "915037264818"
EXTERNAL_IDS = {SANDBOX: "external-sandbox", STAGING: "external-staging", PRODUCTION: "external-production"}


@dataclass(frozen=True)
class Endpoint:
    """The address and the portal's own key."""

    process: "subprocess.Popen[str]"
    url: str
    access_key_id: str
    secret_access_key: str

    @property
    def portal(self) -> dict[str, str]:
        """The environment of the portal's own IAM user."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }

    def assume(self, account: str, role: str, *options: str, external_id: str | None = None) -> dict[str, str]:
        """Assume a role as the portal does, and return the environment of the new session."""
        arn = f"arn:aws:iam::{account}:role/credportal/{role}"
        secret = external_id or EXTERNAL_IDS[account]
        command = ["--role-arn", arn, "--role-session-name", "alice-7k3qz9", "--external-id", secret, *options]
        done = aws(self.portal, "sts", "assume-role", *command)
        if done.returncode:
            raise RefusedByAwsError(done.stderr)
        key: dict[str, Any] = json.loads(done.stdout)["Credentials"]
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_SESSION_TOKEN": key["SessionToken"],
        }


class RefusedByAwsError(Exception):
    """What the AWS CLI said on standard error."""


def aws(environment: dict[str, str], *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the real AWS CLI with this environment and nothing else."""
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": os.devnull,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        **environment,
    }
    command = [str(Path(sys.executable).with_name("aws")), *arguments]
    return subprocess.run(command, env=clean, input=stdin, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def running_endpoint() -> Iterator[Endpoint]:
    """Start the endpoint on a free port, and stop it as the launcher does."""
    command = [sys.executable, "-m", "demo.endpoint"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(EXTERNAL_IDS) + "\n")
        process.stdin.flush()
        facts = json.loads(process.stdout.readline())
        yield Endpoint(process, facts["url"], facts["access_key_id"], facts["secret_access_key"])
        process.stdin.close()
        process.wait(timeout=10)
