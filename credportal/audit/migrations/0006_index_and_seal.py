"""Give each filter of the audit its index, and let nothing in without a hash and nothing out but what is archived."""

from importlib import import_module

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models.functions import NullIf
from django.db.models.lookups import IsNull

triggers = import_module("credportal.audit.migrations.0002_append_only_triggers")
third = import_module("credportal.audit.migrations.0003_subjects_and_eligibility_ids")

ARCHIVED = "OLD.id > coalesce((SELECT max(through) FROM audit_checkpoint), 0)"
# An issuance goes with the last of its events. SQLite takes the index of event_by_issuance only with its condition.
KEPT = (
    "EXISTS (SELECT 1 FROM audit_event WHERE issuance_id = OLD.id AND NOT (issuance_id = '')) "
    "OR NOT EXISTS (SELECT 1 FROM audit_checkpoint WHERE before > OLD.requested_at)"
)

SQLITE = (
    "DROP TRIGGER audit_event_no_DELETE",
    f"CREATE TRIGGER audit_event_no_DELETE BEFORE DELETE ON audit_event WHEN {ARCHIVED} "
    "BEGIN SELECT RAISE(ABORT, 'an event is deleted only once it is archived'); END",
    "DROP TRIGGER audit_issuance_no_delete",
    f"CREATE TRIGGER audit_issuance_no_delete BEFORE DELETE ON audit_issuance WHEN {KEPT} "
    "BEGIN SELECT RAISE(ABORT, 'an issuance is deleted only with its events'); END",
    "CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint "
    "BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END",
    "CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint "
    "BEGIN SELECT RAISE(ABORT, 'a checkpoint is never deleted'); END",
)
POSTGRESQL = (
    f"""
    CREATE FUNCTION credportal_refuse_unarchived_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {ARCHIVED} THEN
            RAISE EXCEPTION 'an event is deleted only once it is archived' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END $$
    """,
    f"""
    CREATE FUNCTION credportal_refuse_kept_issuance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {KEPT} THEN
            RAISE EXCEPTION 'an issuance is deleted only with its events' USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN OLD;
    END $$
    """,
    "DROP TRIGGER audit_event_append_only ON audit_event",
    "CREATE TRIGGER audit_event_append_only BEFORE UPDATE ON audit_event FOR EACH ROW EXECUTE FUNCTION credportal_refuse_change()",
    "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION credportal_refuse_unarchived_event()",
    "DROP TRIGGER audit_issuance_no_delete ON audit_issuance",
    "CREATE TRIGGER audit_issuance_no_delete BEFORE DELETE ON audit_issuance FOR EACH ROW EXECUTE FUNCTION credportal_refuse_kept_issuance()",
    "CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION credportal_refuse_change()",
    "CREATE TRIGGER audit_checkpoint_no_truncate BEFORE TRUNCATE ON audit_checkpoint FOR EACH STATEMENT EXECUTE FUNCTION credportal_refuse_change()",
)
BACK_POSTGRESQL = (
    "DROP TRIGGER audit_checkpoint_append_only ON audit_checkpoint",
    "DROP TRIGGER audit_checkpoint_no_truncate ON audit_checkpoint",
    "DROP FUNCTION credportal_refuse_unarchived_event() CASCADE",
    "DROP FUNCTION credportal_refuse_kept_issuance() CASCADE",
    "DROP TRIGGER audit_event_append_only ON audit_event",
    "CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION credportal_refuse_change()",
    "CREATE TRIGGER audit_issuance_no_delete BEFORE DELETE ON audit_issuance FOR EACH ROW EXECUTE FUNCTION credportal_refuse_change()",
)
OTHER_ACTOR = NullIf('actor_handle', 'on_behalf_of')
# Words within reasons and tickets. Intents are left out: what became of them says the same words again.
SEARCH = """
    CREATE INDEX event_by_words ON audit_event USING gin ((reason || ' ' || ticket) gin_trgm_ops)
    WHERE kind <> 'issuance:requested' AND (reason || ' ' || ticket) <> ' '
"""
# Without these PostgreSQL takes every word for a rare one and every actor for somebody who acts for others, and
# walks the wrong index. The fine grain tells a word in a hundred events from one in a thousand.
STATISTICS = (
    "CREATE STATISTICS event_words ON (reason || ' ' || ticket) FROM audit_event",
    "ALTER STATISTICS event_words SET STATISTICS 1000",
    "CREATE STATISTICS event_other_actor ON (nullif(actor_handle, on_behalf_of)) FROM audit_event",
)


def make_way(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take SQLite's triggers away: it copies a table to alter it, and they do not come along."""
    if schema_editor.connection.vendor == "sqlite":
        triggers.drop_triggers(apps, schema_editor)


def come_back(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put SQLite's triggers of the release before in place."""
    if schema_editor.connection.vendor == "sqlite":
        third.add_triggers(apps, schema_editor)


def seal(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers that know of archiving, and PostgreSQL's index of words."""
    statements: tuple[str, ...] = POSTGRESQL
    if schema_editor.connection.vendor == "sqlite":
        third.add_triggers(apps, schema_editor)
        statements = SQLITE
    else:
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm", params=None)
        schema_editor.execute(SEARCH, params=None)
        statements = (*STATISTICS, *statements)
    for statement in statements:
        schema_editor.execute(statement, params=None)


def unseal(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Go back to the triggers of the release before."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER audit_checkpoint_no_update", params=None)
        schema_editor.execute("DROP TRIGGER audit_checkpoint_no_delete", params=None)
        triggers.drop_triggers(apps, schema_editor)
        return
    schema_editor.execute("DROP INDEX event_by_words", params=None)
    schema_editor.execute("DROP STATISTICS event_words, event_other_actor", params=None)
    for statement in BACK_POSTGRESQL:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0005_chain_the_events_there_are'),
    ]

    operations = [
        migrations.RunPython(make_way, come_back),
        migrations.RemoveIndex(
            model_name='event',
            name='event_by_subject',
        ),
        migrations.RemoveIndex(
            model_name='issuance',
            name='issuance_newest',
        ),
        migrations.RemoveIndex(
            model_name='issuance',
            name='issuance_by_role',
        ),
        migrations.RemoveIndex(
            model_name='issuance',
            name='issuance_by_account',
        ),
        migrations.AlterField(
            model_name='event',
            name='actor_handle',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AlterField(
            model_name='event',
            name='address',
            field=models.CharField(blank=True, default='', max_length=45),
        ),
        migrations.AlterField(
            model_name='event',
            name='at',
            field=models.DateTimeField(),
        ),
        migrations.AlterField(
            model_name='event',
            name='issuance_id',
            field=models.CharField(blank=True, default='', max_length=16),
        ),
        migrations.AlterField(
            model_name='event',
            name='request_id',
            field=models.CharField(blank=True, default='', max_length=32),
        ),
        migrations.AlterField(
            model_name='event',
            name='subject',
            field=models.CharField(blank=True, default='', max_length=120),
        ),
        migrations.AlterField(
            model_name='event',
            name='hash',
            field=models.BinaryField(max_length=32),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['-at', '-id'], name='event_newest'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['on_behalf_of', '-at', '-id'], name='event_by_person'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['on_behalf_of', 'role_name', '-at', '-id'], name='event_by_person_and_role'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['role_name', '-at', '-id'], name='event_by_role'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['role_arn', '-at', '-id'], name='event_by_role_arn'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['account_number', '-at', '-id'], name='event_by_account'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['account_name', '-at', '-id'], name='event_by_account_name'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['environment', '-at', '-id'], name='event_by_environment'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['kind', '-at', '-id'], name='event_by_kind'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['address', '-at', '-id'], name='event_by_address'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('subject', ''), _negated=True), fields=['subject', '-id'], name='event_by_subject'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('issuance_id', ''), _negated=True), fields=['issuance_id', 'id'], name='event_by_issuance'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('source', ''), _negated=True), fields=['source', '-at', '-id'], name='event_by_source'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('ticket', ''), _negated=True), fields=['ticket', '-at', '-id'], name='event_by_ticket'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('access_key_id', ''), _negated=True), fields=['access_key_id', '-at', '-id'], name='event_by_access_key'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(OTHER_ACTOR, models.F('at').desc(), models.F('id').desc(), condition=models.Q(IsNull(OTHER_ACTOR, False)), name='event_by_other_actor'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(OTHER_ACTOR, models.F('role_name'), models.F('at').desc(), models.F('id').desc(), condition=models.Q(IsNull(OTHER_ACTOR, False)), name='event_by_other_actor_and_role'),
        ),
        migrations.AddIndex(
            model_name='issuance',
            index=models.Index(condition=models.Q(('status', 'unknown')), fields=['-requested_at', '-id'], name='issuance_unknown'),
        ),
        migrations.AddConstraint(
            model_name='event',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'issuance:closed')), fields=('issuance_id',), name='event_closed_once'),
        ),
        migrations.RunPython(seal, unseal),
    ]
