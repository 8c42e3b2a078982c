"""Makes .venv and installs the hashed locks. Standard library only: it runs before anything is installed.

``python -m demo.venv requirements/dev.txt`` does it from a shell and prints the path of
the Python to use.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = "requirements.txt"
PRODUCTION = "requirements/production.txt"
DEMO = "requirements/demo.txt"
DEV = "requirements/dev.txt"
# The locks are compiled together, so that a wider one holds a narrower one's packages.
COVERS = {RUNTIME: {RUNTIME}, PRODUCTION: {RUNTIME, PRODUCTION}, DEMO: {RUNTIME, DEMO}}
COVERS[DEV] = {RUNTIME, PRODUCTION, DEMO, DEV}


class Refused(Exception):  # noqa: N818 - not an error of the program: one line for the person.
    """Something on this machine is in the way. The text is the one line to show."""


def refuse(line: str) -> NoReturn:
    """Give up with this one line. Raises Refused."""
    raise Refused(line) from None


def ensure(locks: list[str], venv: Path = ROOT / ".venv") -> Path:
    """Make the virtual environment and install ``locks`` where they are not yet in it. Return its Python.

    Raises Refused where the venv module is missing, the folder is not writable or pip fails.
    """
    python = venv / "bin" / "python"
    stamp = venv / "installed-locks.json"
    if not _works(python):
        _make(venv)
    installed = _read(stamp)
    covered = {name for lock, digest in installed.items() if digest == _digest(lock) for name in COVERS[lock]}
    for lock in locks:
        if lock in covered:
            continue
        print(f"Installing {lock} into {venv.name} (this takes a minute, once) ...", file=sys.stderr, flush=True)
        _install(python, lock, venv / "install.log")
        installed[lock] = _digest(lock)
        _write(stamp, installed)
    return python


def _works(python: Path) -> bool:
    check = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([python, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _make(venv: Path) -> None:
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            refuse(f"Python's {module} module is missing. On Debian or Ubuntu: apt-get install python{version}-venv")
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        why = (made.stdout + made.stderr).strip().splitlines()
        refuse(f"Cannot make {venv}: {why[-1] if why else 'the venv module failed'}")


def _install(python: Path, lock: str, log: Path) -> None:
    command = [str(python), "-m", "pip", "install", "--require-hashes", "--disable-pip-version-check", "--no-input"]
    try:
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run([*command, "-r", str(ROOT / lock)], stdout=output, stderr=output, check=False)
    except OSError as error:
        refuse(f"Cannot write into {log.parent}: {error.strerror}")
    if done.returncode:
        errors = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("ERROR")]
        refuse(f"pip could not install {lock}: {errors[0] if errors else 'no reason given'} (all of it: {log})")


def _digest(lock: str) -> str:
    return hashlib.sha256((ROOT / lock).read_bytes()).hexdigest()


def _read(stamp: Path) -> dict[str, str]:
    try:
        found = json.loads(stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {lock: digest for lock, digest in found.items() if lock in COVERS}


def _write(stamp: Path, installed: dict[str, str]) -> None:
    current = {lock: digest for lock, digest in installed.items() if digest == _digest(lock)}
    stamp.write_text(json.dumps(current, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Install the locks named on the command line."""
    try:
        print(ensure(sys.argv[1:]))
    except Refused as why:
        print(why, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
