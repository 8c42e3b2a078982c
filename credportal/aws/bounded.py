"""Sockets under one overall deadline that a slow-dripping server cannot beat.

A read timeout counts from the last byte, so a server that sends one byte a second is
never late. Here every receive and every send gets what is left of the whole call's time,
and an answer may not grow beyond a cap. It works at the socket, below HTTP and TLS, so
status line, headers, chunks, proxies and handshakes are all bounded, without a thread per
call.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# A whole AssumeRole answer is some kilobytes; nothing AWS says to us comes near this.
MAX_ANSWER_BYTES = 1024 * 1024


class AnswerTooLargeError(Exception):
    """The answer grew beyond MAX_ANSWER_BYTES and was dropped."""


class Exchange:
    """One call to AWS: when it must be over, what it may still read, and whether it was sent.

    ``sent`` turns true when the first byte of the request may have left this host. Before
    that nothing can have been minted; after it AWS may have.
    """

    __slots__ = ("bytes_left", "ends_at", "sent")

    def __init__(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.bytes_left = MAX_ANSWER_BYTES
        self.sent = False

    @property
    def expired(self) -> bool:
        """Tell whether the overall deadline is over."""
        return time.monotonic() >= self.ends_at

    def seconds_left(self, limit: float | None) -> float:
        """Give the seconds that one step may take, at most ``limit``. Raises TimeoutError at the deadline."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the overall deadline is over")
        return left if limit is None else min(left, limit)

    def count(self, received: int) -> None:
        """Take note of bytes received. Raises AnswerTooLargeError beyond the cap."""
        self.bytes_left -= received
        if self.bytes_left < 0:
            raise AnswerTooLargeError


# The call that this thread is making, if any.
current_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[Exchange]:
    """Bound every call to AWS inside the block, on this thread, by ``seconds`` in all."""
    exchange = Exchange(time.monotonic() + seconds)
    token = current_exchange.set(exchange)
    try:
        yield exchange
    finally:
        current_exchange.reset(token)


@contextmanager
def in_time(sock: socket.socket) -> Iterator[None]:
    """Lower the socket's own timeout to what is left, for one operation."""
    exchange = current_exchange.get()
    if exchange is None:
        yield
        return
    own = sock.gettimeout()
    sock.settimeout(exchange.seconds_left(own))
    try:
        yield
    finally:
        sock.settimeout(own)


def _count(received: int) -> None:
    exchange = current_exchange.get()
    if exchange is not None:
        exchange.count(received)


class BoundedSocket(socket.socket):
    """A TCP socket whose operations end with the overall deadline."""

    def recv(self, *args: Any) -> bytes:
        """Receive as ``socket.recv`` does. TLS inside TLS reads this way."""
        with in_time(self):
            data = super().recv(*args)
        _count(len(data))
        return data

    def recv_into(self, *args: Any) -> int:
        """Receive as ``socket.recv_into`` does. HTTP reads this way."""
        with in_time(self):
            received = super().recv_into(*args)
        _count(received)
        return received

    def sendall(self, *args: Any) -> None:
        """Send as ``socket.sendall`` does: its timeout bounds the whole of it (since Python 3.5)."""
        with in_time(self):
            super().sendall(*args)


class BoundedTLSSocket(ssl.SSLSocket):
    """A TLS socket whose operations end with the overall deadline.

    Python's ssl module applies the timeout to one whole handshake, read or write,
    however many packets it takes.
    """

    def do_handshake(self, *args: Any) -> None:
        """Shake hands as ``SSLSocket.do_handshake`` does."""
        with in_time(self):
            super().do_handshake(*args)

    def recv(self, *args: Any) -> bytes:
        """Receive as ``SSLSocket.recv`` does. TLS inside TLS reads this way."""
        with in_time(self):
            data = super().recv(*args)
        _count(len(data))
        return data

    def recv_into(self, *args: Any) -> int:
        """Receive as ``SSLSocket.recv_into`` does. HTTP reads this way."""
        with in_time(self):
            received = super().recv_into(*args)
        _count(received or 0)
        return received

    def send(self, *args: Any) -> int:
        """Send as ``SSLSocket.send`` does; ``sendall`` is a loop of these."""
        with in_time(self):
            return super().send(*args)
