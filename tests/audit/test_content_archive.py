"""What the event of an archive carries."""

import gzip
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from credportal.audit.models import Event, EventKind
from tests.support.content import BY_PORTAL, assert_content
from tests.support.history import write_issuances

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_archive_carries_what_left_the_log_and_where_it_went(tmp_path: Path) -> None:
    long_ago = timezone.now() - timedelta(days=900)
    write_issuances([{"requested_at": long_ago}, {"requested_at": timezone.now() - timedelta(days=1)}])
    _, last = Event.objects.order_by("id")[:2]
    hash_ = bytes(last.hash).hex()
    before = datetime.combine(timezone.now().date() - timedelta(days=400), datetime.min.time(), UTC)
    call_command("archive_audit", f"--before={before:%Y-%m-%d}", f"--directory={tmp_path}", verbosity=0)
    [file] = tmp_path.iterdir()
    with gzip.open(file) as stream:
        *lines, _ = stream.read().splitlines(keepends=True)
    assert_content(
        EventKind.ARCHIVED,
        BY_PORTAL,
        detail={
            "command": "archive_audit",
            "from": 1,
            "through": 2,
            "previous_hash": bytes(32).hex(),
            "hash": hash_,
            "events": 2,
            "issuances": 1,
            "file": file.name,
            "sha256": hashlib.sha256(b"".join(lines)).hexdigest(),
            "before": before.isoformat(),
        },
    )
