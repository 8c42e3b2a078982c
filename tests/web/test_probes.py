"""The button that probes a role, its panel, and the command for many roles."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from credportal.access.models import Probe, Role
from credportal.audit.models import Event
from credportal.domain.doctor import MOST_ATTEMPTS
from credportal.flows import doctor
from credportal.web.management.commands import probe_roles
from tests.fault_sts import CANARY, FaultSTS, RoleRule
from tests.support.cast import Catalogue, make_role

pytestmark = pytest.mark.django_db(transaction=True)
FAST = ("--rate", "1000")


def all_trust(sts: FaultSTS) -> None:
    for role in Role.objects.select_related("account"):
        sts.roles[role.arn] = RoleRule(external_id=role.account.external_id)


def run(*arguments: str) -> int:
    try:
        call_command("probe_roles", *FAST, *arguments)
    except SystemExit as left:
        return int(str(left.code))
    return 0


def test_the_button_leads_back_to_the_role_with_what_was_found(
    dana: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    all_trust(sts)
    answer = dana.post(f"/catalogue/roles/{catalogue.read_only.id}/probe/", follow=True)
    assert answer.redirect_chain == [(f"/catalogue/roles/{catalogue.read_only.id}/#probe", 302)]
    page = answer.content.decode()
    assert "AWS lets the portal into this role" in page
    assert "Last worked" in page
    assert CANARY not in page
    assert Event.objects.filter(kind="probe:passed", actor_handle="dana").exists()


def test_an_open_role_is_loud(dana: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    page = dana.post(f"/catalogue/roles/{catalogue.read_only.id}/probe/", HTTP_HX_REQUEST="true").content.decode()
    assert "works without the ExternalId" in page
    assert "<html" not in page
    assert "sts:ExternalId" in page


def test_a_probe_that_cannot_be_recorded_is_503(
    dana: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credportal.web.views.catalogue.probes.probe_role", lambda **_: doctor.AuditUnavailable())
    answer = dana.post(f"/catalogue/roles/{catalogue.read_only.id}/probe/")
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_an_unknown_role_is_404(dana: Client, sts: FaultSTS) -> None:
    assert dana.post("/catalogue/roles/0123456789ab/probe/").status_code == 404


@pytest.mark.parametrize("name", ["alice", "bob", "charlie", "erin"])
def test_nobody_but_a_catalogue_admin_probes(
    request: pytest.FixtureRequest, name: str, catalogue: Catalogue, sts: FaultSTS
) -> None:
    client: Client = request.getfixturevalue(name)
    assert client.post(f"/catalogue/roles/{catalogue.read_only.id}/probe/").status_code == 403
    assert sts.ledger.calls == []


def test_the_command_says_one_line_for_each_role(
    catalogue: Catalogue, sts: FaultSTS, capsys: pytest.CaptureFixture[str]
) -> None:
    all_trust(sts)
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == Role.objects.count() + 1
    assert lines[-1] == "Probed 5 roles, 0 of them open."


def test_the_command_ends_with_1_where_a_role_is_open(
    catalogue: Catalogue, sts: FaultSTS, capsys: pytest.CaptureFixture[str]
) -> None:
    all_trust(sts)
    del sts.roles[catalogue.deployer.arn]
    assert run() == 1
    assert f"OPEN     {catalogue.deployer.arn}" in capsys.readouterr().out


def test_the_command_takes_the_longest_unprobed_first_and_skips_the_recent(
    catalogue: Catalogue, sts: FaultSTS, capsys: pytest.CaptureFixture[str]
) -> None:
    all_trust(sts)
    now = timezone.now()
    Probe.objects.create(role=catalogue.read_only, probed_at=now - timedelta(minutes=5))
    Probe.objects.create(role=catalogue.on_call, probed_at=now - timedelta(days=9))
    Probe.objects.create(role=catalogue.nobody, probed_at=now - timedelta(days=2))
    run("--account", catalogue.production.number)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("/")[-1] for line in lines[:-1]] == ["PaymentsOnCall", "NobodyMayHaveThis"]


def test_named_roles_are_probed_however_recent(catalogue: Catalogue, sts: FaultSTS) -> None:
    all_trust(sts)
    Probe.objects.create(role=catalogue.read_only, probed_at=timezone.now())
    assert run("--role", catalogue.read_only.arn) == 0
    assert Event.objects.filter(kind="probe:passed").count() == 1


def test_roles_that_are_switched_off_are_left_alone(catalogue: Catalogue, sts: FaultSTS) -> None:
    Role.objects.update(enabled=False)
    assert run() == 0
    assert sts.ledger.calls == []


def test_ctrl_c_says_so_and_the_next_run_goes_on(
    catalogue: Catalogue, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    all_trust(sts)
    probed: list[str] = []

    def stopped(*, role_id: str, **beside: object) -> object:
        if len(probed) == 2:
            raise KeyboardInterrupt
        probed.append(role_id)
        return doctor.probe_role(role_id=role_id, **beside)  # type: ignore[arg-type]  # as the command gives them.

    with monkeypatch.context() as patch:
        patch.setattr(probe_roles, "probe_role", stopped)
        assert run() == 130
    assert "Stopped after 2 roles" in capsys.readouterr().err
    assert run() == 0
    assert "Probed 3 roles" in capsys.readouterr().out


def test_the_command_stops_where_the_audit_is_away(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe_roles, "probe_role", lambda **_: doctor.AuditUnavailable())
    assert run() == 1
    assert "The audit cannot be written" in capsys.readouterr().err


def test_five_hundred_roles_are_probed_once_each_with_few_calls(
    catalogue: Catalogue, sts: FaultSTS, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe_roles, "BACK_OFF_SECONDS", 0.01)
    for number in range(495):
        make_role(catalogue.sandbox, f"Role{number}")
    all_trust(sts)
    sts.fault("throttling", count=None, probability=0.002)
    assert run("--limit", "200") == 0
    assert Probe.objects.count() == 200
    assert run() == 0
    assert Probe.objects.count() == 500
    assert len(sts.ledger.calls_of("AssumeRole")) <= 500 * MOST_ATTEMPTS + 50
    assert Event.objects.filter(kind="probe:started").count() == 500
