"""The regions of a partition, from the data that botocore ships."""

from functools import cache

import botocore.session


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
