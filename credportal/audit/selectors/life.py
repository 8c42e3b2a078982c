"""The life of an issuance, and what lies around an event.

The facts come from the events, which the chain proves. The row of an issuance adds what no event has, and stands
in where there are no events. An index that leaves most events out is used only where its condition is repeated.
"""

from collections import defaultdict
from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from operator import attrgetter

from credportal.audit.models import Event, EventKind, Issuance
from credportal.audit.selectors.conditions import filled
from credportal.audit.selectors.search import OUTCOME_KINDS
from credportal.domain.naming import session_name

MOST_EVENTS = 200
"""How many events of one issuance, or of its approval, a page shows."""
MOST_FOUND = 20
LARGEST = 2**63 - 1
"""The largest number that an event can have."""

HANDOUT = "handout:"
"""How the subject of a hand-out's events begins; its id follows."""

ASKED = (EventKind.REQUESTED.value, EventKind.DENIED.value)
OUTCOMES = {kind: status for status, kind in OUTCOME_KINDS.items()}
_WHO = ["actor_id", "actor_handle", "actor_name", "address", "user_agent", "request_id"]
_WHAT = [
    "role_arn",
    "role_name",
    "account_number",
    "account_name",
    "environment",
    "duration_asked",
    "reason",
    "ticket",
    "source",
]
_GIVEN = ["code", "aws_request_id", "access_key_id", "assumed_role_id", "expiration", "duration_given"]
_HAS_ISSUANCE, _HAS_KEY, _HAS_SUBJECT = filled("issuance_id"), filled("access_key_id"), filled("subject")


@dataclass(frozen=True, slots=True)
class Life:
    """An issuance as its events tell it (``told`` is no row and is never saved), and these in their order."""

    told: Issuance
    events: list[Event]

    @property
    def closing(self) -> Event | None:
        """Return the event by which somebody closed it, None while nobody has."""
        return next((event for event in self.events if event.kind == EventKind.CLOSED.value), None)

    @property
    def handout_id(self) -> str:
        """Return the id of the hand-out that led to it, empty where none did."""
        subjects = (event.subject for event in self.events)
        return next((one.removeprefix(HANDOUT) for one in subjects if one.startswith(HANDOUT)), "")


def life_of(issuance_id: str) -> Life | None:
    """Return the whole life of an issuance, with what led to it; None where there is neither row nor event."""
    life = next(iter(lives_of([issuance_id])), None)
    if life is None:
        return None
    led_here = {event.subject for event in life.events if event.subject.startswith(("approval:", HANDOUT))}
    if life.told.approval_id:
        led_here.add(f"approval:{life.told.approval_id}")
    if not led_here:
        return life
    # What led to the issuance has none yet; what another issuance took it for is no part of this life.
    before = Event.objects.filter(_HAS_SUBJECT, subject__in=led_here, issuance_id="").order_by("id")[:MOST_EVENTS]
    return Life(life.told, sorted([*life.events, *before], key=attrgetter("id")))


def lives_of(ids: Collection[str]) -> list[Life]:
    """Return the lives of some issuances in the order of their ids, without their approvals: two statements."""
    rows = Issuance.objects.in_bulk(list(ids))
    events: dict[str, list[Event]] = defaultdict(list)
    for event in Event.objects.filter(_HAS_ISSUANCE, issuance_id__in=ids).order_by("id")[: len(ids) * MOST_EVENTS]:
        events[event.issuance_id].append(event)
    return [Life(_told(one, events[one], rows.get(one)), events[one]) for one in ids if one in rows or events[one]]


def ids_with_key(access_key_id: str) -> list[str]:
    """Return the issuances that gave this access key id, the newest first and MOST_FOUND of them at most."""
    same_key = Event.objects.filter(_HAS_KEY, access_key_id=access_key_id).order_by("-at", "-id")
    ids = same_key.values_list("issuance_id", flat=True)[: MOST_FOUND * 10]
    return [one for one in dict.fromkeys(ids) if one][:MOST_FOUND]


def ids_of_handout(handout_id: str) -> list[str] | None:
    """Return the issuances that a hand-out led to, the newest first, MOST_FOUND at most; None where there is none."""
    told = Event.objects.filter(_HAS_SUBJECT, subject=f"{HANDOUT}{handout_id}").order_by("-id")
    ids = list(told.values_list("issuance_id", flat=True)[:MOST_EVENTS])
    return [one for one in dict.fromkeys(ids) if one][:MOST_FOUND] if ids else None


def neighbours_of(told: Issuance, *, each_side: int = 3) -> list[Life]:
    """Return what the same person asked just before and after, newest first."""
    same_person = Issuance.objects.filter(actor_handle=told.actor_handle).exclude(id=told.id)
    after = same_person.filter(requested_at__gte=told.requested_at).order_by("requested_at", "id")
    before = same_person.filter(requested_at__lt=told.requested_at).order_by("-requested_at", "-id")
    later, earlier = (list(side.values_list("id", flat=True)[:each_side]) for side in (after, before))
    return lives_of([*reversed(later), *earlier])


def event_between(number: int) -> tuple[Event | None, Event | None, Event | None]:
    """Return the event before, the event with this sequence number, and the one after: one statement."""
    if number > LARGEST:
        return None, None, None
    found = {event.id: event for event in Event.objects.filter(id__gte=number - 1).order_by("id")[:3]}
    return found.get(number - 1), found.get(number), found.get(number + 1)


def _told(issuance_id: str, events: list[Event], row: Issuance | None) -> Issuance:
    """Fill an issuance from its events; what they do not say stays as the row has it."""
    told = copy(row) if row else Issuance(id=issuance_id)
    own = [event for event in events if event.kind in ASKED or event.kind in OUTCOMES]
    asked = next((event for event in own if event.kind in ASKED), None)
    ended = next((event for event in reversed(own) if event.kind in OUTCOMES), None)
    for event, names in ((ended or asked, _WHAT), (asked, [*_WHO, *_WHAT]), (ended, _GIVEN)):
        for name in names if event else ():
            value = getattr(event, name)
            if value not in ("", None):
                setattr(told, name, value)
    if events:
        told.actor_handle = told.actor_handle or next((one.on_behalf_of for one in own or events), "")
    if ended:
        told.status, told.finished_at = OUTCOMES[ended.kind], ended.at
    elif not row:
        told.status = "requested"
    if asked or not row:
        told.requested_at = (asked or events[0]).at
    if not row:
        told.session_name = _session_name(told, asked)
    return told


def _session_name(told: Issuance, asked: Event | None) -> str:
    """Return what the session of an issuance without a row was called: its intent says so, or else AWS's own id."""
    if told.status == "denied":
        return ""
    if asked is not None and asked.detail.get("session_name"):
        return str(asked.detail["session_name"])
    try:
        return told.assumed_role_id.partition(":")[2] or session_name(told.actor_handle, told.id)
    except ValueError:
        return ""
