"""What the pages show of the catalogue and the audit: plain values, ready for a template."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credportal.audit.models import Issuance
from credportal.domain.durations import describe_duration
from credportal.domain.policy import effective_maximum, longest, needs_of, valid_rows
from credportal.domain.tickets import ticket_examples
from credportal.domain.types import Environment, Facts, Needs, Preset, RoleFacts
from credportal.flows.identity import portal_identity
from credportal.web.offers import Offer
from credportal.web.presets import USUAL

ENVIRONMENT_ORDER = {environment: place for place, environment in enumerate(Environment)}
NOTHING = Needs()


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role as its person sees it: the longest duration, what set it, and what it needs.

    ``needs`` is what the longest duration asks for, ``always`` what every duration does. ``at_once`` is the longest
    that waits for nobody, ``freely`` the longest that asks for nothing at all, ``break_glass`` the longest by
    break-glass; each is None where there is none, ``at_once`` also where no duration waits. ``tickets`` are examples.
    """

    id: str
    arn: str
    name: str
    description: str
    account_number: str
    account_name: str
    account_owner: str
    environment: str
    default_region: str
    enabled: bool
    longest: timedelta
    why_longest: str
    favourite: bool
    needs: Needs = NOTHING
    always: Needs = NOTHING
    at_once: timedelta | None = None
    freely: timedelta | None = None
    break_glass: timedelta | None = None
    why_break_glass: str = ""
    review_open: bool = False
    tickets: tuple[str, ...] = ()
    narrowings: frozenset[Preset] = frozenset(Preset)
    approvers: str = ""
    approvals_needed: int = 1
    tags: tuple[str, ...] = ()

    @property
    def breakable(self) -> bool:
        """Tell whether there is a glass to break: a way around an approval."""
        return self.needs.approval and self.break_glass is not None


@dataclass(frozen=True, slots=True)
class QuickRow:
    """A role to ask for as it was last time. ``offer`` is there where one press is all it needs."""

    role: RoleRow
    duration: timedelta
    last_at: datetime | None
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A session that has not ended. Its secrets are nowhere any more."""

    issuance_id: str
    role_id: str
    role_name: str
    account_name: str
    environment: str
    seconds_left: int
    seconds_total: int
    expiration: datetime
    renewable: bool


def role_row(facts: Facts, *, now: datetime, favourites: set[str]) -> RoleRow | None:
    """Return the row of a role, or None where the person cannot have it now."""
    facts = replace(facts, identity=portal_identity())
    best = longest(facts, now)
    role = facts.role
    if best is None or role is None:
        return None
    maximum, eligibility = best
    asked = _asked_of(facts, role, now)
    needs = needs_of(eligibility, role)
    glass = longest(facts, now, break_glass=True) if needs.approval else None
    return RoleRow(
        id=role.id,
        arn=role.arn,
        name=role.name,
        description=role.description,
        account_number=role.account_number,
        account_name=role.account_name,
        account_owner=role.account_owner,
        environment=role.environment.value,
        default_region=role.default_region,
        enabled=role.enabled,
        longest=maximum.duration,
        why_longest=maximum.why,
        favourite=role.id in favourites,
        needs=needs,
        always=_always([each for each, _ in asked]),
        at_once=_longest_of(asked, lambda each: not each.approval) if needs.approval else None,
        freely=_longest_of(asked, lambda each: each == NOTHING),
        break_glass=glass[0].duration if glass else None,
        why_break_glass=glass[0].why if glass else "",
        review_open=facts.open_review,
        tickets=ticket_examples(role.ticket_pattern) if needs.ticket else (),
        narrowings=role.narrowings,
        approvers=role.approvers,
        approvals_needed=role.approvals_needed,
        tags=role.tags,
    )


def role_rows(catalogue: Iterable[Facts], *, now: datetime, favourites: set[str]) -> list[RoleRow]:
    """Return the rows of all roles the person can have now, production first, then by account and name."""
    return [row for facts in in_order(catalogue, now) if (row := role_row(facts, now=now, favourites=favourites))]


def in_order(catalogue: Iterable[Facts], now: datetime) -> list[Facts]:
    """Return the facts of which some row is valid now, production first, then by account and name."""
    found = [(facts.role, facts) for facts in catalogue if facts.role is not None and valid_rows(facts, now)]
    found.sort(key=lambda one: (ENVIRONMENT_ORDER[one[0].environment], one[0].account_name, one[0].name, one[0].id))
    return [facts for _, facts in found]


def quick_row(role: RoleRow, last: Issuance | None) -> QuickRow:
    """Return a row that asks for what was given last time, cut to what may be had now."""
    duration = min(last.duration_asked if last else USUAL, role.longest)
    offer = Offer(f"Get {describe_duration(duration)}", role.id, int(duration.total_seconds()))
    return QuickRow(
        role=role,
        duration=duration,
        last_at=last.requested_at if last else None,
        offer=offer if role.freely is not None and duration <= role.freely else None,
    )


def quick_rows(
    rows: Iterable[RoleRow], recent: Iterable[Issuance], *, most: int = 4
) -> tuple[list[QuickRow], list[QuickRow]]:
    """Return favourites, and the roles used last that are no favourites. ``recent`` comes newest first."""
    by_id = {row.id: row for row in rows}
    last: dict[str, Issuance] = {}
    for issuance in recent:
        last.setdefault(issuance.role_id, issuance)
    favourites = [quick_row(row, last.get(row.id)) for row in by_id.values() if row.favourite]
    recents = [
        quick_row(by_id[role_id], used)
        for role_id, used in last.items()
        if role_id in by_id and not by_id[role_id].favourite
    ]
    return favourites, recents[:most]


def live_rows(issuances: Iterable[Issuance], *, now: datetime, renewable: set[str]) -> list[LiveRow]:
    """Return the rows of live sessions. ``renewable`` holds the ids of roles the person can still have."""
    return [row for issuance in issuances if (row := live_row(issuance, now=now, renewable=renewable))]


def live_row(issuance: Issuance, *, now: datetime, renewable: set[str]) -> LiveRow | None:
    """Return the row of a session that has not ended, else None."""
    if issuance.expiration is None or issuance.expiration <= now:
        return None
    return LiveRow(
        issuance_id=issuance.id,
        role_id=issuance.role_id,
        role_name=issuance.role_name,
        account_name=issuance.account_name,
        environment=issuance.environment,
        seconds_left=int((issuance.expiration - now).total_seconds()),
        seconds_total=int((issuance.duration_given or issuance.duration_asked).total_seconds()),
        expiration=issuance.expiration,
        renewable=issuance.role_id in renewable,
    )


def _asked_of(facts: Facts, role: RoleFacts, now: datetime) -> list[tuple[Needs, timedelta]]:
    """Return what each row asks for that gives the role now, with the longest duration that it gives."""
    asked = [
        (needs_of(row, role), effective_maximum(row, role, facts.chaining_ceiling).duration)
        for row in valid_rows(facts, now)
    ]
    return [(needs, duration) for needs, duration in asked if role.approvers or not needs.approval]


def _always(asked: list[Needs]) -> Needs:
    return Needs(
        reason=all(needs.reason for needs in asked),
        ticket=all(needs.ticket for needs in asked),
        approval=all(needs.approval for needs in asked),
        step_up=all(needs.step_up for needs in asked),
    )


def _longest_of(asked: list[tuple[Needs, timedelta]], fits: Callable[[Needs], bool]) -> timedelta | None:
    return max((duration for needs, duration in asked if fits(needs)), default=None)
