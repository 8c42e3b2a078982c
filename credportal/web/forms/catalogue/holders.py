"""What the forms of eligibilities and delegations share: a group or one person holds the row, named once."""

from typing import Any

from django import forms

from credportal.access import selectors as access
from credportal.access.models import User
from credportal.web.forms.catalogue.rows import RowForm

ONE_HOLDER = "Name a group or a person: one of the two."


class HolderForm(RowForm):
    """A form of a row with the fields ``group`` and ``user``, of which one is filled in. Both stay as they are."""

    only_once = ("group", "user")

    def clean_user(self) -> User | None:
        """Return the person, None where none is named."""
        text = self.cleaned_data["user"]
        person = access.person_named(text) if text else None
        if text and person is None:
            raise forms.ValidationError("There is no such person. Write a user name or a handle.")
        return person

    def clean(self) -> dict[str, Any]:
        """Refuse two holders or none."""
        cleaned = super().clean() or {}
        if "group" in cleaned and "user" in cleaned and (cleaned["group"] is None) is (cleaned["user"] is None):
            self.add_error("group", ONE_HOLDER)
        return cleaned
