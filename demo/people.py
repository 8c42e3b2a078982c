"""The cast of the demo, with random passwords that are kept in one private file."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from credportal.access.models import User
from demo.state import write_private

# The catalogue says who is in which group, and what each group may do. Charlie's group has no rights at all.
CAST: tuple[tuple[str, dict[str, Any]], ...] = (
    ("alice", {"name": "Alice Engström"}),
    ("bob", {"name": "Bob Osei"}),
    ("charlie", {"name": "Charlie Novák"}),
    ("dana", {"name": "Dana Whitfield"}),
    ("erin", {"name": "Erin Castellano"}),
)


def make_people(file: Path) -> None:
    """Make whoever is missing. A person who is there keeps their password; the file keeps them all."""
    passwords = read(file)
    for username, fields in CAST:
        user = User.objects.filter(username=username).first()
        if user and username in passwords:
            continue
        password = passwords.setdefault(username, secrets.token_urlsafe(12))
        # The file comes first: a password that nobody can read again would be lost.
        write_private(file, "".join(f"{name} {secret}\n" for name, secret in passwords.items()))
        if user:
            user.set_password(password)
            user.save()
        else:
            email = f"{username}@example.com"
            User.objects.create_user(username=username, email=email, password=password, **fields)


def read(file: Path) -> dict[str, str]:
    """Return the passwords by name; empty where the file is not there yet."""
    if not file.exists():
        return {}
    return dict(line.split(" ", 1) for line in file.read_text(encoding="utf-8").splitlines() if " " in line)
