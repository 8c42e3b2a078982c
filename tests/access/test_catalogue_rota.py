"""Delegations that depend on a rota, in the catalogue's file: the file names a rota, and never makes one."""

import pytest

from credportal.access.models import Delegation, Rota
from credportal.audit.models import Event
from credportal.flows.catalogue import export_catalogue, import_catalogue
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import delegate
from tests.support.rota import make_rota

pytestmark = pytest.mark.django_db
FILE = """\
delegations:
  - name: Cases
    group: support
    roles:
      - arn:aws:iam::491200653381:role/PaymentsReadOnly
    max_duration: 2h
    rota: Support Europe
"""
NO_ROTA = FILE.replace("    rota: Support Europe\n", "")


def test_a_delegation_of_the_file_names_a_rota(cast: Cast, catalogue: Catalogue) -> None:
    rota = make_rota(catalogue.support)
    plan = import_catalogue(FILE, dry_run=False)
    assert plan.problems == []
    assert Delegation.objects.get().rota == rota
    assert Event.objects.get().detail["after"]["rota"] == "Support Europe"


def test_a_rota_that_is_not_there_is_a_problem_with_its_line(cast: Cast, catalogue: Catalogue) -> None:
    plan = import_catalogue(FILE, dry_run=False)
    assert [(problem.line, problem.words) for problem in plan.problems] == [
        (2, 'There is no rota "Support Europe". Add it at the page Rota first, or mend the name.')
    ]
    assert not Delegation.objects.exists()


def test_an_export_with_a_rota_has_nothing_to_change(cast: Cast, catalogue: Catalogue) -> None:
    delegate(catalogue.support, catalogue.read_only, name="Cases", rota=make_rota(catalogue.support))
    text = export_catalogue(with_external_ids=False)
    assert "    rota: Support Europe\n" in text
    plan = import_catalogue(text, dry_run=True)
    assert (plan.problems, plan.lines) == ([], [])


def test_a_file_that_leaves_the_rota_out_takes_the_condition_away_and_says_so(cast: Cast, catalogue: Catalogue) -> None:
    make_rota(catalogue.support)
    import_catalogue(FILE, dry_run=False)
    plan = import_catalogue(NO_ROTA, dry_run=False)
    assert plan.lines == ['~ delegation "Cases": rota "Support Europe" → none']
    assert Delegation.objects.get().rota is None
    assert Rota.objects.count() == 1


def test_a_file_gives_a_delegation_that_is_there_a_rota(cast: Cast, catalogue: Catalogue) -> None:
    import_catalogue(NO_ROTA, dry_run=False)
    rota = make_rota(catalogue.support)
    import_catalogue(FILE, dry_run=False)
    row = Delegation.objects.get()
    assert (row.rota, row.version) == (rota, 2)
