"""Snippets: the exact text that brings credentials into a shell, a file or a program.

A snippet's text is what copying gives. It is made of lines, so that a page may hide or add one,
and of segments, so that a page may mask a secret or follow an edited profile name. Nothing here
shows a secret in its ``repr``.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from credportal.domain.naming import is_profile_name
from credportal.domain.quoting import (
    SHELLS,
    ini_value,
    plain_word,
)
from credportal.domain.types import Credentials

LEGACY_VARIABLE = "AWS_SECURITY_TOKEN"
"""The session token's old name, read by tools from before 2014."""
VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CREDENTIAL_EXPIRATION",
)
_SECRET_VARIABLES = frozenset({"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", LEGACY_VARIABLE})
_PROFILE_OPTIONS = {"AWS_ENDPOINT_URL": "endpoint_url"}
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_CMD_LINE_MAX_LENGTH = 8191

Kind = Literal["plain", "secret", "profile"]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line: plain text, a secret that a page masks, or the profile name that a page lets people edit."""

    text: str = dataclasses.field(repr=False)
    kind: Kind = "plain"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a snippet. ``name`` is its variable, option or JSON key, or empty."""

    name: str
    segments: tuple[Segment, ...]

    @property
    def text(self) -> str:
        """The line as it is copied. A quoted value may hold line feeds of its own."""
        return "".join(segment.text for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Snippet:
    """One way to use the credentials. ``unset`` undoes it in the same shell, and is empty where that means nothing.

    A format that cannot carry one of the values safely has no lines, and its heading says why.
    """

    key: str
    title: str
    heading: str
    lines: tuple[Line, ...]
    unset: str = ""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in order, line ends included: joined they are ``text``."""
        joined: list[Segment] = []
        for line in self.lines:
            if joined:
                joined.append(Segment("\n"))
            joined.extend(line.segments)
        return tuple(joined)

    @property
    def text(self) -> str:
        """What copying gives, without a line end after the last line.

        The lines end in a line feed for cmd and PowerShell too: browsers put the clipboard's text
        into the form of the system, and a console takes either form as Enter.
        """
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True, slots=True)
class Value:
    """One value by itself. ``field`` is the name that scripts find it by."""

    field: str
    title: str
    text: str = dataclasses.field(repr=False)
    secret: bool


def snippets(
    credentials: Credentials, *, region: str, profile: str, extra: Pairs = (), legacy: bool = False
) -> tuple[Snippet, ...]:
    """Return the snippets ``bash fish powershell cmd profile dotenv process``, in this order.

    ``extra`` adds environment variables after the usual ones; the credentials file takes those it has an option for.
    ``legacy`` adds AWS_SECURITY_TOKEN after the session token, in the formats made of variables. An empty region is
    left out. Raises ValueError for a profile name or a variable name that is none, a variable named twice, an empty
    value, or an expiration without a time zone.
    """
    if not is_profile_name(profile):
        raise ValueError("That is not a profile name.")
    pairs = _environment(credentials, region, extra, legacy=legacy)
    return (
        *(_shell_snippet(key, pairs) for key in SHELLS),
        _file_snippet(
            "profile",
            "Credentials file",
            "Add to ~/.aws/credentials",
            lambda: _profile_lines(credentials, profile, pairs),
        ),
        _file_snippet("dotenv", ".env", "Save as .env, for docker --env-file", lambda: _dotenv_lines(pairs)),
        _file_snippet("process", "Process", "What a credential_process prints", lambda: _process_lines(credentials)),
    )


def values(credentials: Credentials) -> tuple[Value, ...]:
    """Return the four values one by one."""
    return (
        Value("access-key-id", "Access key id", credentials.access_key_id, secret=False),
        Value("secret-access-key", "Secret access key", credentials.secret_access_key, secret=True),
        Value("session-token", "Session token", credentials.session_token, secret=True),
        Value("expiration", "Expiration", expiration_text(credentials.expiration), secret=False),
    )


def unset_snippet(key: str, names: Sequence[str] = VARIABLES) -> str:
    """Return the text that clears the named variables in the shell ``key``, or "" where ``key`` is no shell."""
    return SHELLS[key].unset(names) if key in SHELLS else ""


def expiration_text(expiration: datetime) -> str:
    """Return an expiration as ``2026-11-23T19:29:36Z``.

    Never with microseconds or ``+00:00``: the JavaScript SDK rejects that form. Raises ValueError for a naive datetime.
    """
    if expiration.tzinfo is None:
        raise ValueError("An expiration has a time zone.")
    return expiration.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _environment(credentials: Credentials, region: str, extra: Pairs, *, legacy: bool) -> Pairs:
    pairs = [
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", credentials.session_token),
    ]
    if legacy:
        pairs.append((LEGACY_VARIABLE, credentials.session_token))
    if region:
        pairs += [("AWS_REGION", region), ("AWS_DEFAULT_REGION", region)]
    pairs += [("AWS_CREDENTIAL_EXPIRATION", expiration_text(credentials.expiration)), *extra]
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names) or not all(map(_VARIABLE_NAME.fullmatch, names)):
        raise ValueError("Variables have names of letters, digits and underscores, and each its own.")
    if not all(value for _, value in pairs):  # PowerShell and cmd remove a variable that is set to nothing.
        raise ValueError("Each variable has a value.")
    return tuple(pairs)


def _entry(name: str, opening: str, value: str, closing: str = "", *, secret: bool = False) -> Line:
    segments = (Segment(opening), Segment(value, "secret" if secret else "plain"), Segment(closing))
    return Line(name, tuple(segment for segment in segments if segment.text))


def _shell_snippet(key: str, pairs: Pairs) -> Snippet:
    shell = SHELLS[key]

    def line(name: str, value: str) -> Line:
        inside = shell.quote(value)[1:-1]
        made = _entry(name, shell.opening(name), inside, shell.closing, secret=name in _SECRET_VARIABLES)
        if key == "cmd" and len(made.text) > _CMD_LINE_MAX_LENGTH:
            raise ValueError("cmd.exe takes lines of at most 8191 characters.")
        return made

    try:
        lines = tuple(line(name, value) for name, value in pairs)
    except ValueError as error:
        return Snippet(key, shell.title, str(error), ())
    return Snippet(key, shell.title, shell.heading, lines, shell.unset([name for name, _ in pairs]))


def _file_snippet(key: str, title: str, heading: str, make: Callable[[], tuple[Line, ...]]) -> Snippet:
    try:
        return Snippet(key, title, heading, make())
    except ValueError as error:
        return Snippet(key, title, str(error), ())


def _profile_lines(credentials: Credentials, profile: str, pairs: Pairs) -> tuple[Line, ...]:
    """Write a section of the credentials file. ``aws_expiration`` is for people and scripts: SDKs pass over it."""
    environment = dict(pairs)
    options = [
        ("aws_access_key_id", credentials.access_key_id, False),
        ("aws_secret_access_key", credentials.secret_access_key, True),
        ("aws_session_token", credentials.session_token, True),
        ("aws_expiration", environment["AWS_CREDENTIAL_EXPIRATION"], False),
    ]
    if "AWS_REGION" in environment:
        options.append(("region", environment["AWS_REGION"], False))
    options += [(option, environment[name], False) for name, option in _PROFILE_OPTIONS.items() if name in environment]
    header = Line("", (Segment("["), Segment(profile, "profile"), Segment("]")))
    return (header, *(_entry(name, f"{name} = ", ini_value(value), secret=secret) for name, value, secret in options))


def _dotenv_lines(pairs: Pairs) -> tuple[Line, ...]:
    return tuple(_entry(name, f"{name}=", plain_word(value), secret=name in _SECRET_VARIABLES) for name, value in pairs)


def _process_lines(credentials: Credentials) -> tuple[Line, ...]:
    """Write version 1 of what a credential_process prints (AWS CLI user guide, "Sourcing credentials")."""
    keys = (
        ("AccessKeyId", credentials.access_key_id, False, ","),
        ("SecretAccessKey", credentials.secret_access_key, True, ","),
        ("SessionToken", credentials.session_token, True, ","),
        ("Expiration", expiration_text(credentials.expiration), False, ""),
    )
    return (
        Line("", (Segment("{"),)),
        _entry("Version", '  "Version": ', "1", ","),
        *(_entry(key, f'  "{key}": "', json.dumps(text)[1:-1], f'"{comma}', secret=s) for key, text, s, comma in keys),
        Line("", (Segment("}"),)),
    )
