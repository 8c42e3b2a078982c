"""Shipping the log to a second place. The log itself is the outbox; all there is beside is a cursor for each target.

So whoever writes never waits for a target, and a target that is away for days misses nothing. A batch counts as
sent only once the target took it: it may come twice, and never out of order.
"""

import random
import threading
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models.functions import Now

from credportal.audit import chain, export
from credportal.audit.models import Event, Progress
from credportal.audit.targets import SYSLOG_PORT, NotAccepted, Syslog, Target, Webhook
from credportal.audit.turn import fair_turn, only_reader

__all__ = ["Lag", "Shipper", "shipping_lag", "targets"]

log = structlog.get_logger(__name__)

MOST = 500
"""Events of one batch."""

IDLE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
SHORTER = "the log is shorter than what was shipped: a restored backup? See --restart-after"


@dataclass(frozen=True, slots=True)
class Lag:
    """How many events a target has not taken yet, and since when the oldest of them waits."""

    target: str
    behind: int
    since: datetime | None


def targets() -> list[Target]:
    """Return the targets that the environment names, none where it names none."""
    found: list[Target] = []
    if settings.AUDIT_WEBHOOK:
        found.append(Webhook(settings.AUDIT_WEBHOOK, settings.AUDIT_WEBHOOK_SECRET, settings.AUDIT_CA_FILE))
    if settings.AUDIT_SYSLOG:
        place = urlsplit(settings.AUDIT_SYSLOG)
        sender = urlsplit(settings.PORTAL_URL).hostname or ""
        found.append(Syslog(place.hostname or "", place.port or SYSLOG_PORT, sender, settings.AUDIT_CA_FILE))
    return found


def readers() -> list[str]:
    """Return the names by which the targets keep how far they have come."""
    return [_reader(target) for target in targets()]


def shipping_lag() -> list[Lag]:
    """Return how far each target is behind: two statements, and one more for each that is."""
    wanted = targets()
    if not wanted:
        return []
    last = export.last_number()
    come = Progress.objects.in_bulk(readers())
    return [_lag(target.name, come.get(_reader(target)), last) for target in wanted]


class Shipper:
    """Ships to one target, one batch after the other, and pauses longer the longer it does not take them."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.sent = self.failures = 0
        self._most = MOST
        self._failed_in_turn = 0

    def run(self, stop: threading.Event) -> None:
        """Ship until ``stop`` is set: for days, if need be, through every failure of target or database."""
        while not stop.is_set():
            shipped = self.ship()
            if not shipped:
                stop.wait(self.pause())
        connection.close()

    def drain(self) -> bool:
        """Ship until nothing is left; False where the target, the database or another shipper is in the way."""
        while self.ship():
            pass
        return self._failed_in_turn == 0 and self.through() >= export.last_number()

    def through(self) -> int:
        """Return the last sequence number that the target took."""
        return Progress.objects.get_or_create(reader=_reader(self.target))[0].through

    def restart(self, after: int) -> None:
        """Ship again everything after a sequence number."""
        Progress.objects.update_or_create(reader=_reader(self.target), defaults={"through": after})

    def pause(self) -> float:
        """Return how many seconds to wait now: doubled with each failure, and by chance up to a half less."""
        if not self._failed_in_turn:
            return IDLE_SECONDS
        longest = min(LONGEST_PAUSE_SECONDS, IDLE_SECONDS * float(2 ** min(self._failed_in_turn, 10)))
        return longest * random.uniform(0.5, 1)  # noqa: S311 -- no secret: shippers must not all come back at once.

    def ship(self) -> int:
        """Send the next batch; return how many events the target took. Never raises for target or database."""
        try:
            with only_reader(_reader(self.target)) as is_ours:
                count = self._ship() if is_ours else 0
        except (NotAccepted, DatabaseError) as error:
            self.failures += 1
            self._failed_in_turn += 1
            # A batch may be more than the target takes at once.
            self._most = max(1, self._most // 2)
            cause = str(error) if isinstance(error, NotAccepted) else type(error).__name__
            log.warning("audit.ship_failed", target=self.target.name, cause=cause, in_turn=self._failed_in_turn)
            connection.close_if_unusable_or_obsolete()
            return 0
        self._failed_in_turn = 0
        return count

    def _ship(self) -> int:
        through = self.through()
        lines = export.lines_after(through, most=self._most)
        if not lines:
            if through > export.last_number():
                raise NotAccepted(SHORTER)
            return 0
        # Nothing may leave that a crash of the database could still take back.
        chain.make_durable()
        self.target.send(lines)
        last = lines[-1].number
        with fair_turn():
            Progress.objects.filter(reader=_reader(self.target), through=through).update(through=last, at=Now())
        self.sent += len(lines)
        self._most = min(MOST, self._most * 2)
        log.info("audit.shipped", target=self.target.name, first=lines[0].number, last=last, count=len(lines))
        return len(lines)


def _lag(name: str, come: Progress | None, last: int) -> Lag:
    through = come.through if come else 0
    if through >= last:
        return Lag(name, 0, None)
    oldest = Event.objects.filter(id__gt=through).order_by("id").values_list("id", "at").first()
    return Lag(name, last - oldest[0] + 1, oldest[1]) if oldest else Lag(name, 0, None)


def _reader(target: Target) -> str:
    return f"ship:{target.name}"
