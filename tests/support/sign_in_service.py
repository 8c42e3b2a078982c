"""AWS's console sign-in, played on loopback: it remembers what it was sent and answers as told."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

TOKEN = "FAKE-signin-token"


class SignInService(ThreadingHTTPServer):
    """``answer`` is a status and a body; ``seen`` holds the forms that came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.answer: tuple[int, bytes] = (200, json.dumps({"SigninToken": TOKEN}).encode())
        self.seen: list[dict[str, str]] = []
        self.paths: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: SignInService

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.seen.append({name: values[0] for name, values in form.items()})
        self.server.paths.append(self.path)
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@contextmanager
def sign_in_service() -> Iterator[SignInService]:
    """Run the service until the block ends."""
    with SignInService() as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield service
        service.shutdown()
        thread.join()
