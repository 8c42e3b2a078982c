"""What load balancers ask: does the process answer, and can it issue."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

from credportal.audit.models import Event
from credportal.flows.identity import known
from tests.fault_sts import FaultSTS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asks_afresh() -> Iterator[None]:
    known.forget()
    yield
    known.forget()


def away(execute: Any, sql: str, *rest: Any) -> Any:
    raise OperationalError("could not connect to server at 10.1.2.3")


def test_a_probe_may_ask_by_address(client: Client, db: None, sts: FaultSTS) -> None:
    by_address = {"host": "10.1.2.3:8000"}
    assert client.get("/healthz", headers=by_address).status_code == 200
    assert client.get("/readyz", headers=by_address).status_code == 200
    assert client.get("/", headers=by_address).status_code == 400


def test_ready_where_the_audit_is_writable_and_the_identity_known(client: Client, sts: FaultSTS) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"ready": True, "database": "ok", "migrations": "ok", "aws_identity": "known"}
    assert not Event.objects.exists(), "the probe writes nothing"


def test_a_database_that_is_away_is_red_and_the_process_still_green(client: Client, sts: FaultSTS) -> None:
    with connection.execute_wrapper(away):
        ready, alive = client.get("/readyz"), client.get("/healthz")
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert ready.json() == {
        "ready": False,
        "database": "not writable",
        "migrations": "unknown",
        "aws_identity": "known",
    }


def test_a_database_that_only_reads_is_red(client: Client, sts: FaultSTS) -> None:
    def read_only(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT"):
            raise OperationalError("attempt to write a readonly database")
        return execute(sql, *rest)

    with connection.execute_wrapper(read_only):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == "not writable"


def test_a_migration_that_has_not_run_is_red(client: Client, sts: FaultSTS) -> None:
    recorder = MigrationRecorder(connection)
    last = recorder.migration_qs.filter(app="audit").order_by("-id").values_list("name", flat=True)[0]
    recorder.record_unapplied("audit", last)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["migrations"]) == (503, "pending")


@pytest.mark.parametrize(
    ("fault", "state", "status"),
    [
        ("invalid_client_token_id", "invalid", 503),
        ("expired_token", "invalid", 503),
        ("request_expired", "invalid", 503),
        ("unsupported_action", "unsupported", 200),
        ("internal_failure", "unreachable", 200),
        ("throttling", "unreachable", 200),
        ("html_200", "unreachable", 200),
    ],
)
def test_an_identity_that_aws_does_not_take_is_red_and_the_rest_is_a_note(
    client: Client, sts: FaultSTS, fault: str, state: str, status: int
) -> None:
    sts.fault(fault, action="GetCallerIdentity", count=None)
    response = client.get("/readyz")
    assert (response.json()["aws_identity"], response.status_code) == (state, status)


def test_nobody_listening_is_a_note(client: Client, settings: Settings) -> None:
    settings.AWS_ENDPOINT_URL_STS = "http://127.0.0.1:9"
    response = client.get("/readyz")
    assert (response.json()["aws_identity"], response.status_code) == ("unreachable", 200)


def test_a_hundred_probes_ask_aws_once(client: Client, sts: FaultSTS) -> None:
    for _ in range(100):
        assert client.get("/readyz").status_code == 200
    assert len(sts.ledger.calls_of("GetCallerIdentity")) == 1


def test_the_probes_tell_no_names_and_addresses(client: Client, sts: FaultSTS) -> None:
    with connection.execute_wrapper(away):
        told = client.get("/readyz").content + client.get("/healthz").content
    assert b"arn:" not in told
    assert b"111111111111" not in told
    assert b"10.1.2.3" not in told
