"""The form of a delegation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from credportal.access.models import Account, Delegation, Role, Rota
from credportal.access.models.handouts import MOST_OPEN, MOST_PER_DAY
from credportal.access.selectors.delegations import roles_by_id, roles_of_delegation, roles_to_delegate
from credportal.domain.durations import describe_duration
from credportal.web.forms.catalogue.holders import HolderForm
from credportal.web.forms.catalogue.roles import GroupChoice
from credportal.web.forms.catalogue.rows import Row
from credportal.web.forms.fields import DurationField, NameField

MOST_TICKED = 800
"""A form has at most 1000 fields, and each ticked role is one."""
FEW_ROLES = 12
"""So many roles stand open; of more each account opens by a press."""


@dataclass(frozen=True, slots=True)
class AccountTicks:
    """The roles of one account with their ticks."""

    account: Account
    roles: list[tuple[Role, bool]]
    opens: bool

    @property
    def ticked(self) -> int:
        """Return how many have a tick."""
        return sum(ticked for _, ticked in self.roles)


class RolesField(forms.MultipleChoiceField):
    """Some roles, by their ids. Its value is a frozenset of them."""

    widget = forms.CheckboxSelectMultiple
    template = "catalogue/_role_ticks.html"

    def valid_value(self, value: Any) -> bool:
        """Leave it to ``clean``, which asks the database once for all."""
        del value
        return True

    def clean(self, value: Any) -> Any:
        """Return the roles. Raises ValidationError."""
        ids: list[str] = super().clean(value)
        if len(ids) > MOST_TICKED:
            raise forms.ValidationError(f"Tick at most {MOST_TICKED} roles. Make another delegation for the others.")
        found = roles_by_id(ids)
        if len(found) < len(set(ids)):
            raise forms.ValidationError("One of these roles is not in the catalogue. Look through the ticks again.")
        return frozenset(found)


class RotaChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # It is generic in the stubs only.
    """A rota by its name, or none."""

    def __init__(self, **options: Any) -> None:
        messages = {"invalid_choice": "There is no such rota. Choose one from the list."}
        super().__init__(Rota.objects.order_by("name"), required=False, error_messages=messages, **options)


class DelegationForm(HolderForm):
    """A group or a person may hand out roles. The holder stays as it is."""

    sections_of = {
        "Who hands out": ("name", "group", "user", "rota"),
        "To whom, and for how long": ("max_duration", "recipients", "outsider_duration"),
        "How many": ("max_open", "max_per_day"),
        "Which roles": ("roles",),
    }

    name = NameField(max_length=64, help_text="What people call it, such as Support cases.")
    group = GroupChoice(empty_label="No group", help_text="Everybody in it with the duty support, now and later.")
    user = forms.CharField(
        max_length=150,
        required=False,
        label="Or one person",
        help_text="By user name or handle. They need the duty support.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    rota = RotaChoice(
        label="Only while on duty by",
        empty_label="No rota: at any time",
        help_text="Who is not on duty by this rota hands nothing out. What is handed out can be claimed after it.",
    )
    max_duration = DurationField(
        initial=timedelta(hours=1), label="Longest duration", help_text="Of one session: 15 min to 12 h."
    )
    recipients = GroupChoice(
        label="Colleagues", empty_label="Any colleague", help_text="Only members of this group can receive."
    )
    outsider_duration = DurationField(
        required=False,
        label="For outsiders, up to",
        help_text="Empty: not to outsiders. Each role has to allow it too.",
    )
    max_open = forms.IntegerField(
        initial=5,
        label="Open at once",
        help_text="How many hand-outs one person may have that nobody has claimed yet.",
        error_messages={"invalid": f"Write a number from 1 to {MOST_OPEN}."},
    )
    max_per_day = forms.IntegerField(
        initial=20,
        label="In 24 hours",
        help_text="How many hand-outs one person may make in any 24 hours.",
        error_messages={"invalid": f"Write a number from 1 to {MOST_PER_DAY}."},
    )
    roles = RolesField(label="Roles", error_messages={"required": "Tick at least one role."})

    def __init__(self, data: Any = None, *, row: Row | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, row=row, initial=initial)
        for name, most in (("max_open", MOST_OPEN), ("max_per_day", MOST_PER_DAY)):
            words = f"Write a number from 1 to {most}."
            self.fields[name].validators = [MinValueValidator(1, words), MaxValueValidator(most, words)]

    def stored(self, row: Row, name: str) -> Any:
        """Return a column as ``values`` has it."""
        if name == "roles" and isinstance(row, Delegation):
            return frozenset(roles_of_delegation(row))
        return super().stored(row, name)

    def shown(self, row: Row, name: str) -> Any:
        """Show the roles by their ids."""
        return [role.id for role in self.stored(row, name)] if name == "roles" else super().shown(row, name)

    @property
    def role_ticks(self) -> list[AccountTicks]:
        """Return every role by account, ticked as the form says."""
        ticked = {str(role_id) for role_id in self["roles"].value() or ()}
        offered = roles_to_delegate()
        there = {role.id for role in offered}
        offered += roles_by_id(ticked - there) if ticked - there else []
        return _by_account(offered, ticked)

    def clean(self) -> dict[str, Any]:
        """Refuse two holders or none, or more for outsiders than for colleagues."""
        cleaned = super().clean()
        longest, outsiders = cleaned.get("max_duration"), cleaned.get("outsider_duration")
        if longest and outsiders and outsiders > longest:
            words = f"Outsiders never get more than colleagues. Write at most {describe_duration(longest)}."
            self.add_error("outsider_duration", words)
        return cleaned


def _by_account(roles: Sequence[Role], ticked: Iterable[str]) -> list[AccountTicks]:
    chosen = set(ticked)
    in_order = sorted(roles, key=lambda role: (role.account.name, role.account_id, role.name.casefold(), role.id))
    groups = [
        (account, [(role, role.id in chosen) for role in same])
        for account, same in groupby(in_order, key=lambda role: role.account)
    ]
    are_few = len(roles) <= FEW_ROLES
    return [AccountTicks(account, same, are_few or any(tick for _, tick in same)) for account, same in groups]
