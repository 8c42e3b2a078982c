"""``bin/demo``: starts everything, prints where it is, stops everything. Standard library only."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from urllib.request import ProxyHandler, build_opener

from demo import venv
from demo.processes import Child, stop
from demo.state import LOOPBACK, State, folder_of_this_demo, is_free
from demo.venv import ROOT, Refused, refuse

REGION = "eu-west-1"
START_SECONDS = 60
HOUSEKEEPING_SECONDS = 30
# What the person's shell may hold about other portals, Django projects and AWS accounts.
FOREIGN = ("AWS_", "BOTO_", "CREDPORTAL_", "DJANGO_", "GUNICORN_", "SECRET_KEY", "ALLOWED_HOSTS", "CACHE_URL", "DEBUG")


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Ctrl-C, or a request to end: not an error, and only main() may catch it."""


class StopSwitch:
    """Turns a signal into Stop, but not while a child is being started: it would be forgotten."""

    def __init__(self) -> None:
        self.held = False
        self.pressed = False

    def press(self, _number: int, _frame: FrameType | None) -> None:
        """Handle a signal."""
        self.pressed = True
        if not self.held:
            raise Stop

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Put a signal off until the end of the block."""
        self.held = True
        yield
        self.held = False
        if self.pressed:
            raise Stop


def main() -> int:
    """Run the demo. Returns 0 after Ctrl-C, 1 where a part of it failed, 2 where the machine is not ready."""
    arguments = parse()
    state = State(folder_of_this_demo())
    if arguments.users:
        return show_users(state)
    switch = StopSwitch()
    for number in SIGNALS:
        signal.signal(number, switch.press)
    children: list[Child] = []
    try:
        run(arguments, state, children, switch)
    except Refused as why:
        print(f"credportal: {why}", file=sys.stderr)
        return 2
    except Stop:
        if children:
            print("\nStopping ...", file=sys.stderr, flush=True)
        return 0
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        stop(children)
    return 1


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="bin/demo", description="Run credportal here, with a local AWS endpoint.")
    parser.add_argument("--port", type=int, default=8000, help="where the portal listens on loopback (default 8000)")
    parser.add_argument("--reset", action="store_true", help="throw away what earlier demos left in .demo")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--users", action="store_true", help="print the demo's users as 'name password' and end")
    arguments = parser.parse_args()
    if not 1 <= arguments.port <= 65535:  # noqa: PLR2004 - TCP's own limit.
        parser.error("--port takes a number from 1 to 65535")
    return arguments


def show_users(state: State) -> int:
    """Print who may sign in, for people and scripts."""
    if not state.users.exists():
        print("There is no demo yet. Start one with bin/demo.", file=sys.stderr)
        return 1
    print(state.users.read_text(encoding="utf-8"), end="")
    return 0


def run(arguments: argparse.Namespace, state: State, children: list[Child], switch: StopSwitch) -> None:
    """Start one part after the other, then watch them. Raises Refused, or Stop by signal."""
    if not is_free(arguments.port):
        other = arguments.port + 1 if arguments.port < 65535 else 8000  # noqa: PLR2004 - as above.
        refuse(f"Port {arguments.port} is in use. Take another: bin/demo --port {other}")
    state.open(reset=arguments.reset)
    outside_database = os.environ.get("DATABASE_URL")
    locks = [venv.DEMO, venv.PRODUCTION] if outside_database else [venv.DEMO]
    python = str(venv.ensure(locks))
    print("Starting ...", file=sys.stderr, flush=True)
    url = f"http://{LOOPBACK}:{arguments.port}"
    env = environment(state, url, outside_database or f"sqlite:///{state.database}")
    start_endpoint(python, state, env, children, switch)
    command = [python, "-m", "gunicorn", "-c", "gunicorn.conf.py", "credportal.wsgi:application"]
    env["GUNICORN_BIND"] = f"{LOOPBACK}:{arguments.port}"
    with switch.hold():
        portal = Child("the portal", command, env=env, log=state.logs / "portal.log")
        children.append(portal)
        children[0].say(str(portal.process.pid))  # The endpoint ends it where this process is killed.
    wait_until_healthy(url, portal)
    announce(url, state)
    if not arguments.no_browser and can_open_a_browser():
        webbrowser.open(url)
    watch(python, state, env, children)


def environment(state: State, url: str, database_url: str) -> dict[str, str]:
    """Return the portal's whole environment; what the person's shell says about AWS stays out."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return env | {
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "credportal.settings",
        "CREDPORTAL_MODE": "demo",
        "SECRET_KEY_FILE": str(state.secret_key),
        "DATABASE_URL": database_url,
        # Two demos on one checkout must not write the same files at once.
        "STATIC_ROOT": str(state.static),
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "CREDPORTAL_URL": url,
        "CREDPORTAL_TRUSTED_PROXIES": "0",
        "CREDPORTAL_IDENTITY_CHAINS": "false",  # The portal is an IAM user on the local endpoint.
        "CREDPORTAL_EMAIL_SERVER": state.mail.as_uri(),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": f"{LOOPBACK},localhost",
        "no_proxy": f"{LOOPBACK},localhost",
    }


def start_endpoint(python: str, state: State, env: dict[str, str], children: list[Child], switch: StopSwitch) -> None:
    """Prepare the database while the endpoint starts, seed it, and add its address and the portal's key to ``env``."""
    port = state.a_port_for_the_endpoint()
    command = [python, "-m", "demo.endpoint", "--port", str(port)]
    with switch.hold():
        endpoint = Child("the local AWS endpoint", command, env=env, log=state.logs / "endpoint.log", piped=True)
        children.append(endpoint)
    endpoint.say(prepare(python, state, env))
    answer = endpoint.hear()
    if not answer:
        refuse(f"The local AWS endpoint did not start: {endpoint.last_words()} (all of it: {endpoint.log})")
    facts = json.loads(answer)
    for name in ("AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", "CREDPORTAL_DEMO_ENDPOINT"):
        env[name] = facts["url"]
    env["AWS_ACCESS_KEY_ID"] = facts["access_key_id"]
    env["AWS_SECRET_ACCESS_KEY"] = facts["secret_access_key"]


def prepare(python: str, state: State, env: dict[str, str]) -> str:
    """Bring the database up to date and return the portal's ExternalIds as JSON."""
    log = state.logs / "prepare.log"
    command = [python, "-m", "demo.prepare", str(state.users)]
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=output, text=True, check=False)
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        refuse(f"Cannot prepare the database: {lines[-1] if lines else 'no reason given'} (all of it: {log})")
    return done.stdout.strip().splitlines()[-1]


def wait_until_healthy(url: str, portal: Child) -> None:
    """Return when the portal answers. Raises Refused where it ends or stays silent."""
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not portal.has_ended:
        try:
            with opener.open(f"{url}/healthz", timeout=5):
                return
        except (OSError, HTTPException):
            time.sleep(0.1)
    refuse(f"The portal did not start: {portal.last_words()} (all of it: {portal.log})")


def announce(url: str, state: State) -> None:
    """Say where the portal is and who may sign in."""
    people = "".join(f"  {line}\n" for line in state.users.read_text(encoding="utf-8").splitlines())
    print(
        f"\ncredportal runs at {url}\n\n"
        f"Sign in as (name password; bin/demo --users prints them again):\n\n{people}\n"
        "Alice may ask for most roles, Bob for some, Charlie for none; Dana is the admin, Erin the auditor.\n"
        "The credentials work only against the local endpoint. It knows roles, trust and permissions as AWS does,\n"
        "but not session policies: narrowing is sent and recorded, and changes nothing here.\n"
        f"Mail to anybody is a file in {state.mail}.\n"
        "Ctrl-C stops everything.",
        flush=True,
    )


def can_open_a_browser() -> bool:
    """Tell whether there is a screen; without one, a text browser would take over the terminal."""
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def watch(python: str, state: State, env: dict[str, str], children: list[Child]) -> None:
    """Run housekeeping every 30 seconds, until a signal comes. Raises Refused where a part ends by itself."""
    command = [python, "manage.py", "housekeeping"]
    log = state.logs / "housekeeping.log"
    due = time.monotonic()  # Notices begin with what happens after the first run.
    while True:
        time.sleep(0.5)
        for child in children:
            if child.has_ended:
                refuse(f"{child.name} has ended: {child.last_words()} (all of it: {child.log})")
        if time.monotonic() >= due:
            housekeep(command, env, log)
            due = time.monotonic() + HOUSEKEEPING_SECONDS


def housekeep(command: list[str], env: dict[str, str], log: Path) -> None:
    """Run housekeeping once. A failure is in its log and is tried again next time."""
    with log.open("a", encoding="utf-8") as output, contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, timeout=60
        )


if __name__ == "__main__":
    sys.exit(main())
