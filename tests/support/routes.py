"""Every route of the portal, read from the URL resolver, so that no test can forget a new one."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter
from django.urls.resolvers import RoutePattern


@dataclass(frozen=True, slots=True)
class Route:
    """One route: its name with namespaces, and the names of what stands in its path."""

    name: str
    parameters: tuple[str, ...]
    numbers: frozenset[str] = frozenset()

    def path(self, **values: str) -> str:
        """Return the path with these values; what is not given is ``x``, or 999 where only a number fits."""

        def value_of(name: str) -> str:
            given = values.get(name, "x")
            return given if name not in self.numbers or given.isdecimal() else "999"

        return reverse(self.name, kwargs={name: value_of(name) for name in self.parameters})


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
            assert isinstance(pattern, RoutePattern), entry
            numbers = {name for name, found in pattern.converters.items() if isinstance(found, IntConverter)}
            yield Route(f"{namespace}{entry.name}", tuple(pattern.converters), frozenset(numbers))
