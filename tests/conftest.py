"""Fixtures for every test: the cast, the catalogue, an STS of our own, and signed-in clients."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django.fixtures import Settings

from credportal.access.models import User
from credportal.flows.handout import HandedOut
from credportal.flows.identity import known
from tests.fault_sts import FaultSTS
from tests.settings import TEMPORARY
from tests.support import database
from tests.support.cast import Cast, Catalogue, make_cast, make_catalogue
from tests.support.handouts import VENDOR, handed_out, support

DATABASE_FIXTURES = {"db", "transactional_db", "live_portal"}
BROWSER_FIXTURES = {"browser", "page"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a database or a browser, by the fixtures it asks for."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if names & DATABASE_FIXTURES or item.get_closest_marker("django_db"):
            item.add_marker("database")
        if names & BROWSER_FIXTURES:
            item.add_marker("browser")


def pytest_unconfigure() -> None:
    """Leave nothing behind: the test database, the collected static files."""
    shutil.rmtree(TEMPORARY, ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _static_files() -> None:
    """Collect the static files once, so that pages name them as production does."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Let the test runner empty the audit between tests, which the product's own user never may."""
    with database.flush_despite_triggers(connection):
        yield


@pytest.fixture(autouse=True)
def _nobody_known() -> None:
    """Let no test know the portal's identity from the one before."""
    known.forget()


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def catalogue(cast: Cast) -> Catalogue:
    return make_catalogue(cast)


@pytest.fixture
def to_charlie(cast: Cast, catalogue: Catalogue) -> HandedOut:
    """Return what Bob has handed out to Charlie, an hour of a role in production."""
    support(cast, catalogue.read_only)
    return handed_out(cast.bob, catalogue.read_only, cast.charlie)


@pytest.fixture
def to_vera(cast: Cast, catalogue: Catalogue) -> HandedOut:
    """Return the same for an outsider."""
    support(cast, catalogue.read_only, outsider_minutes=60)
    return handed_out(cast.bob, catalogue.read_only, VENDOR, submission="submission-for-vera")


@pytest.fixture
def nobody_counted(db: None) -> Iterator[None]:
    """Forget the tries that other tests have counted, and leave none."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def sts(settings: Settings) -> Iterator[FaultSTS]:
    """An STS of our own that the portal asks over real HTTP. Its ledger knows what it minted."""
    with FaultSTS() as server:
        settings.AWS_ENDPOINT_URL_STS = server.url
        yield server


@pytest.fixture
def sign_in() -> Callable[[User], Client]:
    """Return a function that gives a client signed in as somebody."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend=django_settings.AUTHENTICATION_BACKENDS[0])
        return client

    return signed_in


@pytest.fixture
def alice(cast: Cast, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(cast.alice)


@pytest.fixture
def bob(cast: Cast, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(cast.bob)


@pytest.fixture
def charlie(cast: Cast, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(cast.charlie)


@pytest.fixture
def dana(cast: Cast, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(cast.dana)


@pytest.fixture
def erin(cast: Cast, sign_in: Callable[[User], Client]) -> Client:
    return sign_in(cast.erin)
