"""What a catalogue file says, entry by entry, after its values are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from credportal.access.catalogue_yaml import Problem


@dataclass(slots=True)
class Entry:
    """One account or role: its number or ARN, and the values that the file gives."""

    line: int
    key: str
    columns: dict[str, Any]


@dataclass(slots=True)
class GroupEntry:
    """One group. ``members`` are user names with their lines. None where the file does not say, as with ``duties``."""

    line: int
    name: str
    members: dict[str, int] | None
    duties: tuple[str, ...] | None


@dataclass(slots=True)
class EligibilityEntry:
    """One eligibility: a role's ARN, a group's or a person's name, and all its values."""

    line: int
    role: str
    group: str
    user: str
    columns: dict[str, Any]

    @property
    def holder(self) -> str:
        """Return the name of the group or person."""
        return self.group or self.user


@dataclass(slots=True)
class DelegationEntry:
    """One delegation: its name, a group's or a person's name, the ARNs of its roles in order, and all its values."""

    line: int
    name: str
    group: str
    user: str
    roles: tuple[str, ...]
    columns: dict[str, Any]


@dataclass(slots=True)
class CatalogueFile:
    """What a file says. ``eligibilities`` is None where it says nothing about them, as is ``delegations``."""

    accounts: list[Entry] = field(default_factory=list)
    roles: list[Entry] = field(default_factory=list)
    groups: list[GroupEntry] = field(default_factory=list)
    eligibilities: list[EligibilityEntry] | None = None
    delegations: list[DelegationEntry] | None = None
    problems: list[Problem] = field(default_factory=list)
