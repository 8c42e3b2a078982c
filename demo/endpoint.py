"""The local AWS endpoint: moto's server on loopback, seeded, with its authorisation on.

``python -m demo.endpoint [--port N]`` reads the portal's ExternalIds as one line of JSON
from standard input, prints one line of JSON with its address and the portal's access key,
and serves. Further lines are ids of processes that must not outlive the launcher: standard
input closes when it dies without a word, and then they are ended too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from dataclasses import asdict
from typing import Any
from urllib.request import Request, urlopen

from moto.iam.access_control import IAMRequestBase
from moto.iam.models import IAMBackend, Role, iam_backends
from moto.server import ThreadedMotoServer
from moto.sts.exceptions import STSClientError, STSValidationError
from moto.sts.models import AssumedRole, STSBackend

from demo.seed import PortalUser, seed

LOOPBACK = "127.0.0.1"


def honour_trust_across_accounts() -> None:
    """Let moto look a role up in the role's own account, as AWS does.

    Moto 5.2 looks in the caller's account only, so that it never reads the trust policy
    of a role in another account. The portal lives in an account of its own, as it would
    on AWS; without this every trust policy and ExternalId of the demo would be ignored.
    """

    def backend(request: IAMRequestBase) -> IAMBackend:
        role_arn = request._data.get("RoleArn", [""])[0]  # noqa: SLF001 - moto has no public place for this.
        account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else request.account_id  # noqa: PLR2004 - an ARN has six parts.
        found: IAMBackend = iam_backends[account]["aws"]
        return found

    IAMRequestBase.backend = property(backend)  # type: ignore[assignment, method-assign]


def honour_what_roles_say() -> None:
    """Let moto refuse a missing ExternalId and a session that outlasts its role's maximum, as AWS does.

    Moto 5.2 compares an ExternalId only where one is sent, and never looks at the maximum. Without
    this the portal's doctor would call every role of the demo open. A role that nobody made can
    still be assumed: that is how the demo is seeded.
    """
    assume = STSBackend.assume_role

    def checked(self: STSBackend, **asked: Any) -> AssumedRole:
        role = _role(asked["role_arn"])
        if role is not None:
            if "sts:ExternalId" in role.assume_role_policy_document and not asked["external_id"]:
                raise STSClientError("AccessDenied", f"Not authorized to perform: sts:AssumeRole on {role.arn}")
            if asked["duration"] > int(role.max_session_duration or 3600):
                raise STSValidationError(
                    "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                )
        return assume(self, **asked)

    STSBackend.assume_role = checked  # type: ignore[method-assign,assignment]


def _role(arn: str) -> Role | None:
    account = arn.split(":")[4] if arn.count(":") >= 5 else ""  # noqa: PLR2004 - an ARN has six parts.
    known = iam_backends[account]["aws"].roles.values() if account.isdigit() else ()
    return next((role for role in known if role.arn == arn), None)


def switch_authorisation_on(endpoint_url: str) -> None:
    """From now on every call is checked: signature, identity policy, trust policy, role permissions."""
    request = Request(  # noqa: S310 - our own loopback address.
        f"{endpoint_url}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above.
        answer.read()


def start(port: int, external_ids: dict[str, str]) -> tuple[ThreadedMotoServer, str, PortalUser]:
    """Start, seed and lock the endpoint. Port 0 takes a free one. Raises OSError where the port is taken."""
    honour_trust_across_accounts()
    honour_what_roles_say()
    server = ThreadedMotoServer(LOOPBACK, port, verbose=False)
    server.start()
    endpoint_url = f"http://{LOOPBACK}:{server.get_host_and_port()[1]}"
    portal = seed(endpoint_url, external_ids)
    switch_authorisation_on(endpoint_url)
    return server, endpoint_url, portal


def main() -> None:
    """Serve until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    server, endpoint_url, portal = start(arguments.port, json.loads(sys.stdin.readline()))
    print(json.dumps({"url": endpoint_url, **asdict(portal)}), flush=True)
    dependants = [int(line) for line in sys.stdin]
    for process_id in dependants:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGTERM)
    server.stop()


if __name__ == "__main__":
    main()
