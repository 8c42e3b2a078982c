"""What a person may set about themselves."""

import zoneinfo

from django import forms


def time_zones() -> list[tuple[str, str]]:
    """Return the IANA time zones as choices, by name."""
    return [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]


class AboutMeForm(forms.Form):
    """The time zone that times are shown in, and when the day ends."""

    time_zone = forms.ChoiceField(choices=time_zones)
    day_ends = forms.TimeField(label="My day ends at", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
