"""An STS of fixed latency that answers far faster than anybody here can ask.

A process of its own: ``python -m bench.sts`` prints its port. It checks nothing and keeps
no secret. Every answer has keys and an expiration of its own, as from AWS.

``PUT /latency/<milliseconds>`` sets how long it holds an answer back; ``GET /figures`` tells
how many connections are open and how many sessions were minted, ``GET /ledger`` the name and
the access key id of each of them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from urllib.parse import unquote_plus

TOKEN = "FwoGZXIvYXdzEBYaD" + "Xy7/Kq0bench+" * 50  # As long as AWS's own often are.
MINTED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>\
<AssumedRoleUser><AssumedRoleId>AROABENCHBENCHBENCHBE:bench</AssumedRoleId>\
<Arn>arn:aws:sts::000000000000:assumed-role/bench/bench</Arn></AssumedRoleUser>\
<Credentials><AccessKeyId>ASIA%016X</AccessKeyId><SecretAccessKey>%040x</SecretAccessKey>\
<SessionToken>%s%016x</SessionToken><Expiration>%s</Expiration></Credentials>\
<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult>\
<ResponseMetadata><RequestId>00000000-0000-4000-8000-%012x</RequestId></ResponseMetadata></AssumeRoleResponse>"""
IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>\
<Arn>arn:aws:iam::000000000000:user/bench</Arn><UserId>AIDABENCHBENCHBENCHBE</UserId><Account>000000000000</Account>\
</GetCallerIdentityResult><ResponseMetadata><RequestId>00000000-0000-4000-8000-000000000000</RequestId>\
</ResponseMetadata></GetCallerIdentityResponse>"""
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
DURATION = re.compile(rb"DurationSeconds=([0-9]+)")
SESSION = re.compile(rb"RoleSessionName=([^&]+)")
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nDate: %s\r\nContent-Length: %d\r\n\r\n"


class Ledger:
    """What all connections share."""

    def __init__(self) -> None:
        self.latency = 0.0  # Seconds.
        self.connections = 0
        self.minted = itertools.count(1)
        self.last = 0
        self.sessions: list[tuple[str, str]] = []


class Connection(asyncio.Protocol):
    """One kept connection. Its client asks again only when it has its answer."""

    transport: asyncio.Transport

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport
        self.ledger.connections += 1

    def connection_lost(self, _error: Exception | None) -> None:
        """Count it no more."""
        self.ledger.connections -= 1

    def data_received(self, data: bytes) -> None:
        """Answer as soon as a request is whole, or when the latency is over."""
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = LENGTH.search(head)
        if len(body) < (int(length[1]) if length else 0):
            return
        self.received = b""
        if head.startswith(b"POST "):
            answer = IDENTITY if b"Action=GetCallerIdentity" in body else self.minted(body)
            asyncio.get_running_loop().call_later(self.ledger.latency, self.answer, answer)
        else:
            self.answer(self.steered(head.split(b" ", 2)[1].decode("ascii")))

    def minted(self, body: bytes) -> bytes:
        """Make the answer to AssumeRole."""
        asked = DURATION.search(body)
        ends = time.gmtime(time.time() + int(asked[1] if asked else 3600))
        number = self.ledger.last = next(self.ledger.minted)
        expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", ends)
        session = SESSION.search(body)
        # Written down before the answer leaves: whoever asked may be dead by then.
        self.ledger.sessions.append((unquote_plus(session[1].decode()) if session else "", f"ASIA{number:016X}"))
        return (MINTED % (number, number, TOKEN, number, expiration, number)).encode("ascii")

    def steered(self, path: str) -> bytes:
        """Obey the bench, and tell it what there is."""
        if path.startswith("/latency/"):
            self.ledger.latency = float(path.rpartition("/")[2]) / 1000
        if path == "/ledger":
            return json.dumps(self.ledger.sessions).encode("ascii")
        return json.dumps({"connections": self.ledger.connections, "minted": self.ledger.last}).encode("ascii")

    def answer(self, body: bytes) -> None:
        """Send it, where there is still somebody to send it to."""
        if not self.transport.is_closing():
            date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
            self.transport.write((HEAD % (date, len(body))).encode("ascii") + body)


async def serve() -> None:
    """Serve on a free port of loopback until killed, and print the port."""
    ledger = Ledger()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(ledger), "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
