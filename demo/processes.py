"""The demo's child processes: started apart from the terminal, stopped together. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from demo.venv import ROOT

STOP_SECONDS = 25.0  # Longer than gunicorn's own graceful_timeout.


class Child:
    """One child in a process group of its own, so that Ctrl-C reaches the launcher alone."""

    def __init__(self, name: str, command: list[str], *, env: dict[str, str], log: Path, piped: bool = False) -> None:
        self.name = name
        self.log = log
        with log.open("a", encoding="utf-8") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
                stdout=subprocess.PIPE if piped else output,
                stderr=output,
                text=True,
                start_new_session=True,
            )

    @property
    def has_ended(self) -> bool:
        """Tell whether the child is gone."""
        return self.process.poll() is not None

    def last_words(self) -> str:
        """Return the last line of the child's log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def say(self, line: str) -> None:
        """Write one line to the child's standard input, and keep it open."""
        stream = _open(self.process.stdin)
        # Its end is noticed by the answer that does not come.
        with contextlib.suppress(BrokenPipeError):
            stream.write(line + "\n")
            stream.flush()

    def hear(self) -> str:
        """Wait for one line from the child; empty where it ended instead."""
        return _open(self.process.stdout).readline()

    def terminate(self) -> None:
        """Ask the child to stop."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()

    def kill(self) -> None:
        """End whatever is left of the child's process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _open(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError("This child was started without pipes.")
    return stream


def stop(children: list[Child]) -> None:
    """Stop them, the last one first: politely, then for good. Leaves no process behind."""
    deadline = time.monotonic() + STOP_SECONDS
    for child in reversed(children):
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        child.kill()
