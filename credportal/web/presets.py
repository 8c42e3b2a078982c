"""The durations that a form offers."""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from credportal.access.models import User
from credportal.domain.durations import MIN_DURATION, describe_duration

PRESETS = [timedelta(minutes=15), *(timedelta(hours=hours) for hours in (1, 2, 4, 8, 12))]
USUAL = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Preset:
    """One choice of the duration."""

    seconds: int
    label: str
    note: str
    checked: bool


def presets(
    user: User, longest: timedelta, *, now: datetime, chosen: timedelta | None, at_once: timedelta | None = None
) -> list[Preset]:
    """Return the durations to offer, up to the longest, with the end of the person's day among them.

    ``chosen`` is what was chosen before: None for the usual one, zero where the person writes their own.
    ``at_once`` is the longest that waits for nobody, None where all of them do, or none does.
    """
    usual = min(USUAL if chosen is None else chosen, longest)
    until_evening = until_day_ends(user, now)
    durations = {preset for preset in PRESETS if preset <= longest} | {longest}
    if at_once is not None and at_once <= longest:
        durations.add(at_once)
    if usual >= MIN_DURATION and usual != until_evening:
        durations.add(usual)
    offers = [
        Preset(
            seconds=int(duration.total_seconds()),
            label=describe_duration(duration),
            note=_note(duration, longest, at_once),
            checked=duration == usual,
        )
        for duration in sorted(durations)
    ]
    if MIN_DURATION <= until_evening <= longest:
        seconds = int(until_evening.total_seconds())
        offers.append(Preset(seconds, f"Until {user.day_ends:%H:%M}", "end of my day", until_evening == usual))
    return offers


def until_day_ends(user: User, now: datetime) -> timedelta:
    """Return the time from now to the end of the person's day in their time zone, in whole minutes, rounded up."""
    here = now.astimezone(zoneinfo.ZoneInfo(user.time_zone))
    ends = datetime.combine(here.date(), user.day_ends, tzinfo=here.tzinfo)
    # In UTC: two times of one zone are subtracted by the clock on the wall, an hour off on two days a year.
    seconds = (ends.astimezone(UTC) - now).total_seconds()
    return timedelta(minutes=-(-seconds // 60))


def _note(duration: timedelta, longest: timedelta, at_once: timedelta | None) -> str:
    if at_once is not None and duration > at_once:
        return "with approval"
    return "longest" if duration == longest else ""
