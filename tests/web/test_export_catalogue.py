"""``manage.py export_catalogue``: where it writes, and with which code it ends."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from credportal.access.models import Account
from tests.support.cast import Catalogue


def run(*arguments: str) -> tuple[int, str, str]:
    """Return the exit code and what was printed on both streams."""
    out, err = StringIO(), StringIO()
    try:
        call_command("export_catalogue", *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as stop:
        return int(str(stop.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_without_a_file_it_prints(catalogue: Catalogue) -> None:
    code, out, err = run()
    assert (code, err) == (0, "")
    assert f'number: "{catalogue.sandbox.number}"' in out
    assert run("-") == (0, out, "")


def test_a_file_holds_what_it_would_print(catalogue: Catalogue, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    assert run(str(file)) == (0, "", "")
    assert file.read_text(encoding="utf-8") == run()[1]


def test_what_it_writes_the_import_has_nothing_to_change_in(catalogue: Catalogue, tmp_path: Path) -> None:
    file, out = tmp_path / "catalogue.yaml", StringIO()
    run(str(file))
    call_command("import_catalogue", str(file), "--dry-run", stdout=out)
    assert out.getvalue().endswith("Nothing to change.\n")


def test_external_ids_come_along_only_where_they_are_asked_for(catalogue: Catalogue) -> None:
    external_id = Account.objects.get(number=catalogue.sandbox.number).external_id
    assert external_id not in run()[1]
    assert external_id in run("--with-external-ids")[1]


def test_a_file_that_cannot_be_written_is_one_line(catalogue: Catalogue, tmp_path: Path) -> None:
    code, out, err = run(str(tmp_path))
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "cannot write it" in err


@pytest.mark.django_db
def test_a_database_that_is_away_leaves_the_old_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.yaml"
    file.write_text("old")

    def refuse(*_: object) -> None:
        raise OperationalError("away")

    with connection.execute_wrapper(refuse):
        code, out, err = run(str(file))
    assert (code, out, len(err.splitlines())) == (1, "", 1)
    assert file.read_text() == "old"
