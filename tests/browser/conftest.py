"""A real browser at the real portal: gunicorn on the test database, an STS of the tests' own behind it.

Playwright's driver keeps an event loop in this thread, which Django takes for asynchronous code:
it wants DJANGO_ALLOW_ASYNC_UNSAFE, and it opens connections of its own to the database. So the
browser ends with the last test of this folder.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.cache import cache as shared_cache
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, BrowserType, expect, sync_playwright

from credportal.access.models import User
from tests.browser.desk import Desk, Watch
from tests.fault_sts import FaultSTS
from tests.support import database
from tests.support.cast import PASSWORD, Cast, Catalogue
from tests.support.portal import Portal, running_portal

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DEADLINE_SECONDS = 2.0
"""How long the portal waits for AWS here, so that a test of a slow AWS is quick."""
PATIENCE_MS = 10_000
MISSING = "no browser: apt-get install chromium, or name one in CREDPORTAL_TEST_BROWSER"

OpenDesk = Callable[..., Desk]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep to one journey on PostgreSQL: what a browser sees does not depend on the database."""
    if connection.vendor != "postgresql":
        return
    elsewhere = pytest.mark.skip(reason="a browser sees the same on both databases: the journeys run on both")
    for item in items:
        if item.path.parent == Path(__file__).parent and not item.path.name.endswith("_journey.py"):
            item.add_marker(elsewhere)


@cache
def encoded_password() -> str:
    """Return the cast's password as the product keeps it: the tests' own cheap hash is not for real processes."""
    hasher = PBKDF2PasswordHasher()
    return hasher.encode(PASSWORD, hasher.salt())


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Return the browser's program, or skip; where it is required its absence is a failure."""
    path = os.environ.get("CREDPORTAL_TEST_BROWSER") or shutil.which("chromium")
    if path:
        return path
    if "browser" in os.environ.get("CREDPORTAL_TEST_REQUIRE", "").split(","):
        pytest.fail(MISSING)
    pytest.skip(MISSING)


@pytest.fixture(scope="package")
def chromium(browser_path: str, django_db_setup: None) -> Iterator[BrowserType]:
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE_MS)
        with database.flush_despite_triggers(connection):
            yield playwright.chromium
        connection.close()


@pytest.fixture(scope="package")
def browser(chromium: BrowserType, browser_path: str) -> Iterator[Browser]:
    with chromium.launch(executable_path=browser_path, args=FLAGS) as launched:
        yield launched


@pytest.fixture(scope="session")
def live_sts() -> Iterator[FaultSTS]:
    with FaultSTS() as server:
        yield server


@pytest.fixture(scope="session")
def one_portal(
    browser_path: str, live_sts: FaultSTS, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """One portal for all tests: each test finds its database empty."""
    log = tmp_path_factory.mktemp("portal") / "portal.log"
    deadline = str(DEADLINE_SECONDS)
    with running_portal(sts_url=live_sts.url, log=log, workers=1, AWS_DEADLINE_SECONDS=deadline) as portal:
        yield portal


@pytest.fixture
def live_portal(transactional_db: None, one_portal: Portal, live_sts: FaultSTS) -> Iterator[Portal]:
    """The portal, with an empty database, an honest STS and nobody counted for throttling."""
    live_sts.heal()
    live_sts.latency_seconds = 0
    live_sts.ledger.clear()
    live_sts.roles.clear()
    shared_cache.clear()
    yield one_portal
    live_sts.heal()


@pytest.fixture
def open_desk(
    live_portal: Portal, live_sts: FaultSTS, cast: Cast, catalogue: Catalogue, browser: Browser
) -> Iterator[OpenDesk]:
    """Return a function that opens a fresh browser profile, with somebody signed in or nobody.

    At the end nothing may have happened that must never happen, on any page.
    """
    User.objects.update(password=encoded_password())
    opened: list[Desk] = []

    def opened_desk(user: User | None = None, *, context: BrowserContext | None = None, **options: Any) -> Desk:
        context = context or browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        watch = Watch()
        watch.over(context, live_portal.url)
        if user is not None:
            context.add_cookies([{"name": "session", "value": session_of(user), "url": live_portal.url}])
        page = context.pages[0] if context.pages else context.new_page()
        desk = Desk(page, live_portal.url, live_sts, cast, catalogue, watch)
        opened.append(desk)
        return desk

    yield opened_desk
    for desk in opened:
        desk.page.context.close()
    assert [line for desk in opened for line in desk.watch.found()] == []


def session_of(user: User) -> str:
    """Sign somebody in without the form; return the session cookie's value."""
    client = Client()
    client.force_login(User.objects.get(pk=user.pk), backend=settings.AUTHENTICATION_BACKENDS[0])
    return str(client.cookies[settings.SESSION_COOKIE_NAME].value)


@pytest.fixture
def desk(open_desk: OpenDesk, cast: Cast) -> Desk:
    """Alice's page."""
    return open_desk(cast.alice)
