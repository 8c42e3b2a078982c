"""The foot of the audit: how far the second places are behind, where the environment names any."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from credportal.audit.models import Event, Progress
from tests.support.history import write_issuances

pytestmark = pytest.mark.django_db


def test_a_target_that_is_behind_is_told_with_how_many_events_wait(erin: Client, settings: Settings) -> None:
    write_issuances([{}, {}])
    settings.AUDIT_WEBHOOK = "http://127.0.0.1:9/audit"
    page = erin.get("/audit/").content.decode()
    waiting = Event.objects.count()
    assert f'The webhook is <b><span class="num">{waiting}</span> events behind</b>' in page


def test_a_target_that_took_everything_is_told_so(erin: Client, settings: Settings) -> None:
    settings.AUDIT_WEBHOOK = "http://127.0.0.1:9/audit"
    erin.get("/audit/")
    Progress.objects.create(reader="ship:webhook", through=10**9)
    assert "The webhook has every event." in erin.get("/audit/").content.decode()


def test_without_a_target_nothing_is_told_and_nothing_asked(erin: Client) -> None:
    with CaptureQueriesContext(connection) as seen:
        page = erin.get("/audit/").content.decode()
    assert "webhook" not in page
    assert not [query for query in seen if "ship:" in query["sql"]]
