"""Drives the portal over kept HTTP connections, for as little CPU as Python allows.

A heavy load generator on the same cores would be measured with the portal, so requests are
whole bytes before the clock starts and an answer is only searched for what it must hold.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.visit import Visitor

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
ISSUED = re.compile(rb'data-issuance="([0-9a-z]{12})"')
SECRET = b'data-field="secret-access-key"'
CONNECTION_BROKE = b"HTTP/1.1 000 the connection broke\r\n\r\n"
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of many issuances: seconds of each, of all, of CPU, and a line for each failure."""

    seconds: list[float]
    wall: float
    cpu: float
    errors: list[str]


def issue_request(visitor: Visitor, role_id: str, *, htmx: bool) -> bytes:
    """Write one submission of the request form as a browser would send it."""
    fields = {
        "csrfmiddlewaretoken": visitor.csrf_token,
        "submission": secrets.token_urlsafe(16),
        "duration": "3600",
        "duration_minutes": "",
        "reason": "bench",
        "ticket": "",
        "narrowing": "",
    }
    body = urlencode(fields).encode("ascii")
    head = [
        f"POST /roles/{role_id}/issue/ HTTP/1.1",
        f"Host: {visitor.host}",
        f"Origin: http://{visitor.host}",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding: gzip, deflate",
        "Accept-Language: en-GB,en;q=0.9",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        f"Cookie: {visitor.cookies}",
        *(["HX-Request: true", "HX-Target: main", f"HX-Current-URL: http://{visitor.host}/"] if htmx else []),
    ]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body


def wrong_with(answer: bytes, seen: set[bytes]) -> str:
    """Say what is wrong with an answer that should hold credentials, or nothing."""
    status = answer[9:12].decode("ascii", "replace")
    if status != "200":
        return f"status {status}"
    issued = ISSUED.search(answer)
    if issued is None or SECRET not in answer:
        return "no credentials in the answer"
    if issued[1] in seen:
        return "an issuance was answered twice"
    seen.add(issued[1])
    return ""


class Connection(asyncio.Protocol):
    """One kept connection, with one request on its way at most."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.received = b""
        self.end: int | None = None
        self.answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand over the answer when it is whole."""
        self.received += data
        if self.end is None:
            head = self.received.find(b"\r\n\r\n")
            if head < 0:
                return
            length = LENGTH.search(self.received, 0, head + 2)
            self.end = head + 4 + (int(length[1]) if length else 0)
        if len(self.received) >= self.end:
            self.hand_over(self.received)

    def connection_lost(self, _error: Exception | None) -> None:
        """Say so where an answer is waited for."""
        self.hand_over(CONNECTION_BROKE)

    def hand_over(self, answer: bytes) -> None:
        """Give what is there to whoever waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(answer)

    async def ask(self, request: bytes) -> bytes:
        """Send one request and wait for its whole answer. Raises TimeoutError after a minute."""
        self.received, self.end = b"", None
        self.answer = asyncio.get_running_loop().create_future()
        if self.transport.is_closing():
            return CONNECTION_BROKE
        self.transport.write(request)
        return await asyncio.wait_for(self.answer, PATIENCE_SECONDS)


async def _drive(host: str, port: int, requests: Sequence[bytes], clients: int) -> Batch:
    loop = asyncio.get_running_loop()
    # Each client waits for its answer before it asks again; all take from one pile.
    pile: Iterator[bytes] = iter(requests)
    seconds: list[float] = []
    answers: list[bytes] = []

    async def client(connection: Connection) -> None:
        for request in pile:
            began = time.perf_counter()
            answer = await connection.ask(request)
            seconds.append(time.perf_counter() - began)
            answers.append(answer)

    connections: list[Any] = [(await loop.create_connection(Connection, host, port))[1] for _ in range(clients)]
    began = time.perf_counter()
    await asyncio.gather(*map(client, connections))
    wall = time.perf_counter() - began
    for connection in connections:
        connection.transport.close()
    seen: set[bytes] = set()
    errors = [wrong for answer in answers if (wrong := wrong_with(answer, seen))]
    return Batch(seconds, wall, 0.0, errors)


def drive(host: str, port: int, requests: Sequence[bytes], clients: int) -> Batch:
    """Send all requests over ``clients`` connections. Raises OSError and TimeoutError."""
    return asyncio.run(_drive(host, port, requests, clients))
