"""The form of an account."""

import re

from django import forms

from credportal.domain.types import Environment
from credportal.web.forms.catalogue.rows import RowForm
from credportal.web.forms.fields import LineField, NameField

_NUMBER = re.compile(r"[0-9]{12}", re.ASCII)


class AccountForm(RowForm):
    """An AWS account. Its number is given once."""

    sections_of = {"": ("number", "name", "environment", "owner", "enabled")}
    only_once = ("number",)

    number = forms.CharField(
        max_length=40,
        label="Account number",
        help_text="Twelve digits. AWS calls it the account ID.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "class": "id"}),
    )
    name = NameField(max_length=64, help_text="What people call it. It stands beside every role.")
    environment = forms.ChoiceField(
        choices=[("", "Choose one"), *((item.value, item.value.capitalize()) for item in Environment)],
        help_text="Production stands out wherever it is shown.",
    )
    owner = LineField(max_length=120, required=False, help_text="Whom to ask about this account.")
    enabled = forms.BooleanField(
        required=False,
        initial=True,
        label="In use",
        help_text="Without the tick nobody gets any role of this account. Nothing is deleted.",
    )

    def clean_number(self) -> str:
        """Return the number: twelve digits, leading zeros count."""
        number: str = self.cleaned_data["number"]
        if not _NUMBER.fullmatch(number):
            raise forms.ValidationError("Write the twelve digits of the account, without hyphens.")
        return number
