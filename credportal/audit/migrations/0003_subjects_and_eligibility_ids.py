"""Let an event say what it is about, and an issuance which row of the catalogue and which approval it rests on.

SQLite copies a table to add a column, and its triggers do not come along. So they are
taken away first and made anew afterwards, here and on PostgreSQL.
"""

from importlib import import_module

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

triggers = import_module("credportal.audit.migrations.0002_append_only_triggers")


def add_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers, which know the new columns."""
    triggers.create_triggers(schema_editor, (*triggers.ASKED, "eligibility_id", "approval_id"))



class Migration(migrations.Migration):

    dependencies = [
        ('audit', '0002_append_only_triggers'),
    ]

    operations = [
        migrations.RunPython(triggers.drop_triggers, triggers.add_triggers),
        migrations.AddField(
            model_name='event',
            name='subject',
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name='issuance',
            name='approval_id',
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name='issuance',
            name='eligibility_id',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name='event',
            name='kind',
            field=models.CharField(max_length=32),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['subject', '-id'], name='event_by_subject'),
        ),
        migrations.AddIndex(
            model_name='issuance',
            index=models.Index(condition=models.Q(('status', 'issued')), fields=['eligibility_id', '-requested_at'], name='issuance_by_eligibility'),
        ),
        migrations.RunPython(add_triggers, triggers.drop_triggers),
    ]
