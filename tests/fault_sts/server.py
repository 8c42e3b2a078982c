"""The fault STS itself: the query protocol over HTTP/1.1 with keep-alive, on loopback."""

import json
import random
import re
import socket
import ssl
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

from tests.fault_sts.conversation import Conversation
from tests.fault_sts.faults import ANSWERS, ERRORS, FAULTS, WIRE
from tests.fault_sts.honest import RoleRule, answer, refuse
from tests.fault_sts.ledger import Call, Ledger


@dataclass(slots=True)
class _Planned:
    """A fault that waits for its calls. ``count`` None means for ever."""

    name: str
    count: int | None
    probability: float
    action: str


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        if self.path == "/_ledger":
            self._json([mint.public() for mint in list(self.server.sts.ledger.mints)])
        elif self.path == "/_calls":
            self._json([asdict(call) for call in list(self.server.sts.ledger.calls)])
        elif self.path == "/_health":
            self._json({"faults": sorted(FAULTS), "connections": self.server.sts.connections})
        else:
            self._json({"error": "no such page"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path.startswith("/_"):
            self._control(json.loads(body or b"{}"))
            return
        form = dict(reversed(parse_qsl(body.decode(), keep_blank_values=True)))  # AWS takes the first of two.
        try:
            self._sts_call(form)
        except (ConnectionError, ssl.SSLError):
            self.close_connection = True

    def _talk(self, form: dict[str, str]) -> Conversation:
        sts = self.server.sts
        signer = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
        return Conversation(
            self,
            form,
            ledger=sts.ledger,
            caller_key_id=signer[1] if signer else "",
            stopping=sts.stopping,
            url=sts.url,
        )

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the parent's own name.
        """Say nothing."""

    def _control(self, asked: dict[str, Any]) -> None:
        sts = self.server.sts
        try:
            if self.path == "/_fault":
                count = None if asked.get("forever") else int(asked.get("count", 1))
                sts.fault(
                    str(asked["name"]),
                    count=count,
                    probability=float(asked.get("probability", 1.0)),
                    action=str(asked.get("action", "AssumeRole")),
                )
            elif self.path == "/_heal":
                sts.heal()
            elif self.path == "/_role":
                arn = str(asked.pop("arn"))
                sts.roles[arn] = RoleRule(**asked)
            else:
                self._json({"error": "no such page"}, 404)
                return
        except (KeyError, TypeError, ValueError) as error:
            self._json({"error": repr(error)}, 400)
            return
        self._json({"ok": True})

    def _json(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self._talk({}).send(status, body, content_type="application/json")

    def _sts_call(self, form: dict[str, str]) -> None:
        sts = self.server.sts
        action = form.get("Action", "")
        fault = sts.take_fault(action)
        talk = self._talk(form)
        sts.ledger.add_call(
            Call(
                time=datetime.now(UTC).isoformat(),
                action=action,
                caller_key_id=talk.caller_key_id,
                fault=fault,
                request_id=talk.request_id,
                user_agent=self.headers.get("User-Agent", ""),
                arguments={
                    name: text for name, text in form.items() if name not in {"Action", "Version", "WebIdentityToken"}
                },
            )
        )
        if sts.latency_seconds:
            sts.stopping.wait(sts.latency_seconds)
        if fault in WIRE:
            WIRE[fault](talk)
        elif fault in ERRORS:
            refuse(talk, ERRORS[fault])
        elif fault in ANSWERS:
            talk.send(200, ANSWERS[fault](talk.mint()))
        else:
            answer(talk, sts.roles, chained=sts.is_chained(talk.caller_key_id))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], sts: "FaultSTS", tls: ssl.SSLContext | None) -> None:
        super().__init__(address, _Handler)
        self.sts = sts
        self._open: set[socket.socket] = set()
        self._tls = tls

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._tls is not None:
            request.settimeout(5)
            request = self._tls.wrap_socket(request, server_side=True, suppress_ragged_eofs=True)
            request.settimeout(None)
        self._open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self._open.discard(request)
            if self._tls is not None:
                request.close()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.sts.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are what this server is for."""

    def break_all(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class FaultSTS:
    """A running fault STS. A context manager: it serves from ``start`` to ``stop``."""

    def __init__(
        self,
        *,
        port: int = 0,
        ledger_path: Path | None = None,
        latency_seconds: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.ledger = Ledger(ledger_path)
        self.latency_seconds = latency_seconds
        self.roles: dict[str, RoleRule] = {}
        # True plays a portal that runs on a role session; keys that this STS minted always chain.
        self.caller_chains = False
        self.connections = 0
        self.stopping = threading.Event()
        self._faults: list[_Planned] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self, tls)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="fault-sts", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.break_all()
        self._server.server_close()
        self.ledger.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def fault(self, name: str, *, count: int | None = 1, probability: float = 1.0, action: str = "AssumeRole") -> None:
        """Plan a fault for the next ``count`` calls of an action (None: for ever; "*": any). Raises ValueError."""
        if name not in FAULTS:
            raise ValueError(f"no such fault: {name}")
        with self._lock:
            self._faults.append(_Planned(name, count, probability, action))

    def heal(self) -> None:
        """Drop all planned faults."""
        with self._lock:
            self._faults.clear()

    def is_chained(self, caller_key_id: str) -> bool:
        return self.caller_chains or caller_key_id in {mint.access_key_id for mint in list(self.ledger.mints)}

    def take_fault(self, action: str) -> str:
        with self._lock:
            for planned in self._faults:
                if planned.action not in {"*", action} or random.random() > planned.probability:  # noqa: S311 -- no secret.
                    continue
                if planned.count is not None:
                    planned.count -= 1
                    if planned.count <= 0:
                        self._faults.remove(planned)
                return planned.name
        return ""
