"""A wrong environment stops the start, with one line for each wrong value; production refuses what is for the demo."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.portal import ROOT

KEY = "kR7_s0me-rand0m.looking~key-for.these-tests-0nly"
SOUND = {
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "portal.example.com",
    "CREDPORTAL_URL": "https://portal.example.com",
    "CREDPORTAL_TRUSTED_PROXIES": "1",
    "AWS_REGION": "eu-west-1",
    "CREDPORTAL_EMAIL_SERVER": "smtps://portal@mail.example.com",
}
WRONG = {
    "CREDPORTAL_MODE": "production-ish",
    "DEBUG": "maybe",
    "SECRET_KEY": "short",
    "CREDPORTAL_URL": "portal.example.com",
    "CREDPORTAL_TRUSTED_PROXIES": "two",
    "CREDPORTAL_TIME_ZONE": "Mars/Base",
    "LOG_LEVEL": "LOUD",
    "AWS_REGION": "",
    "AWS_DEADLINE_SECONDS": "3600",
    "GUNICORN_THREADS": "0",
    "CREDPORTAL_IDENTITY_CHAINS": "sometimes",
    "DATABASE_URL": "mongodb://localhost/portal",
    "CACHE_URL": "nonsense://",
    "CREDPORTAL_AUDIT_WEBHOOK": "collector.example.com",
    "CREDPORTAL_AUDIT_WEBHOOK_SECRET": "short",
    "CREDPORTAL_AUDIT_SYSLOG": "tcp://syslog.example.com",
    "CREDPORTAL_AUDIT_CA_FILE": "/nowhere/ca.pem",
    "CREDPORTAL_EMAIL_SERVER": "mail.example.com",
    "CREDPORTAL_EMAIL_FROM": "the portal",
    "CREDPORTAL_EMAIL_PASSWORD_FILE": "/nowhere/password",
    "CREDPORTAL_HANDOUT_DAYS": "0",
}
MORE_WRONG = [
    ("CREDPORTAL_URL", "https://portal.example.com/path"),
    ("CREDPORTAL_URL", "ftp://portal.example.com"),
    ("CREDPORTAL_TRUSTED_PROXIES", "-2"),
    ("CREDPORTAL_TRUSTED_PROXIES", "10"),
    ("AWS_DEADLINE_SECONDS", "0"),
    ("AWS_DEADLINE_SECONDS", "eight"),
    ("SECRET_KEY", ""),
    ("AWS_REGION", None),
    ("SECRET_KEY_FILE", "/nowhere/key"),
    ("CREDPORTAL_AUDIT_KEY_FILE", "/nowhere/key"),
    ("CREDPORTAL_AUDIT_KEY", "QUJD"),
    ("CREDPORTAL_AUDIT_WEBHOOK", "file:/events"),
    ("CREDPORTAL_AUDIT_WEBHOOK", "https://user:word@collector.example.com/"),
    ("CREDPORTAL_AUDIT_WEBHOOK", "https://collector.example.com:nonsense/"),
    ("CREDPORTAL_AUDIT_WEBHOOK", "https://collector.example.com/a b"),
    ("CREDPORTAL_AUDIT_WEBHOOK", "https://169.254.169.254/latest/meta-data/"),
    ("CREDPORTAL_AUDIT_WEBHOOK", "https://[fd00:ec2::254]/"),
    ("CREDPORTAL_AUDIT_WEBHOOK_SECRET_FILE", "/nowhere/secret"),
    ("CREDPORTAL_AUDIT_SYSLOG", "udp://syslog.example.com"),
    ("CREDPORTAL_AUDIT_SYSLOG", "tls://syslog.example.com/path"),
    ("CREDPORTAL_EMAIL_SERVER", "https://mail.example.com"),
    ("CREDPORTAL_EMAIL_SERVER", "smtps://"),
    ("CREDPORTAL_EMAIL_SERVER", "smtps://mail.example.com:nonsense"),
    ("CREDPORTAL_EMAIL_SERVER", "smtps://mail.example.com/path"),
    ("CREDPORTAL_EMAIL_SERVER", "smtps://user:word@mail.example.com"),
    ("CREDPORTAL_EMAIL_SERVER", "file://elsewhere/mail"),
    ("CREDPORTAL_EMAIL_FROM", "portal@example.com, another@example.com"),
    ("CREDPORTAL_EMAIL_FROM", "portal@example.com\nBcc: x@example.com"),
    ("CREDPORTAL_HANDOUT_DAYS", "never"),
]
# What production refuses: the id of the check, and the environment that it refuses.
REFUSED: dict[str, tuple[str, dict[str, str | None]]] = {
    "debug": ("credportal.E001", {"DEBUG": "true"}),
    "no hosts": ("credportal.E002", {"ALLOWED_HOSTS": ""}),
    "every host": ("credportal.E002", {"ALLOWED_HOSTS": "*"}),
    "every host of a list": ("credportal.E002", {"ALLOWED_HOSTS": "portal.example.com,*"}),
    "http": ("credportal.E003", {"CREDPORTAL_URL": "http://portal.example.com"}),
    "no address": ("credportal.E003", {"CREDPORTAL_URL": None}),
    "the demo's endpoint": ("credportal.E004", {"CREDPORTAL_DEMO_ENDPOINT": "http://127.0.0.1:5000"}),
    "the demo's key": ("credportal.E005", {"SECRET_KEY": "demo-" + KEY}),
    "Django's example key": ("credportal.E005", {"SECRET_KEY": "django-insecure-" + KEY}),
    "a simple key": ("credportal.E005", {"SECRET_KEY": "ab" * 30}),
    "a cache for each process": ("credportal.E006", {"CACHE_URL": "locmem://"}),
    "no cache": ("credportal.E006", {"CACHE_URL": "dummy://"}),
    "a webhook without a secret": ("credportal.E012", {"CREDPORTAL_AUDIT_WEBHOOK": "https://collector.example.com/"}),
    "a webhook over http": ("credportal.E011", {"CREDPORTAL_AUDIT_WEBHOOK": "http://collector.example.com/"}),
    "a webhook over http to this machine": ("credportal.E011", {"CREDPORTAL_AUDIT_WEBHOOK": "http://127.0.0.1:9/"}),
    "proxies not counted": ("credportal.E007", {"CREDPORTAL_TRUSTED_PROXIES": None}),
    "STS over http": ("credportal.E008", {"AWS_ENDPOINT_URL_STS": "http://sts.example.com"}),
    "mail into a folder": ("credportal.E013", {"CREDPORTAL_EMAIL_SERVER": "file:/mail"}),
    "mail that anybody can read": ("credportal.E013", {"CREDPORTAL_EMAIL_SERVER": "smtp://mail.example.com"}),
    "IAM over http": ("credportal.E008", {"AWS_ENDPOINT_URL_IAM": "http://iam.example.com"}),
}
CHECK = ["manage.py", "check", "--database", "default"]
SERVE = ["-c", "import credportal.wsgi; print('serving')"]

# Migrates an empty database and puts one person of the demo into it.
DEMO_PERSON = """
import django; django.setup()
from django.core.management import call_command; call_command("migrate", verbosity=0)
from credportal.access.models import User
User.objects.create_user(username="alice", email="alice@demo.invalid", password="x", is_active={active})
"""


def run(tmp_path: Path, command: list[str], **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run Python with a sound production environment and these changes; None takes a variable away."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    wanted: dict[str, str | None] = {
        **inherited,
        **SOUND,
        "DJANGO_SETTINGS_MODULE": "credportal.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "STATIC_ROOT": str(tmp_path),
        **changes,
    }
    env = {name: value for name, value in wanted.items() if value is not None}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False
    )


def complaints(tmp_path: Path, **changes: str | None) -> list[str]:
    done = run(tmp_path, ["-c", "import credportal.settings"], **changes)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr.strip().splitlines()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_stops_the_start_with_one_line_that_names_it(tmp_path: Path, name: str) -> None:
    [line] = complaints(tmp_path, **{name: WRONG[name]})
    assert line.startswith(f"{name}: ")
    assert len(line) > len(name) + 10


@pytest.mark.parametrize(("name", "value"), MORE_WRONG)
def test_a_value_out_of_range_stops_the_start(tmp_path: Path, name: str, value: str | None) -> None:
    [line] = complaints(tmp_path, **{name: value})
    assert line.startswith(f"{name}: ")


def test_all_wrong_values_are_named_at_once(tmp_path: Path) -> None:
    lines = complaints(tmp_path, **WRONG)
    assert sorted(line.partition(":")[0] for line in lines) == sorted(WRONG)


def test_a_secret_is_never_quoted_in_a_complaint(tmp_path: Path) -> None:
    assert "sh0rt-but-secret" not in "".join(complaints(tmp_path, SECRET_KEY="sh0rt-but-secret"))
    assert "sh0rt-but-secret" not in "".join(complaints(tmp_path, CREDPORTAL_AUDIT_KEY="sh0rt-but-secret"))


def test_the_key_of_the_audit_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    file = tmp_path / "key"
    file.write_text(key + "\n")
    for changes in ({"CREDPORTAL_AUDIT_KEY": key}, {"CREDPORTAL_AUDIT_KEY_FILE": str(file)}):
        done = run(tmp_path, ["-c", "from credportal.settings import *; print(AUDIT_KEY.hex())"], **changes)
        assert done.stdout.strip() == bytes(range(32)).hex()


@pytest.mark.parametrize("name", REFUSED)
def test_production_refuses_at_the_check_and_at_the_start(tmp_path: Path, name: str) -> None:
    check_id, changes = REFUSED[name]
    for command in (CHECK, SERVE):
        done = run(tmp_path, command, **changes)
        assert done.returncode != 0, command
        assert check_id in done.stderr
        assert "serving" not in done.stdout
        assert "Traceback" not in done.stderr
        assert KEY not in done.stderr
    mine = [line for line in done.stderr.splitlines() if check_id in line]
    assert len(mine) == 1
    assert len(mine[0].split(". ")) >= 2, "what is wrong, and what to do about it"


def test_production_refuses_all_at_once(tmp_path: Path) -> None:
    changes = {name: value for _, given in REFUSED.values() for name, value in given.items()}
    done = run(tmp_path, SERVE, **changes)
    assert {check_id for check_id, _ in REFUSED.values()} == {
        line.partition(":")[0] for line in done.stderr.splitlines() if line.startswith("credportal.E")
    }


def test_production_refuses_an_address_of_its_own_that_its_hosts_do_not_name(tmp_path: Path) -> None:
    for command in (CHECK, SERVE):
        done = run(tmp_path, command, CREDPORTAL_URL="https://elsewhere.example.com")
        assert done.returncode != 0
        assert "credportal.E010" in done.stderr


@pytest.mark.parametrize("active", [True, False])
def test_production_refuses_a_database_where_people_of_the_demo_may_sign_in(tmp_path: Path, *, active: bool) -> None:
    assert run(tmp_path, ["-c", DEMO_PERSON.format(active=active)]).returncode == 0
    for command in (CHECK, SERVE):
        done = run(tmp_path, command)
        assert ("credportal.E009" in done.stderr) == active, done.stderr
        assert (done.returncode != 0) == active


def test_a_sound_environment_starts(tmp_path: Path) -> None:
    served = run(tmp_path, SERVE)
    assert (served.returncode, served.stdout.strip()) == (0, "serving"), served.stderr
    checked = run(tmp_path, [*CHECK, "--deploy"])
    assert checked.returncode == 0, checked.stderr
    assert "credportal.W001" in checked.stderr, "SQLite is for one machine"


def test_without_a_mail_server_the_check_says_that_nobody_gets_notices(tmp_path: Path) -> None:
    checked = run(tmp_path, CHECK, CREDPORTAL_EMAIL_SERVER=None)
    assert checked.returncode == 0
    assert "credportal.W002" in checked.stderr
    assert "credportal.W002" not in run(tmp_path, CHECK).stderr


@pytest.mark.parametrize(
    ("server", "read"),
    [
        ("smtps://portal%40x@mail.example.com", "smtp mail.example.com 465 portal@x False True"),
        ("smtp+starttls://portal@mail.example.com:2525", "smtp mail.example.com 2525 portal True False"),
        ("smtp://localhost", "smtp localhost 25  False False"),
        (None, "dummy  0  False False"),
    ],
)
def test_a_mail_server_is_read_from_one_address(tmp_path: Path, server: str | None, read: str) -> None:
    show = (
        "import credportal.settings as s; print(s.EMAIL_BACKEND.split('.')[-2], s.EMAIL_HOST, s.EMAIL_PORT, "
        "s.EMAIL_HOST_USER, s.EMAIL_USE_TLS, s.EMAIL_USE_SSL)"
    )
    assert run(tmp_path, ["-c", show], CREDPORTAL_EMAIL_SERVER=server).stdout.strip("\n") == read


def test_the_password_of_the_mail_server_comes_from_a_variable_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("w0rd of the tests\n")
    show = "import credportal.settings as s; print(s.EMAIL_HOST_PASSWORD)"
    for changes in (
        {"CREDPORTAL_EMAIL_PASSWORD": "w0rd of the tests"},
        {"CREDPORTAL_EMAIL_PASSWORD_FILE": str(file)},
    ):
        assert run(tmp_path, ["-c", show], **changes).stdout.strip() == "w0rd of the tests"


def test_mail_comes_from_the_portals_own_host_unless_told_otherwise(tmp_path: Path) -> None:
    show = "import credportal.settings as s; print(s.DEFAULT_FROM_EMAIL)"
    assert run(tmp_path, ["-c", show]).stdout.strip() == "credportal@portal.example.com"
    told = run(tmp_path, ["-c", show], CREDPORTAL_EMAIL_FROM="Our portal <portal@example.com>").stdout.strip()
    assert told == "Our portal <portal@example.com>"


def test_production_is_what_an_unset_mode_means(tmp_path: Path) -> None:
    show = "import credportal.settings as s; print(s.MODE, s.SECURE, s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    assert run(tmp_path, ["-c", show]).stdout.split() == ["production", "True", "__Host-session", "__Host-csrf"]


def test_the_key_can_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    show = "import credportal.settings as s; print(s.SECRET_KEY)"
    done = run(tmp_path, ["-c", show], SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert done.stdout.strip() == KEY


def test_a_short_key_in_a_file_is_refused_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("short\n")
    [line] = complaints(tmp_path, SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "key"))
    assert line.startswith("SECRET_KEY_FILE: ")


def test_the_demo_needs_nothing_but_a_key(tmp_path: Path) -> None:
    bare: dict[str, str | None] = dict.fromkeys(SOUND)
    done = run(tmp_path, SERVE, **{**bare, "CREDPORTAL_MODE": "demo", "SECRET_KEY": f"demo-{KEY}"})
    assert done.stdout.strip() == "serving", done.stderr
