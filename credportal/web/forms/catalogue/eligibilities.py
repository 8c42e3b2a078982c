"""The form of an eligibility."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html

from credportal.access.models import Role
from credportal.web.forms.catalogue.holders import HolderForm
from credportal.web.forms.catalogue.roles import GroupChoice
from credportal.web.forms.catalogue.rows import Row
from credportal.web.forms.fields import DurationField, LineField, MomentField


class EligibilityForm(HolderForm):
    """A group or a person may have a role. The role and the holder stay as they are."""

    sections_of = {
        "Who": ("group", "user"),
        "How long": ("max_duration", "valid_from", "valid_until"),
        "What it needs, beside what the role needs": (
            "needs_reason",
            "needs_ticket",
            "needs_step_up",
            "needs_approval",
        ),
        "Break-glass": ("break_glass_duration",),
        "For the record": ("note",),
    }

    group = GroupChoice(empty_label="No group", help_text="Everybody in it, now and later.")
    user = forms.CharField(
        max_length=150,
        required=False,
        label="Or one person",
        help_text="By user name or handle.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    max_duration = DurationField(label="Longest duration", help_text="15 min to 12 h.")
    valid_from = MomentField(required=False, help_text="In your time zone. Empty: from now on.")
    valid_until = MomentField(required=False, help_text="In your time zone. Empty: until somebody ends it.")
    needs_reason = forms.BooleanField(required=False, label="A reason")
    needs_ticket = forms.BooleanField(required=False, label="A ticket")
    needs_step_up = forms.BooleanField(required=False, label="A fresh sign-in")
    needs_approval = forms.BooleanField(required=False, label="Approval")
    break_glass_duration = DurationField(
        required=False,
        label="Longest duration by break-glass",
        help_text="Without approval, recorded loudly, reviewed by somebody else. Empty: not allowed.",
    )
    note = LineField(max_length=200, required=False, help_text="Why they have it, for whoever reviews it.")

    def __init__(
        self, data: Any = None, *, role: Role, row: Row | None = None, initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, row=row, initial=initial)
        self.role = role

    def clean_needs_approval(self) -> bool:
        """Refuse approval that nobody could give."""
        needs: bool = self.cleaned_data["needs_approval"]
        if needs and self.role.approvers_id is None:
            url = reverse("catalogue_role", args=[self.role.id])
            words = 'This role names nobody who approves. <a href="{}">Name its approvers</a> first.'
            raise forms.ValidationError(format_html(words, url))
        return needs

    def clean(self) -> dict[str, Any]:
        """Refuse two holders or none, and an end before the beginning."""
        cleaned = super().clean()
        begins, ends = cleaned.get("valid_from"), cleaned.get("valid_until")
        touched = (begins, ends) != (getattr(self.row, "valid_from", None), getattr(self.row, "valid_until", None))
        if begins and ends and touched and ends <= begins:
            self.add_error("valid_until", "It would end before it begins. Choose a later end, or an earlier beginning.")
        return cleaned
