"""Fields that people type words into: durations, names, moments in their own time zone."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from credportal.domain.durations import MAX_DURATION, MIN_DURATION, describe_duration
from credportal.domain.lookalikes import unseen_character
from credportal.domain.naming import name_problem

_DURATION = re.compile(
    r"(?:([0-9]{1,3}) ?(?:h|hours?|hrs?))? ?(?:([0-9]{1,4}) ?(?:m|min|mins|minutes?))?(?: ?([0-9]{1,2}) ?(?:s|sec))?",
    re.ASCII,
)
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
LOCAL_FORMAT = "%Y-%m-%dT%H:%M"


class LineField(forms.CharField):
    """One line of text for people."""

    def clean(self, value: Any) -> str:
        """Return the text. Raises ValidationError for characters that nobody sees."""
        text: str = super().clean(value)
        unseen = unseen_character(text)
        if unseen:
            raise forms.ValidationError(f"{unseen}, which a reader cannot see. Take it out.")
        return text


class NameField(forms.CharField):
    """A name that people tell things apart by, so it may not look like another one.

    Blanks around it are refused and not taken away in silence, unless the field strips: somebody who pastes them
    should know.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"strip": False, **options})

    def clean(self, value: Any) -> str:
        """Return the name. Raises ValidationError where it could deceive."""
        text: str = super().clean(value)
        problem = name_problem(text) if text else ""
        if problem:
            raise forms.ValidationError(problem)
        return text


class DurationField(forms.CharField):
    """A duration as people write it: ``4 h``, ``90 min``, ``1 h 30 min``. Its value is a timedelta."""

    def __init__(self, *, shortest: timedelta = MIN_DURATION, **options: Any) -> None:
        super().__init__(max_length=40, **options)
        self.shortest = shortest
        self.widget.attrs.update(autocomplete="off", placeholder="such as 4 h or 90 min")

    def prepare_value(self, value: Any) -> Any:
        """Show a duration in words, and what was typed as it was typed."""
        return describe_duration(value) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> timedelta | None:
        """Return the duration, None where nothing is typed. Raises ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        match = _DURATION.fullmatch(" ".join(text.lower().split()))
        if match is None or not any(match.groups()):
            raise forms.ValidationError("Write a number with its unit: 4 h, 90 min, 1 h 30 min.")
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if not self.shortest <= duration <= MAX_DURATION:
            limits = f"{describe_duration(self.shortest)} to {describe_duration(MAX_DURATION)}"
            raise forms.ValidationError(f"AWS allows {limits} here. This is {describe_duration(duration)}.")
        return duration


class MomentField(forms.CharField):
    """A moment to the minute, written in the person's own time zone. Its value is aware UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=40, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **options)

    def prepare_value(self, value: Any) -> Any:
        """Show a moment as the browser's control takes it."""
        return local_text(value) if isinstance(value, datetime) else value

    def clean(self, value: Any) -> datetime | None:
        """Return the moment, None where nothing is typed. Raises ValidationError."""
        text = super().clean(value)
        if not text:
            return None
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            local = None
        if local is None or local.tzinfo is not None or not _FIRST_YEAR <= local.year <= _LAST_YEAR:
            raise forms.ValidationError("Write a day between 2000 and 2999 and a time, such as 2027-01-31T18:00.")
        zone = timezone.get_current_timezone()
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) != local:
            raise forms.ValidationError("The clocks skip this hour in your time zone on that day. Choose another.")
        return moment


def local_text(moment: datetime) -> str:
    """Write a moment as a ``datetime-local`` control does, in the person's time zone."""
    return timezone.localtime(moment).strftime(LOCAL_FORMAT)
