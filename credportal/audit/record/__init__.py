"""The only writer of the audit.

Every write stands in a durable transaction: when it is through, the rows are committed.
What another layer writes at the same moment, such as a change of the catalogue, stands in
the same one, so that there is never the change without its event, nor the event without it.
A write that fails raises AuditUnavailable, and then nothing is minted, shown or changed.
"""

from credportal.audit.record.issuances import (
    AlreadySubmitted,
    about_issuance,
    nothing,
    record_console,
    record_denied,
    record_failed,
    record_intent,
    record_issued,
    record_retry,
)
from credportal.audit.record.upkeep import STALE_AFTER, probe_writable, reap_stale_intents
from credportal.audit.record.writing import About, AuditUnavailable, NewEvent, about_role, append, append_all, committed

__all__ = [
    "STALE_AFTER",
    "About",
    "AlreadySubmitted",
    "AuditUnavailable",
    "NewEvent",
    "about_issuance",
    "about_role",
    "append",
    "append_all",
    "committed",
    "nothing",
    "probe_writable",
    "reap_stale_intents",
    "record_console",
    "record_denied",
    "record_failed",
    "record_intent",
    "record_issued",
    "record_retry",
]
