"""The journeys of a catalogue file: into the catalogue, and out of it."""

from django.contrib.auth.models import Group
from django.db import DatabaseError
from django.utils import timezone

from credportal.access import people
from credportal.access.catalogue import plan_catalogue
from credportal.access.catalogue_export import catalogue_text
from credportal.access.catalogue_file import read_catalogue
from credportal.access.catalogue_plan import Change, Plan, write_plan
from credportal.access.models import Delegation, Eligibility
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.types import Origin
from credportal.flows.about import about_row
from credportal.flows.handout_changes import write_stranded_cancelled
from credportal.flows.identity import portal_identity

COMMAND = "import_catalogue"


class CatalogueUnavailable(Exception):  # noqa: N818 -- the name says the state, as the command does.
    """The catalogue could not be read or written, or somebody else changed it meanwhile."""


class LocksOut(Exception):  # noqa: N818 -- as above.
    """The file takes the last active user admin away. A portal that has none yet may go on without."""


def import_catalogue(text: str, *, dry_run: bool) -> Plan:
    """Make the catalogue say what a file says; return what changed, or what is wrong with the file.

    All or nothing, in one transaction that begins after the file is read, with an event for each
    object that changes. Nobody in the portal acts, so the events have no actor and name the command.
    Raises CatalogueUnavailable or LocksOut, and then nothing was written.
    """
    file, identity = read_catalogue(text), portal_identity()
    try:
        if dry_run:
            return plan_catalogue(file, identity)
        with record.committed():
            people.one_at_a_time()
            plan = plan_catalogue(file, identity, to_write=True)
            if not plan.problems:
                _write(plan)
                write_stranded_cancelled(None, Origin(), now=timezone.now())
    except people.LockedOut as error:
        raise LocksOut from error
    except record.AuditUnavailable as error:
        raise CatalogueUnavailable(str(error)) from error
    except DatabaseError as error:
        raise CatalogueUnavailable(type(error).__name__) from error
    return plan


def export_catalogue(*, with_external_ids: bool) -> str:
    """Return the whole catalogue as the file that import_catalogue reads. Raises CatalogueUnavailable."""
    try:
        return catalogue_text(with_external_ids=with_external_ids)
    except DatabaseError as error:
        raise CatalogueUnavailable(type(error).__name__) from error


def _write(plan: Plan) -> None:
    """Write what a plan says, with its events. Raises LockedOut."""
    was_kept = people.has_user_admin()
    write_plan(plan)
    handles = dict(plan.people.values())
    record.append_all(_event(change, handles) for change in plan.changes)
    if was_kept:
        people.refuse_lock_out()


def _event(change: Change, handles: dict[int, str]) -> record.NewEvent:
    """Return the event of one object. ``handles`` are everybody's, by number."""
    row = change.row
    holder = row.user_id if isinstance(row, Eligibility | Delegation) else None
    values = {name: values for name, values in (("before", change.before), ("after", change.after)) if values}
    return record.NewEvent(
        kind=EventKind(f"{change.what}:{change.done}"),
        subject=change.subject,
        actor=None,
        origin=Origin(),
        detail={"command": COMMAND, **values},
        on_behalf_of=handles[holder] if holder else "",
        about=record.About() if isinstance(row, Group) else about_row(row),
    )
