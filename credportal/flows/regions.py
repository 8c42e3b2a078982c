"""The regions that a session may be narrowed to."""

from credportal.aws import regions
from credportal.domain.naming import partition_from


def regions_for(role_arn: str) -> tuple[tuple[str, str], ...]:
    """Return ``(name, label)`` pairs of the regions in the role's partition."""
    return regions.regions_of(partition_from(role_arn))
