"""What the image and the compose example promise, read from the files: no engine is needed."""

import json
import re
from typing import Any

import pytest
import yaml

from demo.venv import ROOT


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in joined.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def of(instructions: list[tuple[str, str]], name: str) -> list[str]:
    return [value for instruction, value in instructions if instruction == name]


def test_the_image_is_built_in_stages(instructions: list[tuple[str, str]]) -> None:
    stages = of(instructions, "FROM")
    assert len(stages) == 2
    assert all(re.fullmatch(r"python:3\.11-slim AS \w+", stage) for stage in stages)
    assert any(copy.startswith("--from=packages ") for copy in of(instructions, "COPY"))


def test_packages_are_installed_by_hash_alone(instructions: list[tuple[str, str]]) -> None:
    installs = [run for run in of(instructions, "RUN") if "pip install" in run]
    assert installs
    assert all("--require-hashes" in run for run in installs)


def test_the_process_is_a_number_that_is_not_root(instructions: list[tuple[str, str]]) -> None:
    names = [name for name, _ in instructions]
    assert of(instructions, "USER") == ["10001:10001"]
    assert "RUN" not in names[names.index("USER") :]


def test_the_health_check_is_python_and_valid(instructions: list[tuple[str, str]]) -> None:
    (check,) = of(instructions, "HEALTHCHECK")
    python, flag, program = json.loads(check.partition("CMD ")[2])
    assert (python, flag) == ("python", "-c")
    assert "/healthz" in program
    compile(program, "HEALTHCHECK", "exec")


def test_no_secret_is_kept_in_the_image(instructions: list[tuple[str, str]]) -> None:
    kept = of(instructions, "ENV") + of(instructions, "ARG")
    assert not any(re.search("KEY|SECRET|PASSWORD|TOKEN", value, re.IGNORECASE) for value in kept)


def test_it_stops_gracefully(instructions: list[tuple[str, str]], compose: Any) -> None:
    assert of(instructions, "STOPSIGNAL") == ["SIGTERM"]
    assert of(instructions, "CMD")[-1].startswith('["gunicorn"')
    assert compose["services"]["portal"]["stop_grace_period"] == "30s"


def test_everything_that_the_image_copies_is_let_through(instructions: list[tuple[str, str]]) -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    sources = [source for copy in of(instructions, "COPY") if "--from" not in copy for source in copy.split()[:-1]]
    assert sources
    for source in sources:
        assert f"!{source}" in ignored
        assert (ROOT / source).exists()


@pytest.mark.parametrize("name", ["portal", "housekeeping", "migrate"])
def test_each_service_of_ours_runs_with_as_little_as_it_can(compose: Any, name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["ulimits"] == {"core": 0}
    assert service["environment"]["CREDPORTAL_MODE"] == "production"


def test_the_portal_is_reachable_from_this_machine_only(compose: Any) -> None:
    assert compose["services"]["portal"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in compose["services"]["postgres"]
