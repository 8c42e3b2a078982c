"""Databases with a made-up audit, kept from one run to the next: filling one takes minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bench.databases import POSTGRESQL
from bench.processes import ROOT, environment


def audit_environment(url: str, folder: Path) -> dict[str, str]:
    """Return the environment of a portal on such a database."""
    return environment(
        CREDPORTAL_MODE="demo",
        SECRET_KEY="bench-only-bench-only-bench-only-bench-only",  # noqa: S106 -- it protects nothing.
        DATABASE_URL=url,
        STATIC_ROOT=str(folder / "static"),
        DJANGO_SETTINGS_MODULE="credportal.settings",
        LOG_LEVEL="ERROR",
    )


def made(kind: str, events: int, folder: Path) -> str:
    """Return the URL of a database with so many events; fill it first where there is none yet, or half of one.

    Raises RuntimeError where that fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    url = _url(kind, events, folder)
    if not _is_whole(url, events):
        drop(kind, events, folder)
        if kind == "postgresql":
            _on_server("CREATE DATABASE {}", events)
        command = [sys.executable, "-m", "bench.audit_make", str(events)]
        done = subprocess.run(command, cwd=ROOT, env=audit_environment(url, folder), check=False)
        if done.returncode:
            raise RuntimeError(f"{kind}: the audit of {events} events could not be made")
    return url


def drop(kind: str, events: int, folder: Path) -> None:
    """Take such a database away."""
    if kind == "postgresql":
        _on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", events)
        return
    for file in folder.glob(f"{_file(events, folder).name}*"):
        file.unlink()


def _name(events: int) -> str:
    return f"credportal_bench_audit_{events}"


def _file(events: int, folder: Path) -> Path:
    return folder / f"audit-{events}.sqlite3"


def _url(kind: str, events: int, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{_file(events, folder)}"
    return urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{_name(events)}"))


def _on_server(statement: str, events: int) -> None:
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(sql.SQL(statement).format(sql.Identifier(_name(events))))


def _is_whole(url: str, events: int) -> bool:
    """Tell whether this database was filled to its end, and by the present schema of the portal."""
    command = [sys.executable, "-m", "bench.audit_whole", str(events)]
    env = audit_environment(url, Path("/nonexistent"))
    if url.startswith("sqlite") and not Path(url.removeprefix("sqlite:///")).exists():
        return False
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=False).returncode == 0
