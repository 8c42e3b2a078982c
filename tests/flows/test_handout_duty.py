"""Handing out only while on duty: a delegation that names a rota counts while its holder has the slot that runs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access.models import Delegation, Handout, Rota, RotaSlot, User
from credportal.access.selectors.handouts import delegated_to
from credportal.audit.models import Event
from credportal.domain.types import DenialReason
from credportal.flows.answers import Issued
from credportal.flows.handout import NotHandedOut
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import answer_of, claim, delegate, fresh, hand_out, handed_out, support
from tests.support.rota import give_turn, make_rota

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rota(cast: Cast, catalogue: Catalogue) -> Rota:
    return make_rota(catalogue.support)


@pytest.fixture
def on_duty_only(cast: Cast, catalogue: Catalogue, rota: Rota) -> Delegation:
    """Let support hand out while on duty."""
    return support(cast, catalogue.read_only, rota=rota)


@pytest.mark.usefixtures("on_duty_only")
def test_who_is_on_duty_hands_out(cast: Cast, catalogue: Catalogue, rota: Rota) -> None:
    give_turn(rota, cast.bob)
    handed_out(cast.bob, catalogue.read_only, cast.charlie)
    assert Event.objects.get().kind == "handout:made"


@pytest.mark.usefixtures("on_duty_only")
def test_who_is_not_on_duty_is_refused_and_that_is_recorded(cast: Cast, catalogue: Catalogue, rota: Rota) -> None:
    give_turn(rota, cast.bob, days=1)
    answer = hand_out(cast.bob, catalogue.read_only, cast.charlie)
    assert isinstance(answer, NotHandedOut)
    assert answer.denied.reason is DenialReason.OFF_DUTY
    assert "on duty (Support Europe)" in answer.denied.why
    event = Event.objects.get()
    assert (event.kind, event.code, event.actor_handle, event.on_behalf_of) == (
        "handout:denied",
        "off_duty",
        "bob",
        "charlie",
    )
    assert not Handout.objects.exists()


@pytest.mark.usefixtures("on_duty_only")
def test_between_slots_nobody_is_on_duty(cast: Cast, catalogue: Catalogue, rota: Rota) -> None:
    now = timezone.now()
    give_turn(rota, cast.bob)
    Rota.objects.update(starts=(now + timedelta(hours=3)).time(), ends=(now + timedelta(hours=5)).time())
    assert hand_out(cast.bob, catalogue.read_only, cast.charlie).denied.reason is DenialReason.OFF_DUTY


@pytest.mark.usefixtures("on_duty_only")
def test_who_has_left_the_group_of_the_rota_is_off_duty_at_once(cast: Cast, catalogue: Catalogue, rota: Rota) -> None:
    give_turn(rota, cast.bob)
    rota.group = catalogue.engineers
    rota.save()
    assert hand_out(cast.bob, catalogue.read_only, cast.charlie).denied.reason is DenialReason.OFF_DUTY


@pytest.mark.usefixtures("on_duty_only")
def test_a_second_row_without_a_rota_allows_it_at_any_time(cast: Cast, catalogue: Catalogue) -> None:
    delegate(cast.bob, catalogue.read_only)
    handed_out(cast.bob, catalogue.read_only, cast.charlie)


@pytest.mark.usefixtures("on_duty_only")
def test_what_was_handed_out_on_duty_can_be_claimed_after_it(
    cast: Cast, catalogue: Catalogue, rota: Rota, sts: FaultSTS
) -> None:
    give_turn(rota, cast.bob)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    RotaSlot.objects.all().delete()
    assert isinstance(answer_of(claim(cast.charlie, given)), Issued)


def test_the_form_knows_who_is_off_duty_by_one_more_statement_and_none_without_a_rota(
    cast: Cast, catalogue: Catalogue, rota: Rota
) -> None:
    row = support(cast, catalogue.read_only)
    bob: User = fresh(cast.bob)
    counts = []
    for named in (None, rota):
        row.rota = named
        row.save()
        with CaptureQueriesContext(connection) as made:
            ((_, (facts,)),) = delegated_to(bob, now=timezone.now())
        counts.append(len(made))
        assert (facts.rota, facts.on_duty) == (("Support Europe", False) if named else ("", True))
    assert counts[1] == counts[0] + 1


def test_a_rota_that_a_delegation_names_cannot_be_deleted(on_duty_only: Delegation, rota: Rota) -> None:
    with pytest.raises(ProtectedError):
        rota.delete()


def test_a_shorter_slot_ends_the_duty_by_itself(cast: Cast, catalogue: Catalogue, rota: Rota) -> None:
    support(cast, catalogue.read_only, rota=rota)
    now = timezone.now().replace(second=0, microsecond=0)
    rota.starts, rota.ends = (now - timedelta(hours=2)).time(), now.time()
    rota.save()
    give_turn(rota, cast.bob, now - timedelta(hours=1))
    assert hand_out(cast.bob, catalogue.read_only, cast.charlie).denied.reason is DenialReason.OFF_DUTY
    rota.ends = (now + timedelta(hours=1)).time()
    rota.save()
    handed_out(cast.bob, catalogue.read_only, cast.charlie)
