"""The filters of the audit page and its exports. They live in the URL, so a filtered page is a link."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils import timezone

from credportal.audit.models import EventKind
from credportal.audit.selectors.search import Filters
from credportal.domain.types import Source, Status
from credportal.web.forms.fields import MomentField
from credportal.web.templatetags.history import EVENTS
from credportal.web.templatetags.portal import ENVIRONMENTS, OUTCOMES

ANY = ("", "Any")
OUTCOME_ORDER = (Status.ISSUED, Status.DENIED, Status.FAILED, Status.UNKNOWN, Status.REQUESTED)
OUTCOME_CHOICES = [ANY, *((status.value, OUTCOMES[status.value][1]) for status in OUTCOME_ORDER)]
ENVIRONMENT_CHOICES = [ANY, *((value, word) for value, (_, word) in ENVIRONMENTS.items())]
SOURCE_CHOICES = [ANY, *((source.value, source.value.capitalize()) for source in Source)]
KIND_CHOICES = [ANY, *((kind.value, f"{EVENTS[kind.value]} ({kind.value})") for kind in EventKind)]

RANGES = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
RANGE_CHOICES = [("", "Any time"), *((name, words) for name, (words, _) in RANGES.items()), ("all", "All time")]

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
WRONG_DAY = "Choose a day between 2000 and 2999."
WRONG_ADDRESS = "Write an IPv4 or IPv6 address, such as 203.0.113.24."
SHORTEST_WORD, MOST_WORDS = 3, 6
NAMES = (
    "person role account environment outcome kind source ticket address key issuance q range from to day tz steps live"
)
"""The parameters in their order."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


class FilterForm(forms.Form):
    """Everything may be empty. ``from`` is a word of Python's, so the fields of the range are named below."""

    person = forms.CharField(required=False, max_length=64, label="Person")
    role = forms.CharField(required=False, max_length=600, label="Role")
    account = forms.CharField(required=False, max_length=64, label="Account")
    environment = forms.ChoiceField(required=False, choices=ENVIRONMENT_CHOICES, label="Environment")
    outcome = forms.ChoiceField(required=False, choices=OUTCOME_CHOICES, label="Outcome")
    kind = forms.ChoiceField(required=False, choices=KIND_CHOICES, label="Event")
    source = forms.ChoiceField(required=False, choices=SOURCE_CHOICES, label="Decided by")
    ticket = forms.CharField(required=False, max_length=64, label="Ticket")
    address = forms.GenericIPAddressField(required=False, label="Address", error_messages={"invalid": WRONG_ADDRESS})
    key = forms.CharField(required=False, max_length=128, label="Access key id")
    issuance = forms.CharField(required=False, max_length=16, label="Issuance")
    q = forms.CharField(
        required=False, max_length=100, label="Words in reason or ticket", widget=forms.TextInput(attrs={"id": "q"})
    )
    range = forms.ChoiceField(required=False, choices=RANGE_CHOICES, label="Time")
    day = forms.DateField(
        required=False,
        label="Day",
        error_messages={"invalid": "Write a day as 2026-11-24."},
        # A day at either end of the calendar has no neighbour in another time zone.
        validators=[MinValueValidator(FIRST_DAY, WRONG_DAY), MaxValueValidator(LAST_DAY, WRONG_DAY)],
    )
    tz = forms.CharField(required=False, max_length=64, label="Time zone")
    steps = forms.BooleanField(required=False, label="Steps too")
    live = forms.BooleanField(required=False, label="Live")

    def __init__(self, data: Any, **options: Any) -> None:
        super().__init__(data, **options)
        self.now = timezone.now()
        moments = {"from": MomentField(required=False, label="From"), "to": MomentField(required=False, label="To")}
        fields = {**self.fields, **moments}
        self.fields = {name: fields[name] for name in NAMES.split()}

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Return the time zone that is asked for, or else the reader's. What is no time zone is a mistake of ``tz``."""
        name = str(self.data.get("tz", "")).strip()
        current = timezone.get_current_timezone()
        return zoneinfo.ZoneInfo(name) if name in _zones() else zoneinfo.ZoneInfo(str(current))

    def full_clean(self) -> None:
        """Read the moments in the time zone that is asked for."""
        with timezone.override(self.zone):
            super().full_clean()

    def clean_tz(self) -> str:
        """Return the name of a time zone. Raises ValidationError."""
        name: str = self.cleaned_data["tz"]
        if name and name not in _zones():
            raise forms.ValidationError("Write a time zone as Europe/Berlin or UTC.")
        return name

    def clean_q(self) -> str:
        """Return the words. Raises ValidationError where they are too short to look for, or too many."""
        words = self.cleaned_data["q"].split()
        if words and max(map(len, words)) < SHORTEST_WORD:
            raise forms.ValidationError(f"Write a word of at least {SHORTEST_WORD} characters.")
        if len(words) > MOST_WORDS:
            raise forms.ValidationError(f"Look for {MOST_WORDS} words at most.")
        return " ".join(words)

    def clean(self) -> dict[str, Any]:
        """Refuse a range that ends before it begins. Raises ValidationError."""
        begins, ends = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if begins and ends and begins >= ends:
            self.add_error("to", "This is not after the time in From.")
        return self.cleaned_data

    def filters(self) -> Filters:
        """Return the valid filters as a value."""
        given = self.cleaned_data
        same = "person role account environment outcome kind source ticket address key issuance steps"
        since, until = self._range()
        return Filters(
            **{name: given[name] for name in same.split()}, words=tuple(given["q"].split()), since=since, until=until
        )

    def purpose(self, handle: str) -> str:
        """Return what a cursor is for: these filters, as one person asked for them."""
        return f"audit:{handle}:" + urlencode(
            {name: self.data.get(name, "") for name in NAMES.split() if name != "live"}
        )

    def _range(self) -> tuple[datetime | None, datetime | None]:
        """Return the first moment and the first one after. Times win over a day, and a day over a preset."""
        given = self.cleaned_data
        if given["from"] or given["to"]:
            return given["from"], given["to"]
        if given["day"]:
            return self._midnight(given["day"]), self._midnight(given["day"] + timedelta(days=1))
        if given["range"] in RANGES:
            return self._preset(RANGES[given["range"]][1]), None
        return None, None

    def _preset(self, length: timedelta) -> datetime:
        """Return when a range up to now begins: to the second, or for days with the midnight of the first one."""
        if length <= timedelta(days=1):
            return self.now - length
        return self._midnight(self.now.astimezone(self.zone).date() - length + timedelta(days=1))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)
