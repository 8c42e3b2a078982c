"""The list of all roles: what a search finds, by account, and how much of it one page shows."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape

from django.utils.safestring import SafeString, mark_safe

from credportal.domain.types import Facts, RoleFacts
from credportal.web.rows import RoleRow, role_row

# A person with hundreds of roles searches. The list then shows some, and of the other accounts the names:
# a row takes far longer to make and to show than to read.
FOLD_OVER = 60
MOST_SHOWN = 16


@dataclass(frozen=True, slots=True)
class AccountGroup:
    """An account with the roles that the person has in it."""

    number: str
    name: str
    environment: str
    owner: str
    roles: list[RoleRow]


@dataclass(frozen=True, slots=True)
class FoldedAccount:
    """An account whose roles a long list leaves out; a search for its number shows them."""

    number: str
    name: str
    role_count: int

    @property
    def chip(self) -> SafeString:
        """Return its link. Dozens stand on one page, and a template would take ten times as long."""
        word = "role" if self.role_count == 1 else "roles"
        return mark_safe(  # noqa: S308 -- every text is escaped here.
            f'<a class="chip" href="?q={escape(self.number)}"><bdi>{escape(self.name)}</bdi>'
            f' <span class="quiet num">{self.role_count}<span class="vh"> {word}</span></span></a>'
        )


def matching(catalogue: Iterable[Facts], query: str) -> list[Facts]:
    """Return the facts in which every word of the query occurs: in role, account, description or tags, say."""
    words = _folded(query).split()
    return [facts for facts in catalogue if facts.role and all(word in _haystack(facts.role) for word in words)]


def by_account(
    catalogue: Iterable[Facts], *, now: datetime, favourites: set[str], most: int
) -> tuple[list[AccountGroup], list[FoldedAccount]]:
    """Group facts that are in order by account: whole accounts up to ``most`` roles, and the others without roles."""
    by_number: dict[str, list[Facts]] = {}
    for facts in catalogue:
        if facts.role is not None:
            by_number.setdefault(facts.role.account_number, []).append(facts)
    groups: list[AccountGroup] = []
    folded: list[FoldedAccount] = []
    shown = 0
    for number, same in by_number.items():
        if shown and shown + len(same) > most:
            first = same[0].role
            folded.append(FoldedAccount(number, first.account_name if first else "", len(same)))
            continue
        shown += len(same)
        rows = [row for facts in same if (row := role_row(facts, now=now, favourites=favourites))]
        if rows:
            groups.append(AccountGroup(number, rows[0].account_name, rows[0].environment, rows[0].account_owner, rows))
    return groups, folded


def _haystack(role: RoleFacts) -> str:
    parts = [role.name, role.account_name, role.account_number, role.environment.value, role.description]
    return _folded(" ".join([*parts, role.account_owner, *role.tags]))


def _folded(text: str) -> str:
    """Fold case and drop accents, so that a search finds what was meant."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))
