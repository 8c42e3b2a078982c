"""Under the grants of docs/operating.md the portal does its whole job, and cannot rewrite what happened."""

import re
import secrets
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from credportal.access.models import User
from credportal.audit.models import Event, EventKind, Issuance, Progress
from credportal.audit.proof import verify
from tests.support.asking import post
from tests.support.cast import PASSWORD, Cast, Catalogue
from tests.support.requests import guard, say_yes, take, waiting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite knows no users"),
]
OPERATING = Path(__file__).parents[2] / "docs" / "operating.md"
REFUSED = "42501"  # insufficient_privilege


@pytest.fixture
def app_role(catalogue: Catalogue) -> Iterator[str]:
    """Make the serving user as the document says, and let the portal be it until the test ends."""
    del catalogue
    block = re.search(r"```sql\n(CREATE ROLE credportal_app .*?)```", OPERATING.read_text(), re.S)
    assert block, "docs/operating.md gives no grants"
    role, password = f"credportal_app_{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    with connection.cursor() as cursor:
        cursor.execute(block[1].replace("credportal_app", role).replace("choose-one", password))
    owner = {name: connection.settings_dict[name] for name in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=role, PASSWORD=password)
    try:
        yield role
    finally:
        connection.close()
        connection.settings_dict.update(owner)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def current_user() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, stderr=out)
    return out.getvalue()


def kinds() -> set[str]:
    return set(Event.objects.values_list("kind", flat=True))


@pytest.mark.usefixtures("sts")
def test_the_portal_does_its_whole_job_under_these_grants(
    app_role: str, cast: Cast, catalogue: Catalogue, sign_in: Callable[[User], Client], settings: Settings
) -> None:
    settings.AUDIT_KEY = bytes(range(32))
    alice, charlie, erin = sign_in(cast.alice), sign_in(cast.charlie), sign_in(cast.erin)
    assert current_user() == app_role
    signed_in = Client()
    assert signed_in.post("/account/login/", {"login": "alice", "password": PASSWORD}).status_code == 302
    assert signed_in.post("/account/login/", {"login": "alice", "password": "wrong"}).status_code in {200, 302}
    assert alice.get("/readyz").json()["database"] == "ok"

    assert post(alice, catalogue.read_only).status_code == 200
    refused = charlie.post(f"/roles/{catalogue.read_only.id}/issue/", {"duration": "3600", "submission": "s" * 20})
    assert refused.status_code == 403
    role = guard(catalogue, cast.erin)
    approval_id = waiting(cast.alice, role)
    say_yes(cast.erin, approval_id)
    take(cast.alice, approval_id)
    assert erin.get("/audit/").status_code == 200
    run("housekeeping")

    assert {status for (status,) in Issuance.objects.values_list("status")} == {"issued", "denied"}
    assert kinds() >= {
        EventKind.ISSUED.value,
        EventKind.DENIED.value,
        EventKind.APPROVAL_COLLECTED.value,
        EventKind.SIGNED_IN.value,
    }
    assert Progress.objects.exists()
    assert f'"seq": {verify.log_end().number}' in run("export_audit_head")
    assert "The log is whole." in run("verify_audit")
    assert current_user() == app_role


FORBIDDEN = {
    "update an event": "UPDATE audit_event SET reason = 'x'",
    "delete an event": "DELETE FROM audit_event",
    "truncate the events": "TRUNCATE audit_event",
    "delete an issuance": "DELETE FROM audit_issuance",
    "truncate the issuances": "TRUNCATE audit_issuance",
    "change an outcome": "UPDATE audit_issuance SET reason = 'x'",
    "insert a checkpoint": "INSERT INTO audit_checkpoint (through, hash, before) VALUES (1, '', now())",
    "update a checkpoint": "UPDATE audit_checkpoint SET through = 1",
    "delete a checkpoint": "DELETE FROM audit_checkpoint",
    "truncate the checkpoints": "TRUNCATE audit_checkpoint",
    "drop a trigger": "DROP TRIGGER audit_event_chain ON audit_event",
    "disable the triggers": "ALTER TABLE audit_event DISABLE TRIGGER USER",
    "switch all triggers off": "SET session_replication_role = replica",
    "replace a trigger's function": (
        "CREATE OR REPLACE FUNCTION credportal_chain_event() RETURNS trigger LANGUAGE plpgsql "
        "AS 'BEGIN RETURN NEW; END'"
    ),
    "drop a trigger's function": "DROP FUNCTION credportal_chain_event() CASCADE",
    "alter the table": "ALTER TABLE audit_event ADD COLUMN x int",
    "own the table": "ALTER TABLE audit_event OWNER TO CURRENT_USER",
    "drop the table": "DROP TABLE audit_event",
    "grant itself more": "GRANT ALL ON audit_event TO CURRENT_USER",
    "shadow the table": "CREATE TEMPORARY TABLE audit_event (id bigint, hash bytea)",
    "make a table": "CREATE TABLE public.another (id bigint)",
    "pretend a migration": "DELETE FROM django_migrations",
}


@pytest.mark.usefixtures("sts", "app_role")
def test_what_happened_cannot_be_rewritten_under_these_grants(catalogue: Catalogue, alice: Client) -> None:
    assert post(alice, catalogue.read_only).status_code == 200
    before = list(Event.objects.order_by("id").values_list())
    done = []
    for name, statement in FORBIDDEN.items():
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", "") == REFUSED:
                continue
        done.append(name)
    # What a GRANT cannot give it says in a warning only.
    assert set(done) <= {"grant itself more"}
    assert list(Event.objects.order_by("id").values_list()) == before
    with connection.cursor() as cursor, pytest.raises(ProgrammingError):
        cursor.execute("DELETE FROM audit_event")
    assert verify.verify_log().fault is None


@pytest.mark.usefixtures("app_role")
def test_a_number_a_time_and_a_hash_of_its_own_choice_are_not_taken() -> None:
    insert = "INSERT INTO audit_event (id, at, kind, detail, hash) VALUES (%s, '2020-01-01', 'role:changed', '{}', '')"
    with connection.cursor() as cursor:
        for number in (1000, -1, 1):
            cursor.execute(insert, [number])
    found: Any = Event.objects.order_by("id").values_list("id", "at__year")
    assert [number for number, _ in found] == [1, 2, 3]
    assert 2020 not in {year for _, year in found}
    assert verify.verify_log().fault is None


@pytest.mark.parametrize(
    ("table", "may"),
    [
        ("audit_event", {"SELECT", "INSERT"}),
        ("audit_issuance", {"SELECT", "INSERT", "UPDATE"}),
        ("audit_checkpoint", {"SELECT"}),
        ("django_migrations", {"SELECT"}),
    ],
)
def test_the_grants_alone_refuse_it_before_any_trigger_does(app_role: str, table: str, may: set[str]) -> None:
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    found = set()
    with connection.cursor() as cursor:
        for right in rights:
            cursor.execute("SELECT has_table_privilege(%s, %s, %s)", [app_role, table, right])
            found |= {right} if cursor.fetchone()[0] else set()
    assert found == may
