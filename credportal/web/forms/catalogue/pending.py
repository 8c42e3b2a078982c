"""TEMPORARY: until domain/tickets.py and the problems of domain/naming.py are there."""

from typing import Any

from credportal.domain import naming


def _nothing(*_: Any) -> str:
    return ""


arn_problem: Any = getattr(naming, "arn_problem", lambda arn, _: "" if naming.is_role_arn(arn) else "Write a role ARN.")
name_problem: Any = getattr(naming, "name_problem", _nothing)
try:
    from credportal.domain.tickets import pattern_problem, ticket_example
except ImportError:
    pattern_problem = ticket_example = _nothing
