"""How a state gets its name, and what several states share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from playwright.sync_api import expect

from tests.browser.desk import Desk

Steps = Callable[[Desk], None]


@dataclass(frozen=True)
class State:
    """A state, who sees it, and how they get there. Without ``axe`` where another state has the same parts."""

    name: str
    person: str
    steps: Steps
    axe: bool = True


STATES: list[State] = []


def state(person: str = "alice", *, axe: bool = True) -> Callable[[Steps], Steps]:
    """Add the function to the states, under its own name."""

    def add(steps: Steps) -> Steps:
        STATES.append(State(steps.__name__, person, steps, axe))
        return steps

    return add


@contextmanager
def away(table: str) -> Iterator[None]:
    """Take a table away from the portal, as a database in trouble does."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


def letter(desk: Desk) -> None:
    expect(desk.page.locator(".letter")).to_be_visible()
