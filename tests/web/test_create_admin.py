"""``manage.py create_admin``: the first person of a new portal."""

import os
import pty
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from credportal.access.models import User
from credportal.audit.models import Event
from credportal.domain.types import Duty
from tests.support.cast import Cast
from tests.support.unwritable import unwritable_audit

PASSWORD = "a horse of a different colour"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let standard input be one line with a good password."""
    monkeypatch.setattr(sys, "stdin", StringIO(f"{PASSWORD}\nnot this\n"))


def run(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code and what was printed on both streams."""
    out, err = StringIO(), StringIO()
    try:
        call_command("create_admin", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_an_admin_is_made_and_the_handle_is_told(db: None, typed: None) -> None:
    code, out, err = run("jürgen", "--name", "Jürgen Klinsmann", "--email", "j@example.com")
    assert (code, out, err) == (0, "Made jürgen. The handle in AWS is j=C3=BCrgen\n", "")
    admin = User.objects.get(username="jürgen")
    assert (admin.name, admin.email) == ("Jürgen Klinsmann", "j@example.com")
    assert admin.duties == {Duty.CATALOGUE_ADMIN, Duty.USER_ADMIN}
    assert admin.check_password(PASSWORD)


def test_an_admin_who_is_made_stands_in_the_audit(db: None, typed: None) -> None:
    run("jürgen", "--name", "Jürgen Klinsmann")
    event = Event.objects.get()
    assert (event.kind, event.subject, event.actor_handle) == ("person:added", "person:j=C3=BCrgen", "")
    after = {"username": "jürgen", "name": "Jürgen Klinsmann", "groups": ["admins"]}
    assert event.detail == {"before": {}, "after": after, "command": "create_admin"}


def test_nobody_is_made_where_that_cannot_be_recorded(db: None, typed: None) -> None:
    with unwritable_audit():
        code, out, err = run("dana")
    assert (code, out) == (1, "")
    assert "nobody was made" in err
    assert not User.objects.exists()


def test_an_existing_person_is_not_touched(cast: Cast, typed: None) -> None:
    code, out, err = run("alice")
    assert (code, out) == (1, "")
    assert "already exists" in err
    cast.alice.refresh_from_db()
    assert cast.alice.duties == set()


def test_other_capitals_do_not_make_another_person(cast: Cast, typed: None) -> None:
    assert run("ALICE")[0] == 1
    assert User.objects.filter(username__iexact="alice").count() == 1


@pytest.mark.parametrize("password", ["", "short", "q1w2e3r4t5y6", "zlatan.ibrahimovic", "tab\tin the middle of it"])
def test_a_password_that_the_portal_would_not_take_is_refused(
    db: None, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO(f"{password}\n"))
    code, out, err = run("zlatan.ibrahimovic")
    assert (code, out) == (1, "")
    assert err.startswith("password: ")
    assert not User.objects.exists()


@pytest.mark.parametrize("username", ["", "two words", "line\n", "nul\0", "half\udcff", "x" * 151])
def test_a_name_that_nobody_could_sign_in_with_is_refused(db: None, typed: None, username: str) -> None:
    code, out, err = run(username)
    assert (code, out) == (1, "")
    assert err.startswith("username: ")


def on_a_terminal(folder: Path, *lines: str) -> tuple[int, str]:
    """Run the command on a terminal of its own and type the lines; return its exit code and all that it showed."""
    environment = {
        "CREDPORTAL_MODE": "demo",
        "SECRET_KEY": settings.SECRET_KEY,
        "DATABASE_URL": f"sqlite:///{folder / 'own.sqlite3'}",
    }
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    subprocess.run([*manage, "migrate", "--verbosity=0"], env=environment, check=True)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*manage, "create_admin", "dana"],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as command:
        os.close(theirs)
        shown, typing = b"", list(lines)
        while True:
            try:
                shown += os.read(ours, 1024)
            except OSError:  # The command has closed its end.
                break
            if typing and shown.endswith(b": "):
                os.write(ours, typing.pop(0).encode())
                shown += b"\n"
    os.close(ours)
    return command.returncode, shown.decode()


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ((f"{PASSWORD}\n", f"{PASSWORD}\n"), 0, "Made dana."),
        ((f"{PASSWORD}\n", f"{PASSWORD}!\n"), 1, "The two passwords are not the same."),
        (("\x04",), 1, "Nobody was made."),
    ],
)
def test_on_a_terminal_the_password_is_asked_twice_and_never_shown(
    tmp_path: Path, lines: tuple[str, ...], code: int, words: str
) -> None:
    ended, shown = on_a_terminal(tmp_path, *lines)
    assert ended == code
    assert words in shown
    assert PASSWORD not in shown
