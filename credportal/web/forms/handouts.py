"""The forms of hand-outs. They say what was asked, never what may be: the rule book answers that, and records it.

So a duration of nothing and a window of a year are let through to it. Only what is no number at all is a mistake.
"""

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.core.validators import validate_email

from credportal.access.selectors.handout_board import Stand
from credportal.domain.handouts import DEFAULT_WINDOW, HandoutRequest
from credportal.domain.naming import name_problem
from credportal.web.forms.issue import CUSTOM, READ_ONLY, REGION_PATTERN, REGION_PREFIX, UNWRITABLE, IssueForm

COLLEAGUE, OUTSIDER = "colleague", "outsider"
CLAIM_ADDRESS = "claim-address"
MAX_ROLE_ID = 64
MAX_PERSON = 200
MAX_NAME = 150
MAX_EMAIL = 254
_MOST_DIGITS = 9
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


class HandoutForm(IssueForm):
    """What to hand out, to whom and why. Reason, ticket and the one-time id are those of the request form."""

    role = forms.CharField(required=False, strip=False)
    to = forms.ChoiceField(
        choices=[(COLLEAGUE, "A colleague"), (OUTSIDER, "An outsider")],
        error_messages={
            "required": "Say whom it is for: a colleague or an outsider.",
            "invalid_choice": "Say whom it is for: a colleague or an outsider.",
        },
    )
    recipient = forms.CharField(required=False)
    outsider_name = forms.CharField(required=False)
    outsider_email = forms.CharField(required=False)
    window = forms.CharField(required=False, strip=False)
    mail_link = forms.BooleanField(required=False)

    def clean_role(self) -> str:
        """Return the role's id as it was sent, cut to what the audit keeps: whether it is one, the flow says."""
        self._refuse_two_values("role")
        role_id: str = self.cleaned_data["role"]
        return UNWRITABLE.sub("", role_id)[:MAX_ROLE_ID]

    def clean_duration(self) -> timedelta | None:
        """Return the duration, however long; ``custom`` takes it from the minutes beside it."""
        self._refuse_two_values("duration")
        text = self.cleaned_data["duration"]
        if text != CUSTOM:
            return _seconds(text, "Choose for how long, or write it in whole seconds.")
        minutes = str(self.data.get("duration_minutes", "")).strip()
        return _seconds(minutes, "Write the duration in whole minutes, such as 90.", unit=60)

    def clean_window(self) -> timedelta:
        """Return how long it can be claimed, however long; where nothing was sent, the usual window."""
        self._refuse_two_values("window")
        text = self.cleaned_data["window"]
        return _seconds(text, "Choose how long it can be claimed.") if text else DEFAULT_WINDOW

    def clean_recipient(self) -> str:
        """Return who was written. Raises ValidationError where a colleague is asked for and none was."""
        self._refuse_two_values("recipient")
        text: str = self.cleaned_data["recipient"]
        if not self._is_for(COLLEAGUE):
            return ""
        if not text:
            raise forms.ValidationError("Write which colleague it is for, by name or handle.")
        if len(text) > MAX_PERSON or UNWRITABLE.search(text):
            raise forms.ValidationError("Write a name or a handle, as one line.")
        return text

    def clean_outsider_name(self) -> str:
        """Return what to call the outsider."""
        name: str = self.cleaned_data["outsider_name"]
        if not self._is_for(OUTSIDER):
            return ""
        if not name:
            raise forms.ValidationError("Write what the outsider is called.")
        problem = f"Shorten the name to {MAX_NAME} characters." if len(name) > MAX_NAME else name_problem(name)
        if problem:
            raise forms.ValidationError(problem)
        return name

    def clean_outsider_email(self) -> str:
        """Return the outsider's address, which stands for them in AWS and in the audit."""
        email: str = self.cleaned_data["outsider_email"]
        if not self._is_for(OUTSIDER):
            return ""
        try:
            validate_email(email if len(email) <= MAX_EMAIL else "")
        except forms.ValidationError as error:
            raise forms.ValidationError("Write the outsider’s e-mail address, such as vera@vendor.example.") from error
        return email

    def clean_narrowing(self) -> dict[str, Any]:  # type: ignore[override]  # a hand-out's narrowing has no address yet
        """Return what the session gives up, as fields of a hand-out request."""
        chosen = set(self.chosen_narrowing())
        regions = {value.removeprefix(REGION_PREFIX) for value in chosen if value.startswith(REGION_PREFIX)}
        known = all(REGION_PATTERN.fullmatch(region) for region in regions)
        others = chosen - {f"{REGION_PREFIX}{region}" for region in regions} - {READ_ONLY, CLAIM_ADDRESS}
        if others or not known:
            raise forms.ValidationError("Choose the narrowing from the list.")
        if len(regions) > 1:
            raise forms.ValidationError("Choose one region.")
        return {
            "read_only": READ_ONLY in chosen,
            "from_claim_address": CLAIM_ADDRESS in chosen,
            "region": next(iter(regions), ""),
        }

    def handout_request(self) -> HandoutRequest:
        """Return the valid form as a value."""
        said = self.cleaned_data
        return HandoutRequest(
            role_id=said["role"],
            duration=said["duration"],
            window=said["window"],
            reason=said["reason"],
            ticket=said["ticket"],
            submission=said["submission"],
            **said["narrowing"],
        )

    def _is_for(self, whom: str) -> bool:
        return self.data.get("to") == whom


class ShortenForm(forms.Form):
    """The seconds from now until a claim window is to end."""

    window = forms.CharField(
        strip=False, error_messages={"required": "Choose how much longer it can be claimed."}, label="Ends in"
    )

    def clean_window(self) -> timedelta:
        """Return how much longer it can be claimed."""
        return _seconds(self.cleaned_data["window"], "Choose how much longer it can be claimed.")


class BoardForm(forms.Form):
    """The filters of the board. They stand in the address."""

    state = forms.ChoiceField(
        label="State", required=False, choices=[("", "All"), *((one.value, one.value.capitalize()) for one in Stand)]
    )
    person = forms.CharField(label="Person", required=False, max_length=MAX_PERSON)

    def clean_person(self) -> str:
        """Return the words to look for in the people's names."""
        person: str = self.cleaned_data["person"]
        if UNWRITABLE.search(person):
            raise forms.ValidationError("Write names or handles, as one line.")
        return person

    @property
    def stand(self) -> Stand | None:
        """Return the state to show alone, None for all. For a valid form."""
        return Stand(self.cleaned_data["state"]) if self.cleaned_data["state"] else None


def _seconds(text: str, mistake: str, *, unit: int = 1) -> timedelta:
    """Read plain digits; longer ones than any duration are as good as a very long one. Raises ValidationError."""
    if not _DIGITS.fullmatch(text):
        raise forms.ValidationError(mistake)
    number = int(text) if len(text) <= _MOST_DIGITS else 10**_MOST_DIGITS
    return timedelta(seconds=number * unit)
