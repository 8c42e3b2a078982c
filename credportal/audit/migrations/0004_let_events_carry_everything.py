"""Let an event carry all that was known when it happened, and a hash. On PostgreSQL a trigger chains new events.

What is there already gets its hashes in 0005. The release before may go on writing on PostgreSQL: the new
columns have defaults there, and the trigger gives id, time and hash, whoever inserts. On SQLite the portal
stands still between ``migrate`` and its restart.

The columns are added by hand, because Django would copy SQLite's table for each of them.
"""

import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import credportal.audit.jsontext

NEW_COLUMNS = (
    "actor_name", "on_behalf_of", "account_number", "account_name", "environment", "role_arn", "role_name",
    "duration_asked", "duration_given", "reason", "ticket", "source", "code", "aws_request_id", "access_key_id",
    "assumed_role_id", "expiration", "user_agent", "hash",
)
HAD_NO_DEFAULT = ("issuance_id", "subject", "actor_handle", "address", "request_id")

# The bytes of an event are those of credportal/audit/columns.py, in SQL. A test holds the two together.
CHAIN = '''
    CREATE FUNCTION credportal_chain_event() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        last record;
    BEGIN
        -- One transaction after the other, until it has committed. The number is this lock's name.
        PERFORM pg_advisory_xact_lock(7308332045010461);
        SELECT id, hash INTO last FROM audit_event ORDER BY id DESC LIMIT 1;
        NEW.id := coalesce(last.id, 0) + 1;
        NEW.at := clock_timestamp();
        IF last.id IS NOT NULL AND last.hash IS NULL THEN
            RETURN NEW;  -- Migration 0005 has not been here yet.
        END IF;
        NEW.hash := sha256(coalesce(last.hash, decode(repeat('00', 32), 'hex')) || convert_to(concat(
            coalesce(char_length(NEW."id"::text), 0), ':', NEW."id",
            CASE WHEN NEW."at" IS NULL THEN '0:' ELSE '27:' || to_char(NEW."at" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END,
            char_length(NEW."kind"), ':', NEW."kind",
            char_length(NEW."issuance_id"), ':', NEW."issuance_id",
            char_length(NEW."subject"), ':', NEW."subject",
            coalesce(char_length(NEW."actor_id"::text), 0), ':', NEW."actor_id",
            char_length(NEW."actor_handle"), ':', NEW."actor_handle",
            char_length(NEW."actor_name"), ':', NEW."actor_name",
            char_length(NEW."on_behalf_of"), ':', NEW."on_behalf_of",
            char_length(NEW."account_number"), ':', NEW."account_number",
            char_length(NEW."account_name"), ':', NEW."account_name",
            char_length(NEW."environment"), ':', NEW."environment",
            char_length(NEW."role_arn"), ':', NEW."role_arn",
            char_length(NEW."role_name"), ':', NEW."role_name",
            coalesce(char_length((extract(epoch FROM NEW."duration_asked") * 1000000)::bigint::text), 0), ':', (extract(epoch FROM NEW."duration_asked") * 1000000)::bigint,
            coalesce(char_length((extract(epoch FROM NEW."duration_given") * 1000000)::bigint::text), 0), ':', (extract(epoch FROM NEW."duration_given") * 1000000)::bigint,
            char_length(NEW."reason"), ':', NEW."reason",
            char_length(NEW."ticket"), ':', NEW."ticket",
            char_length(NEW."source"), ':', NEW."source",
            char_length(NEW."code"), ':', NEW."code",
            char_length(NEW."aws_request_id"), ':', NEW."aws_request_id",
            char_length(NEW."access_key_id"), ':', NEW."access_key_id",
            char_length(NEW."assumed_role_id"), ':', NEW."assumed_role_id",
            CASE WHEN NEW."expiration" IS NULL THEN '0:' ELSE '27:' || to_char(NEW."expiration" AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END,
            char_length(NEW."address"), ':', NEW."address",
            char_length(NEW."user_agent"), ':', NEW."user_agent",
            char_length(NEW."request_id"), ':', NEW."request_id",
            char_length(NEW."detail"), ':', NEW."detail"
        ), 'UTF8'));
        RETURN NEW;
    END $$
'''
TRIGGER = "CREATE TRIGGER audit_event_chain BEFORE INSERT ON audit_event FOR EACH ROW EXECUTE FUNCTION credportal_chain_event()"


def add_columns(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Add the columns, empty; on PostgreSQL the trigger too."""
    connection = schema_editor.connection
    columns = {operation.name: operation.field for operation in Migration.state_operations}
    for name in NEW_COLUMNS:
        column = columns[name]
        rest = "NULL" if column.null else "NOT NULL DEFAULT ''"
        schema_editor.execute(f"ALTER TABLE audit_event ADD COLUMN {name} {column.db_type(connection)} {rest}", params=None)
    if connection.vendor == "postgresql":
        for name in HAD_NO_DEFAULT:
            schema_editor.execute(f"ALTER TABLE audit_event ALTER COLUMN {name} SET DEFAULT ''", params=None)
        schema_editor.execute("ALTER TABLE audit_event ALTER COLUMN detail TYPE text USING detail::text", params=None)
        schema_editor.execute(CHAIN, params=None)
        schema_editor.execute(TRIGGER, params=None)


def drop_columns(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take trigger and columns away again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION credportal_chain_event() CASCADE", params=None)
        schema_editor.execute("ALTER TABLE audit_event ALTER COLUMN detail TYPE jsonb USING detail::jsonb", params=None)
    for name in NEW_COLUMNS:
        schema_editor.execute(f"ALTER TABLE audit_event DROP COLUMN {name}", params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0003_subjects_and_eligibility_ids'),
    ]

    state_operations = [
        migrations.AddField(
            model_name='event',
            name='access_key_id',
            field=models.CharField(blank=True, default='', max_length=128),
        ),
        migrations.AddField(
            model_name='event',
            name='account_name',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='event',
            name='account_number',
            field=models.CharField(blank=True, default='', max_length=12),
        ),
        migrations.AddField(
            model_name='event',
            name='actor_name',
            field=models.CharField(blank=True, default='', max_length=150),
        ),
        migrations.AddField(
            model_name='event',
            name='assumed_role_id',
            field=models.CharField(blank=True, default='', max_length=200),
        ),
        migrations.AddField(
            model_name='event',
            name='aws_request_id',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='event',
            name='code',
            field=models.CharField(blank=True, default='', max_length=40),
        ),
        migrations.AddField(
            model_name='event',
            name='duration_asked',
            field=models.DurationField(null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='duration_given',
            field=models.DurationField(null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='environment',
            field=models.CharField(blank=True, default='', max_length=16),
        ),
        migrations.AddField(
            model_name='event',
            name='expiration',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='hash',
            field=models.BinaryField(max_length=32, null=True),
        ),
        migrations.AddField(
            model_name='event',
            name='on_behalf_of',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='event',
            name='reason',
            field=models.CharField(blank=True, default='', max_length=500),
        ),
        migrations.AddField(
            model_name='event',
            name='role_arn',
            field=models.CharField(blank=True, default='', max_length=600),
        ),
        migrations.AddField(
            model_name='event',
            name='role_name',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='event',
            name='source',
            field=models.CharField(blank=True, default='', max_length=16),
        ),
        migrations.AddField(
            model_name='event',
            name='ticket',
            field=models.CharField(blank=True, default='', max_length=64),
        ),
        migrations.AddField(
            model_name='event',
            name='user_agent',
            field=models.CharField(blank=True, default='', max_length=256),
        ),
        migrations.AlterField(
            model_name='event',
            name='detail',
            field=credportal.audit.jsontext.JSONText(default=dict),
        ),
    ]

    operations = [
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('through', models.BigIntegerField(primary_key=True, serialize=False)),
                ('hash', models.BinaryField(max_length=32)),
                ('before', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Progress',
            fields=[
                ('reader', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('through', models.BigIntegerField(default=0)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Tally',
            fields=[
                ('quarter', models.BigIntegerField(primary_key=True, serialize=False)),
                ('issued', models.BigIntegerField(default=0)),
                ('denied', models.BigIntegerField(default=0)),
                ('failed', models.BigIntegerField(default=0)),
                ('unknown', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_columns, drop_columns)],
            state_operations=state_operations,
        ),
    ]
