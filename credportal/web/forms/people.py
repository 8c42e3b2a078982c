"""What a user admin may write about people and groups."""

import re
from typing import Any

from django import forms
from django.http import QueryDict

from credportal.access.models import User
from credportal.access.selectors import people as reads
from credportal.domain.naming import name_problem
from credportal.domain.types import Duty
from credportal.web.forms.fields import NameField

MOST_GROUP_NAME = 100
"""The audit keeps it in a column of 120, with a word in front."""
MOST_JOINING = 1000
MOST_UNKNOWN_TOLD = 5

DUTIES = {
    Duty.SUPPORT: "Support",
    Duty.AUDITOR: "Auditor: reads the audit of everybody, and who has access",
    Duty.CATALOGUE_ADMIN: "Catalogue admin: accounts, roles and eligibilities; also what an auditor reads",
    Duty.USER_ADMIN: "User admin: people and groups",
}
PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class IdsField(forms.TypedMultipleChoiceField):
    """Ids, of which the page listed some: whoever is no longer among them was taken out by somebody else."""

    def valid_value(self, value: Any) -> bool:
        """Take every number that can be an id."""
        return re.fullmatch(r"[0-9]{1,9}", str(value), re.ASCII) is not None


class SeenForm(forms.Form):
    """A form that says which state of a thing its page showed."""

    def show_seen(self, name: str, value: str) -> None:
        """Say that the person has seen a newer state now, so that the form may be sent once more as it is."""
        if isinstance(self.data, QueryDict):
            data = self.data.copy()
            data[name] = value
            self.data = data


class PersonForm(SeenForm):
    """Name, e-mail and groups of a person; ``version`` is the one that was shown."""

    name = NameField(strip=True, max_length=150, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.EmailField(
        max_length=254, required=False, label="E-mail", widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    is_active = forms.BooleanField(
        required=False,
        label="Active",
        help_text="Without the tick they cannot sign in, and their next click is refused. "
        "Sessions that AWS has issued go on until they end.",
    )
    groups = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Roles and duties come with groups. A change counts from their next click on.",
    )
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        mine = set(self.initial.get("groups", ()))
        # Their own groups first: the rest may be hundreds.
        self.fields["groups"].choices = sorted(  # type: ignore[attr-defined]  # it is a ChoiceField.
            reads.group_choices(), key=lambda choice: (choice[0] not in mine, choice[1].casefold())
        )

    def group_ids(self) -> frozenset[int]:
        """Return the ids of the ticked groups."""
        return frozenset(self.cleaned_data["groups"])


class NewPersonForm(PersonForm):
    """A person who is not here yet: with a user name, which is given once."""

    username = forms.CharField(
        max_length=150,
        label="User name",
        help_text="To sign in with. It never changes, because AWS knows the person by what is made of it.",
        validators=User._meta.get_field("username").validators,  # noqa: SLF001 -- Django documents it.
        widget=forms.TextInput(attrs=PLAIN),
    )
    field_order = ("username",)

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        del self.fields["is_active"], self.fields["version"]

    def clean_username(self) -> str:
        """Return the user name, without letters that look like others and without hidden ones."""
        username: str = self.cleaned_data["username"]
        problem = name_problem(username)
        if problem:
            raise forms.ValidationError(problem)
        return username


class GroupForm(SeenForm):
    """Name, duties and who joins or leaves; ``state`` is a mark of what was shown."""

    name = NameField(strip=True, max_length=MOST_GROUP_NAME, widget=forms.TextInput(attrs=PLAIN))
    duties = forms.TypedMultipleChoiceField(
        choices=[(duty.value, words) for duty, words in DUTIES.items()],
        coerce=Duty,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="What its members may do in the portal itself",
        help_text="A change counts from their next click on. Roles come by eligibilities, not by duties.",
    )
    joining = forms.CharField(
        required=False,
        max_length=20_000,
        label="Add people",
        help_text="User names or handles, with spaces or on lines of their own.",
        widget=forms.Textarea(attrs={**PLAIN, "rows": 3}),
    )
    leaving = IdsField(coerce=int, required=False, widget=forms.CheckboxSelectMultiple, label="Take out")
    state = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, members: list[User] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["leaving"].choices = [(person.pk, str(person)) for person in members or []]  # type: ignore[attr-defined]  # it is a ChoiceField.

    def clean_joining(self) -> frozenset[int]:
        """Return the ids of the people who were named. Raises ValidationError for names of nobody."""
        names = list(dict.fromkeys(re.split(r"\s+", self.cleaned_data["joining"].strip())))
        names = [name for name in names if name]
        if len(names) > MOST_JOINING:
            raise forms.ValidationError(f"Add at most {MOST_JOINING} people at once.")
        found = reads.people_named(names)
        unknown = [name[:60] for name in names if name not in found]
        if unknown:
            told = ", ".join(unknown[:MOST_UNKNOWN_TOLD]) + (" and others" if len(unknown) > MOST_UNKNOWN_TOLD else "")
            raise forms.ValidationError(f"Nobody here has the user name {told}. Correct it, or add the person first.")
        return frozenset(found.values())

    def duties_ticked(self) -> frozenset[Duty]:
        """Return the ticked duties."""
        return frozenset(self.cleaned_data["duties"])

    def ticked(self) -> set[int]:
        """Return the ids of those whom the form takes out, also where it was not valid."""
        sent = self.data.getlist("leaving") if isinstance(self.data, QueryDict) else []
        return {int(value) for value in sent if self.fields["leaving"].valid_value(value)}  # type: ignore[attr-defined]  # an IdsField

    def wanted(self) -> dict[str, Any]:
        """Return name, state and the ids of who joins and who leaves, as ``change_group`` takes them."""
        cleaned = self.cleaned_data
        ids = {"joining": cleaned["joining"], "leaving": frozenset(cleaned["leaving"])}
        return {"name": cleaned["name"], "state": cleaned["state"], **ids}


class NewGroupForm(GroupForm):
    """A group that is not here yet."""

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        del self.fields["leaving"], self.fields["state"]
