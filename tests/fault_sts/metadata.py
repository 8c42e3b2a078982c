"""A metadata service of our own: EC2's (IMDSv2), and the container credentials endpoint.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
Point botocore at it with ``AWS_EC2_METADATA_SERVICE_ENDPOINT=<url>/`` or with
``AWS_CONTAINER_CREDENTIALS_FULL_URI=<url>/container``.
"""

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.fault_sts.ledger import CANARY, wire_time

ROLE_NAME = "credportal-instance"
SESSION_TOKEN = "imds-session-of-the-tests"
CONTAINER_TOKEN = "container-authorization-of-the-tests"
_CREDENTIALS = "/latest/meta-data/iam/security-credentials/"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_PUT(self) -> None:
        if self.path == "/latest/api/token" and "X-aws-ec2-metadata-token-ttl-seconds" in self.headers:
            self._send(200, SESSION_TOKEN)
        else:
            self._send(400, "")

    def do_GET(self) -> None:
        service = self.server.service
        if self.path == "/container":
            allowed = self.headers.get("Authorization") == CONTAINER_TOKEN
        else:
            # Version 2 only: a request without the token is refused, as a hardened instance does.
            allowed = self.headers.get("X-aws-ec2-metadata-token") == SESSION_TOKEN
        if not allowed:
            self._send(401, "")
        elif service.broken:
            self._send(500, "FAKE-broken")
        elif self.path == _CREDENTIALS:
            self._send(200, ROLE_NAME)
        elif self.path in {_CREDENTIALS + ROLE_NAME, "/container"}:
            self._send(200, json.dumps(service.next_credentials()))
        else:
            self._send(404, "")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the parent's own name.
        """Say nothing."""

    def _send(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: "MetadataService") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = service


class MetadataService:
    """A running metadata service: each time it is asked, it hands out other credentials.

    ``lifetime`` is how long they live. botocore renews those that live less than ten
    minutes at every use, and does not wait for the renewal of those that live less than
    fifteen.
    """

    def __init__(self, *, lifetime: timedelta = timedelta(hours=6)) -> None:
        self.lifetime = lifetime
        self.broken = False
        self.key_ids: list[str] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="metadata", daemon=True)

    def next_credentials(self) -> dict[str, str]:
        with self._lock:
            number = len(self.key_ids) + 1
            self.key_ids.append(f"ASIAPORTAL{number:010}")
        now = datetime.now(UTC)
        return {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "LastUpdated": wire_time(now),
            "AccessKeyId": self.key_ids[number - 1],
            "SecretAccessKey": f"{CANARY}portal-secret-{number}",
            "Token": f"{CANARY}portal-token-{number}",
            "Expiration": wire_time(now + self.lifetime),
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
