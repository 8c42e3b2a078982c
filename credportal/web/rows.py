"""What the pages show of the catalogue and the audit: plain values, ready for a template."""

import unicodedata
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from credportal.access.models import User
from credportal.audit.models import Issuance
from credportal.domain.durations import MIN_DURATION, describe_duration
from credportal.domain.policy import longest
from credportal.domain.types import Environment, Facts
from credportal.web.offers import Offer

PRESETS = [timedelta(minutes=15), *(timedelta(hours=hours) for hours in (1, 2, 4, 8, 12))]
USUAL = timedelta(hours=1)
ENVIRONMENT_ORDER = list(Environment)


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role as its person sees it: the longest duration, what set it, and what it needs."""

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
    needs_reason: bool
    favourite: bool


@dataclass(frozen=True, slots=True)
class AccountGroup:
    """An account with the roles that the person has in it."""

    number: str
    name: str
    environment: str
    owner: str
    roles: list[RoleRow]


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


@dataclass(frozen=True, slots=True)
class Preset:
    """One choice of the duration."""

    seconds: int
    label: str
    note: str
    checked: bool


def role_row(facts: Facts, *, now: datetime, favourites: set[str]) -> RoleRow | None:
    """Return the row of a role, or None where the person cannot have it now."""
    best = longest(facts, now)
    role = facts.role
    if best is None or role is None:
        return None
    maximum, eligibility = best
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
        needs_reason=eligibility.needs.reason,
        favourite=role.id in favourites,
    )


def role_rows(catalogue: Iterable[Facts], *, now: datetime, favourites: set[str]) -> list[RoleRow]:
    """Return the rows of all roles the person can have now, production first, then by account and name."""
    rows = [row for facts in catalogue if (row := role_row(facts, now=now, favourites=favourites))]
    return sorted(
        rows,
        key=lambda row: (ENVIRONMENT_ORDER.index(Environment(row.environment)), row.account_name, row.name, row.id),
    )


def matching(rows: Iterable[RoleRow], query: str) -> list[RoleRow]:
    """Return the rows in which every word of the query occurs: in role, account, number, environment or description."""
    words = _folded(query).split()
    return [row for row in rows if all(word in _haystack(row) for word in words)]


def by_account(rows: Iterable[RoleRow]) -> list[AccountGroup]:
    """Group sorted rows by account."""
    groups: dict[str, AccountGroup] = {}
    for row in rows:
        group = groups.setdefault(
            row.account_number,
            AccountGroup(row.account_number, row.account_name, row.environment, row.account_owner, []),
        )
        group.roles.append(row)
    return list(groups.values())


def quick_row(role: RoleRow, last: Issuance | None) -> QuickRow:
    """Return a row that asks for what was given last time, cut to what may be had now."""
    duration = min(last.duration_asked if last else USUAL, role.longest)
    offer = Offer(f"Get {describe_duration(duration)}", role.id, int(duration.total_seconds()))
    return QuickRow(
        role=role,
        duration=duration,
        last_at=last.requested_at if last else None,
        offer=None if role.needs_reason else offer,
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


def presets(user: User, role: RoleRow, *, now: datetime, chosen: timedelta | None) -> list[Preset]:
    """Return the durations to offer, up to the longest, with the end of the person's day among them.

    ``chosen`` is what was chosen before: None for the usual one, zero where the person writes their own.
    """
    usual = min(USUAL if chosen is None else chosen, role.longest)
    until_evening = until_day_ends(user, now)
    durations = {preset for preset in PRESETS if preset <= role.longest} | {role.longest}
    if usual >= MIN_DURATION and usual != until_evening:
        durations.add(usual)
    offers = [
        Preset(
            seconds=int(duration.total_seconds()),
            label=describe_duration(duration),
            note="longest" if duration == role.longest else "",
            checked=duration == usual,
        )
        for duration in sorted(durations)
    ]
    if MIN_DURATION <= until_evening <= role.longest:
        seconds = int(until_evening.total_seconds())
        ends = f"{user.day_ends:%H:%M}"
        offers.append(Preset(seconds, f"Until {ends}", "end of my day", until_evening == usual))
    return offers


def until_day_ends(user: User, now: datetime) -> timedelta:
    """Return the time from now to the end of the person's day in their time zone, in whole minutes, rounded up."""
    here = now.astimezone(zoneinfo.ZoneInfo(user.time_zone))
    ends = datetime.combine(here.date(), user.day_ends, tzinfo=here.tzinfo)
    # In UTC: two times of one zone are subtracted by the clock on the wall, an hour off on two days a year.
    seconds = (ends.astimezone(UTC) - now).total_seconds()
    return timedelta(minutes=-(-seconds // 60))


def _haystack(row: RoleRow) -> str:
    parts = (row.name, row.account_name, row.account_number, row.environment, row.description, row.account_owner)
    return _folded(" ".join(parts))


def _folded(text: str) -> str:
    """Fold case and drop accents, so that a search finds what was meant."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
