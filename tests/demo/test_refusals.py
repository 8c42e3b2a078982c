"""bin/demo on a machine that is not ready: one clear line each, and exit code 2."""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from demo import venv
from demo.venv import ROOT
from tests.demo.launcher import environment, free_port, run_demo


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "demo"


def test_a_busy_port_is_named_with_the_way_out(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run_demo(folder, "--no-browser", "--port", str(port))
    assert done.returncode == 2
    assert done.stderr == f"credportal: Port {port} is in use. Take another: bin/demo --port {port + 1}\n"
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    done = run_demo(blocked / "demo", "--no-browser", "--port", str(free_port()))
    assert done.returncode == 2
    assert done.stderr == f"credportal: Cannot write into {blocked / 'demo'}: Not a directory\n"


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_a_port_that_is_none_is_refused(folder: Path, port: str) -> None:
    done = run_demo(folder, f"--port={port}")
    assert done.returncode == 2
    assert "--port" in done.stderr


def test_users_before_the_first_start_says_so(folder: Path) -> None:
    done = run_demo(folder, "--users")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no demo yet. Start one with bin/demo.\n"


def path_with(tmp_path: Path, python: str) -> str:
    """Return a PATH with nothing but dirname and, where given, a python3 of this text."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    if python:
        (tools / "python3").write_text(python, encoding="utf-8")
        (tools / "python3").chmod(0o755)
    return str(tools)


def run_with_path(path: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = ["/bin/sh", str(ROOT / "bin" / "demo")]
    return subprocess.run(
        command, env=environment(folder) | {"PATH": path}, capture_output=True, text=True, check=False
    )


def test_an_old_python_is_named_with_its_version(tmp_path: Path, folder: Path) -> None:
    old = '#!/bin/sh\ncase "$2" in *exit*) exit 1 ;; *) echo 3.9.2 ;; esac\n'
    done = run_with_path(path_with(tmp_path, old), folder)
    assert done.returncode == 2
    assert done.stderr.startswith("credportal needs Python 3.11 or newer; python3 here is 3.9.2.")
    assert len(done.stderr.splitlines()) == 1


def test_no_python_at_all_is_said(tmp_path: Path, folder: Path) -> None:
    done = run_with_path(path_with(tmp_path, ""), folder)
    assert done.returncode == 2
    assert done.stderr == (
        "credportal needs Python 3.11 or newer, and there is no python3 on PATH. Install Python first.\n"
    )


def test_a_missing_venv_module_is_named_with_its_package(tmp_path: Path) -> None:
    # Debian leaves ensurepip out of python3; None in sys.modules is what a missing module looks like.
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n", encoding="utf-8")
    program = "import sys; from pathlib import Path; from demo import venv; venv.ensure([], Path(sys.argv[1]))"
    done = subprocess.run(
        [str(venv.ensure([])), "-c", program, str(tmp_path / "venv")],
        cwd=ROOT,
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Python's ensurepip module is missing. On Debian or Ubuntu: apt-get install python3." in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what would be installed, in a virtual environment that is taken as there."""
    locks: list[str] = []

    def install(_python: Path, lock: str, _log: Path) -> None:
        locks.append(lock)

    monkeypatch.setattr(venv, "_works", bool)
    monkeypatch.setattr(venv, "_install", install)
    return locks


def test_a_lock_is_installed_once_and_a_wider_one_is_enough(tmp_path: Path, installed: list[str]) -> None:
    venv.ensure([venv.DEMO], tmp_path)
    venv.ensure([venv.DEMO], tmp_path)
    venv.ensure([venv.DEV], tmp_path)
    venv.ensure([venv.DEMO, venv.PRODUCTION], tmp_path)
    assert installed == [venv.DEMO, venv.DEV]


def test_a_changed_lock_is_installed_again(
    tmp_path: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.ensure([venv.DEMO], tmp_path)
    monkeypatch.setattr(venv, "_digest", str.upper)
    venv.ensure([venv.DEMO], tmp_path)
    assert installed == [venv.DEMO, venv.DEMO]
