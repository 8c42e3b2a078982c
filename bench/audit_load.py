"""Fills the tables of the audit as fast as a database takes rows: chained as if the portal had written them all.

Days are made in other processes; here the chain is closed over them, one event after the other. Triggers are
off meanwhile and indexes come afterwards, from the statements that the database itself tells.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
from django.db import connection

from bench.audit_calendar import DAYS, sizes
from bench.audit_rows import NAMES, Made, made_day
from credportal.audit.chain import FIRST_HASH
from credportal.audit.tally import count_new

AHEAD = 6
"""How many days may be made before they are needed."""

ISSUANCES = """
    INSERT INTO audit_issuance (
        id, submission, status, requested_at, finished_at, actor_id, actor_handle, actor_name, address, user_agent,
        request_id, role_id, role_arn, role_name, account_number, account_name, environment, duration_asked, reason,
        ticket, narrowing, source, eligibility, eligibility_id, approval_id, code, session_name, source_identity,
        duration_given, expiration, access_key_id, assumed_role_id, packed_policy_size, aws_request_id, aws_words
    )
    SELECT asked.issuance_id, asked.request_id, substr(coalesce(ended.kind, asked.kind), 10), asked.at,
        coalesce(ended.at, asked.at), asked.actor_id, asked.actor_handle, asked.actor_name, asked.address,
        asked.user_agent, asked.request_id, asked.role_name, asked.role_arn, asked.role_name, asked.account_number,
        asked.account_name, asked.environment, asked.duration_asked, asked.reason, asked.ticket, '', asked.source,
        coalesce({eligibility}, ''), CASE WHEN ended.id IS NOT NULL THEN asked.id % 700 + 1 END, '',
        coalesce(ended.code, asked.code), coalesce({session_name}, ''), '', ended.duration_given, ended.expiration,
        coalesce(ended.access_key_id, ''), coalesce(ended.assumed_role_id, ''), NULL,
        coalesce(ended.aws_request_id, ''), ''
    FROM audit_event asked LEFT JOIN audit_event ended ON ended.issuance_id = asked.issuance_id
        AND NOT (ended.issuance_id = '') AND ended.kind IN ('issuance:issued', 'issuance:failed', 'issuance:unknown')
    WHERE asked.kind IN ('issuance:requested', 'issuance:denied')
"""
IN_DETAIL = {"sqlite": "json_extract(asked.detail, '$.{}')", "postgresql": "asked.detail::json ->> '{}'"}


def fill(events: int, last: date, say: Callable[[str], None]) -> None:
    """Fill the empty tables of the audit with so many events up to and with the last day."""
    {"sqlite": _fill_sqlite, "postgresql": _fill_postgresql}[connection.vendor](events, last, say)
    say("counting tallies")
    while count_new(chunk=250_000):
        pass


def _chained(events: int, last: date, vendor: str) -> Iterator[list[tuple[int, Any, bytes]]]:
    """Give day after day: number, what is written of an event, and hash."""
    # Not forked: the database's connection stays here alone.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=context) as pool:
        waiting: deque[Future[Made]] = deque()
        number, before = 0, FIRST_HASH
        tasks = enumerate(sizes(events, last))
        while True:
            while len(waiting) < AHEAD and (task := next(tasks, None)):
                day, count = task
                date_ = last - timedelta(days=DAYS - 1 - day)
                waiting.append(pool.submit(made_day, day, count, date_, vendor))
            if not waiting:
                return
            rows = []
            for canonical, written in waiting.popleft().result():
                number += 1
                before = hashlib.sha256(b"%b%d:%d%b" % (before, len(str(number)), number, canonical)).digest()
                rows.append((number, written, before))
            yield rows


def _fill_postgresql(events: int, last: date, say: Callable[[str], None]) -> None:
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET synchronous_commit = off")
        indexes = _dropped_indexes(cursor)
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        say("writing events")
        with raw.cursor() as plain, plain.copy(f"COPY audit_event ({', '.join(NAMES)}, hash) FROM STDIN") as copy:
            for rows in _chained(events, last, "postgresql"):
                copy.write("".join([f"{number}\t{line}\t\\\\x{hashed.hex()}\n" for number, line, hashed in rows]))
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")
        say("writing issuances")
        cursor.execute("SET work_mem = '512MB'")
        cursor.execute(_issuances("postgresql"))
        say("making indexes")
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            list(threads.map(_make_index, indexes))
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET ALL")
    connection.close()


def _dropped_indexes(cursor: Any) -> list[str]:
    """Drop the indexes and what else has one of its own; return the statements that make them, the dearest first.

    Events come in the order of their key, which may stay. Issuances do not.
    """
    cursor.execute("""
        SELECT format('DROP INDEX %I', indexname), indexdef FROM pg_indexes
        WHERE tablename IN ('audit_event', 'audit_issuance') AND indexname NOT IN (SELECT conname FROM pg_constraint)
        UNION ALL
        SELECT format('ALTER TABLE audit_issuance DROP CONSTRAINT %I', conname),
            format('ALTER TABLE audit_issuance ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE conrelid = 'audit_issuance'::regclass AND contype IN ('p', 'u')
    """)
    found = cursor.fetchall()
    for drop, _ in found:
        cursor.execute(drop)
    made = [statement for _, statement in found]
    return sorted(made, key=lambda statement: ("USING gin" not in statement, "audit_event" not in statement))


def _make_index(statement: str) -> None:
    parameters = connection.get_connection_params()
    parameters = {
        name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)
    }
    with psycopg.connect(**parameters, autocommit=True) as server:
        server.execute("SET maintenance_work_mem = '1GB'")
        server.execute("SET max_parallel_maintenance_workers = 0")
        server.execute(statement)


def _fill_sqlite(events: int, last: date, say: Callable[[str], None]) -> None:
    with connection.cursor() as cursor:
        # What is half filled is made anew, so there is no need of a journal.
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "cache_size = -2000000",
            "temp_store = MEMORY",
            "threads = 2",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.execute("""
            SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ('audit_event', 'audit_issuance')
            AND type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY type
        """)
        kept = cursor.fetchall()
        for kind, name, _ in kept:
            cursor.execute(f'DROP {kind} "{name}"')
        say("writing events")
        places = ", ".join(["%s"] * (len(NAMES) + 1))
        statement = f"INSERT INTO audit_event ({', '.join(NAMES)}, hash) VALUES ({places})"  # noqa: S608 -- our own columns.
        for rows in _chained(events, last, "sqlite"):
            cursor.execute("BEGIN")
            cursor.executemany(statement, [(number, *values, hashed) for number, values, hashed in rows])
            cursor.execute("COMMIT")
        say("making indexes")
        for _, _, sql in kept:
            if "audit_event" in sql:
                cursor.execute(sql)
        say("writing issuances")
        cursor.execute(_issuances("sqlite"))
        for _, _, sql in kept:
            if "audit_event" not in sql:
                cursor.execute(sql)
        cursor.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _issuances(vendor: str) -> str:
    detail = IN_DETAIL[vendor]
    return ISSUANCES.format(eligibility=detail.format("eligibility"), session_name=detail.format("session_name"))
