"""Letting go of what is archived: a checkpoint with its event first, then the rows. Only the tables' owner may."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import connection

from credportal.audit.models import Checkpoint, Event, EventKind, Issuance
from credportal.audit.record.writing import AuditUnavailable, NewEvent, append, committed
from credportal.domain.types import Origin

BATCH = 250


def record_archived(*, through: int, hash_: bytes, before: datetime, after: int, detail: dict[str, Any]) -> None:
    """Commit that the log is archived: the checkpoint, and the event that says the same within the chain.

    ``after`` is where the newest checkpoint stood when the archive was begun. Raises AuditUnavailable, also where
    somebody else archived meanwhile.
    """
    with committed():
        if connection.vendor == "postgresql":  # SQLite has one writer at a time anyway.
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE audit_checkpoint IN SHARE ROW EXCLUSIVE MODE")
        newest = Checkpoint.objects.order_by("-through").values_list("through", flat=True).first() or 0
        if newest != after:
            raise AuditUnavailable("somebody else archived meanwhile")
        Checkpoint.objects.create(through=through, hash=hash_, before=before)
        append(NewEvent(EventKind.ARCHIVED, "", None, Origin(), {"command": "archive_audit", **detail}))


def delete_archived() -> Iterator[int]:
    """Delete what a checkpoint covers, a batch in each transaction; give the number of events of each.

    From new to old, so that what is left after a crash still hangs on the hash that it began with. An issuance goes
    with the last of its events. Raises AuditUnavailable.
    """
    checkpoint = Checkpoint.objects.order_by("-through").first()
    if checkpoint is None:
        return
    covered = Event.objects.filter(id__lte=checkpoint.through)
    while ids := list(covered.order_by("-id").values_list("id", flat=True)[:BATCH]):
        with committed():
            batch = Event.objects.filter(id__gte=ids[-1], id__lte=ids[0])
            issuances = set(batch.exclude(issuance_id="").values_list("issuance_id", flat=True))
            batch._raw_delete(using=batch.db)  # noqa: SLF001 -- Django's delete() would read every row first.
            rest = Event.objects.filter(issuance_id__in=issuances).exclude(issuance_id="")
            gone = issuances - set(rest.values_list("issuance_id", flat=True))
            Issuance.objects.filter(id__in=gone, requested_at__lt=checkpoint.before).delete()
        yield len(ids)
