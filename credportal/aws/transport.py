"""HTTP to AWS on bounded sockets, through botocore's own session.

Everything but the sockets is botocore's: pools, kept connections, proxies, CA bundles, and
the absence of redirects.
"""

import queue
import socket
import threading
from ssl import SSLContext
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
    AWSPreparedRequest,
    AWSResponse,
)
from botocore.httpsession import URLLib3Session
from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from credportal.aws.bounded import BoundedSocket, BoundedTLSSocket, Exchange, current_exchange, in_time


def _addresses(host: str, port: int, seconds: float | None) -> list[tuple[Any, ...]]:
    """Resolve a name within ``seconds``. Raises socket.gaierror, or TimeoutError.

    getaddrinfo knows no timeout, so a thread of its own waits for it. Only a new
    connection resolves, and connections are kept.
    """
    found: queue.SimpleQueue[list[tuple[Any, ...]] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            found.put(error)
        except UnicodeError:
            found.put(socket.gaierror(socket.EAI_NONAME, "not a host name"))

    threading.Thread(target=look_up, name="aws-name-lookup", daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


class _BoundedConnection(HTTPConnection):
    """Opens bounded sockets, and takes note when a request leaves this host."""

    def _new_conn(self) -> socket.socket:
        try:
            return self._first_that_answers()
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "The connection was not made in time.") from error
        except OSError as error:
            raise NewConnectionError(self, "The connection was not made.") from error

    def _first_that_answers(self) -> socket.socket:
        exchange = current_exchange.get()
        last: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
        for family, kind, protocol, _name, address in _addresses(
            self._dns_host, self.port, exchange.seconds_left(None) if exchange else None
        ):
            sock = BoundedSocket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(self.timeout)
                with in_time(sock):
                    sock.connect(address)
            except OSError as error:
                sock.close()
                last = error
            else:
                return sock
        raise last

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Connect first, so that a failure to connect is known from a failure after sending."""
        if self.sock is None:
            self.connect()
        exchange = current_exchange.get()
        if exchange is not None:
            exchange.sent = True
        super().request(*args, **kwargs)


class _Connection(_BoundedConnection, AWSHTTPConnection):  # type: ignore[misc]  # as in botocore: send() names its argument otherwise.
    pass


class _TLSConnection(_BoundedConnection, AWSHTTPSConnection):  # type: ignore[misc]  # as in botocore: send() names its argument otherwise.
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Transport(URLLib3Session):
    """botocore's HTTP session, with bounded sockets. Takes the same arguments."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The pool managers, also those of proxies, take their pools from this mapping.
        pools: dict[str, Any] = self._pool_classes_by_scheme  # type: ignore[attr-defined]  # not in the stubs.
        pools.update({"http": _Pool, "https": _TLSPool})

    def _get_ssl_context(self) -> SSLContext:
        context: SSLContext = super()._get_ssl_context()  # type: ignore[misc]  # not in the stubs.
        context.sslsocket_class = BoundedTLSSocket
        return context

    def answer(self, request: AWSPreparedRequest, **_event: object) -> AWSResponse:
        """Handle ``before-send`` of the portal's own call: send it and give the answer.

        Raises what botocore's own session raises.
        """
        return self.send(request)

    def answer_on_the_way(self, request: AWSPreparedRequest, **_event: object) -> AWSResponse:
        """Handle ``before-send`` of a call that renews the portal's identity.

        It happens while the portal's own call is being signed, and shares its deadline;
        that it was sent says nothing about whether the portal's own call was.
        """
        outer = current_exchange.get()
        if outer is None:
            return self.send(request)
        token = current_exchange.set(Exchange(outer.ends_at))
        try:
            return self.send(request)
        finally:
            current_exchange.reset(token)
