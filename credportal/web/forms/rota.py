"""The forms of a rota: its settings, and whose each of its coming slots is."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict

from credportal.access.models import Rota, User
from credportal.access.selectors.rota import MOST_MEMBERS, Turn, members_in
from credportal.domain.rota import WEEKDAYS, filled_in_turn, lasts_long_enough
from credportal.web.forms.account import time_zones
from credportal.web.forms.catalogue.roles import GroupChoice
from credportal.web.forms.catalogue.rows import MOST_VERSIONS
from credportal.web.forms.fields import NameField

SETTINGS = ("name", "group", "time_zone", "days", "starts", "ends")
DAYS = [(str(number + 1), name) for number, name in enumerate(WEEKDAYS)]
NOBODY = ("", "Nobody")


def _time(label: str, **options: Any) -> forms.TimeField:
    return forms.TimeField(label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **options)


class RotaForm(forms.Form):
    """The settings of a rota; of one that is there also its version, and a select for each coming slot."""

    name = NameField(max_length=64, help_text="Such as Support Europe. Delegations name it.")
    group = GroupChoice(label="Who takes turns", empty_label="Choose a group", help_text="The members of this group.")
    time_zone = forms.ChoiceField(choices=time_zones, help_text="Its clocks count for the times below.")
    days = forms.MultipleChoiceField(
        label="Hand-over on",
        choices=DAYS,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose one day at least."},
        help_text="One day for turns of a week, several for turns of a day.",
    )
    starts = _time("Hand-over at")
    ends = _time(
        "Over at",
        required=False,
        help_text="On the next day where that is not after the hand-over. Empty: a turn lasts until the next one.",
    )
    version = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=1,
        max_value=MOST_VERSIONS,
        error_messages={"required": "This form had lost its version. Open the page again."},
    )

    def __init__(
        self,
        data: Any = None,
        *,
        rota: Rota | None = None,
        turns: Sequence[Turn] = (),
        members: Sequence[User] = (),
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=initial or {})
        self.rota, self.turns, self.members = rota, turns, members
        self.has_conflict = self.is_proposal = False
        group = self.fields["group"]
        group.required = group.widget.is_required = True
        if rota is None:
            del self.fields["version"]
            return
        self.initial = {name: getattr(rota, name) for name in (*SETTINGS, "version")} | {"days": list(rota.days)}
        for turn in turns:
            self.fields[slot_name(turn)] = forms.ChoiceField(
                label=f"Turn of {turn.slot.day}", choices=self._choices(turn), required=False
            )
            self.initial[slot_name(turn)] = str(turn.person.pk) if turn.person else ""
        first = turns[0].slot.day if turns else None
        date_input = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
        self.fields["fill_from"] = forms.DateField(
            label="From", required=False, initial=first, widget=date_input, input_formats=["%Y-%m-%d"]
        )

    @property
    def settings(self) -> list[BoundField]:
        """Return the fields of the settings."""
        return [self[name] for name in SETTINGS]

    @property
    def slots(self) -> list[tuple[Turn, BoundField]]:
        """Return each coming slot with its select."""
        return [(turn, self[slot_name(turn)]) for turn in self.turns]

    def clean_group(self) -> Any:
        """Refuse a group of more people than a select can offer."""
        group = self.cleaned_data["group"]
        if (self.rota is None or self.rota.group_id != group.pk) and members_in(group) > MOST_MEMBERS:
            raise forms.ValidationError(
                f"That group has more than {MOST_MEMBERS} active members. Choose one of the people who take turns."
            )
        return group

    def clean_days(self) -> str:
        """Return the days in order, as the column has them."""
        return "".join(sorted(self.cleaned_data["days"]))

    def clean(self) -> dict[str, Any]:
        """Refuse a slot of less than an hour."""
        cleaned = super().clean() or {}
        starts, ends = cleaned.get("starts"), cleaned.get("ends")
        if starts and ends and not lasts_long_enough(starts, ends):
            self.add_error("ends", "A turn lasts an hour at least. Choose a later end, or an earlier hand-over.")
        return cleaned

    def values(self) -> dict[str, Any]:
        """Return the columns of the valid form."""
        return {name: self.cleaned_data[name] for name in SETTINGS}

    def assigned(self) -> dict[date, User | None]:
        """Return whose each slot is to be, of the valid form. A slot that was not sent stays as it is."""
        people = {str(person.pk): person for person in self.members}
        people |= {str(turn.person.pk): turn.person for turn in self.turns if turn.person}
        sent = [turn for turn in self.turns if slot_name(turn) in self.data]
        return {turn.slot.day: people.get(self.cleaned_data[slot_name(turn)]) for turn in sent}

    def fill(self) -> None:
        """Propose somebody for each slot that nobody has, in turn; nothing is saved by it."""
        since = self.cleaned_data.get("fill_from")
        first = next((at for at, turn in enumerate(self.turns) if since and turn.slot.day >= since), 0)
        numbers = [str(person.pk) for person in self.members]
        chosen = [self.cleaned_data.get(slot_name(turn), "") for turn in self.turns]
        filled = filled_in_turn(numbers, [number if number in numbers else None for number in chosen], since=first)
        names = [slot_name(turn) for turn in self.turns]
        proposed = {name: number for name, number in zip(names, filled, strict=True) if number}
        self.is_proposal = True
        self._show(proposed)

    def show_conflict(self, now: Rota, turns: Sequence[Turn]) -> None:
        """Keep all as chosen, say beside each field what it is now, and let the next try be a knowing one."""
        self.has_conflict = True
        for name, value in self.values().items():
            if getattr(now, name) != value:
                self._say_now(name, _in_words(getattr(now, name)))
        assigned = self.assigned()
        for turn in turns:
            if turn.slot.day in assigned and assigned[turn.slot.day] != turn.person:
                self._say_now(slot_name(turn), str(turn.person or NOBODY[1]))
        self._show({"version": str(now.version)})

    def _choices(self, turn: Turn) -> list[tuple[str, str]]:
        """Offer the members, and whoever has the slot though they are none."""
        others = [turn.person] if turn.person and turn.person not in self.members else []
        return [
            NOBODY,
            *((str(person.pk), str(person)) for person in self.members),
            *((str(person.pk), turn.lack or str(person)) for person in others),
        ]

    def _say_now(self, name: str, words: str) -> None:
        if name in self.fields:
            vars(self.fields[name])["now"] = words

    def _show(self, values: dict[str, str]) -> None:
        """Let the form show these values in the place of what was sent."""
        lists = self.data.lists() if isinstance(self.data, QueryDict) else ()
        data = MultiValueDict(lists)
        for name, value in values.items():
            data[name] = value
        self.data = data


def slot_name(turn: Turn) -> str:
    """Return the name of a slot's field."""
    return f"slot-{turn.slot.day}"


def _in_words(value: Any) -> str:
    if isinstance(value, str) and value.isdecimal():
        return ", ".join(WEEKDAYS[int(digit) - 1] for digit in value)
    return "empty" if value is None else value.strftime("%H:%M") if hasattr(value, "strftime") else str(value)
