"""Where the log may be shipped to: a webhook, or a syslog server over TLS. Every step of a sending is bounded.

A target takes lines or raises NotAccepted, whose text is for the log: it quotes nothing that the target said.
"""

import hashlib
import hmac
import http.client
import ipaddress
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import ioctl
from http import HTTPStatus
from termios import TIOCOUTQ
from typing import Protocol
from urllib.parse import urlsplit

from credportal.audit.export import Line

CONNECT_SECONDS = 5.0
PAUSE_SECONDS = 10.0
"""How long a target may be silent."""

SEND_SECONDS = 30.0
"""How long one sending may take, whatever drips in meanwhile."""

MOST_OF_AN_ANSWER = 64 * 1024
SYSLOG_PORT = 6514
# Facility 13 is the log audit, severity 6 is informational. https://www.rfc-editor.org/rfc/rfc5424#section-6.2.1
_PRIORITY = 13 * 8 + 6


class NotAccepted(Exception):  # noqa: N818 -- what the target did.
    """The target did not take the lines, or did not say that it did."""


class Target(Protocol):
    """Something that takes lines of the log."""

    @property
    def name(self) -> str:
        """Return what the target is called in the log, and in the record of how far it has come."""

    def send(self, lines: Sequence[Line]) -> None:
        """Send lines, in their order. Raises NotAccepted: then some may have arrived all the same."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes JSON lines by POST. The signature says that they are from us, and from when."""

    url: str
    secret: str = field(repr=False)
    ca_file: str = ""
    name: str = "webhook"

    def send(self, lines: Sequence[Line]) -> None:
        """Send lines; an answer of 2xx takes them. Raises NotAccepted, also for a redirect."""
        place = urlsplit(self.url)
        host, is_secure = place.hostname or "", place.scheme == "https"
        port = place.port or (http.client.HTTPS_PORT if is_secure else http.client.HTTP_PORT)
        body = "".join(line.text for line in lines).encode()
        path = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
        with _refusals(), _connected(host, port) as plain:
            connection = (http.client.HTTPSConnection if is_secure else http.client.HTTPConnection)(host, port)
            connection.sock = _secured(plain, host, self.ca_file) if is_secure else plain
            connection.request("POST", path, body, self._headers(lines, body))
            answer = connection.getresponse()
            answer.read(MOST_OF_AN_ANSWER)
            connection.close()
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise NotAccepted(f"status {answer.status}")

    def _headers(self, lines: Sequence[Line], body: bytes) -> dict[str, str]:
        timestamp = str(int(time.time()))
        signed = hmac.new(self.secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
        return {
            "Content-Type": "application/jsonl; charset=utf-8",
            "Connection": "close",
            "User-Agent": "credportal",
            "X-Credportal-Timestamp": timestamp,
            "X-Credportal-Signature": f"sha256={signed.hexdigest()}",
            "X-Credportal-First": str(lines[0].number),
            "X-Credportal-Last": str(lines[-1].number),
        }


@dataclass(frozen=True, slots=True)
class Syslog:
    """A syslog server over TLS: RFC 5424 messages in the frames of RFC 5425, each with a JSON line in ASCII."""

    host: str
    port: int
    sender: str
    ca_file: str = ""
    name: str = "syslog"

    def send(self, lines: Sequence[Line]) -> None:
        """Send lines, and wait until the server has read them all: syslog has no answers. Raises NotAccepted."""
        frames = b"".join(framed(line, self.sender) for line in lines)
        with _refusals(), _connected(self.host, self.port) as plain, _secured(plain, self.host, self.ca_file) as sock:
            sock.sendall(frames)
            _end(sock)


def framed(line: Line, sender: str) -> bytes:
    """Return one syslog message with the number of its bytes before it."""
    said = json.loads(line.text)
    kind = re.sub(r"[^\x21-\x7e]", "?", said["kind"])[:32] or "-"
    # ASCII has no byte order mark to trip over, and nothing that ends a line early.
    text = json.dumps(said, separators=(",", ":"))
    message = f"<{_PRIORITY}>1 {said['at']} {sender or '-'} credportal - {kind} - {text}".encode()
    return b"%d %s" % (len(message), message)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn everything that goes wrong on a connection into NotAccepted."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotAccepted(type(error).__name__) from error


@contextmanager
def _connected(host: str, port: int) -> Iterator[socket.socket]:
    """Open a connection. Raises OSError, also for the addresses where a cloud keeps its secrets."""
    with socket.create_connection((host, port), timeout=CONNECT_SECONDS) as plain:
        if ipaddress.ip_address(plain.getpeername()[0]).is_link_local:
            raise OSError("a link-local address")
        plain.settimeout(PAUSE_SECONDS)
        with _deadline(plain):
            yield plain


def _secured(plain: socket.socket, host: str, ca_file: str) -> ssl.SSLSocket:
    """Put TLS on a connection: certificate and host name are checked, by the machine's authorities or a file's."""
    return ssl.create_default_context(cafile=ca_file or None).wrap_socket(plain, server_hostname=host)


@contextmanager
def _deadline(sock: socket.socket) -> Iterator[None]:
    """Shut a connection down after SEND_SECONDS: a byte now and then resets every other timeout."""
    watched = sock.dup()

    def shut_down() -> None:
        with suppress(OSError):
            watched.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(SEND_SECONDS, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        watched.close()


def _end(sock: ssl.SSLSocket) -> None:
    """Say that this is all, and wait until the server has read it and ends the connection too. Raises OSError.

    A server that closes before it has read everything makes its machine answer with a reset. So the end of the
    connection proves something only together with the acknowledgement of every byte.
    https://www.rfc-editor.org/rfc/rfc5425#section-4.4
    """
    with suppress(ssl.SSLEOFError):  # Many servers end without the alert that TLS asks for.
        sock.unwrap()
    ends = time.monotonic() + PAUSE_SECONDS
    while struct.unpack("i", ioctl(sock.fileno(), TIOCOUTQ, bytes(4)))[0]:
        if time.monotonic() > ends:
            raise TimeoutError
        time.sleep(0.01)
    if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, "the connection was reset")
