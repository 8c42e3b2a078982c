"""Second places of the tests: a webhook and a syslog server on loopback, over real sockets, that fail on request."""

import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.fault_sts.tls import make_certificate


@dataclass
class Received:
    """One sending that arrived: its headers, and its bytes as they came."""

    headers: dict[str, str]
    body: bytes
    accepted: bool

    def numbers(self) -> list[int]:
        return [json.loads(line)["seq"] for line in self.body.splitlines()]


@dataclass
class Collector:
    """What a webhook got, and what it shall do next: ``faults`` are taken one for each request, then all is well."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)

    def accepted(self) -> list[int]:
        """Return the numbers that were answered with 2xx, in the order in which they came."""
        return [number for received in self.got if received.accepted for number in received.numbers()]


class _Handler(BaseHTTPRequestHandler):
    collector: Collector
    release: threading.Event

    def do_POST(self) -> None:
        """Take or refuse one batch."""
        fault = self.collector.faults.popleft() if self.collector.faults else ""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.collector.got.append(Received(dict(self.headers), body, accepted=not fault))
        match fault:
            case "hang":
                self.release.wait(20)
            case "reset" | "reset-after-taking":
                # Lingering for no time sends a reset in place of an end.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            case "drip":
                with suppress(OSError):
                    while not self.release.wait(0.05):
                        self.wfile.write(b"H")
                        self.wfile.flush()
            case "nonsense":
                self.wfile.write(b"\0\xff nonsense\r\n\r\n")
            case "endless":
                self._answer(500, {"Content-Type": "text/plain"})
                with suppress(OSError):
                    while not self.release.is_set():
                        self.wfile.write(b"x" * 65536)
            case "redirect":
                self._answer(307, {"Location": f"{self.collector.url}elsewhere"})
            case "":
                self._answer(204, {})
            case status:
                self._answer(int(status), {"Content-Length": "0"})

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name of the base class.
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that were meant to break."""


@contextmanager
def webhook(folder: Path | None = None) -> Iterator[Collector]:
    """Run a webhook; with a folder over TLS, and the certificate to trust is ``trusted.pem`` there."""
    collector, release = Collector(), threading.Event()
    handler = type("Handler", (_Handler,), {"collector": collector, "release": release})
    server = _Server(("127.0.0.1", 0), handler)
    if folder:
        context, _ = make_certificate(folder)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    collector.url = f"{'https' if folder else 'http'}://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        release.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class SyslogServer:
    """What a syslog server read to the end of a connection, and what it shall do next."""

    port: int = 0
    ca_file: str = ""
    read: list[bytes] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)

    def messages(self) -> list[str]:
        """Return every message, by the counts before them."""
        found = []
        for stream in self.read:
            rest = stream
            while rest:
                count, _, rest = rest.partition(b" ")
                found.append(rest[: int(count)].decode("ascii"))
                rest = rest[int(count) :]
        return found


@contextmanager
def syslog_server(folder: Path) -> Iterator[SyslogServer]:
    """Run a syslog server over TLS with a certificate of its own."""
    context, trusted = make_certificate(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    server = SyslogServer(port=listener.getsockname()[1], ca_file=str(trusted))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), plain:
                _take(plain, context, server)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=15)


def _take(plain: socket.socket, context: ssl.SSLContext, server: SyslogServer) -> None:
    fault = server.faults.popleft() if server.faults else ""
    plain.settimeout(10)
    if fault == "no handshake":
        return
    if fault == "ends and reads nothing":
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=True) as connection:
        if fault == "closes at once":
            return
        if fault == "ends and reads nothing":
            socket.socket.shutdown(connection, socket.SHUT_WR)
            time.sleep(1.5)  # Longer than the shippers of the tests are patient.
            return
        if fault == "stops half-way":
            connection.recv(1)
            return
        stream = b""
        while some := connection.recv(65536):
            stream += some
        server.read.append(stream)
        if fault != "ends without a word":
            connection.unwrap()
