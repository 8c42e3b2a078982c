"""What the pages of delegations say beside the rows themselves: what does not work as it stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from credportal.access.models import Delegation, Role
from credportal.access.selectors import delegations as access


@dataclass(frozen=True, slots=True)
class Standing:
    """One delegation as it stands: its roles, what is open of it, and what of it has no effect and why."""

    roles: Sequence[Role]
    open_now: int
    lacks_duty: bool
    approval: Sequence[Role]
    no_outsiders: Sequence[Role]

    @property
    def is_sound(self) -> bool:
        """Tell whether all of it has an effect."""
        return not (self.lacks_duty or self.approval or self.no_outsiders)


def standing(row: Delegation, *, now: datetime) -> Standing:
    """Look at a delegation, its holder's duty and its roles. ``now`` is aware UTC."""
    roles = access.roles_of_delegation(row)
    holder = row.group or row.user
    return Standing(
        roles=roles,
        open_now=access.open_handouts(row, now=now),
        lacks_duty=holder is not None and not access.has_support(holder),
        approval=[role for role in roles if role.needs_approval],
        no_outsiders=list(_not_for_outsiders(roles)) if row.outsider_duration else [],
    )


def _not_for_outsiders(roles: Iterable[Role]) -> Iterable[Role]:
    return (role for role in roles if not role.needs_approval and (role.needs_step_up or not role.outsider_duration))
