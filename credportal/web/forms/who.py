"""The questions of the pages about who has access. They stand in the address."""

from django import forms

from credportal.access import selectors as access
from credportal.web.forms.fields import DurationField

LONGEST = 200


class MatrixForm(forms.Form):
    """Which people and which roles to hold against each other; empty means the first ones."""

    people = forms.CharField(label="People", required=False, max_length=LONGEST)
    roles = forms.CharField(label="Roles", required=False, max_length=LONGEST)
    account = forms.ChoiceField(label="Account", required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments
        accounts = [(number, f"{name} ({number})") for number, name in access.account_choices()]
        self.fields["account"].choices = [("", "All accounts"), *accounts]  # type: ignore[attr-defined]  # a ChoiceField
        for name in ("people", "roles"):
            self.fields[name].widget.attrs.update(autocomplete="off", spellcheck="false", type="search")


class WhyForm(forms.Form):
    """One person, one role, and perhaps for how long."""

    person = forms.CharField(label="Person", max_length=LONGEST, help_text="User name or handle.")
    role = forms.CharField(label="Role", max_length=LONGEST * 4, help_text="ARN, or its name where only one has it.")
    duration = DurationField(label="For how long", required=False, help_text="Such as 4 h; empty for any time at all.")
