"""What a person sets for themselves: starred roles, time zone, end of the day."""

from datetime import time

from credportal.access import preferences, selectors
from credportal.access.models import User


def star_role(*, user: User, role_id: str, starred: bool) -> bool:
    """Star or unstar one of the person's roles. False where the role is not theirs: then nothing changes."""
    if not selectors.facts_for(user, role_id).eligibilities:
        return False
    preferences.set_favourite(user=user, role_id=role_id, starred=starred)
    return True


def change_day(*, user: User, time_zone: str, day_ends: time) -> None:
    """Store the person's time zone (an IANA name) and the local time their day ends."""
    preferences.set_day(user=user, time_zone=time_zone, day_ends=day_ends)
