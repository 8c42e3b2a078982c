"""What can hide in a text: characters that nobody sees, and letters that look like others.

The rules follow Unicode's "Security Mechanisms" (UTS 39), in the part that a reader of a list needs: two names
that look the same are the same.
"""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Characters with no ink that are neither controls nor spaces for Unicode: fillers, joiners, variation selectors;
# and the mark that stands for broken text.
_NO_INK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffd\U000e0100-\U000e01ef]"
)
_ORDINALS = frozenset("ªº")
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "KATAKANA-HIRAGANA"})
# Letters of other scripts that most typefaces draw like Latin ones.
_LIKE_LATIN = frozenset(
    "АВЕЅІЈКМНОРСТУХҮԌԚԜаеѕіјкорсухһӏүѵԁԛԝ"  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαικνορυγ"  # Greek
    "ՍՏՕսոհօզ"  # Armenian
)
_TEENS = range(11, 14)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def strange_character(text: str, index: int) -> str:
    """Name one character and its place, without an end: ``The 7th character is CYRILLIC SMALL LETTER A``."""
    return f"The {_ordinal(index + 1)} character is {_name_of(text[index])}"


def unseen_character(text: str) -> str:
    """Name the first character that a reader would not see, or take for a plain space; empty where none is."""
    for index, char in enumerate(text):
        if is_unseen(char):
            return strange_character(text, index)
    return ""


def is_unseen(char: str) -> bool:
    """Tell whether a reader would not see a character, or take it for a plain space."""
    unseen = unicodedata.category(char) in _UNSEEN or _NO_INK.match(char)
    return bool(unseen) or (char.isspace() and char != " ")


def script_problem(text: str) -> str:
    """Say which letters could be taken for others, in one sentence; empty where none could.

    A word may mix scripts only as East Asian ones mix among themselves and with Latin. A word of another script
    that only has letters like Latin ones is refused beside Latin words, and is let be where it stands alone: it
    may be somebody's name.
    """
    words = _words(text)
    has_latin = any("LATIN" in _scripts(word) for _, word in words)
    for start, word in words:
        for offset, char in enumerate(word):
            if char in _ORDINALS or not char.isalnum():
                continue
            if unicodedata.normalize("NFKC", char) != char:
                return f"{strange_character(text, start + offset)}. Write the plain letter or digit in its place."
        mixed = _mixed(word)
        if mixed is not None:
            where = strange_character(text, start + mixed)
            return f"{where}, in a word of another script. Write the whole word in one script."
        if has_latin and all(char in _LIKE_LATIN for char in word):
            return f"{strange_character(text, start)}, and its word looks like a Latin one. Write it in Latin letters."
    return ""


def _words(text: str) -> list[tuple[int, str]]:
    """Return the runs of letters, their marks and digits, each with the place where it begins."""
    words: list[tuple[int, str]] = []
    inside = False
    for index, char in enumerate(text):
        belongs = char.isalnum() or unicodedata.category(char).startswith("M")
        if belongs and inside:
            start, word = words[-1]
            words[-1] = (start, word + char)
        elif belongs:
            words.append((index, char))
        inside = belongs
    return words


def _scripts(word: str) -> set[str]:
    return {script for char in word if (script := _script_of(char))}


def _mixed(word: str) -> int | None:
    """Return the place of the first letter that is of another script than the word, None where all agree.

    A word with Latin letters is Latin, so that the odd letter in it is named, also where it comes first.
    """
    scripts = _scripts(word) - {"EAST ASIAN"}
    if len(scripts) + ("EAST ASIAN" in _scripts(word) and scripts != {"LATIN"}) <= 1:
        return None
    its_own = "LATIN" if "LATIN" in scripts else _script_of(next(char for char in word if _script_of(char)))
    return next(index for index, char in enumerate(word) if _script_of(char) not in ("", its_own))


def _script_of(char: str) -> str:
    """Return the script of a letter or of a digit of its own, empty for what all scripts share."""
    if char in _ORDINALS:
        return "LATIN"
    if not char.isalnum() or char in "0123456789":
        return ""
    script = unicodedata.name(char, "UNKNOWN").split()[0]
    return "EAST ASIAN" if script in _EAST_ASIAN else script.removesuffix("-INDIC")


def _name_of(char: str) -> str:
    fallback = f"the control character U+{ord(char):04X}" if char < " " else f"U+{ord(char):04X}"
    return unicodedata.name(char, fallback)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in _TEENS else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
