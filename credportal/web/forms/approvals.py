"""What an approver and a reviewer write. Who they are, and where the request stands, is never a field."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from credportal.domain.durations import MIN_DURATION, describe_duration
from credportal.web.forms.issue import SUBMISSION_PATTERN, UNWRITABLE
from credportal.web.presets import PRESETS

MOST_COMMENT = 500


class CommentField(forms.CharField):
    """One line of writable text, as long as the audit keeps it."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off"})
        super().__init__(max_length=MOST_COMMENT, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        """Return the comment. Raises ValidationError for control characters and broken text."""
        text: str = super().clean(value)
        if UNWRITABLE.search(text):
            raise forms.ValidationError("Write the comment as one line, without control characters.")
        return text


class DecideForm(forms.Form):
    """Yes up to a duration, or no with a comment."""

    duration = forms.TypedChoiceField(
        label="For up to",
        error_messages={"required": "Choose how long it may last."},
        coerce=lambda text: timedelta(seconds=int(text)),
    )
    comment = CommentField(
        label="Comment", required=False, help_text="To deny, write why. The requester and the audit read it."
    )
    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("deny", "Deny")], widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, longest: timedelta) -> None:
        super().__init__(data, initial={"duration": str(int(longest.total_seconds()))})
        durations = sorted({preset for preset in PRESETS if MIN_DURATION <= preset <= longest} | {longest})
        self.fields["duration"].choices = [  # type: ignore[attr-defined]  # it is a choice field
            (str(int(duration.total_seconds())), describe_duration(duration)) for duration in durations
        ]

    def clean(self) -> dict[str, Any]:
        """Ask a denial for its comment, and not for a duration."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("decision") == "deny":
            self.errors.pop("duration", None)
            if not cleaned.get("comment") and "comment" not in self.errors:
                self.add_error("comment", "Write why you deny it. One sentence is enough.")
        return cleaned


class CollectForm(forms.Form):
    """The one-time id of the rendered form."""

    submission = forms.RegexField(regex=rf"\A(?:{SUBMISSION_PATTERN.pattern})\Z", strip=False)


class CloseForm(forms.Form):
    """What somebody found who looked at a break-glass."""

    comment = CommentField(
        label="What you found",
        error_messages={"required": "Write what you found. One sentence is enough."},
    )
