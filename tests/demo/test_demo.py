"""bin/demo from the first start to Ctrl-C, as a person meets it."""

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.browser import Person
from tests.demo.endpoint import PRODUCTION
from tests.demo.launcher import DEMO, Demo, environment, free_port, gone_within, processes_of, run_demo, running_demo

pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo") / "state") as started:
        yield started


@pytest.fixture(scope="module")
def alice(demo: Demo) -> Person:
    return demo.person("alice")


@pytest.fixture(scope="module")
def read_only(alice: Person) -> dict[str, str]:
    status, shown = alice.issue(alice.role_path("PaymentsReadOnly", PRODUCTION), duration="900")
    assert status == 200
    return shown


def paste(snippet: str, command: str) -> "subprocess.CompletedProcess[str]":
    """Paste the snippet into a fresh bash and run a command there."""
    tools = Path(sys.executable).parent
    clean = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": os.devnull, "AWS_PAGER": ""}
    script = f"{snippet}\n{command}\n"
    return subprocess.run(["bash", "-c", script], env=clean, capture_output=True, text=True, timeout=60, check=False)


def test_it_says_where_it_runs_and_prints_the_users_once(demo: Demo) -> None:
    assert f"credportal runs at {demo.url}\n" in demo.output
    for name, password in demo.passwords.items():
        assert demo.output.count(f"{name} {password}\n") == 1


def test_it_says_where_mail_goes_and_keeps_house_from_the_start(demo: Demo) -> None:
    assert f"Mail to anybody is a file in {demo.folder / 'mail'}.\n" in demo.output
    log, ends = demo.folder / "logs" / "housekeeping.log", time.monotonic() + 20
    while not log.exists() or "issuances became unknown" not in log.read_text():
        assert time.monotonic() < ends, "no housekeeping in twenty seconds"
        time.sleep(0.2)


def test_users_prints_a_name_and_a_password_per_line(demo: Demo) -> None:
    printed = run_demo(demo.folder, "--users")
    assert printed.returncode == 0
    assert [line.split(" ")[0] for line in printed.stdout.splitlines()] == ["alice", "bob", "charlie", "dana", "erin"]
    assert all(re.fullmatch(r"[a-z]+ [A-Za-z0-9_-]{16}", line) for line in printed.stdout.splitlines())


def test_passwords_and_keys_are_readable_by_their_owner_only(demo: Demo) -> None:
    for name in ("users", "secret-key"):
        assert stat.S_IMODE((demo.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(demo.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["alice", "bob", "charlie", "dana", "erin"])
def test_everybody_of_the_cast_can_sign_in(demo: Demo, name: str) -> None:
    person = demo.person(name)
    assert person.status == 200
    assert "/account/logout/" in person.home


def test_a_pasted_snippet_is_the_role(read_only: dict[str, str]) -> None:
    identity = json.loads(paste(read_only["bash"], "aws sts get-caller-identity").stdout)
    assert identity["Account"] == PRODUCTION
    assert ":assumed-role/PaymentsReadOnly/alice-" in identity["Arn"]


def test_a_pasted_read_only_snippet_lists_but_does_not_write(read_only: dict[str, str]) -> None:
    assert "payments-invoices-production" in paste(read_only["bash"], "aws s3 ls").stdout
    refused = paste(read_only["bash"], "echo new | aws s3 cp - s3://payments-invoices-production/new.txt")
    assert refused.returncode
    assert "AccessDenied" in refused.stderr


def test_the_snippet_points_at_the_local_endpoint(demo: Demo, read_only: dict[str, str]) -> None:
    port = (demo.folder / "endpoint-port").read_text(encoding="utf-8").strip()
    assert f"http://127.0.0.1:{port}" in read_only["bash"]
    assert shlex.split(paste(read_only["bash"], "echo $AWS_ENDPOINT_URL").stdout) == [f"http://127.0.0.1:{port}"]


def test_a_role_that_does_not_trust_the_portal_is_refused_by_aws(alice: Person) -> None:
    status, shown = alice.issue(alice.role_path("LegacyBatch", PRODUCTION), duration="900")
    assert status == 502
    assert "secret-access-key" not in shown


def test_charlie_has_no_role_to_ask_for(demo: Demo) -> None:
    assert not re.search(r"/roles/[^/\"]+/", demo.person("charlie").home)


def test_the_portal_is_ready(alice: Person) -> None:
    assert alice.get("/readyz")[0] == 200


def test_a_second_demo_on_the_same_folder_is_refused(demo: Demo) -> None:
    done = run_demo(demo.folder, "--no-browser", "--port", str(free_port()))
    assert done.returncode == 2
    assert "already running" in done.stderr


def test_ctrl_c_leaves_no_process_and_the_next_start_keeps_everything(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("again") / "state"
    with running_demo(folder) as first:
        passwords, secret_key = first.passwords, (folder / "secret-key").read_text(encoding="utf-8")
        assert len(processes_of(folder)) >= 5  # The launcher, the endpoint, gunicorn's master and two workers.
        assert first.stop(signal.SIGINT) == 0
        assert gone_within(folder, 2) == []
    with running_demo(folder) as second:
        assert second.passwords == passwords
        assert (folder / "secret-key").read_text(encoding="utf-8") == secret_key
        alice = second.person("alice")
        assert alice.issue(alice.role_path("PaymentsReadOnly", PRODUCTION), duration="900")[0] == 200
        assert second.stop(signal.SIGTERM) == 0
        assert gone_within(folder, 2) == []


def test_a_killed_launcher_takes_its_processes_along(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with running_demo(folder) as started:
        started.stop(signal.SIGKILL)
        assert gone_within(folder, 20) == []


@pytest.mark.parametrize("seconds", [0.3, 1.2, 2.4])
def test_a_stop_in_the_middle_of_the_start_leaves_no_process(tmp_path: Path, seconds: float) -> None:
    folder = tmp_path / "state"
    command = [DEMO, "--no-browser", "--port", str(free_port())]
    with subprocess.Popen(
        command, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        time.sleep(seconds)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=40)
    assert gone_within(folder, 2) == []
