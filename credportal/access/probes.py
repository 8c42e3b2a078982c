"""What the doctor reads and writes of the catalogue. Writes stand inside the transaction of their audit event."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from django.db.models import F, Q

from credportal.access.catalogue_changes import Change, change
from credportal.access.models import Probe, Role
from credportal.domain.doctor import Diagnosis


def write_diagnosis(role_id: str, diagnosis: Diagnosis, now: datetime) -> Change:
    """Keep what a probe found, and give the role the columns that it taught. Raises Role.DoesNotExist."""
    learned = {
        "accepts_source_identity": diagnosis.accepts_source_identity,
        "accepts_session_tags": diagnosis.accepts_session_tags,
        "max_session_duration": diagnosis.max_session_duration,
    }
    changed = change(Role, role_id, {name: value for name, value in learned.items() if value is not None}, version=None)
    kept: dict[str, object] = {
        "probed_at": now,
        "findings": [asdict(finding) for finding in diagnosis.findings],
    }
    if diagnosis.works:
        kept["worked_at"] = now
    if diagnosis.is_open is not None:
        kept["is_open"] = diagnosis.is_open
    Probe.objects.update_or_create(role_id=role_id, defaults=kept)
    return changed


def due_roles(*, before: datetime, account: str = "", arns: Sequence[str] = ()) -> Iterator[str]:
    """Yield the ids of enabled roles not probed since ``before`` (aware), the longest unprobed first.

    One id at a time, looked up anew after each: whoever probes a role takes it out of the rest, and one that
    stays ends the run, so nothing grows with the catalogue and nothing goes round in circles.
    """
    due = Role.objects.filter(enabled=True, account__enabled=True)
    due = due.filter(Q(probe__isnull=True) | Q(probe__probed_at__lt=before))
    due = due.filter(account_id=account) if account else due
    due = due.filter(arn__in=arns) if arns else due
    ids = due.order_by(F("probe__probed_at").asc(nulls_first=True), "id").values_list("id", flat=True)
    last = ""
    while (found := ids.first()) is not None and found != last:
        last = found
        yield found
