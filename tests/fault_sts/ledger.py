"""What the fault STS minted and was asked, independent of what the product believes."""

import base64
import json
import os
import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CANARY = "FAKE-"

_ID_CHARACTERS = string.ascii_uppercase + "234567"


def wire_time(moment: datetime) -> str:
    """Write a time as AWS does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Mint:
    """One credential. The two secrets stay in this process: they are not in the ledger file."""

    time: str
    access_key_id: str
    expiration: str
    duration: int
    role_arn: str
    session_name: str
    source_identity: str
    external_id: str
    tags: dict[str, str]
    policy: str
    policy_arns: list[str]
    caller_key_id: str
    request_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    def public(self) -> dict[str, Any]:
        return {
            name: value for name, value in asdict(self).items() if name not in {"secret_access_key", "session_token"}
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One request that reached the STS. ``fault`` is empty where the answer was honest."""

    time: str
    action: str
    caller_key_id: str
    fault: str
    request_id: str
    user_agent: str
    arguments: dict[str, str]


class Ledger:
    """Append-only: in memory, and as JSON lines in a file where a path is given."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path else None
        self.mints: list[Mint] = []
        self.calls: list[Call] = []

    def add_mint(self, form: Mapping[str, str], *, caller_key_id: str, request_id: str) -> Mint:
        """Make a credential nobody else has, and write it down before anybody gets it."""
        now = datetime.now(UTC)
        duration = int(form.get("DurationSeconds", "3600"))
        mint = Mint(
            time=now.isoformat(),
            access_key_id="ASIA" + "".join(secrets.choice(_ID_CHARACTERS) for _ in range(16)),
            expiration=wire_time(now + timedelta(seconds=duration)),
            duration=duration,
            role_arn=form.get("RoleArn", ""),
            session_name=form.get("RoleSessionName", ""),
            source_identity=form.get("SourceIdentity", ""),
            external_id=form.get("ExternalId", ""),
            tags=dict(zip(_members(form, "Tags", ".Key"), _members(form, "Tags", ".Value"), strict=True)),
            policy=form.get("Policy", ""),
            policy_arns=_members(form, "PolicyArns", ".arn"),
            caller_key_id=caller_key_id,
            request_id=request_id,
            # As long as AWS's own, and with the characters (+ / =) that break careless quoting.
            secret_access_key=CANARY + base64.b64encode(os.urandom(30)).decode()[:35],
            session_token=CANARY + base64.b64encode(os.urandom(400)).decode(),
        )
        with self._lock:
            self.mints.append(mint)
            self._write("mint", mint.public())
        return mint

    def add_call(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
            self._write("call", asdict(call))

    def calls_of(self, action: str) -> list[Call]:
        return [call for call in self.calls if call.action == action]

    def clear(self) -> None:
        """Forget what is in memory; the file keeps it."""
        with self._lock:
            self.mints.clear()
            self.calls.clear()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _write(self, kind: str, entry: dict[str, Any]) -> None:
        if self._file is not None:
            os.write(self._file, json.dumps({"kind": kind, **entry}).encode() + b"\n")


def _members(form: Mapping[str, str], name: str, ending: str) -> list[str]:
    found: list[str] = []
    while (key := f"{name}.member.{len(found) + 1}{ending}") in form:
        found.append(form[key])
    return found
