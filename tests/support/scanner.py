"""Looks for a secret in everything that is kept, in the disguises that software gives to text."""

import base64
import json
import pickle
import re
import zlib
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote

from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.db import connection

LENGTH = 18


def disguises(secret: str) -> set[bytes]:
    """Return what to look for: a part of the secret as it is, and encoded."""
    part = secret[6 : 6 + LENGTH]
    raw = part.encode()
    plain = {raw, raw[::-1], raw.hex().encode(), raw.hex().upper().encode(), quote(part, safe="").encode()}
    plain |= {escape(part).encode(), json.dumps(part)[1:-1].encode(), repr(part)[1:-1].encode()}
    return plain | set(_base64_parts(raw))


def _base64_parts(raw: bytes) -> Iterator[bytes]:
    """Return how a text looks inside of a longer one in base64: that depends on where it begins."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = encoded[4 if before else 0 : len(encoded) - 4]
        yield whole
        yield whole.translate(bytes.maketrans(b"+/", b"-_"))


def found(secrets: Iterable[str], places: dict[str, bytes]) -> list[str]:
    """Return the names of the places that hold any of the secrets."""
    needles = set().union(*(disguises(secret) for secret in secrets))
    return [name for name, held in places.items() if any(needle in held for needle in needles)]


def database_places() -> dict[str, bytes]:
    """Return every table as text, sessions and cache also as what they hold, and SQLite's own files."""
    places = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 -- our own tables.
            rows = cursor.fetchall()
            places[f"table {table}"] = repr(rows).encode()
            if table == "django_session":
                places["sessions, decoded"] = repr([_session(row) for row in rows]).encode()
            if table == "credportal_cache":
                places["cache, decoded"] = repr([_cached(row) for row in rows]).encode()
    if connection.vendor == "sqlite":
        file = Path(str(connection.settings_dict["NAME"]))
        for path in file.parent.glob(f"{file.name}*"):
            places[f"file {path.name.removeprefix(file.name) or 'of the database'}"] = path.read_bytes()
    return places


def _session(row: tuple[object, ...]) -> object:
    text = max((column for column in row if isinstance(column, str)), key=len)
    try:
        return signing.loads(text, salt=SessionStore().key_salt, serializer=SessionStore().serializer)
    except (signing.BadSignature, zlib.error):
        return text


def _cached(row: tuple[object, ...]) -> object:
    text = str(row[1])
    return pickle.loads(base64.b64decode(text))  # noqa: S301 -- our own test's cache.


def places_with_codes(codes: Iterable[str], places: dict[str, bytes]) -> list[str]:
    """Return the names of the places that hold any of these codes of eight digits, also in two groups or encoded.

    So few digits occur by chance within longer numbers, so what stands beside them counts.
    """
    forms: set[bytes] = set()
    for code in codes:
        halves = (code[:4], code[4:])
        plain = [code, code[::-1], *(f"{mark}".join(halves) for mark in (" ", "-", "+", "%20", "&nbsp;"))]
        forms |= {rb"(?<![0-9a-fA-F])" + form.encode() + rb"(?![0-9a-fA-F])" for form in plain}
        forms |= {form.encode() for form in (code.encode().hex(), base64.b64encode(code.encode()).decode()[:10])}
    needle = re.compile(b"|".join(sorted(forms)))
    return [name for name, held in places.items() if needle.search(held)]
