"""A mail server of the tests: SMTP over real sockets on loopback, that refuses, hangs and breaks off on request."""

import email
import email.policy
import socket
import socketserver
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

CRLF = b"\r\n"


@dataclass
class MailServer:
    """What arrived, and what it shall do next.

    ``refused`` are reply codes by address, ``data_code`` is the answer to every mail. ``faults`` are taken one for
    each connection: ``busy`` says so at once and goes; ``hang`` says nothing; ``drop`` breaks off at the first address;
    ``drop-after-taking`` takes a mail and breaks off before it says so.
    """

    port: int = 0
    got: list[tuple[str, bytes]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    data_code: int = 250
    faults: deque[str] = field(default_factory=deque)
    connections: int = 0

    def mails(self) -> list[EmailMessage]:
        """Return what was accepted, read as mails."""
        return [email.message_from_bytes(raw, policy=email.policy.default) for _, raw in self.got]

    def to(self) -> list[str]:
        """Return to whom mails were accepted, in the order in which they came."""
        return [address for address, _ in self.got]


class _Handler(socketserver.StreamRequestHandler):
    mail: MailServer
    release: threading.Event

    def handle(self) -> None:
        """Hold one conversation of SMTP."""
        self.mail.connections += 1
        fault = self.mail.faults.popleft() if self.mail.faults else ""
        if fault == "busy":
            self._say(421, "too busy")
            return
        if fault == "hang":
            self.release.wait(20)
            return
        self._say(220, "the tests")
        address = ""
        while line := self.rfile.readline():
            match line.split(b":")[0].strip().upper().split(b" ")[0]:
                case b"EHLO" | b"HELO" | b"RSET" | b"MAIL":
                    self._say(250, "fine")
                case b"RCPT":
                    if fault == "drop":
                        self.connection.shutdown(socket.SHUT_RDWR)
                        return
                    address = line.decode().partition("<")[2].partition(">")[0]
                    self._say(self.mail.refused.get(address, 250), "as you wish")
                case b"DATA":
                    if not self._take(address, fault):
                        return
                case b"QUIT":
                    self._say(221, "goodbye")
                    return
                case _:
                    self._say(500, "what?")

    def _take(self, address: str, fault: str) -> bool:
        self._say(354, "go on")
        lines = []
        while (line := self.rfile.readline()) not in {b"." + CRLF, b""}:
            lines.append(line)
        if self.mail.data_code < 400:
            self.mail.got.append((address, b"".join(lines)))
        if fault == "drop-after-taking":
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        self._say(self.mail.data_code, "so be it")
        return True

    def _say(self, code: int, text: str) -> None:
        self.wfile.write(f"{code} {text}".encode() + CRLF)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server on loopback while the block lasts."""
    mail, release = MailServer(), threading.Event()
    handler = type("Handler", (_Handler,), {"mail": mail, "release": release})
    with _Server(("127.0.0.1", 0), handler) as server:
        mail.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        try:
            yield mail
        finally:
            release.set()
            server.shutdown()
            thread.join()
