"""A log that many write to is whole, also to somebody who verifies it meanwhile."""

import os
import subprocess
import sys

import pytest

from credportal.audit.models import Event
from credportal.audit.proof import verify
from credportal.audit.proof.differences import differences
from tests.support.portal import ROOT, test_database_url

PROCESSES, THREADS, TRANSACTIONS = 2, 8, 10
# Each transaction writes an issuance with its refusal, or three events at once.
WRITER = f"""
import sys, threading, django
django.setup()
from datetime import timedelta
from django.db import connection
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Actor, Denied, DenialReason, IssuanceRequest, Origin
actor, origin, faults = Actor(1, "alice", "Alice"), Origin("192.0.2.7", "tests", "r"), []

def write(thread):
    try:
        for turn in range({TRANSACTIONS}):
            name = f"{{sys.argv[1]}}-{{thread}}-{{turn}}"
            if turn % 2:
                asked = IssuanceRequest(role_id="r", duration=timedelta(hours=1), submission=name, reason="x")
                record.record_denied(issuance_id=name, actor=actor, origin=origin, asked=asked, role=None,
                                     denied=Denied(DenialReason.NOT_ELIGIBLE, "why", "next"))
            else:
                with record.committed():
                    for _ in range(3):
                        record.append(record.NewEvent(EventKind.AUDIT_READ, name, actor, origin))
    except Exception as error:
        faults.append(repr(error))
    finally:
        connection.close()

threads = [threading.Thread(target=write, args=(number,)) for number in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit("\\n".join(faults) or 0)
"""


@pytest.mark.django_db(transaction=True)
def test_a_log_that_16_threads_of_2_processes_write_to_never_raises_a_false_alarm() -> None:
    env = {
        **os.environ,
        "DATABASE_URL": test_database_url(),
        "DJANGO_SETTINGS_MODULE": "credportal.settings",
        "CREDPORTAL_MODE": "demo",
    }
    writers, seen = [], set()
    for number in range(PROCESSES):
        writers.append(subprocess.Popen([sys.executable, "-c", WRITER, str(number)], cwd=ROOT, env=env))
    try:
        while any(writer.poll() is None for writer in writers):
            walked = verify.verify_log()
            assert walked.fault is None
            assert list(differences(walked.first, walked.last.number)) == []
            seen.add(walked.last.number)
    finally:
        codes = [writer.wait() for writer in writers]
    assert codes == [0] * PROCESSES
    assert len(seen) > 1, "nothing was verified while they wrote"
    assert verify.verify_log().fault is None
    assert Event.objects.count() == PROCESSES * THREADS * TRANSACTIONS * 2
