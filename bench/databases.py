"""Databases of the bench's own, gone when it ends."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

POSTGRESQL = os.environ.get("DATABASE_URL_POSTGRES", "postgres://postgres@127.0.0.1:5432/postgres")


def postgresql_answers() -> bool:
    """Tell whether there is a server to make a database on."""
    try:
        psycopg.connect(POSTGRESQL, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Make an empty database, ``sqlite`` or ``postgresql``, and give its URL."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    name = f"credportal_bench_{secrets.token_hex(4)}"
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(POSTGRESQL)._replace(path=f"/{name}"))
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def backends(url: str) -> int:
    """Return how many connections PostgreSQL serves for this database, without this one; 0 for SQLite."""
    if url.startswith("sqlite"):
        return 0
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
