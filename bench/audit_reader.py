"""An auditor at one database: does what a line of JSON says, and answers with a line of figures.

``python -m bench.audit_reader`` runs inside the environment of a filled database. Requests go through Django's
test client: the portal from its first middleware to the last byte. Seconds are wall clock.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 -- all of these need django.setup() first.
from django.core.management import call_command  # noqa: E402 -- as above.
from django.db import connection  # noqa: E402 -- as above.
from django.test import Client  # noqa: E402 -- as above.
from django.utils import timezone  # noqa: E402 -- as above.

from bench.audit_clock import StatementClock  # noqa: E402 -- as above.
from bench.audit_make import AUDITOR  # noqa: E402 -- as above.
from bench.processes import cpu_seconds  # noqa: E402 -- as above.
from credportal.access.models import User  # noqa: E402 -- as above.
from credportal.audit.models import Event, Issuance  # noqa: E402 -- as above.
from credportal.audit.proof.verify import verify_log  # noqa: E402 -- as above.
from credportal.audit.selectors import counts, search  # noqa: E402 -- as above.
from credportal.flows.start import warm_up  # noqa: E402 -- as above.
from credportal.web.forms.audit import FilterForm  # noqa: E402 -- as above.

CLIENT = Client(headers={"host": "127.0.0.1"})
ISSUED = "issuance:issued"


def page(query: dict[str, str]) -> dict[str, Any]:
    """Ask for one page of the audit."""
    with StatementClock().running() as clock:
        began = time.perf_counter()
        answer = CLIENT.get("/audit/", query)
        seconds = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(f"status {answer.status_code} for {query}")
    slowest = max(clock.reads, default=(0.0, ""))
    rows = answer.content.count(b"data-event=") or answer.content.count(b"<tr")
    return {
        "seconds": seconds,
        "statement": slowest[0],
        "sql": slowest[1],
        "statements": len(clock.reads),
        "rows": rows,
    }


def samples() -> dict[str, Any]:
    """Return a cursor to the middle of the log, and ids of an issuance that is there."""
    newest = Event.objects.order_by("-id")[0].id
    middle = Event.objects.get(id=newest // 2)
    # An issuance and key of which there are as many events in a small log as in a large one.
    opened = set(
        Event.objects.filter(kind="console:opened", id__gt=newest - 5000).values_list("issuance_id", flat=True)
    )
    issued = Event.objects.filter(kind=ISSUED, id__lt=newest - 500).exclude(issuance_id__in=opened).order_by("-id")[0]
    rare = Event.objects.filter(kind=ISSUED, id__gt=newest // 3).order_by("id")[0]
    return {
        "deep": _cursor({}, middle.at),
        "deep_in_range": _cursor({"range": "90d"}, timezone.now() - timedelta(days=45)),
        "issuance": issued.issuance_id,
        "key": issued.access_key_id,
        "ticket": Event.objects.filter(id__gt=newest // 2, ticket__gt="").order_by("id")[0].ticket,
        "address": rare.address,
        "issuances": Issuance.objects.count(),
        "events": newest,
    }


def _cursor(query: dict[str, str], until: datetime) -> str:
    """Return where the page after this moment goes on, as the page for this query gives it."""
    purpose = FilterForm(query).purpose(User.objects.get(username=AUDITOR).handle)
    return search.page(search.Filters(until=until), purpose=purpose).older


def chart(rounds: int, days: int = 90) -> dict[str, Any]:
    """Count what a chart of so many days shows, from tallies and from the events themselves, in turns."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    bounds = [midnight - timedelta(days=days - number) for number in range(days + 1)]
    counts.MOST_DRAWN = 10**9  # The portal gives up long before: here it may take as long as it does.
    tallied, counted = [], []
    for number in range(rounds):
        began = time.perf_counter()
        from_tallies = counts.counts(bounds)
        tallied.append(time.perf_counter() - began)
        if number % 5 == 0:
            began = time.perf_counter()
            from_events = counts.counts_of([Event.objects.all()], bounds)
            counted.append(time.perf_counter() - began)
    return {
        "tallied": tallied,
        "counted": counted,
        "equal": from_tallies == from_events,
        "outcomes": sum(count.total for count in from_events),
    }


def export(form: str, query: dict[str, str]) -> dict[str, Any]:
    """Download the log; return rows, seconds, those of CPU, and by how many MiB this process grew at most."""
    for _ in range(2):
        sum(map(len, _download(form, {"range": "24h"})))
    return _watched(lambda: sum(part.count(b"\n") for part in _download(form, query)))


def verify() -> dict[str, Any]:
    """Walk the chain; the same figures."""
    return _watched(_verified)


def _verified() -> int:
    walked = verify_log()
    if walked.fault is not None:
        raise RuntimeError(str(walked.fault))
    return walked.events


def _download(form: str, query: dict[str, str]) -> Any:
    answer = CLIENT.get(f"/audit/export.{form}", query)
    if answer.status_code != 200:
        raise RuntimeError(f"status {answer.status_code}")
    return answer.streaming_content  # type: ignore[attr-defined]  # of a streaming answer.


def _watched(work: Callable[[], int]) -> dict[str, Any]:
    """Do something that returns a number of rows; tell the seconds it took, those of CPU, and how far memory rose."""
    rest, cpu = _memory("VmRSS"), _cpu()
    Path("/proc/self/clear_refs").write_text("5")  # Forgets the highest so far (proc(5)).
    began = time.perf_counter()
    rows = work()
    seconds = time.perf_counter() - began
    mebibytes = (_memory("VmHWM") - rest) / 1024
    return {"rows": rows, "seconds": seconds, "cpu": _cpu() - cpu, "mebibytes": mebibytes}


def _memory(name: str) -> int:
    """Return a line of /proc/self/status, in KiB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))


def _cpu() -> float:
    """Return the CPU time of this process, and of the one that PostgreSQL serves it with."""
    used = cpu_seconds(os.getpid())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            used += cpu_seconds(cursor.fetchone()[0])
    return used


def main() -> None:
    """Answer lines until there are no more."""
    call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr)
    warm_up()
    CLIENT.force_login(User.objects.get(username=AUDITOR), backend=settings.AUTHENTICATION_BACKENDS[0])
    tasks: dict[str, Callable[..., dict[str, Any]]] = {
        "page": page,
        "samples": samples,
        "chart": chart,
        "export": export,
        "verify": verify,
    }
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps(tasks[task.pop("do")](**task)), flush=True)


if __name__ == "__main__":
    main()
