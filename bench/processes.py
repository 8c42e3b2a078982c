"""Starts the parties of a run, and reads from /proc what their processes cost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bench.load import Batch

ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
START_SECONDS = 60.0


def environment(**more: str) -> dict[str, str]:
    """Return a clean environment: nothing of the person's own AWS or portal set-up reaches a run."""
    keep = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL") if key in os.environ}
    return {
        **keep,
        "AWS_ACCESS_KEY_ID": "AKIABENCHBENCHBENCHB",
        "AWS_SECRET_ACCESS_KEY": "bench-only-bench-only-bench-only-bench-o",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",  # Version 1 of the AWS CLI reads this one.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


@contextmanager
def running(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block ends; it gets 25 seconds to stop, then its group is killed."""
    process = subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=25)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@dataclass(frozen=True, slots=True)
class STS:
    """The fixed-latency STS."""

    url: str

    def set_latency(self, milliseconds: int) -> None:
        """Hold every answer back for so long."""
        self._ask("PUT", f"/latency/{milliseconds}")

    def figures(self) -> dict[str, int]:
        """Return how many ``connections`` are open and how many sessions were ``minted``."""
        return cast("dict[str, int]", json.loads(self._ask("GET", "/figures")))

    def ledger(self) -> list[tuple[str, str]]:
        """Return session name and access key id of every session that was minted, in their order."""
        return [(name, key_id) for name, key_id in json.loads(self._ask("GET", "/ledger"))]

    def _ask(self, method: str, path: str) -> str:
        request = urllib.request.Request(f"{self.url}{path}", method=method)  # noqa: S310 -- our own address.
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- our own address.
            return str(answer.read().decode())


@contextmanager
def running_sts() -> Iterator[STS]:
    """Run the fixed-latency STS."""
    with running([sys.executable, "-m", "bench.sts"], env=environment(), stdout=subprocess.PIPE) as process:
        yield STS(f"http://127.0.0.1:{_line(process).strip()}")


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that works off lines, such as the warm boto3 client."""

    process: subprocess.Popen[str]

    def drive(self, calls: int, clients: int) -> Batch:
        """Make so many calls from so many threads."""
        self.begin(calls, clients)
        return self.end()

    def begin(self, calls: int, clients: int) -> None:
        """Say what to do, and do not wait."""
        if self.process.stdin is None:
            raise AssertionError("it was started with a pipe")
        self.process.stdin.write(f"{calls} {clients}\n")
        self.process.stdin.flush()

    def end(self) -> Batch:
        """Wait until it is done."""
        return Batch(**json.loads(_line(self.process)))


@contextmanager
def running_raw(sts: STS) -> Iterator[Worker]:
    """Run the warm boto3 client."""
    command = [sys.executable, "-m", "bench.raw", sts.url]
    with running(command, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Worker(process)


@dataclass(frozen=True, slots=True)
class Portal:
    """A running gunicorn with its workers."""

    url: str
    port: int
    pid: int
    log: Path

    def workers(self) -> list[int]:
        """Return the process ids of the workers that live now."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def cpu_seconds(self) -> float:
        """Return the CPU time of master and workers so far: utime and stime of /proc."""
        return sum(cpu_seconds(pid) for pid in [self.pid, *self.workers()])

    def pss_megabytes(self) -> float:
        """Return the proportional share of memory of master and workers."""
        return sum(pss_bytes(pid) for pid in [self.pid, *self.workers()]) / 1e6

    def open_files(self) -> int:
        """Return how many files and sockets master and workers hold open."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in [self.pid, *self.workers()])


def cpu_seconds(pid: int) -> float:
    """Return what a process has used, all its threads included (proc(5), fields 14 and 15 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_bytes(pid: int) -> int:
    """Return a process's proportional set size (proc(5), smaps_rollup)."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))


@contextmanager
def running_portal(
    env: dict[str, str],
    log: Path,
    *,
    workers: int = 2,
    threads: int = 8,
    application: str = "credportal.wsgi:application",
) -> Iterator[Portal]:
    """Run real gunicorn with the portal's own configuration. Raises RuntimeError where it does not come up."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    env = {
        **env,
        "CREDPORTAL_URL": url,
        "GUNICORN_BIND": f"127.0.0.1:{port}",
        "WEB_CONCURRENCY": str(workers),
        "GUNICORN_THREADS": str(threads),
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", application]
    with log.open("w") as output, running(command, env=env, stdout=output, stderr=output) as process:
        portal = Portal(url, port, process.pid, log)
        wait_for_workers(portal, workers)
        yield portal


def wait_for_workers(portal: Portal, count: int) -> None:
    """Wait until so many workers in all have warmed up since the start. They answer no request meanwhile."""
    deadline = time.monotonic() + START_SECONDS
    while portal.log.read_text().count('"aws.identity"') < count:
        if time.monotonic() > deadline or not Path(f"/proc/{portal.pid}").exists():
            raise RuntimeError(f"gunicorn did not come up: {portal.log.read_text()[-2000:]}")
        time.sleep(0.05)
    time.sleep(0.5)  # The line is not the last thing that a worker does.


def seed(env: dict[str, str], *, roles: int, people: int) -> dict[str, Any]:
    """Fill the database of this environment. Raises RuntimeError where that fails."""
    command = [sys.executable, "-m", "bench.seed", str(roles), str(people)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the database could not be filled: {done.stderr[-2000:]}")
    return cast("dict[str, Any]", json.loads(done.stdout.splitlines()[-1]))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _line(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise AssertionError("it was started with a pipe")
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended")
    return line
