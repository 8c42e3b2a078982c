"""bin/demo as a process."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.venv import ROOT
from tests.demo.browser import Person

DEMO = str(ROOT / "bin" / "demo")


def environment(folder: Path, **extra: str) -> dict[str, str]:
    """Return the environment of a person whose shell knows nothing about the portal."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "PYENV_ROOT", "PYENV_VERSION")
    return {name: os.environ[name] for name in keep if name in os.environ} | {
        "CREDPORTAL_DEMO_DIR": str(folder),
        **extra,
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_demo(folder: Path, *arguments: str, **extra: str) -> "subprocess.CompletedProcess[str]":
    """Run bin/demo to its end."""
    return subprocess.run(
        [DEMO, *arguments], env=environment(folder, **extra), capture_output=True, text=True, timeout=60, check=False
    )


@dataclass
class Demo:
    """A demo that runs."""

    process: "subprocess.Popen[str]"
    folder: Path
    url: str
    output: str

    @property
    def passwords(self) -> dict[str, str]:
        """What bin/demo --users prints."""
        lines = run_demo(self.folder, "--users").stdout.splitlines()
        return dict(line.split(" ") for line in lines)

    def person(self, name: str) -> Person:
        """Sign somebody in."""
        return Person(self.url, name, self.passwords[name])

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


@contextmanager
def running_demo(folder: Path, *arguments: str, **extra: str) -> Iterator[Demo]:
    """Start bin/demo, wait until it says that it runs, and stop it in the end."""
    port = free_port()
    command = [DEMO, "--no-browser", "--port", str(port), *arguments]
    with (folder.parent / f"{folder.name}.stderr").open("w+", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, env=environment(folder, **extra), stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout
        try:
            output = ""
            for line in process.stdout:
                output += line
                if "Ctrl-C stops everything" in line:
                    break
            else:
                errors.seek(0)
                raise AssertionError(f"bin/demo ended: {errors.read()}")
            yield Demo(process, folder, f"http://127.0.0.1:{port}", output)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=40)
            process.stdout.close()


def processes_of(folder: Path) -> list[int]:
    """Return the processes that carry this demo's folder in their environment. Linux only."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(str(folder).encode() in variable for variable in variables):
                found.append(int(entry.name))
    return found


def gone_within(folder: Path, seconds: float) -> list[int]:
    """Wait until no process of this demo is left; return those that are."""
    deadline = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left
