"""The whole portal as its own processes: real gunicorn on a free port of loopback."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_database_url() -> str:
    """Return the address of the database that the test at hand writes to."""
    wanted = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{wanted['NAME']}"
    password = f":{wanted['PASSWORD']}" if wanted["PASSWORD"] else ""
    return f"postgres://{wanted['USER']}{password}@{wanted['HOST']}:{wanted['PORT']}/{wanted['NAME']}"


test_database_url.__test__ = False  # type: ignore[attr-defined]  # pytest would take it for a test


@dataclass
class Portal:
    """A running portal. ``log`` is the file its processes write to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def workers(self) -> list[int]:
        """Return the process ids of the workers that live now."""
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(line) for line in found.stdout.split()]

    def kill_worker(self, pid: int) -> None:
        """Kill a worker as the kernel would when memory runs out. One that has just ended by itself is dead too."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def is_up(self) -> bool:
        """Tell whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:  # noqa: S310 -- our own address.
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def running_portal(
    *, sts_url: str, log: Path, workers: int = 2, threads: int = 8, **environment: str
) -> Iterator[Portal]:
    """Run gunicorn on the test database, with an STS of the test's own, until the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        **os.environ,
        "CREDPORTAL_MODE": "demo",
        "CREDPORTAL_URL": url,
        "DATABASE_URL": test_database_url(),
        "STATIC_ROOT": str(settings.STATIC_ROOT),
        "AWS_ENDPOINT_URL_STS": sts_url,
        "DJANGO_SETTINGS_MODULE": "credportal.settings",
        "GUNICORN_BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": str(workers),
        "GUNICORN_THREADS": str(threads),
        **environment,
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "credportal.wsgi:application"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output, start_new_session=True)
    portal = Portal(url, process, log)
    try:
        deadline = time.monotonic() + 30
        while not portal.is_up():
            assert process.poll() is None, f"gunicorn ended: {log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"gunicorn is not up: {log.read_text()[-2000:]}"
            time.sleep(0.05)
        yield portal
    finally:
        process.terminate()
        try:
            process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
