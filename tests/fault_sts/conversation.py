"""One request of the fault STS, and what may be done with it."""

import socket
import ssl
import struct
import threading
import time
import uuid
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from tests.fault_sts.ledger import Ledger, Mint

DRIP_SECONDS = 0.05


class Conversation:
    """What a fault may do with one request: mint, write, drip, wait, break off."""

    def __init__(
        self,
        handler: BaseHTTPRequestHandler,
        form: dict[str, str],
        *,
        ledger: Ledger,
        caller_key_id: str,
        stopping: threading.Event,
        url: str,
    ) -> None:
        self._handler = handler
        self._ledger = ledger
        self._stopping = stopping
        self.caller_key_id = caller_key_id
        self.form = form
        self.action = form.get("Action", "")
        self.request_id = str(uuid.uuid4())
        self.url = url

    def mint(self) -> Mint:
        """Make a credential and write it into the ledger, before any byte of an answer."""
        return self._ledger.add_mint(self.form, caller_key_id=self.caller_key_id, request_id=self.request_id)

    def send(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "text/xml",
        date: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a whole answer in one piece."""
        self.write(self.head(status, len(body), content_type=content_type, date=date, headers=headers) + body)

    def head(
        self,
        status: int,
        length: int,
        *,
        content_type: str = "text/xml",
        date: str = "",
        headers: dict[str, str] | None = None,
    ) -> bytes:
        fields = {
            "x-amzn-RequestId": self.request_id,
            "Content-Type": content_type,
            "Content-Length": str(length),
            "Date": date or format_datetime(datetime.now(UTC), usegmt=True),
            **(headers or {}),
        }
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{name}: {text}" for name, text in fields.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(data)

    def drip(self, data: bytes) -> None:
        """Send a byte at a time, each well within any read timeout."""
        self._handler.close_connection = True
        for at in range(len(data)):
            self.write(data[at : at + 1])
            if self._stopping.wait(DRIP_SECONDS):
                return

    def flood(self, block: bytes, length: int) -> None:
        """Send ``length`` bytes as fast as they are taken."""
        self._handler.close_connection = True
        sent = 0
        while sent < length and not self._stopping.is_set():
            self.write(block[: length - sent])
            sent += len(block)

    def wait(self, seconds: float) -> None:
        """Say nothing for so long, or until the server stops or the client goes."""
        self._handler.close_connection = True
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not self._stopping.wait(0.05):
            self._handler.connection.settimeout(0.01)
            try:
                if not self._handler.connection.recv(1):
                    return
            except (TimeoutError, ssl.SSLError):
                continue

    def reset(self) -> None:
        """Break the connection with a TCP reset."""
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True

    def close(self) -> None:
        self._handler.close_connection = True
