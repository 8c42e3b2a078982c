"""The STS client of this process: one, made once, shared by all its threads.

A session costs 100 ms and a client 5 ms (42 ms with TLS), so neither is ever made for a
request. A client does not outlive a fork: two processes on one connection would read each
other's answers.
"""

import logging
import os
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.utils import get_environ_proxies

from credportal.aws import AwsSettings, aws_settings
from credportal.aws.transport import Transport

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient

# Where no identity was found, the chain is asked again after this long: an instance profile
# may be attached, or a metadata service may wake up, after the portal has started.
SECONDS_BEFORE_LOOKING_AGAIN = 10.0
# Small requests leave at once, and a connection that died unseen is found.
SOCKET_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


@dataclass(frozen=True, slots=True)
class Portal:
    """The client with what it was made from. ``has_identity`` is False where the chain found nothing."""

    settings: AwsSettings
    client: "STSClient"
    transport: Transport
    has_identity: bool
    process: int
    made_at: float

    def serves(self, settings: AwsSettings) -> bool:
        """Tell whether this client may serve this process, with these settings, now."""
        if self.process != os.getpid() or self.settings != settings:
            return False
        return self.has_identity or time.monotonic() - self.made_at < SECONDS_BEFORE_LOOKING_AGAIN


class _WithoutTraceback(logging.Filter):
    """Takes the traceback out of a record, and leaves the type of the error.

    botocore logs a failed renewal of the portal's identity with the error that caused it,
    and a parser's error quotes the answer that it could not read, keys included.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the record pass, without the text of an error."""
        if record.exc_info:
            kind = record.exc_info[0]
            record.msg = f"{record.getMessage()} ({kind.__name__ if kind else 'no error'})"
            record.args = record.exc_info = record.exc_text = None
        return True


_without_traceback = _WithoutTraceback()


class _Shared:
    """The one client, and the lock under which it is made."""

    def __init__(self) -> None:
        self.start_afresh()

    def start_afresh(self) -> None:
        """Forget the client, and any lock that another thread held while this process was forked."""
        self.lock = threading.Lock()
        self.portal: Portal | None = None


_shared = _Shared()
os.register_at_fork(after_in_child=_shared.start_afresh)


def portal() -> Portal:
    """Give the client of this process, making it where there is none. Raises botocore's own errors."""
    settings = aws_settings()
    ready = _shared.portal
    if ready is not None and ready.serves(settings):
        return ready
    with _shared.lock:
        ready = _shared.portal
        if ready is None or not ready.serves(settings):
            ready = _shared.portal = _make(settings)
        return ready


def _make(settings: AwsSettings) -> Portal:
    # The same filter again is not added again.
    logging.getLogger("botocore.credentials").addFilter(_without_traceback)
    core = botocore.session.Session()
    # Clients that botocore makes on the way to the portal's identity (a web identity, a role
    # of a profile) are to be as short-tempered as the portal's own.
    config = _config(settings)
    core.set_default_client_config(config)
    session = boto3.Session(botocore_session=core, region_name=settings.region)
    has_identity = session.get_credentials() is not None
    client = session.client(
        "sts",
        region_name=settings.region,
        endpoint_url=settings.sts_endpoint or None,
        config=config.merge(Config(signature_version="v4")),
    )
    transport = _transport(core, client.meta.endpoint_url, settings)
    client.meta.events.register("before-send.sts", transport.answer)  # type: ignore[arg-type]  # before-send wants an answer.
    # The client has its own copy of the session's handlers by now, so this one reaches only later clients.
    core.register("before-send.sts", transport.answer_on_the_way)  # type: ignore[arg-type]  # as above.
    return Portal(settings, client, transport, has_identity, os.getpid(), time.monotonic())


def _config(settings: AwsSettings) -> Config:
    return Config(  # type: ignore[call-arg]  # the stubs do not know user_agent_appid yet.
        connect_timeout=settings.connect_timeout.total_seconds(),
        read_timeout=settings.read_timeout.total_seconds(),
        # One attempt per mint: botocore's three would mint up to three times on a timeout.
        retries={"mode": "standard", "total_max_attempts": 1},
        max_pool_connections=settings.pool_size,
        tcp_keepalive=True,
        # CloudTrail shows it in userAgent.
        user_agent_appid="credportal",
    )


def _transport(core: botocore.session.Session, endpoint: str, settings: AwsSettings) -> Transport:
    """Build the transport as botocore builds its own: same proxies, CA bundle, timeouts and options."""
    return Transport(
        proxies=get_environ_proxies(endpoint),
        verify=core.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True,
        timeout=(settings.connect_timeout.total_seconds(), settings.read_timeout.total_seconds()),
        max_pool_connections=settings.pool_size,
        socket_options=SOCKET_OPTIONS,
    )
