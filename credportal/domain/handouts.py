"""The words of hand-outs: who hands out what to whom, and by which delegation. Frozen, typed, free of I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from credportal.domain.types import Actor, Identity, Narrowing, Preset, RoleFacts, SessionSpec, Source

MIN_WINDOW = timedelta(minutes=15)
DEFAULT_WINDOW = timedelta(hours=1)
MAX_WINDOW = timedelta(hours=24)
"""How long a hand-out can be claimed: at least, usually, at most."""
MOST_WRONG_CODES = 5
"""How many wrong codes lock a hand-out for an outsider."""
DAY = timedelta(hours=24)
"""What the daily limit looks back on: no midnight, so no time zone."""


class HandoutState(StrEnum):
    """Where a hand-out stands. Only ``open`` may change, and ``claimed`` back to it where AWS minted nothing."""

    OPEN = "open"
    CLAIMED = "claimed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Recipient:
    """For whom a hand-out is: a user of the portal with the names of their groups, or an outsider.

    ``is_colleague_by_email`` says that an outsider's address is that of an active user.
    """

    actor: Actor
    is_outsider: bool = False
    groups: frozenset[str] = frozenset()
    is_colleague_by_email: bool = False


@dataclass(frozen=True, slots=True)
class Issuer:
    """The support person who hands out. ``signed_in_at`` is when they last proved who they are, None if unknown."""

    actor: Actor
    is_support: bool
    email: str = ""
    signed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DelegationFacts:
    """One row by which a person or a group may hand out a role. Like an eligibility, it allows a whole or nothing.

    ``name`` is what admins call it, ``group`` who holds it, empty where the row names the person. ``recipients`` names
    the group of those it is for, empty for every colleague. ``outsider_duration`` is None where it is not for
    outsiders. ``rota`` names the rota on which one has to be on duty, empty where none; ``on_duty`` says whether the
    issuer is. ``open_now`` and ``made_lately`` count the issuer's hand-outs by this row: those still open, those of
    the last 24 hours.
    """

    id: int
    name: str
    group: str
    max_duration: timedelta
    max_open: int
    max_per_day: int
    outsider_duration: timedelta | None = None
    recipients: str = ""
    rota: str = ""
    on_duty: bool = True
    open_now: int = 0
    made_lately: int = 0

    @property
    def holder(self) -> str:
        """Who the row names, in words: ``the group support`` or ``you``."""
        return f"the group {self.group}" if self.group else "you"


@dataclass(frozen=True, slots=True)
class HandoutRequest:
    """What a support person asks to hand out. ``submission`` is the one-time id of the rendered form.

    ``window`` is how long it can be claimed. ``from_claim_address`` ties the session to the address that claims.
    """

    role_id: str
    duration: timedelta
    window: timedelta
    reason: str = ""
    ticket: str = ""
    read_only: bool = False
    region: str = ""
    from_claim_address: bool = False
    submission: str = ""

    @property
    def presets(self) -> frozenset[Preset]:
        """Return the session-policy presets that are in use."""
        used = {
            Preset.READ_ONLY: self.read_only,
            Preset.MY_ADDRESS: self.from_claim_address,
            Preset.ONE_REGION: bool(self.region),
        }
        return frozenset(preset for preset, value in used.items() if value)

    def narrowing(self, address: str) -> Narrowing:
        """Return the narrowing of the session that is claimed from this IP address."""
        return Narrowing(self.read_only, address if self.from_claim_address else "", self.region)


@dataclass(frozen=True, slots=True)
class HandoutFacts:
    """All that the rule book may know about handing out. ``role`` and ``recipient`` are None where there is none.

    ``delegations`` are the issuer's rows for this role. ``handout_id`` is empty until the hand-out is made.
    ``recipient_signed_in_at`` is when the recipient last proved who they are, at a claim.
    """

    issuer: Issuer
    recipient: Recipient | None
    role: RoleFacts | None
    delegations: tuple[DelegationFacts, ...]
    chaining_ceiling: timedelta | None = None
    identity: Identity = field(default_factory=Identity)
    handout_id: str = ""
    recipient_signed_in_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delegated:
    """The rule book says: this row lets the issuer hand it out."""

    delegation: DelegationFacts


@dataclass(frozen=True, slots=True)
class GrantedClaim:
    """The rule book says: the recipient may have it now, with this session spec, because of this row."""

    spec: SessionSpec
    delegation: DelegationFacts
    handout_id: str
    issuer: Actor

    @property
    def source(self) -> Source:
        """Return what the grant rests on."""
        return Source.HANDOUT
