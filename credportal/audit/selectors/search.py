"""What the audit page and the exports look for: events by everything an event says.

Each filter has an index of its own in the order of the page (models.py), so one page costs the same however long
the log is. Where an index leaves most events out, its condition is repeated here: the databases use it only then.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Subquery

from credportal.audit.models import Event, EventKind, Issuance
from credportal.audit.paging import Page, newest_first
from credportal.audit.selectors.conditions import filled, sql
from credportal.domain.types import Status

STEPS = (EventKind.REQUESTED.value, EventKind.RETRIED.value, EventKind.AUDIT_READ.value)
"""What happens on the way to an outcome, and reading: left out unless it is asked for."""

OUTCOME_KINDS = {
    Status.ISSUED.value: EventKind.ISSUED.value,
    Status.DENIED.value: EventKind.DENIED.value,
    Status.FAILED.value: EventKind.FAILED.value,
    Status.UNKNOWN.value: EventKind.UNKNOWN.value,
}
"""The kind of event that each outcome of an issuance is."""

WORDS_REACH = 100_000
"""How many events free text looks through where the database has no index of words (SQLite)."""

MOST_OPEN = 1000
ACCOUNT_DIGITS = 12
# Character for character what the index of words is made of (migration 0006).
_WORDS = "(audit_event.reason || ' ' || audit_event.ticket)"
_OTHER_ACTOR = "nullif(audit_event.actor_handle, audit_event.on_behalf_of)"
_HAS_WORDS = f"audit_event.kind <> 'issuance:requested' AND {_WORDS} <> ' '"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events; empty means any. ``since`` is the first moment, ``until`` the first one after (aware).

    ``person`` is a handle: whose access it is about, or who acted. ``words`` must all occur in reason or ticket.
    ``steps`` shows STEPS too.
    """

    person: str = ""
    role: str = ""
    account: str = ""
    environment: str = ""
    outcome: str = ""
    kind: str = ""
    source: str = ""
    ticket: str = ""
    address: str = ""
    key: str = ""
    issuance: str = ""
    words: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    steps: bool = False

    @property
    def by_time_alone(self) -> bool:
        """Tell whether nothing but a range of time is asked for."""
        return replace(self, since=None, until=None, steps=False) == Filters()


def matching(filters: Filters) -> list[QuerySet[Event]]:
    """Return the events that match, unordered, as sets that have no event in common.

    There are two where a person is asked for: their own, and what they did for somebody else.
    Raises TookTooLong where it has to look something up first.
    """
    rows = _in_time(filters)
    rows = _by_what(rows, filters)
    if filters.words:
        rows = _by_words(rows, filters)
    if not filters.person:
        return [rows]
    theirs = rows.filter(on_behalf_of=filters.person)
    # That it is not null goes without saying: said, PostgreSQL would take it for another rare thing, and sort.
    for_others = rows.filter(sql(f"{_OTHER_ACTOR} = %s", filters.person))
    return [theirs, for_others]


def page(filters: Filters, *, cursor: str = "", purpose: str = "") -> Page[Event]:
    """Return one page of the events that match, newest first. Raises BadCursor and TookTooLong."""
    return newest_first(matching(filters), at="at", cursor=cursor, purpose=purpose)


def words_since(filters: Filters) -> datetime | None:
    """Return where free text stops looking back; None where it reaches over the whole range."""
    if connection.vendor == "postgresql" or not filters.words:
        return None
    first = _newest(filters) - WORDS_REACH + 1  # The numbers have no gaps.
    reached = Event.objects.filter(id=first).values_list("at", flat=True).first() if first > 1 else None
    return None if reached is None or (filters.since and reached <= filters.since) else reached


def _newest(filters: Filters) -> int:
    """Return the number of the newest event before the range ends, 0 where there is none."""
    before = {"at__lt": filters.until} if filters.until else {}
    return Event.objects.filter(**before).order_by("-at", "-id").values_list("id", flat=True).first() or 0


def _in_time(filters: Filters) -> QuerySet[Event]:
    rows = Event.objects.all()
    since = max(filter(None, (filters.since, words_since(filters))), default=None)
    if since:
        rows = rows.filter(at__gte=since)
    if filters.until:
        rows = rows.filter(at__lt=filters.until)
    return rows


def _by_what(rows: QuerySet[Event], filters: Filters) -> QuerySet[Event]:
    equal: dict[str, Any] = {
        "role_arn" if filters.role.startswith("arn:") else "role_name": filters.role,
        "account_number" if _is_number(filters.account) else "account_name": filters.account,
        "environment": filters.environment,
        "kind": filters.kind,
        "address": filters.address,
    }
    # The indexes of these leave out the events that have nothing there.
    sparse = {
        "source": filters.source,
        "ticket": filters.ticket,
        "access_key_id": filters.key,
        "issuance_id": filters.issuance,
    }
    rows = rows.filter(**{name: value for name, value in {**equal, **sparse}.items() if value})
    for name, value in sparse.items():
        if value:
            rows = rows.filter(filled(name))
    return _by_outcome(rows, filters)


def _by_outcome(rows: QuerySet[Event], filters: Filters) -> QuerySet[Event]:
    if filters.outcome == Status.REQUESTED.value:
        still_open = Issuance.objects.filter(status=Status.REQUESTED.value).order_by("requested_at")
        ids = list(still_open.values_list("id", flat=True)[:MOST_OPEN])
        asked = rows.filter(kind=EventKind.REQUESTED.value, issuance_id__in=ids)
        return asked.filter(filled("issuance_id"))
    if filters.outcome:
        return rows.filter(kind=OUTCOME_KINDS[filters.outcome])
    return rows if filters.steps or filters.kind else rows.exclude(kind__in=STEPS)


def _by_words(rows: QuerySet[Event], filters: Filters) -> QuerySet[Event]:
    """Keep what has every word. Both databases compare without regard to case, SQLite that of ASCII alone."""
    like = "ILIKE %s" if connection.vendor == "postgresql" else r"LIKE %s ESCAPE '\'"
    if EventKind.REQUESTED.value != filters.kind and filters.outcome != Status.REQUESTED.value:
        rows = rows.filter(sql(_HAS_WORDS))
    for word in filters.words:
        rows = rows.filter(sql(f"{_WORDS} {like}", f"%{_literal(word)}%"))
    return rows


def _literal(word: str) -> str:
    """Take their meaning from the wildcards of LIKE."""
    return word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _is_number(account: str) -> bool:
    return len(account) == ACCOUNT_DIGITS and account.isascii() and account.isdigit()


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the log reaches: the oldest event that is kept, and how many there are."""

    begins: datetime
    count: int


def extent() -> Extent | None:
    """Return how far the log reaches, None while it is empty: by its gapless numbers, without counting."""
    newest = Subquery(Event.objects.order_by("-id").values("id")[:1])
    found = Event.objects.order_by("id").annotate(newest=newest).values_list("id", "at", "newest").first()
    return Extent(begins=found[1], count=found[2] - found[0] + 1) if found else None
