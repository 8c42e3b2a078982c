"""What the demo keeps between two starts, in ``.demo``. Standard library only."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
from pathlib import Path

from demo.venv import ROOT, refuse

LOOPBACK = "127.0.0.1"


class State:
    """The folder of one demo: database, secret key, users with passwords, collected static files, logs, mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "db.sqlite3"
        self.users = folder / "users"
        self.secret_key = folder / "secret-key"
        self.endpoint_port = folder / "endpoint-port"
        self.static = folder / "static"
        self.logs = folder / "logs"
        self.mail = folder / "mail"
        self._lock: int | None = None

    def open(self, *, reset: bool) -> None:
        """Make the folder and hold it, so that two demos never share it. Raises Refused."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            refuse(f"Cannot write into {self.folder}: {error.strerror}")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            refuse(f"A demo is already running on {self.folder}. Stop it with Ctrl-C first.")
        if reset:
            self._empty()
        self.logs.mkdir(exist_ok=True)
        if not self.secret_key.exists():
            write_private(self.secret_key, secrets.token_urlsafe(48) + "\n")

    def _empty(self) -> None:
        for item in self.folder.iterdir():
            if item.is_dir():
                shutil.rmtree(item)
            elif item.name != "lock":
                item.unlink()

    def a_port_for_the_endpoint(self) -> int:
        """Return last time's port where it is still free, so that copied snippets keep working; else a free one."""
        try:
            port = int(self.endpoint_port.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            port = 0
        if not port or not is_free(port):
            with socket.socket() as probe:
                probe.bind((LOOPBACK, 0))
                port = probe.getsockname()[1]
        self.endpoint_port.write_text(f"{port}\n", encoding="utf-8")
        return port


def folder_of_this_demo() -> Path:
    """Return ``.demo``, or the folder that CREDPORTAL_DEMO_DIR names."""
    return Path(os.environ.get("CREDPORTAL_DEMO_DIR") or ROOT / ".demo").absolute()


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as output:
        output.write(text)


def is_free(port: int) -> bool:
    """Tell whether nothing listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
