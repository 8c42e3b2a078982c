"""Hand-outs as the board lists them: what is open first, then what has ended, newest first. Every list is bounded."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q, QuerySet

from credportal.access.models import Handout, User
from credportal.access.selectors.words import MOST_WORDS, people_matching
from credportal.domain.handouts import HandoutState

MOST_OPEN_LISTED = 200
MOST_ENDED_LISTED = 100
MOST_COLLEAGUES = 300


class Stand(StrEnum):
    """How people tell hand-outs apart. ``refused`` is locked, or open with a last claim that was refused."""

    OPEN = "open"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Board:
    """What the board lists, and whether older ones are left out."""

    open: list[Handout]
    ended: list[Handout]
    is_cut: bool


def board(*, now: datetime, issuer: User | None = None, stand: Stand | None = None, words: str = "") -> Board:
    """Return the hand-outs of one issuer, or of everybody: two statements. ``words`` have to be in the people's names.

    What is over by the clock counts as expired, whether or not housekeeping has seen it.
    """
    found = _with_words(_of(issuer), words)
    still_open = Q(state=HandoutState.OPEN, expires_at__gt=now)
    open_ones = [Stand.OPEN, Stand.REFUSED, None]
    opened = found.filter(still_open) if stand in open_ones else found.none()
    if stand is Stand.REFUSED:
        opened = opened.exclude(refusal="")
    ended = found.filter(_ended(stand, now)) if stand is not Stand.OPEN else found.none()
    first = list(opened.order_by("expires_at", "id")[: MOST_OPEN_LISTED + 1])
    then = list(ended.order_by("-made_at", "-id")[: MOST_ENDED_LISTED + 1])
    is_cut = len(first) > MOST_OPEN_LISTED or len(then) > MOST_ENDED_LISTED
    return Board(first[:MOST_OPEN_LISTED], then[:MOST_ENDED_LISTED], is_cut)


def colleagues(query: str = "", *, without: User) -> tuple[list[User], bool]:
    """Return people who can sign in and so could claim, and whether there are more: one statement."""
    found = people_matching(User.objects.filter(is_active=True).exclude(pk=without.pk), query)
    rows = list(found.order_by("name", "username")[: MOST_COLLEAGUES + 1])
    return rows[:MOST_COLLEAGUES], len(rows) > MOST_COLLEAGUES


def handle_of_name(name: str) -> str:
    """Return the handle of the one active person of this name, empty where there is none or more than one."""
    found = list(User.objects.filter(name__iexact=name, is_active=True).values_list("handle", flat=True)[:2])
    return found[0] if len(found) == 1 else ""


def _ended(stand: Stand | None, now: datetime) -> Q:
    over = Q(state=HandoutState.OPEN, expires_at__lte=now)
    match stand:
        case Stand.CLAIMED:
            return Q(state=HandoutState.CLAIMED)
        case Stand.EXPIRED:
            return Q(state=HandoutState.EXPIRED) | over
        case Stand.REFUSED:
            return Q(state=HandoutState.LOCKED)
        case Stand.CANCELLED:
            return Q(state=HandoutState.CANCELLED)
        case _:
            return ~Q(state=HandoutState.OPEN) | over


def _of(issuer: User | None) -> QuerySet[Handout]:
    found = Handout.objects.select_related("issuer", "recipient", "role__account", "ended_by")
    return found if issuer is None else found.filter(issuer=issuer)


def _with_words(found: QuerySet[Handout], words: str) -> QuerySet[Handout]:
    """Keep those in which every word is in the issuer's or the recipient's names."""
    for word in words.split()[:MOST_WORDS]:
        anywhere = Q()
        for whose in ("issuer", "recipient"):
            for column in ("name", "username", "handle"):
                anywhere |= Q((f"{whose}__{column}__icontains", word))
        found = found.filter(anywhere | Q(outsider_name__icontains=word) | Q(outsider_email__icontains=word))
    return found
