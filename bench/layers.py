"""Where an issuance spends its time: CPU and wall clock by layer, in one process without a server.

``python -m bench.layers`` runs inside the environment that ``bin/bench layers`` made for it.
A profiler would make small functions look dear; a clock around each layer costs next to nothing.
"""

from __future__ import annotations

import functools
import re
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import django

django.setup()

from django.conf import settings  # noqa: E402 -- all of these need django.setup() first.
from django.contrib.auth import middleware as signed_in  # noqa: E402 -- as above.
from django.test import Client  # noqa: E402 -- as above.
from structlog.stdlib import BoundLogger  # noqa: E402 -- as above.

from credportal.access import selectors  # noqa: E402 -- as above.
from credportal.access.models import Role, User  # noqa: E402 -- as above.
from credportal.audit import record  # noqa: E402 -- as above.
from credportal.aws import sts  # noqa: E402 -- as above.
from credportal.flows.start import warm_up  # noqa: E402 -- as above.
from credportal.web import issued, pages  # noqa: E402 -- as above.

ISSUANCES = 300
LAYERS: list[tuple[str, Any, str]] = [
    ("AWS: signing, HTTP, parsing", sts, "assume_role"),
    ("audit: intent committed", record, "record_intent"),
    ("audit: outcome committed", record, "record_issued"),
    ("page: snippets", issued, "issued_page"),
    ("page: templates", pages, "render"),
    ("who: session and person", signed_in, "get_user"),
    ("rights: facts", selectors, "facts_for"),
    ("logs", BoundLogger, "info"),
]
Spent = dict[str, list[float]]  # Seconds of CPU and of wall clock, by layer.


def clocked(name: str, function: Callable[..., Any], spent: Spent) -> Callable[..., Any]:
    """Return the function with a clock around it."""

    @functools.wraps(function)
    def with_clock(*args: Any, **kwargs: Any) -> Any:
        cpu, wall = time.thread_time(), time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            each = spent.setdefault(name, [0.0, 0.0])
            each[0] += time.thread_time() - cpu
            each[1] += time.perf_counter() - wall

    return with_clock


def main() -> None:
    """Issue some hundred times as a fragment and print what each layer took."""
    warm_up()
    client = Client(enforce_csrf_checks=True, headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username="bench-user-0"), backend=settings.AUTHENTICATION_BACKENDS[0])
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/").text)
    role = Role.objects.filter(eligibilities__group__user__username="bench-user-0").order_by("id")[0]
    form = {"csrfmiddlewaretoken": token[1] if token else "", "duration": "3600", "reason": "bench"}

    def issue() -> None:
        fields = {**form, "submission": secrets.token_urlsafe(16)}
        answer = client.post(
            f"/roles/{role.id}/issue/",
            urlencode(fields),
            content_type="application/x-www-form-urlencoded",
            headers={"hx-request": "true"},
        )
        if answer.status_code != 200:
            raise RuntimeError(f"status {answer.status_code}")

    for _ in range(50):
        issue()
    spent: Spent = {}
    for name, owner, function in LAYERS:
        setattr(owner, function, clocked(name, getattr(owner, function), spent))
    handler = client.handler
    client.handler = clocked("all", handler, spent)  # type: ignore[assignment]  # it is called, and nothing else.
    for _ in range(ISSUANCES):
        issue()
    whole = spent.pop("all")
    spent["middleware, routing, form, the rest"] = [
        whole[kind] - sum(each[kind] for each in spent.values()) for kind in (0, 1)
    ]
    print(f"{'layer':40} CPU ms  wall ms")
    for name, each in sorted(spent.items(), key=lambda item: -item[1][1]):
        print(f"{name:40} {each[0] / ISSUANCES * 1000:6.2f} {each[1] / ISSUANCES * 1000:8.2f}")
    print(f"{'all':40} {whole[0] / ISSUANCES * 1000:6.2f} {whole[1] / ISSUANCES * 1000:8.2f}")


if __name__ == "__main__":
    main()
