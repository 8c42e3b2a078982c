"""The regions of a partition, from the data that botocore ships."""

from functools import cache

import botocore.session
from botocore.exceptions import UnknownRegionError


@cache
def partition_of(region: str) -> str:
    """Return the partition of a region by its name, such as ``aws-cn``; empty where nobody knows the region."""
    try:
        return str(botocore.session.get_session().get_partition_for_region(region))
    except UnknownRegionError:
        return ""


@cache
def regions_of(partition: str) -> tuple[tuple[str, str], ...]:
    """Return ``(name, label)`` pairs such as ``("eu-west-1", "Europe (Ireland)")``, by name; empty where unknown."""
    data = botocore.session.get_session().get_component("data_loader").load_data("partitions")
    for candidate in data["partitions"]:
        if candidate["id"] == partition:
            found = {
                name: region.get("description", name)
                for name, region in candidate["regions"].items()
                if not name.endswith("-global")
            }
            return tuple(sorted(found.items()))
    return ()
