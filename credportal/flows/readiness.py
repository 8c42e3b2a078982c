"""Whether this process can do its job: write the audit, and sign for AWS."""

from dataclasses import dataclass

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from credportal.audit import record
from credportal.flows.identity import known

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


def readiness() -> Readiness:
    """Probe the parts. Never raises."""
    database = _database()
    migrations = _migrations() if database == "ok" else "unknown"
    aws_identity = known.state()
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
