"""The fault STS for these tests, and a clean AWS environment."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from credportal.domain.types import SessionSpec
from tests.fault_sts import FaultSTS

# Where a test is about the deadline, it is short; elsewhere a busy machine must not meet it.
SHORT_DEADLINE_SECONDS = 0.6
PATIENT_DEADLINE_SECONDS = 6.0

SPEC = SessionSpec(
    role_arn="arn:aws:iam::222222222222:role/credportal/target",
    session_name="alice-7K3QZ9",
    duration=timedelta(hours=1),
    external_id="account/222222222222",
    source_identity="alice",
    session_tags=(("credportal:issuance", "7K3QZ9"), ("credportal:ticket", "OPS-1")),
    session_policy='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:*","Resource":"*"}]}',
)


@pytest.fixture
def spec() -> SessionSpec:
    return SPEC


@pytest.fixture
def bare_spec() -> SessionSpec:
    return replace(SPEC, external_id="", source_identity="", session_tags=(), session_policy="")


@pytest.fixture(autouse=True)
def aws_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start from an environment in which only two static keys speak of AWS."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.upper() in {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTSOFCREDPORTAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "FAKE-of-the-portal-itself")


@pytest.fixture(scope="module")
def running_sts() -> Iterator[FaultSTS]:
    """One server for a module, so that its tests share one client as a worker's requests do."""
    with FaultSTS() as sts:
        yield sts


@pytest.fixture
def point_at(settings: Settings) -> Callable[..., None]:
    """Return a function that points the portal at an endpoint."""

    def point(url: str, *, deadline: float = PATIENT_DEADLINE_SECONDS, pool: int = 4) -> None:
        values: dict[str, Any] = {
            "AWS_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL_STS": url,
            "AWS_ENDPOINT_URL_IAM": "",
            "AWS_DEADLINE_SECONDS": deadline,
            "AWS_POOL_SIZE": pool,
        }
        for name, value in values.items():
            setattr(settings, name, value)

    return point


@pytest.fixture
def sts(running_sts: FaultSTS, point_at: Callable[..., None]) -> Iterator[FaultSTS]:
    """The healthy fault STS with an empty ledger, and the portal pointed at it."""
    running_sts.heal()
    running_sts.ledger.clear()
    running_sts.roles.clear()
    running_sts.caller_chains = False
    point_at(running_sts.url)
    yield running_sts
    running_sts.heal()


@pytest.fixture
def own_sts(point_at: Callable[..., None]) -> Iterator[FaultSTS]:
    """A server of the test's own, so that its client is a new one too."""
    with FaultSTS() as sts:
        point_at(sts.url, deadline=5.0)
        yield sts
