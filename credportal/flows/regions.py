"""The regions that a session may be narrowed to."""

from credportal.aws import regions
from credportal.domain.naming import partition_from


def regions_for(role_arn: str) -> tuple[tuple[str, str], ...]:
    """Return ``(name, label)`` pairs of the regions in the role's partition."""
    return regions_in(partition_from(role_arn))


def regions_in(partition: str) -> tuple[tuple[str, str], ...]:
    """Return ``(name, label)`` pairs of the regions of a partition, such as ``aws``; empty where unknown."""
    return regions.regions_of(partition)
