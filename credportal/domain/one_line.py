"""Text of people where only one plain line may stand: in a mail's subject, and in a line of its text."""

import unicodedata

# Line breaks of every kind, controls, and what nobody sees: marks of direction, halves of surrogate pairs.
_UNWANTED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def one_line(text: str, *, most: int = 500) -> str:
    """Return text as one line of visible characters, at most ``most`` of them, the last one then an ellipsis."""
    visible = "".join(" " if unicodedata.category(char) in _UNWANTED else char for char in text)
    line = " ".join(visible.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
