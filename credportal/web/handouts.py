"""What the pages show of hand-outs: the board, one of them, and its link, which is shown once."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import segno
from django.conf import settings
from django.utils.safestring import SafeString, mark_safe

from credportal.access.models import Handout, User
from credportal.access.selectors import handouts as access
from credportal.access.selectors.handout_board import MOST_ENDED_LISTED, Stand, board
from credportal.audit import selectors as audit
from credportal.audit.models import Issuance
from credportal.domain.durations import describe_duration
from credportal.domain.handouts import HandoutState
from credportal.domain.narrowing import describe
from credportal.domain.types import Status
from credportal.flows.handout import HandedOut
from credportal.web.handing_out import WINDOWS

SHORTER = [timedelta(minutes=5), *WINDOWS[:-1]]


@dataclass(frozen=True, slots=True)
class HandoutRow:
    """One hand-out. ``state`` is where it stands by the clock; ``issuance`` what a claim of it came to."""

    handout: Handout
    state: HandoutState
    issuance: Issuance | None
    seconds_left: int

    @property
    def is_open(self) -> bool:
        """Tell whether it can be claimed."""
        return self.state is HandoutState.OPEN

    @property
    def is_moving(self) -> bool:
        """Tell whether it can still become something else: while it is open, and while AWS is asked."""
        return self.is_open or (self.issuance is not None and self.issuance.status == Status.REQUESTED)

    @property
    def outcome(self) -> str:
        """Return what a claim came to, in a word; empty where there was none."""
        return str(self.issuance.status) if self.issuance else ""

    @property
    def from_issuers_address(self) -> bool:
        """Tell whether an outsider claimed from the address it was handed out from: it may be the issuer themselves."""
        found = self.handout
        return found.is_for_outsider and bool(found.claimed_from) and found.claimed_from == found.made_from

    @property
    def mark(self) -> str:
        """Return what changes whenever the row looks different, but for the time that is left."""
        found = self.handout
        what = [found.id, self.state, self.outcome, found.refusal, found.refused_at, found.reported_at]
        return repr([*what, found.expires_at, found.links_made, found.wrong_codes])


@dataclass(frozen=True, slots=True)
class HandoutPage:
    """One hand-out as its own page shows it to one person."""

    row: HandoutRow
    narrowed: tuple[str, ...]
    is_mine: bool
    may_cancel: bool

    @property
    def version(self) -> str:
        """Return what a page that watches it has seen: its state, which decides what can be done, and the rest."""
        return f"{self.row.state}-{_digest([self.row.mark])}"


@dataclass(frozen=True, slots=True)
class Link:
    """A link with what is shown beside it. Shown once, and nowhere kept."""

    address: str = field(repr=False)
    code: str = field(repr=False)

    @property
    def qr(self) -> SafeString:
        """Draw the link: dark on light with its quiet zone, whatever the theme is, by attributes and not by style."""
        drawn = segno.make(self.address, error="m", micro=False)
        svg = drawn.svg_inline(border=4, omitsize=True, svgclass=None, lineclass=None, dark="#000", light="#fff")
        return mark_safe(svg)  # noqa: S308 -- numbers and the names of the drawing's parts.

    @property
    def code_parts(self) -> tuple[str, str]:
        """Return the halves of an outsider's code: eight digits in a row are hard to tell by phone."""
        half = len(self.code) // 2
        return self.code[:half], self.code[half:]


def rows_of(found: Iterable[Handout], *, now: datetime) -> list[HandoutRow]:
    """Return hand-outs as pages show them, with the issuances of their claims: one statement."""
    found = list(found)
    issuances = audit.issuances_with(handout.issuance_id for handout in found if handout.issuance_id)
    return [_row(handout, issuances.get(handout.issuance_id), now) for handout in found]


def board_context(user: User, *, stand: Stand | None, words: str, now: datetime) -> dict[str, Any]:
    """Return what the board shows: to support their own, to reviewers everybody's. Three statements."""
    listed = board(now=now, issuer=None if user.may_review else user, stand=stand, words=words)
    rows = rows_of([*listed.open, *listed.ended], now=now)
    first = len(listed.open)
    return {
        "open": rows[:first],
        "ended": rows[first:],
        "is_cut": listed.is_cut,
        "most": MOST_ENDED_LISTED,
        "everybody": user.may_review,
        "version": _digest(row.mark for row in rows),
    }


def page_of(handout_id: str, user: User, *, now: datetime) -> HandoutPage | None:
    """Return the page of a hand-out, None where there is none for this person."""
    handout = access.handout(handout_id)
    if handout is None or not (handout.issuer_id == user.pk or user.may_review):
        return None
    (row,) = rows_of([handout], now=now)
    narrowed = list(describe(access.request_in(handout).narrowing("")))
    if handout.from_claim_address:
        narrowed.append("only from the address that claims it")
    is_mine = handout.issuer_id == user.pk
    return HandoutPage(row, tuple(narrowed), is_mine, may_cancel=is_mine or user.is_catalogue_admin)


def page_context(page: HandoutPage) -> dict[str, Any]:
    """Return what ``handouts/handout.html`` shows."""
    left = timedelta(seconds=page.row.seconds_left)
    return {
        "page": page,
        "row": page.row,
        "handout": page.row.handout,
        "mail_is_on": settings.MAIL_IS_ON,
        "history": audit.history_of(f"handout:{page.row.handout.id}"),
        "anew": urlencode({"role": page.row.handout.role_id, "reason": page.row.handout.reason}),
        "shorter": [(int(one.total_seconds()), describe_duration(one)) for one in SHORTER if one < left],
    }


def made_context(given: HandedOut, *, again: bool, now: datetime) -> dict[str, Any]:
    """Return what ``handouts/made.html`` shows. ``again`` says that it had a link before."""
    return {
        "handout": given.handout,
        "row": _row(given.handout, None, now),
        "link": Link(given.address, given.code),
        "again": again,
        "mailed": given.mailed,
    }


def _row(handout: Handout, issuance: Issuance | None, now: datetime) -> HandoutRow:
    left = max(0, int((handout.expires_at - now).total_seconds()))
    return HandoutRow(handout, access.state_of(handout, now), issuance, left)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode(errors="replace")).hexdigest()[:16]
