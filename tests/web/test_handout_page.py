"""One hand-out: who sees it, what each button does, and that nobody else's is anybody's."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from credportal.access.models import Handout, User
from credportal.audit.models import Event
from credportal.domain.types import Duty
from credportal.flows.handout import HandedOut
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue, give_duties
from tests.support.handouts import VENDOR, claim, delegate, handed_out, support, token_of, why_not
from tests.support.requests import story
from tests.support.unwritable import unwritable_audit

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}
LINK = re.compile(r'data-field="claim-link"[^>]*>[^<#]*#([^<]*)<')
NOT_THERE = "0000000000zz"


@pytest.fixture
def given(cast: Cast, catalogue: Catalogue) -> HandedOut:
    """What Bob has handed to Charlie."""
    support(cast, catalogue.read_only, outsider_minutes=30)
    return handed_out(cast.bob, catalogue.read_only, cast.charlie)


@pytest.fixture
def other(cast: Cast, catalogue: Catalogue, sign_in: Callable[[User], Client]) -> Client:
    """Alice, who does support too."""
    give_duties("more support", (Duty.SUPPORT,), cast.alice)
    delegate(cast.alice, catalogue.read_only)
    return sign_in(cast.alice)


def path(given: HandedOut, act: str = "") -> str:
    return f"/handouts/{given.handout.id}/{act}"


def text(client: Client, address: str, status: int = 200, htmx: bool = False) -> str:
    response = client.get(address, headers=HTMX if htmx else {})
    assert response.status_code == status
    return str(response.content.decode())


def post(client: Client, address: str, **fields: str) -> Any:
    return client.post(address, fields)


def told(given: HandedOut) -> list[str]:
    return story(f"handout:{given.handout.id}")


@pytest.mark.parametrize("name", ["bob", "dana", "erin"])
def test_its_issuer_and_reviewers_see_it(
    cast: Cast, sign_in: Callable[[User], Client], given: HandedOut, name: str
) -> None:
    page = text(sign_in(getattr(cast, name)), path(given))
    for words in ("PaymentsReadOnly", "Charlie Novak", "Case 4711: look at the queue", "Handed out"):
        assert words in page


def test_for_others_there_is_no_such_hand_out(charlie: Client, other: Client, given: HandedOut) -> None:
    text(other, path(given), 404)
    text(charlie, path(given), 403)


def test_support_that_is_no_longer_support_does_not_see_it(bob: Client, cast: Cast, given: HandedOut) -> None:
    cast.bob.groups.clear()
    text(bob, path(given), 403)


@pytest.mark.parametrize("act", ["link/", "shorten/", "cancel/"])
def test_nobody_changes_what_is_another_supporters(
    other: Client, erin: Client, charlie: Client, given: HandedOut, act: str
) -> None:
    before = Handout.objects.values().get()
    assert post(other, path(given, act), window="900").status_code == 404
    for client in (erin, charlie):
        assert post(client, path(given, act), window="900").status_code == 403
    assert Client().post(path(given, act)).status_code == 302
    assert Handout.objects.values().get() == before
    assert told(given) == ["handout:made"]


@pytest.mark.parametrize("act", ["", "link/", "shorten/", "cancel/"])
def test_what_is_not_there_is_404(bob: Client, given: HandedOut, act: str) -> None:
    address = f"/handouts/{NOT_THERE}/{act}"
    response = post(bob, address, window="900") if act else bob.get(address)
    assert response.status_code == 404


def test_a_catalogue_admin_cancels_but_makes_no_link_and_shortens_nothing(dana: Client, given: HandedOut) -> None:
    assert post(dana, path(given, "link/")).status_code == 403
    assert post(dana, path(given, "shorten/"), window="900").status_code == 403
    page = text(dana, path(given))
    assert "Make a new link" not in page
    assert "Cancel all that" in page
    assert post(dana, path(given, "cancel/")).status_code == 302
    assert told(given) == ["handout:made", "handout:cancelled"]
    assert Event.objects.get(kind="handout:cancelled").actor_handle == "dana"


def test_an_admin_who_does_support_makes_no_link_of_anothers(dana: Client, cast: Cast, given: HandedOut) -> None:
    give_duties("more support", (Duty.SUPPORT,), cast.dana)
    assert post(dana, path(given, "link/")).status_code == 404
    assert told(given) == ["handout:made"]


def test_a_new_link_is_shown_once_and_the_old_one_is_dead(
    bob: Client, cast: Cast, given: HandedOut, sts: FaultSTS
) -> None:
    response = post(bob, path(given, "link/"))
    (token,) = LINK.findall(response.content.decode())
    assert response.status_code == 200
    assert token != token_of(given)
    assert token not in text(bob, path(given))
    assert why_not(claim(cast.charlie, given)) == "claim_of_no_handout"
    claim(cast.charlie, token)
    assert told(given) == ["handout:made", "handout:linked", "handout:claimed"]


def test_an_outsiders_new_link_has_a_new_code(bob: Client, cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(cast.bob, catalogue.read_only, VENDOR, minutes=30)
    before = Handout.objects.get().code_hash
    assert 'data-field="claim-code"' in post(bob, path(given, "link/")).content.decode()
    assert Handout.objects.get().code_hash != before


def test_the_window_ends_sooner(bob: Client, given: HandedOut) -> None:
    response = post(bob, path(given, "shorten/"), window="300")
    assert (response.status_code, response["Location"]) == (302, path(given))
    assert Handout.objects.get().expires_at < timezone.now() + timedelta(minutes=6)
    assert told(given) == ["handout:made", "handout:shortened"]


@pytest.mark.parametrize(
    ("window", "status"), [("7200", 409), ("0", 409), ("9" * 20, 409), ("soon", 422), ("-1", 422), ("", 422)]
)
def test_a_window_that_is_not_sooner_changes_nothing(bob: Client, given: HandedOut, window: str, status: int) -> None:
    response = post(bob, path(given, "shorten/"), window=window)
    assert response.status_code == status
    assert "Nothing has changed" in response.content.decode()
    assert Handout.objects.get().expires_at == given.handout.expires_at
    assert told(given) == ["handout:made"]


@pytest.mark.parametrize("act", ["link/", "shorten/", "cancel/"])
@pytest.mark.parametrize("state", ["claimed", "cancelled", "expired", "locked"])
def test_what_has_ended_is_409_and_stays_so(bob: Client, given: HandedOut, act: str, state: str) -> None:
    Handout.objects.update(state=state, ended_at=timezone.now(), claimed_at=timezone.now())
    response = post(bob, path(given, act), window="300")
    assert response.status_code == 409
    assert "It is not open any more" in response.content.decode()
    assert Handout.objects.get().state == state
    assert told(given) == ["handout:made"]


@pytest.mark.parametrize("act", ["link/", "shorten/", "cancel/"])
def test_nothing_changes_that_cannot_be_recorded(bob: Client, given: HandedOut, act: str) -> None:
    before = Handout.objects.values().get()
    with unwritable_audit():
        assert post(bob, path(given, act), window="300").status_code == 503
    assert Handout.objects.values().get() == before


def test_bob_cancels_all_of_his_own_at_once(bob: Client, cast: Cast, catalogue: Catalogue, given: HandedOut) -> None:
    handed_out(cast.bob, catalogue.read_only, cast.alice, submission="another-submission")
    response = post(bob, "/handouts/cancel/", person="bob")
    assert (response.status_code, response["Location"]) == (302, "/handouts/")
    assert set(Handout.objects.values_list("state", flat=True)) == {"cancelled"}
    assert Event.objects.filter(kind="handout:cancelled").count() == 2


def test_a_catalogue_admin_cancels_all_of_anybody(dana: Client, given: HandedOut) -> None:
    assert post(dana, "/handouts/cancel/", person="bob").status_code == 302
    assert Handout.objects.get().state == "cancelled"


@pytest.mark.parametrize(("person", "status"), [("bob", 403), ("", 404), ("alice", 302)])
def test_support_cancels_all_of_nobody_else(other: Client, given: HandedOut, person: str, status: int) -> None:
    assert post(other, "/handouts/cancel/", person=person).status_code == status
    assert Handout.objects.get().state == "open"
    assert told(given) == ["handout:made"]


@pytest.mark.parametrize("person", ["nobody-of-this-name", "\x00", "x" * 5000])
def test_all_of_somebody_who_is_not_there_is_404(dana: Client, given: HandedOut, person: str) -> None:
    assert post(dana, "/handouts/cancel/", person=person).status_code == 404


def test_auditors_cancel_nothing(erin: Client, given: HandedOut) -> None:
    assert post(erin, "/handouts/cancel/", person="bob").status_code == 403
    assert post(erin, path(given, "cancel/")).status_code == 403
    assert "Cancel it" not in text(erin, path(given))


def test_a_page_that_watches_gets_what_is_new_and_its_buttons_only_when_they_change(
    bob: Client, cast: Cast, given: HandedOut, sts: FaultSTS
) -> None:
    def seen_in(page: str) -> str:
        (seen,) = re.findall(r"seen=([a-z]+-[0-9a-f]+)", page)
        return str(seen)

    seen = seen_in(text(bob, path(given)))
    assert bob.get(f"{path(given)}?seen={seen}", headers=HTMX).status_code == 204
    claim(cast.alice, given)
    page = text(bob, f"{path(given)}?seen={seen}", htmx=True)
    assert "Claim by the wrong person" in page
    assert 'id="handout-acts"' not in page
    claim(cast.charlie, given)
    page = text(bob, f"{path(given)}?seen={seen_in(page)}", htmx=True)
    assert "Nobody can claim it again" in page
    assert 'id="handout-acts" hx-swap-oob="true"' in page
    assert "Make a new link" not in page
    assert "seen=" not in page, "nothing is asked any more once it has ended"


def test_reviewers_find_the_issuance_of_a_claim(
    bob: Client, erin: Client, cast: Cast, given: HandedOut, sts: FaultSTS
) -> None:
    claim(cast.charlie, given)
    issuance_id = Handout.objects.get().issuance_id
    assert f'href="/audit/{issuance_id}/"' in text(erin, path(given))
    page = text(bob, path(given))
    assert f'href="/audit/{issuance_id}/"' not in page
    assert issuance_id in page


def test_what_others_typed_is_shown_as_text(bob: Client, cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie, reason="<script>alert(1)</script>")
    for address in (path(given), "/handouts/"):
        page = text(bob, address)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
