"""``manage.py import_catalogue``: what it prints, and with which code it ends."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection

from credportal.access.models import Account, Eligibility
from credportal.audit.models import Event
from tests.support.cast import Cast

GOOD = """\
accounts:
  - {number: "111122223333", name: sandbox, environment: sandbox}
roles:
  - {arn: "arn:aws:iam::111122223333:role/Admin", default_region: eu-west-1}
eligibilities:
  - {role: "arn:aws:iam::111122223333:role/Admin", user: alice, max_duration: 1h}
"""


@pytest.fixture
def file(tmp_path: Path, cast: Cast) -> Path:
    path = tmp_path / "catalogue.yaml"
    path.write_text(GOOD)
    return path


def run(file: Path, *options: str) -> tuple[int, str, str]:
    """Return the exit code and what was printed on both streams."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_catalogue", str(file), *options, stdout=out, stderr=err, no_color=True)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_it_shows_what_it_changed(file: Path) -> None:
    code, out, err = run(file)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        '+ account 111122223333: name "sandbox", environment "sandbox"',
        '+ role arn:aws:iam::111122223333:role/Admin: default_region "eu-west-1"',
        '+ eligibility of user "alice" for arn:aws:iam::111122223333:role/Admin: max_duration 1 h',
        ". not in the file, left as they are: 2 groups",
        "Done: 3 changes.",
    ]


def test_the_second_time_there_is_nothing_to_change(file: Path) -> None:
    run(file)
    assert run(file) == (
        0,
        "= 3 unchanged\n. not in the file, left as they are: 2 groups\nNothing to change.\n",
        "",
    )


def test_a_dry_run_says_so(file: Path) -> None:
    code, out, _ = run(file, "--dry-run")
    assert code == 0
    assert out.splitlines()[-1] == "Dry run: nothing was written."
    assert not Account.objects.exists()


def test_mistakes_are_lines_on_standard_error_and_nothing_is_written(file: Path) -> None:
    file.write_text(GOOD.replace("1h", "1w").replace("environment: sandbox", "environment: lab"))
    code, out, err = run(file)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f'{file}: line 2: environment is "lab". Write production, staging, development or sandbox.',
        f'{file}: line 6: max_duration is "1w". Write 15m to 12h, such as 45m, 8h or 1h30m.',
    ]
    assert not Account.objects.exists()


@pytest.mark.parametrize("content", [b"groups: []\n# \xff\n", b"\x80", b"#" * (32 * 1024 * 1024 + 1)], ids=len)
def test_what_is_no_text_is_unreadable(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    code, out, err = run(file)
    assert (code, out, len(err.splitlines())) == (2, "", 1)


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        code, out, err = run(path)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert "cannot read it" in err


def test_a_file_saved_by_an_editor_of_windows_is_read(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert run(file)[0] == 0


def test_the_catalogue_of_the_demo_is_without_mistakes(cast: Cast) -> None:
    assert run(settings.BASE_DIR / "demo" / "catalogue.yaml")[0] == 0
    assert Eligibility.objects.count() > 10


@pytest.mark.django_db(transaction=True)
def test_a_failure_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    """A table that cannot be written last: what was written first is taken back."""
    file = tmp_path / "catalogue.yaml"
    file.write_text(GOOD.replace("user: alice", "group: g") + "groups: [{name: g}]\n")
    table, away = connection.ops.quote_name("access_eligibility"), connection.ops.quote_name("access_away")

    def refuse(execute: object, sql: str, *rest: object) -> object:
        if sql.startswith("INSERT INTO") and "access_eligibility" in sql:
            sql = sql.replace(table, away)
        return execute(sql, *rest)  # type: ignore[operator]  # Django types wrappers loosely.

    with connection.execute_wrapper(refuse):
        code, out, err = run(file)
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert not Account.objects.exists()


def test_without_tables_it_ends_with_one_line(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text(GOOD)
    done = subprocess.run(
        [sys.executable, "manage.py", "import_catalogue", str(file)],
        cwd=settings.BASE_DIR,
        env={
            "CREDPORTAL_MODE": "demo",
            "SECRET_KEY": settings.SECRET_KEY,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


def test_a_file_that_takes_the_last_user_admin_away_changes_nothing(file: Path, cast: Cast) -> None:
    file.write_text("groups:\n  - {name: admins, members: []}\n  - {name: newcomers}\n")
    code, out, err = run(file)
    assert (code, out) == (1, "")
    assert "nobody active would look after people and groups" in err
    assert cast.dana.groups.get().name == "admins"
    assert not Group.objects.filter(name="newcomers").exists()
    assert not Event.objects.exists()


def test_a_portal_that_has_no_user_admin_yet_takes_any_file(file: Path, cast: Cast) -> None:
    Group.objects.get(name="admins").delete()
    assert run(file)[0] == 0
