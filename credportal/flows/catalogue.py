"""The journey of a catalogue file into the catalogue."""

from contextlib import nullcontext

from django.db import DatabaseError, transaction

from credportal.access.catalogue import Plan, plan_catalogue, write_catalogue
from credportal.access.catalogue_file import read_catalogue


class CatalogueUnavailable(Exception):  # noqa: N818 -- the name says the state, as the command does.
    """The catalogue could not be read or written, or somebody else changed it meanwhile."""


def import_catalogue(text: str, *, dry_run: bool) -> Plan:
    """Make the catalogue say what a file says; return what changed, or what is wrong with the file.

    All or nothing, in one transaction that begins after the file is read. Raises
    CatalogueUnavailable, and then nothing was written.
    """
    file = read_catalogue(text)
    try:
        with nullcontext() if dry_run else transaction.atomic():
            plan = plan_catalogue(file)
            if not dry_run and not plan.problems:
                write_catalogue(plan)
    except DatabaseError as error:
        raise CatalogueUnavailable(type(error).__name__) from error
    return plan
