"""Snippets in the real AWS tools: boto3 and the AWS CLI read what a person pasted, and sign with it."""

import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from botocore.credentials import Credentials as FoundCredentials
from botocore.credentials import RefreshableCredentials
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.domain.snippets import Pairs, snippets
from credportal.domain.types import Credentials

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCWV1==" * 20
IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::123456789012:assumed-role/PaymentsOnCall/alice-7kq2m9xd4tvb</Arn><UserId>AROAEXAMPLE:alice</UserId>
<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""


class Endpoint(ThreadingHTTPServer):
    """Answers GetCallerIdentity and keeps the headers of each call."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[dict[str, str]] = []

    @property
    def extra(self) -> Pairs:
        return (("AWS_ENDPOINT_URL", f"http://127.0.0.1:{self.server_port}"),)


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(IDENTITY)))
        self.end_headers()
        self.wfile.write(IDENTITY)

    def log_message(self, *arguments: object) -> None:
        """Say nothing on standard error."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home without a word of AWS in the environment: only the snippet can tell the tools anything."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


def text_of(key: str, *, secret: str = SECRET, token: str = TOKEN, region: str = "eu-west-1", extra: Pairs = ()) -> str:
    credentials = Credentials(
        access_key_id="ASIAIOSFODNN7EXAMPLE",
        secret_access_key=secret,
        session_token=token,
        expiration=datetime.now(UTC) + timedelta(hours=1),
    )
    found = snippets(credentials, region=region, profile="payments-prod-oncall", extra=extra)
    return {snippet.key: snippet for snippet in found}[key].text


def found_by(session: boto3.Session) -> FoundCredentials:
    credentials = session.get_credentials()
    assert credentials is not None
    return credentials


def run_aws(*arguments: str) -> str:
    """Run the AWS CLI of this environment as a process of its own."""
    command = [sys.executable, "-m", "awscli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def assert_signed_with_the_credentials(endpoint: Endpoint) -> None:
    (headers,) = endpoint.calls
    assert "Credential=ASIAIOSFODNN7EXAMPLE/" in headers["Authorization"]
    assert "/eu-west-1/sts/" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == TOKEN


def test_boto3_reads_the_profile_snippet(home: Path) -> None:
    extra = (("AWS_ENDPOINT_URL", "http://127.0.0.1:5555"),)
    (home / "credentials").write_text(text_of("profile", extra=extra))
    session = boto3.Session(profile_name="payments-prod-oncall")
    frozen = found_by(session).get_frozen_credentials()
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("ASIAIOSFODNN7EXAMPLE", SECRET, TOKEN)
    assert session.region_name == "eu-west-1"
    assert session.client("sts").meta.endpoint_url == "http://127.0.0.1:5555"


def test_the_profile_snippet_can_be_added_below_other_profiles(home: Path) -> None:
    before = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = other\n\n"
    (home / "credentials").write_text(before + text_of("profile"))
    assert found_by(boto3.Session(profile_name="payments-prod-oncall")).token == TOKEN
    assert found_by(boto3.Session()).access_key == "AKIADEFAULT"


CHARACTERS = st.sampled_from("%(x)s;#='\"[]\\$ \t:") | st.characters(codec="utf-8", exclude_categories=["Cc"])
TEXT = st.lists(CHARACTERS, min_size=1, max_size=30).map("".join)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=TEXT, token=TEXT)
def test_boto3_reads_every_value_that_the_profile_snippet_carries(home: Path, secret: str, token: str) -> None:
    text = text_of("profile", secret=secret, token=token)
    if text:
        (home / "credentials").write_text(text)
        credentials = found_by(boto3.Session(profile_name="payments-prod-oncall"))
        assert (credentials.secret_key, credentials.token) == (secret, token)


def test_boto3_reads_the_process_snippet(home: Path) -> None:
    printed = home / "what it prints"
    printed.write_text(text_of("process"))
    (home / "config").write_text(f"[profile p]\ncredential_process = cat {shlex.quote(str(printed))}\n")
    credentials = found_by(boto3.Session(profile_name="p"))
    assert isinstance(credentials, RefreshableCredentials)
    frozen = credentials.get_frozen_credentials()
    assert (frozen.access_key, frozen.secret_key, frozen.token) == ("ASIAIOSFODNN7EXAMPLE", SECRET, TOKEN)
    assert not credentials.refresh_needed(refresh_in=50 * 60)
    assert credentials.refresh_needed(refresh_in=70 * 60)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("aws_access_key_id", "ASIAIOSFODNN7EXAMPLE"),
        ("aws_secret_access_key", SECRET),
        ("aws_session_token", TOKEN),
        ("region", "eu-west-1"),
    ],
)
def test_the_aws_cli_reads_the_profile_snippet(home: Path, option: str, value: str) -> None:
    (home / "credentials").write_text(text_of("profile"))
    assert run_aws("configure", "get", option, "--profile", "payments-prod-oncall") == value


def test_the_aws_cli_calls_the_profiles_endpoint_with_its_credentials(home: Path, endpoint: Endpoint) -> None:
    (home / "credentials").write_text(text_of("profile", extra=endpoint.extra))
    assert "alice-7kq2m9xd4tvb" in run_aws("sts", "get-caller-identity", "--profile", "payments-prod-oncall")
    assert_signed_with_the_credentials(endpoint)


def test_the_aws_cli_takes_the_process_snippet_with_the_region_and_endpoint_beside_it(
    home: Path, endpoint: Endpoint
) -> None:
    (home / "printed").write_text(text_of("process"))
    address = endpoint.extra[0][1]
    command = f"cat {shlex.quote(str(home / 'printed'))}"
    (home / "config").write_text(
        f"[profile p]\ncredential_process = {command}\nregion = eu-west-1\nendpoint_url = {address}\n"
    )
    assert "alice-7kq2m9xd4tvb" in run_aws("sts", "get-caller-identity", "--profile", "p")
    assert_signed_with_the_credentials(endpoint)


def test_after_pasting_the_shell_snippet_the_aws_cli_works(home: Path, endpoint: Endpoint) -> None:
    call = shlex.join([sys.executable, "-m", "awscli", "sts", "get-caller-identity"])
    script = f"{text_of('bash', extra=endpoint.extra)}\n{call}\n"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert "alice-7kq2m9xd4tvb" in done.stdout
    assert_signed_with_the_credentials(endpoint)
