"""Who has access, and why (not): the rows, the rule book's answer, and when the audit saw them used, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from credportal.access import selectors as access
from credportal.access.models import Role, User
from credportal.access.selectors import Holding
from credportal.access.selectors.people import person as person_of_handle
from credportal.audit.selectors.usage import last_used
from credportal.domain.policy import Maximum, Standing, decide, effective_maximum, standing
from credportal.domain.tickets import ticket_example
from credportal.domain.types import Denied, EligibilityFacts, IssuanceRequest, NeedsApproval, RoleFacts
from credportal.flows.identity import portal_identity

MATRIX_PEOPLE = 50
MATRIX_ROLES = 20
UNUSED_AFTER = timedelta(days=90)
NO_ISSUANCE = "0" * 12


@dataclass(frozen=True, slots=True)
class Usage:
    """When a row was last used. ``is_stale`` marks what was never used, or not for 90 days."""

    last_at: datetime | None
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """What one person gets of one role. ``answer`` is ``yes``, ``approval`` or ``no``."""

    person: User
    role: Role
    standing: Standing

    @property
    def answer(self) -> str:
        """Say it in one word."""
        decision = self.standing.decision
        return "no" if isinstance(decision, Denied) else "approval" if isinstance(decision, NeedsApproval) else "yes"

    @property
    def why(self) -> str:
        """Say why not, or which limit sets the longest duration."""
        decision, row = self.standing.decision, self.standing.row
        if isinstance(decision, Denied) or self.standing.maximum is None or row is None:
            return decision.why if isinstance(decision, Denied) else ""
        return _limit(self.standing.maximum, row)


@dataclass(frozen=True, slots=True)
class Matrix:
    """People against roles. The flags say that there are more of them than are shown."""

    roles: list[Role]
    rows: list[tuple[User, list[Cell]]]
    people_cut: bool
    roles_cut: bool


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One row of a role: its people, what it allows by itself, and when it was last used."""

    holding: Holding
    maximum: Maximum
    why: str
    in_force: bool
    usage: Usage


@dataclass(frozen=True, slots=True)
class RoleAccess:
    """Who has one role. ``people_count`` counts the active people whom some row in force names."""

    role: Role
    rows: list[HeldRow]
    people_count: int


@dataclass(frozen=True, slots=True)
class PersonRole:
    """One role of a person: the decision, and each row that names them with its use."""

    cell: Cell
    rows: list[tuple[EligibilityFacts, Usage]]


def matrix(people_query: str, role_query: str, account: str, *, now: datetime) -> Matrix:
    """Hold people against roles. ``now`` is aware UTC."""
    people = access.some_people(people_query, most=MATRIX_PEOPLE + 1)
    roles = access.some_roles(role_query, account, most=MATRIX_ROLES + 1)
    shown, listed = people[:MATRIX_PEOPLE], roles[:MATRIX_ROLES]
    cells = {(cell.person.pk, cell.role.id): cell for cell in cells_between(shown, listed, now=now)}
    rows = [(person, [cells[person.pk, role.id] for role in listed]) for person in shown]
    return Matrix(listed, rows, people_cut=len(people) > MATRIX_PEOPLE, roles_cut=len(roles) > MATRIX_ROLES)


def cells_between(people: list[User], roles: list[Role], *, now: datetime) -> Iterable[Cell]:
    """Answer for every pair, by the same rule book that decides a request."""
    identity = portal_identity()
    facts = access.facts_between(people, roles)
    for person in people:
        for role in roles:
            known = replace(facts[person.pk, role.id], identity=identity)
            yield Cell(person, role, standing(known, now=now))


def role_access(role_id: str, *, now: datetime) -> RoleAccess | None:
    """Return who has a role and through which rows; None where there is no such role. ``now`` is aware UTC."""
    role = access.role_named(role_id)
    if role is None:
        return None
    holdings = access.holdings_of(role)
    used = last_used([holding.row.pk for holding in holdings])
    facts = access.role_facts(role)
    rows = [_held(holding, facts, used, now) for holding in holdings]
    people = {person.pk for row in rows if row.in_force for person in row.holding.people if person.is_active}
    return RoleAccess(role, rows, people_count=len(people))


def person_access(handle: str, *, now: datetime) -> tuple[User, list[PersonRole]] | None:
    """Return a person and each role that some row names for them; None where there is no such person."""
    person = person_of_handle(handle)
    if person is None:
        return None
    roles = access.roles_of(person)
    facts = access.facts_between([person], roles)
    used = last_used([row.id for known in facts.values() for row in known.eligibilities])
    found = []
    for cell in cells_between([person], roles, now=now):
        mine = facts[person.pk, cell.role.id].eligibilities
        found.append(PersonRole(cell, [(row, _usage(row.id, used, now)) for row in mine]))
    return person, found


def why(person: User, role: Role, *, duration: timedelta | None, now: datetime) -> Cell:
    """Answer for one pair, and for one duration where it is given. ``now`` is aware UTC."""
    facts = replace(access.facts_for(person, role.id), identity=portal_identity())
    found = standing(facts, now=now)
    if duration is None or isinstance(found.decision, Denied):
        return Cell(person, role, found)
    asked = IssuanceRequest(
        role.id, duration, reason="Asked by a reviewer.", ticket=ticket_example(role.ticket_pattern)
    )
    decision = decide(asked, replace(facts, signed_in_at=now), issuance_id=NO_ISSUANCE, now=now)
    return Cell(person, role, replace(found, decision=decision))


def _held(holding: Holding, role: RoleFacts, used: dict[int, datetime], now: datetime) -> HeldRow:
    row = access.eligibility_facts(holding.row)
    maximum = effective_maximum(row, role, access.chaining_ceiling())
    return HeldRow(
        holding=holding,
        maximum=maximum,
        why=_limit(maximum, row),
        in_force=_is_valid(row, now),
        usage=_usage(row.id, used, now),
    )


def _limit(maximum: Maximum, row: EligibilityFacts) -> str:
    """Say which limit it was to somebody else than the person whom the rule book speaks to."""
    own = not row.group and maximum.duration == row.max_duration
    return "The limit of this person’s own row." if own else maximum.why


def _is_valid(row: EligibilityFacts, now: datetime) -> bool:
    return (row.valid_from is None or row.valid_from <= now) and (row.valid_until is None or now < row.valid_until)


def _usage(row_id: int, used: dict[int, datetime], now: datetime) -> Usage:
    last_at = used.get(row_id)
    return Usage(last_at, is_stale=last_at is None or now - last_at > UNUSED_AFTER)
