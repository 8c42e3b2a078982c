"""What values of the environment have to look like. Each check raises ValidationError with the way to write it."""

import os
import re
import zoneinfo
from email.utils import getaddresses
from pathlib import Path
from urllib.parse import urlsplit

from marshmallow import ValidationError
from marshmallow.validate import Length

from credportal.audit.proof import keys

MAIL_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
"""The ways to a mail server, each with its usual port (RFC 5321, RFC 8314)."""


def an_origin(value: str) -> None:
    """Refuse what is not ``scheme://host[:port]``."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query:
        raise ValidationError("write it as https://portal.example.com, without a path")


def a_time_zone(value: str) -> None:
    """Refuse a name that the IANA time zone database does not have."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError("write an IANA name, such as Europe/Berlin")


def a_principal(value: str) -> None:
    """Refuse what is not the ARN of an IAM user or role."""
    if value and not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:(?:user|role)/[\x21-\x7e]+", value):
        raise ValidationError("write the ARN of the portal's own IAM role or user, or leave it out")


def a_key_file(value: str) -> None:
    """Refuse a file that cannot be read, and a key that is too short."""
    try:
        key = Path(value).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"cannot read it ({getattr(error, 'strerror', 'not text')})") from error
    Length(min=32)(key)


def a_webhook(value: str) -> None:
    """Refuse what is no address that events may be sent to."""
    if value and not _is_place(value, schemes={"http", "https"}):
        raise ValidationError("write it as https://collector.example.com/path, without a user or a fragment")


def a_syslog_server(value: str) -> None:
    """Refuse what is not ``tls://host[:port]``."""
    if value and not (_is_place(value, schemes={"tls"}) and urlsplit(value).path in {"", "/"}):
        raise ValidationError("write it as tls://syslog.example.com:6514; plain TCP and UDP carry nothing of the audit")


def a_mail_server(value: str) -> None:
    """Refuse what is neither a mail server nor a folder for mail."""
    try:
        parts = urlsplit(value)
        is_folder = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
        is_server = parts.scheme in MAIL_PORTS and parts.path in {"", "/"} and not parts.password
        named = bool(parts.hostname) and parts.port != 0 and not parts.query and "#" not in value
    except ValueError:
        named = is_server = is_folder = False
    if value and not (is_folder or (is_server and named and value.isascii() and value.isprintable())):
        raise ValidationError(
            "write it as smtps://user@mail.example.com:465 or smtp+starttls://user@mail.example.com:587; "
            "the password has a variable of its own"
        )


def a_sender(value: str) -> None:
    """Refuse what mail cannot come from."""
    found = getaddresses([value])
    is_one = len(found) == 1 and bool(re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.-]+", found[0][1]))
    if value and not (is_one and value.isprintable() and value.isascii()):
        raise ValidationError("write it as credportal@example.com or Our portal <credportal@example.com>")


def a_password_file(value: str) -> None:
    """Refuse a file that cannot be read."""
    try:
        Path(value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"cannot read it ({getattr(error, 'strerror', 'not text')})") from error


def _is_place(value: str, *, schemes: set[str]) -> bool:
    """Tell whether this names a host of a network, and not the metadata service of the machine."""
    try:
        parts = urlsplit(value)
        named = parts.scheme in schemes and parts.hostname and parts.port != 0
        is_plain = "@" not in parts.netloc and "#" not in value and value.isascii() and value.isprintable()
    except ValueError:
        return False
    host = parts.hostname or ""
    return bool(named) and is_plain and " " not in value and not host.startswith(("169.254.", "fe80:", "fd00:ec2:"))


def a_file(value: str) -> None:
    """Refuse a file that cannot be read."""
    if value and not os.access(value, os.R_OK):
        raise ValidationError("cannot read it")


def an_audit_key(value: str) -> None:
    """Refuse what is not a private Ed25519 key."""
    try:
        keys.private_key(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def an_audit_key_file(value: str) -> None:
    """Refuse a file that cannot be read, and one that holds no private Ed25519 key."""
    try:
        text = Path(value).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValidationError(f"cannot read it ({getattr(error, 'strerror', 'not text')})") from error
    an_audit_key(text)
