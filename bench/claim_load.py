"""Claims at running portals: many at the same moment on one link, and some whose worker is killed meanwhile."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from bench.load import Connection
from bench.processes import Portal
from bench.visit import Visitor

KEY_ID = re.compile(rb'data-field="access-key-id"[^>]*>\s*(ASIA[0-9A-Z]{16})')
HOST = "127.0.0.1"
PATIENCE_SECONDS = 30.0
AGAIN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Link:
    """One hand-out's link; ``person`` is the recipient's user name, empty for an outsider, who has a code."""

    id: str
    token: str
    code: str
    person: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one claim: status, 0 where nothing came, and the credentials of which even a part arrived."""

    status: int
    key_ids: frozenset[str]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Doors:
    """The portals, and who stands at them: every recipient by user name, and a stranger by none."""

    portals: list[Portal]
    visitors: dict[str, Visitor]

    def request(self, link: Link, portal: Portal, *, path: str = "/claim/", close: bool = False) -> bytes:
        """Write a claim as a browser sends it, from an address of its own behind the bench's only proxy."""
        visitor = replace(self.visitors[link.person], host=f"{HOST}:{portal.port}")
        fields = {"csrfmiddlewaretoken": visitor.csrf_token, "token": link.token, "code": link.code}
        body = urlencode(fields).encode("ascii")
        head = [
            f"POST {path} HTTP/1.1",
            f"Host: {visitor.host}",
            f"Origin: http://{visitor.host}",
            f"X-Forwarded-For: 10.{'.'.join(str(random.randrange(256)) for _ in range(3))}",  # noqa: S311 -- no secret.
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
            f"Cookie: {visitor.cookies}",
            *(["Connection: close"] if close else []),
        ]
        return "\r\n".join([*head, "", ""]).encode("ascii") + body


def read(answer: bytes, seconds: float = 0.0) -> Reply:
    """Read an answer, or the part of it that came."""
    status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") and answer[9:12].isdigit() else 0
    return Reply(status, frozenset(found.decode() for found in KEY_ID.findall(answer)), seconds)


def race(doors: Doors, links: Sequence[Link], clients: int) -> list[list[Reply]]:
    """Claim each link from so many clients at the same moment, spread over the portals; return all replies."""
    return asyncio.run(_race(doors, links, clients))


async def _race(doors: Doors, links: Sequence[Link], clients: int) -> list[list[Reply]]:
    loop = asyncio.get_running_loop()
    portals = [doors.portals[number % len(doors.portals)] for number in range(clients)]
    connections: list[Any] = [(await loop.create_connection(Connection, HOST, portal.port))[1] for portal in portals]
    replies = []
    for link in links:
        requests = [doors.request(link, portal) for portal in portals]
        began = time.perf_counter()
        answers = await asyncio.gather(
            *(connection.ask(request) for connection, request in zip(connections, requests, strict=True))
        )
        spent = time.perf_counter() - began
        replies.append([read(answer, spent) for answer in answers])
    for connection in connections:
        connection.transport.close()
    return replies


@dataclass(slots=True)
class Killed:
    """What came of claims whose worker was killed. ``presses`` are the replies to each link, in their order."""

    kills: int
    presses: dict[str, list[Reply]]

    @property
    def broken(self) -> list[str]:
        """Return the ids of the links whose first press had no whole answer."""
        return [link_id for link_id, replies in self.presses.items() if replies[0].status == 0]


def kill_meanwhile(doors: Doors, links: Sequence[Link], *, within: float) -> Killed:
    """Claim each link at one portal, kill its worker at a random moment, and press again until there is an answer.

    ``within`` is in seconds: the moment is anything from the press until then. The next press goes to
    another portal, as a balancer would send it.
    """
    return asyncio.run(_kill_meanwhile(doors, links, within))


async def _kill_meanwhile(doors: Doors, links: Sequence[Link], within: float) -> Killed:
    killed = Killed(0, {link.id: [] for link in links})
    together = len(doors.portals)
    for at in range(0, len(links), together):
        pairs = list(zip(links[at : at + together], doors.portals, strict=False))
        await asyncio.gather(
            *(_press(doors, link, portal, killed) for link, portal in pairs),
            *(_kill(portal, killed, random.uniform(0, within)) for _, portal in pairs),  # noqa: S311 -- timing.
        )
    return killed


async def _kill(portal: Portal, killed: Killed, after: float) -> None:
    await asyncio.sleep(after)
    for pid in portal.workers():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed.kills += 1
    # Until its master has made another, nobody listens there.
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not await _is_up(portal) and time.perf_counter() < deadline:
        await asyncio.sleep(AGAIN_SECONDS)


async def _is_up(portal: Portal) -> bool:
    asked = f"GET /healthz HTTP/1.1\r\nHost: {HOST}:{portal.port}\r\nConnection: close\r\n\r\n".encode("ascii")
    return (await _ask(portal, asked)).startswith(b"HTTP/1.1 200")


async def _press(doors: Doors, link: Link, portal: Portal, killed: Killed) -> None:
    replies = killed.presses[link.id]
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not replies or (replies[-1].status in {0, 503} and time.perf_counter() < deadline):
        if replies:
            await asyncio.sleep(AGAIN_SECONDS)
            portal = random.choice([other for other in doors.portals if other is not portal] or [portal])  # noqa: S311 -- no secret.
        began = time.perf_counter()
        answer = await _ask(portal, doors.request(link, portal, close=True))
        replies.append(read(answer, time.perf_counter() - began))


async def _ask(portal: Portal, request: bytes) -> bytes:
    """Send a request over a connection of its own; return what came, also where it broke off.

    An answer that is shorter than it says is no answer: its status becomes 0, what is in it stays.
    """
    received = b""
    with suppress(OSError, TimeoutError):
        reader, writer = await asyncio.open_connection(HOST, portal.port)
        with suppress(OSError):
            writer.write(request)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while part := await reader.read(65536):
                    received += part
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *([0-9]+)", head, re.IGNORECASE)
    whole = bool(length) and len(body) >= int(length[1] if length else 0)
    return received if whole else b"HTTP/1.1 000 broke off\r\n\r\n" + received
