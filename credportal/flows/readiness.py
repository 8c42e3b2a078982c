"""Whether this process can do its job: write the audit, and sign for AWS."""

import threading
import time
from dataclasses import dataclass

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from credportal.audit import record
from credportal.aws import sts

IDENTITY_KEPT_SECONDS = 60.0
# An endpoint that is away for a moment, or that has no GetCallerIdentity, is a note: taking
# every replica out of service would hide the page that explains it.
RED_IDENTITIES = {"absent", "invalid"}


@dataclass(frozen=True, slots=True)
class Readiness:
    """One word per part. ``ready`` is False where any part stops the portal from issuing."""

    ready: bool
    database: str
    migrations: str
    aws_identity: str


class _KnownIdentity:
    """The last answer about the portal's own identity, so that a probe a second makes a call a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = ""
        self._at = 0.0

    def state(self) -> str:
        with self._lock:
            if not self._state or time.monotonic() - self._at > IDENTITY_KEPT_SECONDS:
                self._state = sts.caller_identity().state
                self._at = time.monotonic()
            return self._state

    def forget(self) -> None:
        """Ask again at the next probe."""
        with self._lock:
            self._state = ""


identity = _KnownIdentity()


def readiness() -> Readiness:
    """Probe the parts. Never raises."""
    database = _database()
    migrations = _migrations() if database == "ok" else "unknown"
    aws_identity = identity.state()
    ready = database == "ok" and migrations == "ok" and aws_identity not in RED_IDENTITIES
    return Readiness(ready, database, migrations, aws_identity)


def _database() -> str:
    try:
        record.probe_writable()
    except record.AuditUnavailable:
        return "not writable"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return "pending" if pending else "ok"
