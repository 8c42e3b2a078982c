"""A forward proxy on loopback that counts: absolute URLs for http, CONNECT for https."""

import socket
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_POST(self) -> None:
        self.server.proxy.forwarded.append(self.path)
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        upstream = HTTPConnection(str(parts.hostname), parts.port or 80, timeout=5)
        upstream.request("POST", parts.path or "/", body, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_CONNECT(self) -> None:
        self.server.proxy.tunnelled.append(self.path)
        self.close_connection = True
        if self.server.proxy.refuses:
            self.send_error(407)
            return
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=5) as upstream:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(upstream, self.connection), daemon=True)
            back.start()
            _pump(self.connection, upstream)
            back.join(5)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the parent's own name.
        """Say nothing."""


def _pump(source: socket.socket, target: socket.socket) -> None:
    source.settimeout(30)
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: "Proxy") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections end here as they like."""


class Proxy:
    """A running proxy; ``forwarded`` and ``tunnelled`` list what went through it."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.forwarded: list[str] = []
        self.tunnelled: list[str] = []
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
