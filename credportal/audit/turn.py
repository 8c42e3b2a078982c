"""A fair turn at SQLite's one write lock.

SQLite makes waiting writers sleep and try again, so under load some wait for seconds
while others pass. Queueing in front of BEGIN IMMEDIATE, first among the threads of a
process and then among the processes, keeps ``synchronous=FULL`` and a short tail.
PostgreSQL needs none of this.

Who reads the events to pass them on takes turns too, on both databases: one of a kind at a time.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

PATIENCE_SECONDS = 5.0
_READER_LOCK = 7308332
_threads = threading.Lock()


@contextmanager
def fair_turn() -> Iterator[None]:
    """Hold the turn while the block writes. Raises OperationalError after five seconds behind this process's threads.

    Behind another process there is at most one transaction of its to wait for, which SQLite's own timeout bounds.
    The kernel gives the file lock back when a process dies, so a killed worker blocks nobody.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name:
        yield
        return
    if not _threads.acquire(timeout=PATIENCE_SECONDS):
        raise OperationalError("waited too long for a turn to write")
    try:
        queue = os.open(f"{name}.lock-queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(queue, fcntl.LOCK_EX)
            yield
        finally:
            os.close(queue)
    finally:
        _threads.release()


@contextmanager
def only_reader(reader: str) -> Iterator[bool]:
    """Give True to one holder of a reader's name at a time, on whatever machine; others get False, and try again later.

    Lock and reading share a connection or a process: whoever dies in between gives the lock back.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", [_READER_LOCK, reader])
            (is_ours,) = cursor.fetchone()
            try:
                yield is_ours
            finally:
                if is_ours and not cursor.closed:
                    cursor.execute("SELECT pg_advisory_unlock(%s, hashtext(%s))", [_READER_LOCK, reader])
        return
    name = f"{connection.settings_dict['NAME']}.{reader.replace(':', '-')}"
    queue = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(queue)
