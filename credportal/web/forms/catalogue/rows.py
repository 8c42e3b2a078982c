"""What the forms of accounts, roles and eligibilities share: sections, the version, and conflicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict

from credportal.access.models import Account, Delegation, Eligibility, Role
from credportal.domain.durations import describe_duration
from credportal.web.forms.fields import local_text

Row = Account | Role | Eligibility | Delegation
MOST_VERSIONS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Section:
    """Some fields under one heading."""

    title: str
    fields: list[BoundField]

    @property
    def is_wide(self) -> bool:
        """Tell whether a field here has a template of its own, which needs the room."""
        return any(hasattr(field.field, "template") for field in self.fields)


class RowForm(forms.Form):
    """A form of one row, new or ``row``. Its fields are named as the columns are."""

    sections_of: ClassVar[Mapping[str, tuple[str, ...]]]
    # What is given once: a form of a row that is there does not have it.
    only_once: ClassVar[tuple[str, ...]] = ()

    version = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=1,
        max_value=MOST_VERSIONS,
        error_messages={"required": "This form had lost its version. Open the page again."},
    )

    def __init__(self, data: Any = None, *, row: Row | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.row = row
        self.has_conflict = False
        for name in ("version",) if row is None else self.only_once:
            del self.fields[name]
        if row is not None:
            self.initial = {name: self.shown(row, name) for name in self.fields}

    @property
    def sections(self) -> list[Section]:
        """Return the fields under their headings."""
        sections = (
            Section(title, [self[name] for name in names if name in self.fields])
            for title, names in self.sections_of.items()
        )
        return [section for section in sections if section.fields]

    def shown(self, row: Row, name: str) -> Any:
        """Return what a field shows of a row."""
        return getattr(row, name)

    def stored(self, row: Row, name: str) -> Any:
        """Return a column of a row as ``values`` has it."""
        return getattr(row, name)

    def clean(self) -> dict[str, Any]:
        """Keep what was not touched exactly: the controls show a moment to the minute only."""
        for name, value in self.cleaned_data.items():
            stored = getattr(self.row, name, None)
            if (
                isinstance(value, datetime)
                and isinstance(stored, datetime)
                and local_text(stored) == self.data.get(name)
            ):
                self.cleaned_data[name] = stored
        return self.cleaned_data

    @property
    def seen_version(self) -> int:
        """Return the version that the valid form was made from."""
        version: int = self.cleaned_data["version"]
        return version

    def values(self) -> dict[str, Any]:
        """Return the columns of the valid form."""
        return {name: value for name, value in self.cleaned_data.items() if name != "version"}

    def show_conflict(self, now: Row) -> None:
        """Keep all as typed, say beside each field what it is now, and let the next try be a knowing one."""
        self.has_conflict = True
        for name, value in self.values().items():
            stored = self.stored(now, name)
            if stored != value:
                vars(self.fields[name])["now"] = _in_words(stored)
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["version"] = str(now.version)
        self.data = data


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, timedelta):
        return describe_duration(value)
    if isinstance(value, datetime):
        return local_text(value).replace("T", " ")
    if isinstance(value, frozenset):
        return ", ".join(sorted(str(row) for row in value))
    return "empty" if value in (None, "") else str(value)
