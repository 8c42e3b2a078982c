"""When rows of the catalogue were last used."""

from collections.abc import Collection
from datetime import UTC, datetime

from django.db import connection

# The list of ids comes first, so that each is one look into its index and the table is never walked.
LAST_USED = """
    WITH wanted(id) AS (VALUES {rows})
    SELECT wanted.id, (SELECT MAX(issuance.requested_at) FROM audit_issuance issuance
                       WHERE issuance.eligibility_id = wanted.id AND issuance.status = 'issued')
    FROM wanted
"""


def last_used(eligibility_ids: Collection[int]) -> dict[int, datetime]:
    """Return when a session was last issued by each of these rows (aware UTC): one statement.

    A row that never issued one is left out.
    """
    ids = sorted(set(eligibility_ids))
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LAST_USED.format(rows=", ".join(["(%s)"] * len(ids))), ids)
        return {row_id: _aware(at) for row_id, at in cursor.fetchall() if at is not None}


def _aware(at: datetime | str) -> datetime:
    """Read what the driver gives: SQLite keeps text, in UTC and without saying so."""
    read = datetime.fromisoformat(at) if isinstance(at, str) else at
    return read if read.tzinfo else read.replace(tzinfo=UTC)
