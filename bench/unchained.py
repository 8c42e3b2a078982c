"""The portal as it would write without its hash chain: what the chain is measured against.

``strip`` gives its database a trigger that takes numbers from a sequence, lets writers pass each other,
and hashes nothing. ``unchained_wsgi.py`` is the portal that goes with it.
"""

from __future__ import annotations

import psycopg

STRIP = """
    CREATE SEQUENCE bench_event_id;
    SELECT setval('bench_event_id', (SELECT coalesce(max(id), 0) + 1 FROM audit_event));
    CREATE FUNCTION bench_number_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.id := nextval('bench_event_id');
        NEW.at := clock_timestamp();
        NEW.hash := decode(repeat('00', 32), 'hex');
        RETURN NEW;
    END $$;
    DROP TRIGGER audit_event_chain ON audit_event;
    CREATE TRIGGER bench_number BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION bench_number_event();
"""


def strip(url: str) -> None:
    """Take the chain out of a PostgreSQL database of the bench's own."""
    with psycopg.connect(url) as connection:
        connection.execute(STRIP)
