"""Text of people where only one plain line may stand: in a mail's subject, and in a line of its text."""

from credportal.domain.lookalikes import is_unseen


def one_line(text: str, *, most: int = 500) -> str:
    """Return text as one line of visible characters, at most ``most`` of them, the last one then an ellipsis."""
    line = " ".join("".join(" " if is_unseen(char) else char for char in text).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
