"""How each shell and file format spells a value, so that exactly the value arrives and nothing runs.

Each function takes one value and returns its spelling, quotes included. It raises ValueError where
the format has no safe spelling; the message never repeats the value, which may be a secret.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Tab and line feed are text. Any other control character could drive the terminal that it is pasted into:
# an escape sequence can end a bracketed paste and press Enter.
_TEXT_CONTROLS = frozenset("\t\n")
# PowerShell reads the typographic single quotes as the plain one (about_Quoting_Rules).
_POWERSHELL_QUOTES = re.compile("(['\N{LEFT SINGLE QUOTATION MARK}-\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}])")
# Double quotes end the quoting, percent signs expand even inside it and cannot be escaped at the prompt,
# and exclamation marks expand under delayed expansion (``help set``, ``help cmd``).
_CMD_REFUSED = re.compile(r'["%!]')
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:=+@%,\[\]-]+", re.ASCII)
_INLINE_COMMENT = re.compile(r"(?:^|\s)[#;]")


def quote_posix(value: str) -> str:
    """Quote for bash, zsh, dash and every POSIX shell: single quotes, in which nothing is special (XCU 2.2.2).

    Except for one thing at a prompt: bash takes a caret at the start of a line for a quick substitution of the last
    command, also within quotes that began a line before ("Event Designators" of its manual).
    """
    return "'" + _text(value).replace("'", "'\\''").replace("\n^", "\n'\\^'") + "'"


def quote_fish(value: str) -> str:
    """Quote for fish: in its single quotes only the backslash and the quote are special ("Quotes" of its manual)."""
    return "'" + _text(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_powershell(value: str) -> str:
    """Quote for PowerShell: a literal string, its single quotes doubled, the typographic ones too."""
    return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", _text(value)) + "'"


def quote_cmd(value: str) -> str:
    """Quote for cmd.exe, as in ``set "NAME=value"``. Between double quotes ``& | < > ^ ( )`` are plain text.

    Raises ValueError for a double quote, ``%``, ``!`` and any control character: the prompt has no way to say them.
    """
    if _CMD_REFUSED.search(_one_line(value)):
        raise ValueError("cmd.exe cannot carry double quotes, percent signs or exclamation marks.")
    return f'"{value}"'


def plain_word(value: str) -> str:
    """Check a value for a .env file, where it stands without quotes, and return it unchanged.

    Docker takes the rest of the line literally; Compose, dotenv libraries and a shell that sources the file
    expand ``$``, strip quotes and cut at ``#``. So only characters that mean the same to all of them may pass.
    """
    if not _PLAIN_WORD.fullmatch(value):
        raise ValueError("A .env file cannot carry spaces, quotes or characters that some of its readers expand.")
    return value


def ini_value(value: str) -> str:
    """Check a value for the AWS credentials file and return it unchanged; the format has no quotes.

    The SDKs strip white space around a value, and some cut it at a ``#`` or ``;`` that follows white space
    (SDKs and Tools reference guide, "Format of the config file").
    """
    if _one_line(value) != value.strip() or _INLINE_COMMENT.search(value):
        raise ValueError("The credentials file cannot carry white space around a value, or a comment sign after it.")
    return value


def _text(value: str) -> str:
    if value.isprintable():  # The usual value, and by far the fastest test.
        return value
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in set(value) - _TEXT_CONTROLS):
        raise ValueError("Control characters cannot be pasted safely.")
    return value


def _one_line(value: str) -> str:
    if not _TEXT_CONTROLS.isdisjoint(_text(value)) or "\u2028" in value or "\u2029" in value:
        raise ValueError("This format keeps a value on one line.")
    return value


@dataclass(frozen=True, slots=True)
class Shell:
    """How one shell sets a variable: the text before the quoted value's inside, the quoting, the closing quote."""

    title: str
    heading: str
    opening: Callable[[str], str]
    quote: Callable[[str], str]
    closing: str
    unset: Callable[[Sequence[str]], str]


SHELLS = {
    "bash": Shell(
        title="bash / zsh",
        heading="Paste into bash or zsh",
        opening=lambda name: f"export {name}='",
        quote=quote_posix,
        closing="'",
        unset=lambda names: "unset " + " ".join(names),
    ),
    "fish": Shell(
        title="fish",
        heading="Paste into fish",
        opening=lambda name: f"set -gx {name} '",
        quote=quote_fish,
        closing="'",
        unset=lambda names: "set -e " + " ".join(names),
    ),
    "powershell": Shell(
        title="PowerShell",
        heading="Paste into PowerShell",
        opening=lambda name: f"$Env:{name} = '",
        quote=quote_powershell,
        closing="'",
        # A variable that was never set, such as the legacy one, would print an error here and nowhere else.
        unset=lambda names: "Remove-Item " + ", ".join(f"Env:\\{name}" for name in names) + " -ErrorAction Ignore",
    ),
    "cmd": Shell(
        title="cmd",
        heading="Paste into cmd.exe",
        opening=lambda name: f'set "{name}=',
        quote=quote_cmd,
        closing='"',
        unset=lambda names: "\n".join(f'set "{name}="' for name in names),
    ),
}
