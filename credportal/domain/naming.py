r"""Legal names for AWS: handles, issuance ids, session names, session tags, role ARNs, profile names.

The limits are those of the STS and IAM API references. Their ``\w`` is ASCII, Python's is not,
so every pattern here spells its characters out and is matched whole.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from functools import lru_cache

from credportal.domain.lookalikes import script_problem, strange_character, unseen_character
from credportal.domain.types import Identity

HANDLE_MAX_LENGTH = 51
"""A session name has 64 characters; an issuance id and its hyphen take 13 of them."""
ISSUANCE_ID_LENGTH = 12
ISSUANCE_ID_RANDOM_BYTES = 8
SESSION_NAME_MAX_LENGTH = 64
PROFILE_NAME_MAX_LENGTH = 64
ROLE_ARN_MAX_LENGTH = 2048

TICKET_PATTERN = r"[A-Za-z0-9_.:/=+@-]{1,64}"
"""What a form accepts as a ticket. It is legal as a session tag, and has no spaces."""

ISSUANCE_TAG = "credportal:issuance"
TICKET_TAG = "credportal:ticket"
ISSUED_BY_TAG = "credportal:issued-by"

OUTSIDER_PREFIX = "outsider+"
"""What the handle of an outsider begins with. No handle of a user has a plus sign: ``handle_for`` writes ``=2B``."""

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PUBLIC_ID = re.compile(f"[{_CROCKFORD}]{{{ISSUANCE_ID_LENGTH}}}", re.ASCII)
_PLAIN_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@-")
_CUT_ESCAPE = re.compile(r"=[0-9A-F]?\Z", re.ASCII)
_HANDLE_MIN_LENGTH = 2
_DIGEST_BYTES = 10
_DIGEST_LENGTH = 16
_HANDLE = re.compile(r"[A-Za-z0-9_+=,.@-]{1,256}", re.ASCII)
_TAG_VALUE = re.compile(r"[A-Za-z0-9 _.:/=+@-]{0,256}", re.ASCII)
# Paths may hold any printable ASCII (IAM API reference, CreateRole); the wildcards * and ? are left out on purpose.
_ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws(?:-[a-z]+)*):iam::(?P<account>[0-9]{12}):role"
    r"(?P<path>/(?:[!-)+->@-~]{1,510}/)?)(?P<name>[A-Za-z0-9_+=,.@-]{1,64})",
    re.ASCII,
)
_ASSUMED_ROLE_ARN = re.compile(
    r"arn:(?P<partition>aws(?:-[a-z]+)*):sts::(?P<account>[0-9]{12}):assumed-role/"
    r"(?P<name>[A-Za-z0-9_+=,.@-]{1,64})/[A-Za-z0-9_+=,.@-]{2,64}",
    re.ASCII,
)
_USER_ARN = re.compile(r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:user/[!-~]{1,600}", re.ASCII)
_NOT_ROLES = re.compile(
    r"arn:aws(?:-[a-z]+)*:iam::[0-9]{12}:(?P<kind>root|user|group|policy|instance-profile)\b", re.ASCII
)
_NOT_PLAIN = re.compile("[^!-~]")
_SERVICE_LINKED_PATH = "/aws-service-role/"
_NOT_IN_PROFILE_NAME = re.compile(r"[^A-Za-z0-9_.@+-]+", re.ASCII)
_PROFILE_NAME = re.compile(r"[A-Za-z0-9_.@+][A-Za-z0-9_.@+-]{0,63}", re.ASCII)


def handle_for(username: str) -> str:
    """Return the stable ASCII handle of a username: 2 to 51 characters of ``[A-Za-z0-9_.@=-]``.

    Letters, digits and ``_.@-`` stay; every other byte of the UTF-8 form becomes ``=XX``. The
    equals sign is always escaped too, so this encoding can be undone and two usernames never
    share it. Where it is longer than 51 characters or shorter than 2, the handle is a readable
    beginning, ``==`` and 80 bits of the username's SHA-256; ``==`` never occurs in the plain form.
    Raises ValueError for a lone surrogate, which is no character and has no UTF-8 form.
    """
    try:
        octets = username.encode()
    except UnicodeEncodeError:
        raise ValueError("A username is made of whole Unicode characters.") from None
    plain = "".join(chr(octet) if octet in _PLAIN_BYTES else f"={octet:02X}" for octet in octets)
    if _HANDLE_MIN_LENGTH <= len(plain) <= HANDLE_MAX_LENGTH:
        return plain
    digest = base64.b32encode(hashlib.sha256(octets).digest()[:_DIGEST_BYTES]).decode()
    beginning = plain[: HANDLE_MAX_LENGTH - len("==") - _DIGEST_LENGTH]
    return f"{_CUT_ESCAPE.sub('', beginning)}=={digest}"


def outsider_handle_for(email: str) -> str:
    """Return the handle of somebody who is no user: ``outsider+`` and the handle of their e-mail address, 60 at most.

    It becomes a source identity, which AWS takes up to 64 characters of. Capitals make no other person.
    """
    return f"{OUTSIDER_PREFIX}{handle_for(email.lower())}"


def issuance_id_from(random: bytes) -> str:
    """Return the 12 character issuance id of 8 random bytes: 60 of their bits in Crockford's base 32.

    Raises ValueError for another number of bytes.
    """
    if len(random) != ISSUANCE_ID_RANDOM_BYTES:
        raise ValueError("An issuance id is made from 8 random bytes.")
    number = int.from_bytes(random, "big")
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(55, -1, -5))


def is_public_id(text: str) -> bool:
    """Tell whether a text has the form of an issuance id."""
    return _PUBLIC_ID.fullmatch(text) is not None


def session_name(handle: str, issuance_id: str, issued_by: str = "") -> str:
    """Return the RoleSessionName ``<handle>-<id>``, at most 64 characters; the handle is cut, never the id.

    Of a hand-out it is ``<handle>+<issuer>-<id>``. Where both do not fit whole, each gets half of the room, and what
    one leaves the other takes. Raises ValueError where a part has characters that STS does not take.
    """
    if not is_public_id(issuance_id):
        raise ValueError("A session name ends with an issuance id.")
    if not all(_HANDLE.fullmatch(part) for part in (handle, issued_by or handle)):
        raise ValueError("A session name begins with a handle.")
    room = SESSION_NAME_MAX_LENGTH - 1 - ISSUANCE_ID_LENGTH
    if not issued_by:
        return f"{handle[:room]}-{issuance_id}"
    half = (room - 1) // 2
    recipient = handle[: max(half, room - 1 - len(issued_by))]
    return f"{recipient}+{issued_by[: room - 1 - len(recipient)]}-{issuance_id}"


def session_tags(issuance_id: str, ticket: str, issued_by: str) -> tuple[tuple[str, str], ...]:
    """Return the session tags: issuance id, ticket where there is one, and who issued.

    Raises ValueError for a value outside ``[A-Za-z0-9 _.:/=+@-]{0,256}``, which is STS's rule
    without the letters of other scripts.
    """
    tags = [(ISSUANCE_TAG, issuance_id), (ISSUED_BY_TAG, issued_by)]
    if ticket:
        tags.insert(1, (TICKET_TAG, ticket))
    for key, value in tags:
        if not _TAG_VALUE.fullmatch(value):
            message = f"The session tag {key} has characters that STS does not take."
            raise ValueError(message)
    return tuple(tags)


def is_role_arn(text: str) -> bool:
    """Tell whether a text is the ARN of exactly one IAM role, without wildcards.

    IAM's limits: path up to 512 characters of printable ASCII, name up to 64.
    """
    return len(text) <= ROLE_ARN_MAX_LENGTH and _ROLE_ARN.fullmatch(text) is not None


def role_name_from(arn: str) -> str:
    """Return a role's name, the last segment of its ARN. Raises ValueError for no role ARN."""
    return _part_of(arn, "name")


def account_number_from(arn: str) -> str:
    """Return the 12 digits of the account in a role's ARN. Raises ValueError for no role ARN."""
    return _part_of(arn, "account")


def partition_from(arn: str) -> str:
    """Return the partition of a role's ARN, such as ``aws`` or ``aws-cn``. Raises ValueError for no role ARN."""
    return _part_of(arn, "partition")


def _part_of(arn: str, part: str) -> str:
    match = _ROLE_ARN.fullmatch(arn) if len(arn) <= ROLE_ARN_MAX_LENGTH else None
    if match is None:
        raise ValueError("That is not the ARN of an IAM role.")
    return match[part]


def principal_from(arn: str) -> str:
    """Return the ARN that a trust policy names for an identity, from the ARN that GetCallerIdentity tells.

    The session of a role answers as ``arn:aws:sts::<account>:assumed-role/<role>/<session>``; trust policies
    name the role (IAM user guide, "AWS JSON policy elements: Principal"). AWS leaves the role's path out, so a
    role with a path has to be told by a setting. A user stands for itself; anything else is empty.
    """
    session = _ASSUMED_ROLE_ARN.fullmatch(arn)
    if session is not None:
        return f"arn:{session['partition']}:iam::{session['account']}:role/{session['name']}"
    return arn if _USER_ARN.fullmatch(arn) else ""


@lru_cache(maxsize=4096)
def arn_problem(arn: str, identity: Identity) -> str:
    """Say why a text is no role that the portal could assume, and how to mend it; empty where nothing is wrong.

    The portal's partition and principal are compared where they are known. A list of hundreds of roles asks
    this for each of them, at every visit.
    """
    malformed = _malformed(arn)
    if malformed:
        return malformed
    partition = partition_from(arn)
    if arn.partition(":role")[2].startswith(_SERVICE_LINKED_PATH):
        return "That is a service-linked role: only its AWS service can assume it, so name another role."
    if identity.partition and partition != identity.partition:
        return (
            f"The ARN is in the partition {partition}, the portal is in {identity.partition}. AWS lets nobody cross "
            "partitions, so name a role of the portal’s own."
        )
    if _is_same_role(arn, principal_from(identity.principal) or identity.principal):
        return "That is the portal’s own role, and nobody may become the portal: name another role."
    return ""


def _malformed(arn: str) -> str:
    """Say how a text falls short of being the ARN of one role, the most telling thing first."""
    strange = _NOT_PLAIN.search(arn)
    if strange is not None:
        where = strange_character(arn, strange.start())
        return f"{where}. An ARN here has plain ASCII characters and no spaces, so type it by hand."
    if "*" in arn or "?" in arn:
        return "An ARN with a wildcard stands for many roles: write the ARN of exactly one."
    if is_role_arn(arn):
        return ""
    if _ASSUMED_ROLE_ARN.fullmatch(arn):
        return f"That is a session of a role. Write the role’s own ARN, such as {principal_from(arn)}."
    other = _NOT_ROLES.match(arn)
    if other is not None:
        return f"That ARN names a {other['kind']}, not a role: write arn:aws:iam::123456789012:role/name."
    return "Write the ARN of a role: arn:aws:iam::123456789012:role/name."


def _is_same_role(arn: str, principal: str) -> bool:
    """Tell whether a principal is this role. AWS leaves the path out of some ARNs.

    The name alone decides within an account: IAM takes each once, whatever its path or its case (IAM API
    reference, "CreateRole").
    """
    if not is_role_arn(principal) or account_number_from(arn) != account_number_from(principal):
        return False
    return role_name_from(arn).lower() == role_name_from(principal).lower()


def name_problem(text: str) -> str:
    """Say why a name could be taken for another one, and how to mend it; empty where it could not.

    For labels, and the names of accounts, groups and people. White space beyond single plain spaces, characters
    that nobody sees, and words of mixed scripts are refused. An empty name is no trick.
    """
    unseen = unseen_character(text)
    if unseen:
        return f"{unseen}, which a reader cannot see. Take it out, or put a plain space in its place."
    if text != text.strip():
        return "The name begins or ends with a space: take that out."
    if "  " in text:
        return "The name has two spaces in a row: take one out."
    if unicodedata.normalize("NFC", text) != text:
        return "The name has a letter put together from parts: type it as one letter instead of pasting it."
    return script_problem(text)


def is_profile_name(text: str) -> bool:
    """Tell whether a text may head a section of the credentials file and be an argument of ``--profile``."""
    return _PROFILE_NAME.fullmatch(text) is not None


def profile_name(account_name: str, role_name: str) -> str:
    """Return a name for the AWS credentials file: 1 to 64 of ``[A-Za-z0-9_.@+-]``, no hyphen at either end.

    Whatever else the names hold becomes one hyphen, so no text of a person reaches the file.
    """
    parts = (_NOT_IN_PROFILE_NAME.sub("-", part).strip("-") for part in (account_name, role_name))
    return "-".join(part for part in parts if part)[:PROFILE_NAME_MAX_LENGTH].rstrip("-") or "credportal"
