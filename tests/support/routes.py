"""Every route of the portal, read from the URL resolver, so that no test can forget a new one."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RoutePattern


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its name with namespaces, and the names of what stands in its path."""

    name: str
    parameters: tuple[str, ...]

    def path(self, **values: str) -> str:
        """Return the path with these values; what is not given is ``x``."""
        return reverse(self.name, kwargs={name: values.get(name, "x") for name in self.parameters})


def all_routes() -> list[Route]:
    """Return all named routes, each once. A route without a name fails: nothing can point to it."""
    return sorted(set(_walk(get_resolver(), "")), key=lambda route: route.name)


def _walk(resolver: URLResolver, namespace: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from _walk(entry, inner)
        elif isinstance(entry, URLPattern):
            assert entry.name is not None, entry
            pattern = entry.pattern
            parameters = (
                tuple(pattern.converters) if isinstance(pattern, RoutePattern) else tuple(pattern.regex.groupindex)
            )
            yield Route(f"{namespace}{entry.name}", parameters)
