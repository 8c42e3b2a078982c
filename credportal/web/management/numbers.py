"""Numbers of a command line."""

from argparse import ArgumentTypeError


def sequence_number(text: str) -> int:
    """Return the sequence number of an event, or 0 for before the first. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal()) or int(text) >= 2**63:
        raise ArgumentTypeError("a sequence number, such as 250312")
    return int(text)
