"""Let the database itself refuse to rewrite history, on SQLite and PostgreSQL.

An event never changes and never goes. An issuance changes once, from ``requested`` to an
outcome, and only in the columns of the outcome.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# What was asked. The columns of the outcome are the others.
ASKED = (
    "id", "submission", "requested_at", "actor_id", "actor_handle", "actor_name", "address", "user_agent",
    "request_id", "role_id", "role_arn", "role_name", "account_number", "account_name", "environment",
    "duration_asked", "reason", "ticket", "narrowing", "source", "eligibility", "session_name", "source_identity",
)

SQLITE_EVENT = "CREATE TRIGGER audit_event_no_{act} BEFORE {act} ON audit_event BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END"
SQLITE_ISSUANCE_DELETE = (
    "CREATE TRIGGER audit_issuance_no_delete BEFORE DELETE ON audit_issuance "
    "BEGIN SELECT RAISE(ABORT, 'an issuance is never deleted'); END"
)
SQLITE_ISSUANCE_UPDATE = (
    "CREATE TRIGGER audit_issuance_outcome_once BEFORE UPDATE ON audit_issuance "
    "WHEN OLD.status <> 'requested' OR {changed} "
    "BEGIN SELECT RAISE(ABORT, 'an issuance gets one outcome and keeps what was asked'); END"
)

POSTGRESQL = (
    """
    CREATE FUNCTION credportal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'the audit is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    """
    CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event
        FOR EACH ROW EXECUTE FUNCTION credportal_refuse_change()
    """,
    """
    CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
        FOR EACH STATEMENT EXECUTE FUNCTION credportal_refuse_change()
    """,
    """
    CREATE TRIGGER audit_issuance_no_delete BEFORE DELETE ON audit_issuance
        FOR EACH ROW EXECUTE FUNCTION credportal_refuse_change()
    """,
    """
    CREATE TRIGGER audit_issuance_no_truncate BEFORE TRUNCATE ON audit_issuance
        FOR EACH STATEMENT EXECUTE FUNCTION credportal_refuse_change()
    """,
    """
    CREATE TRIGGER audit_issuance_outcome_once BEFORE UPDATE ON audit_issuance
        FOR EACH ROW WHEN (OLD.status <> 'requested' OR {changed})
        EXECUTE FUNCTION credportal_refuse_change()
    """,
)


def add_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers in the words of the database at hand."""
    create_triggers(schema_editor, ASKED)


def create_triggers(schema_editor: BaseDatabaseSchemaEditor, asked: tuple[str, ...]) -> None:
    """Create the triggers; these columns of an issuance never change."""
    if schema_editor.connection.vendor == "postgresql":
        changed = " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in asked)
        statements = [text.replace("{changed}", changed) for text in POSTGRESQL]
    else:
        changed = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in asked)
        statements = [SQLITE_EVENT.format(act=act) for act in ("UPDATE", "DELETE")]
        statements += [SQLITE_ISSUANCE_DELETE, SQLITE_ISSUANCE_UPDATE.format(changed=changed)]
    for statement in statements:
        schema_editor.execute(statement, params=None)


def drop_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the triggers away again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION credportal_refuse_change() CASCADE", params=None)
        return
    for name in ("audit_event_no_UPDATE", "audit_event_no_DELETE", "audit_issuance_no_delete", "audit_issuance_outcome_once"):
        schema_editor.execute(f"DROP TRIGGER {name}", params=None)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_issuances_and_events")]
    operations = [migrations.RunPython(add_triggers, drop_triggers)]
