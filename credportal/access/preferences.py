"""Writes of what a person sets for themselves."""

from datetime import time

from credportal.access.models import Favourite, User


def set_favourite(*, user: User, role_id: str, starred: bool) -> None:
    """Star or unstar a role that exists. Saying the same twice changes nothing."""
    if starred:
        Favourite.objects.get_or_create(user=user, role_id=role_id)
    else:
        Favourite.objects.filter(user=user, role_id=role_id).delete()


def set_day(*, user: User, time_zone: str, day_ends: time) -> None:
    """Store the person's time zone (an IANA name) and the local time their day ends."""
    user.time_zone, user.day_ends = time_zone, day_ends
    user.save(update_fields=["time_zone", "day_ends"])
