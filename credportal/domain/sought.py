"""What somebody pasted who asks whose key it is: one of five forms, or a secret, which is refused.

Spaces, quotes and slips of case around and in the forms are mended. What cannot be read is never kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from credportal.domain.naming import is_public_id, is_role_arn

LONGEST = 20_000
"""How many characters are looked at; a session token has some thousand."""
LONGEST_SHOWN = 600
"""How much of what cannot be read is given back."""

_NAME = r"[A-Za-z0-9_+=,.@-]"
# An id of the two kinds that AWS gives to people and sessions (IAM user guide, "Unique identifiers").
_AWS_KEY = r"A(?:KIA|SIA)[A-Z0-9]{12,32}"
_AWS_KEY_ID = re.compile(_AWS_KEY, re.ASCII | re.IGNORECASE)
# Other services make ids of their own; nothing shorter than AWS's shortest is taken for one.
_OTHER_KEY_ID = re.compile(r"[A-Za-z0-9_]{16,32}", re.ASCII)
_SESSION_ARN = re.compile(
    rf"arn:(?P<partition>[a-z][a-z-]*):sts::(?P<account>[0-9]{{12}})?:assumed-role/(?P<role>[A-Za-z0-9_+=,.@/-]{{1,576}})/"
    rf"(?P<session>{_NAME}{{2,64}})",
    re.ASCII,
)
_SESSION_ID = re.compile(rf"(?P<role>[A-Za-z0-9_-]{{4,128}}):(?P<session>{_NAME}{{2,64}})", re.ASCII)
_SESSION_NAME = re.compile(rf"(?P<handle>{_NAME}{{1,51}})-(?P<id>[A-Za-z0-9]{{12}})", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9]{12}", re.ASCII)
_AROUND = " \t\r\n\f\v\u00a0\u200b\ufeff'\"`,;<>()[]{}\u2018\u2019\u201c\u201d"
# A secret access key is 40 characters of base64, a session token is hundreds. Whoever misses a few of them while
# selecting has shown the secret all the same.
_SECRET = re.compile(r"[A-Za-z0-9/+=%]{33,}", re.ASCII)
_SECRET_IN_ARN = re.compile(r"[A-Za-z0-9+=]{33,}", re.ASCII)  # The path in an ARN has slashes and may be long.
_LINE_BREAK = re.compile(r"[^\S\n]*\n\s*")
_COLONS = 5  # In an ARN, before its last part.
# Issuance ids are Crockford's base 32, which leaves these out because they are misread so.
_MISREAD = str.maketrans("oil", "011")


class Form(StrEnum):
    """What a text is. The value is the word for it."""

    ACCESS_KEY_ID = "access key id"
    SESSION_ARN = "assumed-role ARN"
    SESSION_ID = "assumed-role id"
    SESSION_NAME = "session name"
    ISSUANCE_ID = "issuance id"


@dataclass(frozen=True, slots=True)
class Sought:
    """A text in its one spelling. ``issuance_id`` is what it ends with, empty where it does not tell."""

    form: Form
    text: str
    issuance_id: str = ""

    @property
    def is_aws_key(self) -> bool:
        """Tell whether this is an access key id as AWS itself makes them, whose account AWS tells."""
        return self.form is Form.ACCESS_KEY_ID and _AWS_KEY_ID.fullmatch(self.text) is not None

    @property
    def session_name(self) -> str:
        """Return the session name in it; empty where there is none."""
        if self.form in (Form.SESSION_ARN, Form.SESSION_ID):
            return re.split("[/:]", self.text)[-1]
        return self.text if self.form is Form.SESSION_NAME else ""

    @property
    def role(self) -> str:
        """Return the account and the name of the role in an ARN, as ``role_of`` writes them; else empty."""
        arn = _SESSION_ARN.fullmatch(self.text) if self.form is Form.SESSION_ARN else None
        return f"{arn['account'] or ''}/{arn['role'].rpartition('/')[2]}" if arn is not None else ""


@dataclass(frozen=True, slots=True)
class Secret:
    """It holds a secret, which is not here. ``key_id`` is the access key id that stood beside it, if one did."""

    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """It is nothing that leads to an issuance. ``why`` says so; ``text`` may be shown again."""

    why: str
    text: str


HOW_TO_WRITE = (
    "Paste an access key id (ASIA…), an assumed-role ARN (arn:aws:sts::…), the session name that CloudTrail shows, "
    "or an issuance id of 12 characters."
)

A_ROLE = "That is a role, not a session of it. The audit lists a role’s issuances: filter it by this ARN."


def parse_sought(pasted: str) -> Sought | Secret | Unreadable:
    """Read what was pasted. It never raises, and a secret never comes back out of it."""
    text = pasted[:LONGEST].strip(_AROUND)
    if not text:
        return Unreadable(f"Nothing was pasted. {HOW_TO_WRITE}", "")
    whole = _whole(text)
    if whole is not None:
        return whole
    if is_role_arn(text):
        return Unreadable(A_ROLE, pasted[:LONGEST_SHOWN])
    if _holds_secret(text):
        return Secret(_only_key_id(text))
    inside = _inside(text)
    if inside is not None:
        return inside
    return Unreadable(_why(text), pasted[:LONGEST_SHOWN])


def role_of(role_arn: str) -> str:
    """Return account and name of a role by its ARN: the ARN of a session leaves out the path of its role."""
    account = role_arn.split(":")[4] if role_arn.count(":") >= _COLONS else ""
    return f"{account}/{role_arn.rpartition('/')[2]}"


def _whole(text: str) -> Sought | None:
    """Read a text that is one of the forms and nothing else."""
    if _AWS_KEY_ID.fullmatch(text):
        return Sought(Form.ACCESS_KEY_ID, text.upper())
    if _SESSION_NAME.fullmatch(text):
        return _session(Form.SESSION_NAME, text, text)
    if _WORD.fullmatch(text) and _id_in(text):
        return Sought(Form.ISSUANCE_ID, _id_in(text), _id_in(text))
    if _OTHER_KEY_ID.fullmatch(text):
        return Sought(Form.ACCESS_KEY_ID, text)
    arn, session_id = _SESSION_ARN.fullmatch(text), _SESSION_ID.fullmatch(text)
    if arn is not None:
        tail = f"{arn['role']}/{arn['session']}"
        return None if "," in tail and _SECRET.search(tail) else _session(Form.SESSION_ARN, text, arn["session"])
    return _session(Form.SESSION_ID, text, session_id["session"]) if session_id is not None else None


def _session(form: Form, text: str, session: str) -> Sought | None:
    """Write a session with its issuance id in small letters, as the portal does.

    Another's session is one only in the spelling of AWS: anything else could be a key id, a colon and its secret.
    """
    name = _SESSION_NAME.fullmatch(session)
    issuance_id = _id_in(name["id"]) if name is not None else ""
    if issuance_id:
        return Sought(form, text[: -len(issuance_id)] + issuance_id, issuance_id)
    is_of_aws = form is Form.SESSION_ARN or text.startswith("AROA")
    return Sought(form, text) if is_of_aws and form is not Form.SESSION_NAME and not _SECRET.search(session) else None


def _id_in(text: str) -> str:
    """Return the issuance id that a word is, with what was misread mended; empty where it is none."""
    mended = text.lower().translate(_MISREAD)
    return mended if is_public_id(mended) else ""


def _holds_secret(text: str) -> bool:
    # A terminal may have broken it, JSON may have escaped its slashes.
    joined = _SESSION_ARN.sub(_without_own, _LINE_BREAK.sub("", text).replace("\\", ""))
    return _secret_in(joined).search(joined) is not None


def _secret_in(text: str) -> re.Pattern[str]:
    """Return what a secret would look like here. A comma in what begins as an ARN may part it from a secret."""
    return _SECRET_IN_ARN if text.startswith("arn:") and "," not in text else _SECRET


def _without_own(arn: re.Match[str]) -> str:
    """Take out the ARN of a session of the portal's: role and two names, joined by ``/`` and ``+``, look like a secret.

    A comma could part it from one, and an ARN with nothing but short names has no room for one.
    """
    name = _SESSION_NAME.fullmatch(arn["session"])
    is_own = name is not None and _id_in(name["id"]) != "" and "," not in arn[0]
    return " " if is_own and "/" not in arn["role"].rpartition("/")[0] else arn[0]


def _only_key_id(text: str) -> str:
    found = {key.upper() for key in re.findall(rf"(?<![A-Za-z0-9]){_AWS_KEY}(?![A-Za-z0-9/+=])", text)}
    return found.pop() if len(found) == 1 else ""


def _inside(text: str) -> Sought | None:
    """Read a line of an export or of CloudTrail's JSON that holds exactly one id or ARN."""
    arns = {arn[0].strip(_AROUND) for arn in _SESSION_ARN.finditer(text)}
    session = _whole(arns.pop()) if len(arns) == 1 else None
    if session is not None and session.issuance_id:
        return session
    key_id = _only_key_id(text)
    return Sought(Form.ACCESS_KEY_ID, key_id) if key_id else session


def _why(text: str) -> str:
    if text.lower().startswith("arn:"):
        return "That ARN is not one of a session: arn:aws:sts::123456789012:assumed-role/role/session-name."
    return f"That leads to no issuance. {HOW_TO_WRITE}"
