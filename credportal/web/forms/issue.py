"""The request form. It says what was asked, never what may be: rights are computed by the flow."""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from credportal.domain.durations import parse_duration
from credportal.domain.naming import TICKET_PATTERN
from credportal.domain.types import IssuanceRequest, Narrowing

SUBMISSION_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,32}", re.ASCII)
REGION_PATTERN = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]", re.ASCII)
CUSTOM = "custom"
READ_ONLY = "read-only"
MY_ADDRESS = "my-address"
REGION_PREFIX = "region:"
MAX_REASON = 500
MAX_TICKET = 64
# Control characters, surrogates, bidi overrides, and the mark that stands for broken UTF-8.
UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffd]")


class IssueForm(forms.Form):
    """Duration, reason, ticket, narrowing and the one-time id of the rendered form."""

    duration = forms.CharField(required=False, strip=False)
    duration_minutes = forms.CharField(required=False)
    reason = forms.CharField(required=False)
    ticket = forms.CharField(required=False)
    narrowing = forms.Field(required=False, widget=forms.SelectMultiple)
    submission = forms.CharField(required=False, strip=False)

    def __init__(self, data: QueryDict | None = None, *, address: str = "", **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.address = address

    def clean_duration(self) -> timedelta | None:
        """Return the duration; ``custom`` takes it from the minutes beside it."""
        self._refuse_two_values("duration")
        text = self.cleaned_data["duration"]
        if text != CUSTOM:
            return _parsed(text)
        minutes = str(self.data.get("duration_minutes", "")).strip()
        if not re.fullmatch(r"[0-9]{1,3}", minutes, re.ASCII):
            raise forms.ValidationError("Write the duration in whole minutes, such as 90.")
        return _parsed(str(int(minutes) * 60))

    def clean_reason(self) -> str:
        """Return the reason as one line of writable text."""
        self._refuse_two_values("reason")
        reason: str = self.cleaned_data["reason"]
        if len(reason) > MAX_REASON:
            raise forms.ValidationError(f"Shorten the reason to {MAX_REASON} characters. It has {len(reason)}.")
        if UNWRITABLE.search(reason):
            raise forms.ValidationError("Write the reason as one line, without control characters.")
        return reason

    def clean_ticket(self) -> str:
        """Return the ticket: it becomes a session tag, so it is held to the characters AWS takes there."""
        self._refuse_two_values("ticket")
        ticket: str = self.cleaned_data["ticket"]
        if ticket and not re.fullmatch(TICKET_PATTERN, ticket, re.ASCII):
            raise forms.ValidationError("Write the ticket as letters, digits and _ . : / = + @ -, at most 64.")
        return ticket

    def clean_narrowing(self) -> Narrowing:
        """Return what the session gives up. The address is the one we see, never one that was sent."""
        regions = []
        read_only = from_here = False
        for value in self.chosen_narrowing():
            if value == READ_ONLY:
                read_only = True
            elif value == MY_ADDRESS:
                from_here = True
            elif value.startswith(REGION_PREFIX) and REGION_PATTERN.fullmatch(value.removeprefix(REGION_PREFIX)):
                regions.append(value.removeprefix(REGION_PREFIX))
            else:
                raise forms.ValidationError("Choose the narrowing from the list.")
        if len(regions) > 1:
            raise forms.ValidationError("Choose one region.")
        if from_here and not self.address:
            raise forms.ValidationError("Your address is not known here, so the session cannot be tied to it.")
        return Narrowing(
            read_only=read_only, address=self.address if from_here else "", region=regions[0] if regions else ""
        )

    def clean_submission(self) -> str:
        """Return the one-time id that the form was rendered with."""
        self._refuse_two_values("submission")
        submission: str = self.cleaned_data["submission"]
        if not SUBMISSION_PATTERN.fullmatch(submission):
            raise forms.ValidationError("This form had lost its one-time id. It has a new one now: send it again.")
        return submission

    def chosen_narrowing(self) -> list[str]:
        """Return the narrowing values as they were sent, without the empty choice."""
        sent = self.data.getlist("narrowing") if isinstance(self.data, QueryDict) else []
        return [value for value in sent if value]

    def issuance_request(self, role_id: str) -> IssuanceRequest:
        """Return the valid form as a value."""
        return IssuanceRequest(
            role_id=role_id,
            duration=self.cleaned_data["duration"],
            reason=self.cleaned_data["reason"],
            ticket=self.cleaned_data["ticket"],
            narrowing=self.cleaned_data["narrowing"],
            submission=self.cleaned_data["submission"],
        )

    def _refuse_two_values(self, name: str) -> None:
        if isinstance(self.data, QueryDict) and len(self.data.getlist(name)) > 1:
            raise forms.ValidationError(f"Send one {name}, not several.")


def _parsed(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise forms.ValidationError(str(error)) from error
