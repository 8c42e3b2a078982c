"""What admins do at the pages of the catalogue: one function per act, each with its audit event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from credportal.access import catalogue_changes
from credportal.access.catalogue_changes import CatalogueRow, Change, Key
from credportal.access.models import Account, Delegation, Eligibility, Role, User
from credportal.access.selectors import actor_of
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.naming import account_number_from
from credportal.domain.types import Origin
from credportal.flows.about import about_row

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and from where."""

    user: User
    origin: Origin


@dataclass(frozen=True, slots=True)
class Saved:
    """It is written, with its event. Where nothing differed nothing was, and ``changed`` is False."""

    row: CatalogueRow
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody else changed the row meanwhile, so nothing was written. ``row`` is how it is now."""

    row: CatalogueRow


@dataclass(frozen=True, slots=True)
class Taken:
    """Another row, ``other``, says the same already. ``column`` is empty where it came at the same moment."""

    column: str
    other: Key | None


@dataclass(frozen=True, slots=True)
class Gone:
    """The row is not there any more: an import took it away."""


@dataclass(frozen=True, slots=True)
class AuditUnavailable:
    """It could not be recorded, so it was not done."""


Outcome = Saved | Stale | Taken | Gone | AuditUnavailable


def add_account(*, by: By, values: Values) -> Outcome:
    """Add an account. Its ExternalId is made here."""
    return _added(Account(**values), values, by)


def change_account(*, by: By, number: str, version: int, values: Values) -> Outcome:
    """Change an account that was at this version when the person saw it."""
    return _changed(Account, number, values, version, by)


def add_role(*, by: By, values: Values) -> Outcome:
    """Add a role to the account that its ARN names, which is in the catalogue. Raises ValueError for no role ARN."""
    return _added(Role(account_id=account_number_from(values["arn"]), **values), values, by)


def change_role(*, by: By, role_id: str, version: int, values: Values) -> Outcome:
    """Change a role that was at this version when the person saw it. Its ARN stays."""
    return _changed(Role, role_id, values, version, by)


def add_eligibility(*, by: By, role: Role, values: Values) -> Outcome:
    """Let the group or the person of ``values`` have a role."""
    values = {"role": role, **values}
    return _added(Eligibility(**values), values, by)


def change_eligibility(*, by: By, eligibility_id: int, version: int, values: Values) -> Outcome:
    """Change a row that was at this version when the person saw it. Its role and its holder stay."""
    return _changed(Eligibility, eligibility_id, values, version, by)


def end_eligibility(*, by: By, eligibility_id: int, now: datetime) -> Outcome:
    """End a row now (aware UTC), whatever its version. A row that has ended stays as it is, and is kept."""
    return _committed(lambda: catalogue_changes.end(eligibility_id, now), "changed", by)


def add_delegation(*, by: By, values: Values) -> Outcome:
    """Let the group or the person of ``values`` hand out their ``roles``, a frozenset."""
    columns = {name: value for name, value in values.items() if name not in catalogue_changes.MANY}
    return _added(Delegation(**columns), values, by)


def change_delegation(*, by: By, delegation_id: int, version: int, values: Values) -> Outcome:
    """Change a delegation that was at this version when the person saw it. Its holder stays."""
    return _changed(Delegation, delegation_id, values, version, by)


def remove_delegation(*, by: By, delegation_id: int) -> Outcome:
    """Remove a delegation, whatever its version. Its hand-outs stay; by it nobody claims them any more."""
    return _committed(lambda: catalogue_changes.remove(delegation_id), "removed", by)


def _added(row: CatalogueRow, values: Values, by: By) -> Outcome:
    return _committed(lambda: catalogue_changes.add(row, values), "added", by)


def _changed(model: type[CatalogueRow], key: Key, values: Values, version: int, by: By) -> Outcome:
    return _committed(lambda: catalogue_changes.change(model, key, values, version=version), "changed", by)


def _committed(write: Callable[[], Change], action: str, by: By) -> Outcome:
    """Write, and append the event, in one transaction. Where nothing changed there is no event either."""
    try:
        with record.committed():
            change = write()
            if not change.before and not change.after:
                return Saved(change.row, changed=False)
            record.append(_event(change, action, by))
    except catalogue_changes.Stale as stale:
        return Stale(stale.row)
    except catalogue_changes.Taken as taken:
        return Taken(taken.column, taken.other)
    except ObjectDoesNotExist:
        return Gone()
    except record.AuditUnavailable:
        return AuditUnavailable()
    return Saved(change.row)


def _event(change: Change, action: str, by: By) -> record.NewEvent:
    row = change.row
    kind, holder = type(row).__name__.lower(), row.user if isinstance(row, Eligibility | Delegation) else None
    return record.NewEvent(
        kind=EventKind(f"{kind}:{action}"),
        subject=f"{kind}:{row.pk}",
        actor=actor_of(by.user),
        origin=by.origin,
        detail={"before": change.before, "after": change.after},
        on_behalf_of=holder.handle if holder else "",
        about=about_row(row),
    )
