"""The filters of the audit page. They live in the URL, so a filtered page is a link."""

from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from credportal.audit.selectors import Filters
from credportal.domain.types import Status

OUTCOMES = [
    ("", "Any"),
    (Status.ISSUED.value, "Issued"),
    (Status.DENIED.value, "Refused"),
    (Status.FAILED.value, "Failed"),
    (Status.UNKNOWN.value, "Unknown"),
    (Status.REQUESTED.value, "In flight"),
]


FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)
WRONG_DAY = "Choose a day between 2000 and 2999."


class FilterForm(forms.Form):
    """Person, role, account, outcome, day. Everything may be empty."""

    person = forms.CharField(required=False, max_length=64, label="Person")
    role = forms.CharField(required=False, max_length=600, label="Role")
    account = forms.CharField(required=False, max_length=64, label="Account")
    outcome = forms.ChoiceField(required=False, choices=OUTCOMES, label="Outcome")
    day = forms.DateField(
        required=False,
        label="Day",
        widget=forms.DateInput(attrs={"type": "date"}),
        # A day at either end of the calendar has no neighbour in another time zone.
        validators=[MinValueValidator(FIRST_DAY, WRONG_DAY), MaxValueValidator(LAST_DAY, WRONG_DAY)],
    )

    def filters(self) -> Filters:
        """Return the valid filters as a value."""
        return Filters(**{name: self.cleaned_data[name] for name in ("person", "role", "account", "outcome", "day")})
