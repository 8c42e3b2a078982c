"""Reads of people and of the catalogue."""

from credportal.access.selectors.facts import (
    CHAINED_SESSION_LIMIT,
    ELIGIBILITIES_FOR_ROLE,
    ONE_ROLE,
    actor_of,
    catalogue_of,
    chaining_ceiling,
    eligibility_facts,
    facts_for,
    favourite_ids,
    group_names,
    role_facts,
)

__all__ = [
    "CHAINED_SESSION_LIMIT",
    "ELIGIBILITIES_FOR_ROLE",
    "ONE_ROLE",
    "actor_of",
    "catalogue_of",
    "chaining_ceiling",
    "eligibility_facts",
    "facts_for",
    "favourite_ids",
    "group_names",
    "role_facts",
]
