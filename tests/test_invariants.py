"""The first and the sixth promise, kept by real processes: gunicorn, an STS of our own, and clients.

Three ledgers that know nothing of each other are compared: what clients got, what the
portal's audit says, and what the STS minted.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from credportal.audit.models import Event, Issuance
from tests.support.cast import Cast, make_cast, make_catalogue
from tests.support.portal import Portal, running_portal
from tests.support.sts_process import running_sts
from tests.support.visitor import Answer, Visitor, new_submission

CLIENTS = 20
KILLS = 20
SECONDS = 9.0
FORMS = 20
PRESSES = 5


@dataclass
class Crowd:
    """Clients that post forms until they are told to stop, and keep all that came back."""

    visitors: list[Visitor]
    role_id: str
    answers: list[Answer] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)

    def post_until_enough(self, visitor: Visitor) -> None:
        while not self.enough.is_set():
            answer = visitor.issue(self.role_id)
            self.answers.append(answer)
            if answer.status == 0:  # Nobody listens for a moment.
                time.sleep(0.02)

    def delivered(self) -> set[str]:
        """Return the ids of all credentials of which even a part arrived."""
        return {key_id for answer in self.answers for key_id in answer.access_key_ids}


def visitors_at(portal: Portal, cast: Cast, role_id: str, count: int) -> list[Visitor]:
    """Sign people in and let each open the form once, so that they hold a CSRF token."""
    visitors = [Visitor(portal.url, cast.alice if number % 2 else cast.bob) for number in range(count)]
    for visitor in visitors:
        visitor.open_form(f"/roles/{role_id}/")
    return visitors


def kill_workers(portal: Portal, *, kills: int, seconds: float) -> int:
    """Kill a worker at random moments; return how many died."""
    killed = 0
    for _ in range(kills):
        time.sleep(random.uniform(0, 2 * seconds / kills))  # noqa: S311 -- timing, not secrecy.
        workers = portal.workers()
        if workers:
            portal.kill_worker(random.choice(workers))  # noqa: S311 -- as above.
            killed += 1
    return killed


@pytest.mark.django_db(transaction=True)
def test_invariant_1_no_row_no_secret_while_workers_are_killed_at_random_moments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = make_cast()
    role_id = make_catalogue(cast).read_only.id
    with running_sts(tmp_path, latency_ms=20) as sts:
        with running_portal(sts_url=sts.url, log=tmp_path / "portal.log") as portal:
            crowd = Crowd(visitors_at(portal, cast, role_id, CLIENTS), role_id)
            with ThreadPoolExecutor(CLIENTS) as pool:
                for visitor in crowd.visitors:
                    pool.submit(crowd.post_until_enough, visitor)
                try:
                    killed = kill_workers(portal, kills=KILLS, seconds=SECONDS)
                finally:
                    crowd.enough.set()
        minted = {mint["session_name"]: mint["access_key_id"] for mint in sts.mints()}

    # Nobody works on the intents that are left. Housekeeping would wait until they are old.
    left = set(Issuance.objects.filter(status="requested").values_list("id", flat=True))
    monkeypatch.setattr("credportal.audit.record.upkeep.STALE_AFTER", timedelta(0))
    call_command("housekeeping", verbosity=0)

    issued = set(Issuance.objects.filter(status="issued").values_list("access_key_id", flat=True))
    traced = set(Issuance.objects.values_list("session_name", flat=True))
    unknown = set(Issuance.objects.filter(status="unknown").values_list("id", flat=True))
    delivered = crowd.delivered()
    print(  # noqa: T201 -- a zero means little without its N; pytest -rP shows it.
        f"{connection.vendor}: {killed} workers killed, {len(crowd.answers)} posts, {len(minted)} minted, "
        f"{len(delivered)} delivered, {len(left)} intents without an outcome"
    )
    assert killed >= KILLS * 0.7
    assert len(delivered) > 100, "the crowd must have had something to lose"
    assert delivered - issued == set(), "delivered without a row"
    assert set(minted) - traced == set(), "minted without a trace"
    assert left <= unknown, "an intent without an outcome stayed open"
    assert not Issuance.objects.filter(status="requested").exists()
    assert delivered <= set(minted.values())
    statuses = {answer.status for answer in crowd.answers}
    assert statuses <= {0, 200, 503}, statuses
    finished = set(Event.objects.exclude(kind="issuance:requested").values_list("issuance_id", flat=True))
    assert set(Issuance.objects.values_list("id", flat=True)) == finished, "each issuance has its outcome's event"


@pytest.mark.django_db(transaction=True)
def test_invariant_6_one_submit_mints_once_however_often_it_is_pressed_over_two_processes(tmp_path: Path) -> None:
    cast = make_cast()
    role_id = make_catalogue(cast).read_only.id
    with (
        running_sts(tmp_path, latency_ms=30) as sts,
        running_portal(sts_url=sts.url, log=tmp_path / "portal.log") as portal,
        ThreadPoolExecutor(PRESSES) as pool,
    ):
        visitors = [Visitor(portal.url, cast.alice) for _ in range(PRESSES)]
        for visitor in visitors:
            visitor.open_form(f"/roles/{role_id}/")
        for _ in range(FORMS):
            submission = new_submission()
            together = threading.Barrier(PRESSES)

            def press(visitor: Visitor, submission: str = submission, start: threading.Barrier = together) -> int:
                start.wait(timeout=20)
                return visitor.issue(role_id, submission=submission).status

            statuses = sorted(pool.map(press, visitors))
            assert statuses == [200, *[409] * (PRESSES - 1)]
        assert len(sts.calls()) == len(sts.mints()) == FORMS
    assert Issuance.objects.filter(status="issued").count() == Issuance.objects.count() == FORMS
