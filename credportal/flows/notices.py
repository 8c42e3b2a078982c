"""Notices by mail. The audit log is the outbox, and all there is beside is how far it was read.

So whoever writes an event never waits for a mail server, and a server that is away for days loses nobody a notice. An
event counts as told once the server took its mails: a mail may come twice, never not at all, but for an address or
a mail that the server refuses for good. Where no server is named nothing is told, and nothing is saved up.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.models.functions import Now

from credportal.audit import chain, export
from credportal.audit.models import Event, Progress
from credportal.audit.turn import fair_turn, only_reader
from credportal.flows.mail import Away, Mail, NotNow, Post, Unsendable, post
from credportal.flows.notice_letters import LETTERS, mails_about

log = structlog.get_logger(__name__)

READER = "notices"
CHUNK = 1000
"""How many events one statement looks at."""

RUN_SECONDS = 15.0
"""How long one run sends. What is left is for the next, so that the rest of housekeeping comes in time."""

NOT_NOW_FOR = timedelta(hours=1)
"""How long a mail that the server does not take now holds up those behind it. Then it is given up."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one run did: how many mails the server took and refused for good, and what stopped it."""

    sent: int = 0
    refused: int = 0
    fault: str = ""


class _Postman:
    """Sends mails, over a connection that is there once there is something to send."""

    def __init__(self, now: datetime) -> None:
        self.sent = self.refused = 0
        self._now = now
        self._stack = ExitStack()
        self._post: Post | None = None

    def send(self, mail: Mail, event: Event) -> None:
        """Send one mail. Raises Away, and NotNow while it is worth another try."""
        try:
            if self._post is None:
                self._post = self._stack.enter_context(post())
            self._post.send(mail)
        except Unsendable as error:
            self._give_up(event, error)
        except NotNow as error:
            if self._now - event.at < NOT_NOW_FOR:
                raise
            self._give_up(event, error)
        else:
            self.sent += 1

    def close(self) -> None:
        """End the connection. The next mail makes a new one."""
        self._stack.close()
        self._post = None

    def _give_up(self, event: Event, error: Exception) -> None:
        self.refused += 1
        log.warning("notice.refused", seq=event.id, kind=event.kind, cause=str(error))
        self.close()


def send_notices(*, now: datetime) -> Told:
    """Mail what is new, and begin with what comes after the first run. Never raises for server or database."""
    postman = _Postman(now)
    fault = ""
    try:
        with only_reader(READER) as is_ours:
            if is_ours:
                _send_new(postman, now)
    except (Away, NotNow) as error:
        fault = f"The mail server takes nothing now ({error}). Notices wait."
        log.warning("notice.server_away", cause=str(error))
    except DatabaseError as error:
        fault = f"The database is away ({type(error).__name__}). Notices wait."
        log.warning("notice.database_away", cause=type(error).__name__)
    finally:
        postman.close()
    if postman.sent:
        log.info("notice.sent", count=postman.sent)
    return Told(postman.sent, postman.refused, fault)


def _send_new(postman: _Postman, now: datetime) -> None:
    newest, through = export.last_number(), _through()
    if through is None or not settings.MAIL_IS_ON or through > newest:
        # The first run, nobody to send by, or a restored backup: people are not told about the past.
        return _come(newest) if through != newest else None
    # Nothing may leave that a crash of the database could still take back.
    chain.make_durable()
    ends = time.monotonic() + RUN_SECONDS
    while through < newest and time.monotonic() < ends:
        seen = _kinds_after(through, newest)
        events = Event.objects.in_bulk([number for number, kind in seen if kind in LETTERS])
        for number in sorted(events):
            if time.monotonic() > ends:
                return None
            for mail in mails_about(events[number], now=now):
                postman.send(mail, events[number])
            _come(number)
        through = seen[-1][0] if seen else newest
        _come(through)
    return None


def _kinds_after(through: int, newest: int) -> list[tuple[int, str]]:
    numbers = Event.objects.filter(id__gt=through, id__lte=newest).order_by("id")
    return list(numbers.values_list("id", "kind")[:CHUNK])


def _through() -> int | None:
    """Return the last event that was told, None before the first run."""
    return Progress.objects.filter(reader=READER).values_list("through", flat=True).first()


def _come(through: int) -> None:
    with fair_turn():
        Progress.objects.update_or_create(reader=READER, defaults={"through": through, "at": Now()})
