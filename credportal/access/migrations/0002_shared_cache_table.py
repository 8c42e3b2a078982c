"""Make the table of the shared cache, where sign-in throttling counts for all workers and replicas."""

from django.core.management import call_command
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLE = "credportal_cache"


def create_table(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create it as Django does. Another CACHE_URL leaves it empty."""
    call_command("createcachetable", TABLE, database=schema_editor.connection.alias, verbosity=0)


def drop_table(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop it; what it held may be forgotten."""
    schema_editor.execute(f"DROP TABLE IF EXISTS {TABLE}")


class Migration(migrations.Migration):
    dependencies = [("access", "0001_people_and_catalogue")]
    operations = [migrations.RunPython(create_table, drop_table)]
