"""Drop the flags that became groups, and Django's permissions, which nothing asks for."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("access", "0004_flags_become_groups")]
    operations = [
        migrations.RemoveField(
            model_name='user',
            name='is_auditor',
        ),
        migrations.RemoveField(
            model_name='user',
            name='is_staff',
        ),
        migrations.RemoveField(
            model_name='user',
            name='is_superuser',
        ),
        migrations.RemoveField(
            model_name='user',
            name='user_permissions',
        ),
    ]
