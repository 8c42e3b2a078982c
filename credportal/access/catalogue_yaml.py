"""Reads YAML into plain nodes that remember their lines.

Every value stays the text that was written: ``012345678901`` keeps its zero and a group may
be called ``no``, which YAML 1.1 would read as a number and as false. Nothing is constructed,
anchors and aliases are refused, and nothing recurses, so that no file can grow in memory or
exhaust the stack.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

# libyaml where PyYAML was built with it: about ten times as fast, and the same events.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 20
_NOTHING = {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in the file: its line, counted from 1, and what to write instead."""

    line: int
    words: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.words}"


@dataclass(slots=True)
class Node:
    """One value of the file. The value of a key has the key's line. None is a value left empty."""

    line: int
    value: str | list[Node] | dict[str, Node] | None


def quoted(text: str) -> str:
    """Return a text of the file as an error may show it: one line, short, nothing a terminal would obey."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text[:80])
    return f'"{shown}{"…" if len(text) > len(shown) else ""}"'


def read_tree(text: str) -> tuple[Node | None, list[Problem]]:
    """Return the file's one document, None where there is none, and what is wrong with the YAML itself."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
            if builder.depth > _DEEPEST:  # libyaml takes minutes over brackets in brackets in brackets.
                words = "This is nested deeper than any catalogue. Look for a bracket too many."
                return None, [*builder.problems, Problem(_line(event), words)]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return None, [*builder.problems, Problem(line, f"This is not YAML: {error.problem}.")]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [*builder.problems, Problem(line, "This is not YAML: take the control characters out.")]
    return builder.root, builder.problems


class _Builder:
    """Puts parse events together. ``_open`` are the lists and mappings that have not ended yet."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self._open: list[tuple[Node, list[Node]]] = []  # Each with its key that still waits for a value.

    @property
    def depth(self) -> int:
        """Return how many lists and mappings are open."""
        return len(self._open)

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            self._open.pop()
        elif isinstance(event, yaml.AliasEvent):
            self._wrong(event, "Write the value out: aliases (*) are not read here.")
            self._place(Node(_line(event), None))
        elif isinstance(event, yaml.NodeEvent):
            self._take_node(event)

    def _take_node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._wrong(event, "Take the anchor (&) out: anchors are not read here.")
        if getattr(event, "tag", None) is not None:
            self._wrong(event, "Take the tag (!) out: tags are not read here.")
        node = Node(_line(event), None)
        self._place(node)
        if isinstance(event, yaml.ScalarEvent):
            node.value = None if event.implicit[0] and event.value in _NOTHING else event.value
            return
        node.value = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._open.append((node, []))

    def _place(self, node: Node) -> None:
        """Put a node where the document stands: into the open list, as a key, or as a key's value."""
        if not self._open:
            if self.root is not None:
                self.problems.append(Problem(node.line, "Take the second document (---) out: one file, one catalogue."))
            else:
                self.root = node
            return
        parent, waiting = self._open[-1]
        if isinstance(parent.value, list):
            parent.value.append(node)
        elif not waiting:
            waiting.append(node)
        elif isinstance(parent.value, dict):
            self._place_value(parent.value, waiting.pop(), node)

    def _place_value(self, mapping: dict[str, Node], key: Node, node: Node) -> None:
        if not isinstance(key.value, str):
            self.problems.append(Problem(key.line, "A key must be a word."))
            return
        node.line = key.line
        if key.value in mapping:
            earlier = mapping[key.value].line
            words = f"{quoted(key.value)} stands twice here, first on line {earlier}. Keep one."
            self.problems.append(Problem(key.line, words))
            return
        mapping[key.value] = node

    def _wrong(self, event: yaml.Event, words: str) -> None:
        self.problems.append(Problem(_line(event), words))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
