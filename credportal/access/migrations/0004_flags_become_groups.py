"""Give people what a flag gave them through a group: admins and auditors."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

DUTIES = {"is_staff": ("admins", ("catalogue-admin", "user-admin")), "is_auditor": ("auditors", ("auditor",))}


def give_groups(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Put everybody with a flag into the group that stands for it."""
    Group, GroupDuty, User = (apps.get_model(*name) for name in (("auth", "Group"), ("access", "GroupDuty"), ("access", "User")))
    for flag, (name, duties) in DUTIES.items():
        people = User.objects.filter(**{flag: True})
        if not people.exists():
            continue
        group, _ = Group.objects.get_or_create(name=name)
        for duty in duties:
            GroupDuty.objects.get_or_create(group=group, duty=duty)
        for person in people:
            person.groups.add(group)


def set_flags(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Set the flags again from the duties."""
    User = apps.get_model("access", "User")
    for flag, (_, duties) in DUTIES.items():
        User.objects.filter(groups__duties__duty=duties[0]).update(**{flag: True})


class Migration(migrations.Migration):
    dependencies = [("access", "0003_requirements_approvals_reviews_and_duties")]
    operations = [migrations.RunPython(give_groups, set_flags)]
