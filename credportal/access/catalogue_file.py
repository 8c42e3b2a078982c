"""Reads a catalogue file into entries, and says of everything wrong with it on which line it stands.

docs/operating.md describes the file. A key without a value counts as left out. What is left
out of an account or a role keeps the value that it has; an eligibility or a delegation is what its
entry says.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from credportal.access.catalogue_columns import (
    ACCOUNT_KEYS,
    DELEGATION_KEYS,
    DELEGATION_UNSAID,
    ELIGIBILITY_KEYS,
    GROUP_KEYS,
    MEMBER,
    OLD_KEYS,
    ROLE_KEYS,
    UNSAID,
    Reads,
    ReadText,
    Words,
)
from credportal.access.catalogue_entries import (
    CatalogueFile,
    DelegationEntry,
    EligibilityEntry,
    Entry,
    GroupEntry,
)
from credportal.access.catalogue_yaml import Node, Problem, quoted, read_tree

SECTIONS = ("accounts", "roles", "groups", "eligibilities", "delegations")


def read_catalogue(text: str) -> CatalogueFile:
    """Read a file whole. Its ``problems`` are all that is wrong with it, as far as the file alone can tell."""
    tree, problems = read_tree(text)
    file = CatalogueFile(problems=problems)
    if tree is None or tree.value is None:
        if not problems:
            problems.append(Problem(1, f"The file is empty. Write one of: {', '.join(SECTIONS)}."))
        return file
    reader = _Reader(problems)
    sections = reader.mapping(tree, SECTIONS) or {}
    file.accounts = list(reader.accounts(sections.get("accounts")))
    file.roles = list(reader.roles(sections.get("roles")))
    file.groups = list(reader.groups(sections.get("groups")))
    reader.once((entry.line, ("account", entry.key)) for entry in file.accounts)
    reader.once((entry.line, ("role", entry.key)) for entry in file.roles)
    reader.once((entry.line, ("group", entry.name)) for entry in file.groups)
    if "eligibilities" in sections:
        file.eligibilities = list(reader.eligibilities(sections["eligibilities"]))
        reader.once(
            (entry.line, ("eligibility of user" if entry.user else "eligibility of group", entry.holder, entry.role))
            for entry in file.eligibilities
        )
    if "delegations" in sections:
        file.delegations = list(reader.delegations(sections["delegations"]))
        reader.once((entry.line, ("delegation", entry.name)) for entry in file.delegations)
    return file


class _Reader:
    """Turns nodes into entries and collects what is wrong.

    An entry with a legible key is kept whatever else is wrong with it, so that what names it
    is not called wrong too.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def wrong(self, line: int, words: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(line, words))

    def once(self, names: Iterable[tuple[int, tuple[str, ...]]]) -> None:
        """Note what stands twice. A name is its kind and the words that tell it apart."""
        lines: dict[Hashable, int] = {}
        for line, name in names:
            if name in lines:
                kind, *words = name
                what = " for ".join(quoted(word) for word in words)
                self.wrong(line, f"The {kind} {what} stands twice, first on line {lines[name]}. Keep one.")
            lines.setdefault(name, line)

    def items(self, node: Node | None) -> list[Node]:
        """Return the items of a list."""
        if node is None:
            return []
        if not isinstance(node.value, list):
            self.wrong(node.line, "Write a list here, such as [a, b], or lines that begin with a hyphen.")
            return []
        return node.value

    def mapping(self, node: Node, known: Iterable[str], old: Iterable[str] = ()) -> dict[str, Node] | None:
        """Return the keys that have a value and note the unknown ones; None where it is no mapping."""
        if not isinstance(node.value, dict):
            self.wrong(node.line, f"Write keys and values here: {', '.join(known)}.")
            return None
        taken = {*known, *old}
        for key, value in node.value.items():
            if key not in taken:
                meant = get_close_matches(key[:80], known, n=1)
                hint = f"Did you mean {meant[0]}?" if meant else f"Write one of: {', '.join(known)}."
                self.wrong(value.line, f"Unknown key {quoted(key)}. {hint}")
        return {key: value for key, value in node.value.items() if key in taken and value.value is not None}

    def entries(
        self, section: Node | None, known: Iterable[str], old: Iterable[str] = ()
    ) -> Iterator[tuple[int, dict[str, Node]]]:
        """Return the entries of a section, each with its line."""
        for node in self.items(section):
            keys = self.mapping(node, known, old)
            if keys is not None:
                yield node.line, keys

    def text(self, node: Node, read: ReadText, name: str) -> Any:
        """Read one value; None where it is wrong."""
        if not isinstance(node.value, str):
            self.wrong(node.line, f"{name} must be one value. Write no list and no keys here.")
            return None
        try:
            return read(node.value)
        except ValueError as error:
            self.wrong(node.line, f"{name} is {quoted(node.value)}. {error}")
            return None

    def words(self, node: Node, words: Words, name: str) -> tuple[str, ...] | None:
        """Read a list of words; None where one of them is wrong."""
        if not isinstance(node.value, list):
            self.wrong(node.line, f"{name} is a list. Write its words in brackets, such as [a, b].")
            return None
        found: list[str] = []
        for item in node.value:
            word = self.text(item, words.read, name)
            if word in found:
                self.wrong(item.line, f"{quoted(word)} is named twice in {name}. Keep one.")
            elif word is not None:
                found.append(word)
        if len(found) < len(node.value):
            return None
        try:
            return words.whole(found)
        except ValueError as error:
            self.wrong(node.line, f"{name} is {quoted(' '.join(found))}. {error}")
            return None

    def columns(
        self, line: int, nodes: dict[str, Node], keys: dict[str, Reads], required: Iterable[str]
    ) -> dict[str, Any]:
        """Read the legible values of one entry; note the missing ones."""
        for name in required:
            if name not in nodes:
                self.wrong(line, f"{name} is missing. Write it into this entry.")
        values = {
            name: self.words(nodes[name], read, name) if isinstance(read, Words) else self.text(nodes[name], read, name)
            for name, read in keys.items()
            if name in nodes
        }
        return {name: value for name, value in values.items() if value is not None}

    def accounts(self, section: Node | None) -> Iterator[Entry]:
        """Read the section of accounts."""
        for line, nodes in self.entries(section, ACCOUNT_KEYS):
            columns = self.columns(line, nodes, ACCOUNT_KEYS, ("number", "name", "environment"))
            if "number" in columns:
                yield Entry(line, columns.pop("number"), columns)

    def roles(self, section: Node | None) -> Iterator[Entry]:
        """Read the section of roles."""
        for line, nodes in self.entries(section, ROLE_KEYS):
            columns = self.columns(line, nodes, ROLE_KEYS, ("arn", "default_region"))
            if "arn" in columns:
                yield Entry(line, columns.pop("arn"), columns)

    def groups(self, section: Node | None) -> Iterator[GroupEntry]:
        """Read the section of groups."""
        for line, nodes in self.entries(section, (*GROUP_KEYS, "members")):
            columns = self.columns(line, nodes, GROUP_KEYS, ("name",))
            members = self.members(nodes["members"]) if "members" in nodes else None
            if "name" in columns:
                yield GroupEntry(line, columns["name"], members, columns.get("duties"))

    def members(self, node: Node) -> dict[str, int]:
        """Read the members of one group."""
        members: dict[str, int] = {}
        for item in self.items(node):
            name = self.text(item, MEMBER, "A member")
            if name in members:
                self.wrong(item.line, f"{quoted(name)} is named twice in this group. Keep one.")
            elif name is not None:
                members[name] = item.line
        return members

    def eligibilities(self, section: Node) -> Iterator[EligibilityEntry]:
        """Read the section of eligibilities."""
        for line, nodes in self.entries(section, ELIGIBILITY_KEYS, OLD_KEYS):
            columns = self.columns(line, nodes, ELIGIBILITY_KEYS | OLD_KEYS, ("role", "max_duration"))
            if columns.pop("needs_reason", False) and "reason" not in columns.get("needs", ()):
                columns["needs"] = ("reason", *columns.get("needs", ()))
            self.one_holder(line, nodes)
            begins, ends = columns.get("valid_from"), columns.get("valid_until")
            if begins and ends and ends <= begins:
                self.wrong(line, "valid_until is not after valid_from. Write a later time.")
            role, group, user = (columns.pop(name, "") for name in ("role", "group", "user"))
            if role and bool(group) != bool(user):
                unsaid = {name: value for name, value in UNSAID.items() if name not in columns}
                yield EligibilityEntry(line, role, group, user, columns | unsaid)

    def delegations(self, section: Node) -> Iterator[DelegationEntry]:
        """Read the section of delegations."""
        for line, nodes in self.entries(section, DELEGATION_KEYS):
            columns = self.columns(line, nodes, DELEGATION_KEYS, ("name", "roles", "max_duration"))
            self.one_holder(line, nodes)
            longest, outsiders = columns.get("max_duration"), columns.get("outsider_duration")
            if longest and outsiders and outsiders > longest:
                self.wrong(line, "outsider_duration is longer than max_duration. Write a shorter one.")
            name, group, user = (columns.pop(key, "") for key in ("name", "group", "user"))
            roles = columns.pop("roles", ())
            if name and bool(group) != bool(user):
                unsaid = {key: value for key, value in DELEGATION_UNSAID.items() if key not in columns}
                yield DelegationEntry(line, name, group, user, roles, columns | unsaid)

    def one_holder(self, line: int, nodes: dict[str, Node]) -> None:
        """Note an entry that names no holder, or two."""
        if ("group" in nodes) == ("user" in nodes):
            self.wrong(line, "Name a group or a user here: one of them, not both.")
