"""What arrives with a claim: the link or its token, as somebody pasted it, and an outsider's code."""

import re
import unicodedata

from django.http import HttpRequest

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
"""What ``access.handouts.new_token`` makes."""
PAGE = "/claim"
MOST = 300
"""How many characters of a text that is no link come back to its field."""


def token_in(text: str) -> str:
    """Return the token in a pasted link, or in what is the token itself; empty where there is none.

    White space, also inside, and the marks that mail programs put around an address do not count.
    """
    before, mark, after = "".join(text.split()).strip("<>").rpartition("#")
    if mark and not before.rstrip("/").endswith(PAGE):
        return ""
    return after if TOKEN.fullmatch(after) else ""


def token_of(request: HttpRequest) -> str:
    """Return what a form of ours sent as its token. Whatever else stands there is the token of no link."""
    text = request.POST.get("token", "").strip()[:MOST]
    return token_in(text) or text


def code_of(request: HttpRequest) -> str:
    """Return the code that was typed, capped. Digits of other scripts count as what they mean."""
    return unicodedata.normalize("NFKC", request.POST.get("code", "").strip()[:64])


def mistake_in(text: str) -> str:
    """Say what is wrong with a text in which there is no token."""
    if not text.strip():
        return "Paste the link that you were sent, or what stands in it after #."
    if "#" in text:
        return "That is not a whole claim link: after /claim/# stand 43 characters. Copy it once more, to its end."
    return "That is no claim link. It ends in /claim/# and 43 characters, which may also be pasted alone."
