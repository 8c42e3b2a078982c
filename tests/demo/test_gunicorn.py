"""gunicorn.conf.py: what it promises about stopping, memory and secrets."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from demo.venv import ROOT


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("WEB_CONCURRENCY", "GUNICORN_BIND", "GUNICORN_THREADS", "PORT", "LOG_LEVEL", "FORWARDED_ALLOW_IPS"):
        monkeypatch.delenv(name, raising=False)
    return runpy.run_path(str(ROOT / "gunicorn.conf.py"))


def configured(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, Any]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "gunicorn.conf.py"))


def test_a_graceful_stop_outlasts_a_request_that_waits_for_sts(config: dict[str, Any]) -> None:
    assert config["graceful_timeout"] > settings.AWS_DEADLINE_SECONDS + 5
    assert config["timeout"] > config["graceful_timeout"]


def test_threads_and_connections_to_sts_are_as_many(config: dict[str, Any]) -> None:
    assert config["worker_class"] == "gthread"
    assert config["threads"] == settings.AWS_POOL_SIZE == 8


def test_it_listens_on_this_machine_only_unless_told(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert config["bind"] == "127.0.0.1:8000"
    assert configured(monkeypatch, PORT="9001")["bind"] == "127.0.0.1:9001"
    assert configured(monkeypatch, GUNICORN_BIND="0.0.0.0:80")["bind"] == "0.0.0.0:80"


def test_workers_are_two_at_least_and_can_be_set(config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2 <= config["workers"] <= 8
    assert configured(monkeypatch, WEB_CONCURRENCY="3")["workers"] == 3


def test_no_access_log_repeats_a_query_string(config: dict[str, Any]) -> None:
    assert config["accesslog"] is None


def test_forwarded_headers_are_believed_from_this_machine_only(config: dict[str, Any]) -> None:
    assert config["forwarded_allow_ips"] == "127.0.0.1,::1"


def test_no_process_of_it_dumps_core() -> None:
    # In a process of its own: a hard limit, once lowered, stays.
    program = (
        "import resource, runpy; runpy.run_path('gunicorn.conf.py')['on_starting'](None);"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "(0, 0)\n"


def test_gunicorn_accepts_it(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--check-config",
        "-c",
        "gunicorn.conf.py",
        "credportal.wsgi:application",
    ]
    environment = os.environ | {"DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
