"""The board: support sees their own hand-outs, reviewers everybody's, each with what became of it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access.models import Handout, User
from credportal.audit.models import Event
from credportal.domain.types import Duty
from credportal.flows.claim import report
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue, give_duties
from tests.support.handouts import VENDOR, claim, delegate, handed_out, support, token_of
from tests.support.requests import ORIGIN

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}
BOARD = "/handouts/"


@pytest.fixture
def hand(cast: Cast, catalogue: Catalogue) -> Callable[..., Any]:
    """Return a function that lets Bob hand out to Charlie, or to whoever is named."""
    support(cast, catalogue.read_only, outsider_minutes=30, max_open=50, max_per_day=500)
    numbers = iter(range(1000))

    def handed(to: Any = None, by: User | None = None, **more: Any) -> Any:
        submission = f"submission-number-{next(numbers)}"
        return handed_out(by or cast.bob, catalogue.read_only, to or cast.charlie, submission=submission, **more)

    return handed


@pytest.fixture
def other(cast: Cast, catalogue: Catalogue) -> User:
    """Alice, who does support too, by a delegation of her own."""
    give_duties("more support", (Duty.SUPPORT,), cast.alice)
    delegate(cast.alice, catalogue.read_only)
    return cast.alice


def text(client: Client, path: str = BOARD, status: int = 200, htmx: bool = False) -> str:
    response = client.get(path, headers=HTMX if htmx else {})
    assert response.status_code == status
    return str(response.content.decode())


def ids_on(page: str) -> list[str]:
    return re.findall(r'id="handout-([0-9a-z]+)"', page)


def seen_in(page: str) -> str:
    found = re.search(r"seen=([0-9a-f]+)", page)
    assert found is not None
    return found[1]


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_support_sees_only_their_own(
    bob: Client, other: User, hand: Callable[..., Any], sign_in: Callable[[User], Client]
) -> None:
    mine, theirs = hand().handout.id, hand(by=other).handout.id
    assert ids_on(text(bob)) == [mine]
    assert ids_on(text(sign_in(other))) == [theirs]
    assert ids_on(text(bob, f"{BOARD}?person=alice")) == [mine], "a filter by person opens nothing to support"


@pytest.mark.parametrize("name", ["dana", "erin"])
def test_reviewers_see_everybodys_with_who_made_them(
    cast: Cast, other: User, hand: Callable[..., Any], sign_in: Callable[[User], Client], name: str
) -> None:
    expected = {hand().handout.id, hand(by=other).handout.id}
    page = text(sign_in(getattr(cast, name)))
    assert set(ids_on(page)) == expected
    assert "Bob Osei" in page
    assert "Alice Engström" in page


@pytest.mark.parametrize("name", ["alice", "charlie"])
def test_the_board_is_for_nobody_else(cast: Cast, sign_in: Callable[[User], Client], name: str) -> None:
    client = sign_in(getattr(cast, name))
    text(client, status=403)
    assert BOARD not in text(client, "/")


def test_reading_the_board_is_no_reading_of_the_audit(erin: Client, hand: Callable[..., Any]) -> None:
    hand()
    text(erin)
    assert not Event.objects.filter(kind="audit:read").exists()


def test_open_ones_stand_first_with_the_time_left(bob: Client, hand: Callable[..., Any]) -> None:
    late, soon, gone = hand(window=timedelta(hours=4)), hand(window=timedelta(minutes=15)), hand()
    Handout.objects.filter(pk=gone.handout.pk).update(state="cancelled", ended_at=timezone.now())
    page = text(bob)
    assert ids_on(page) == [soon.handout.id, late.handout.id, gone.handout.id]
    assert re.search(r'data-seconds-left="89[0-9]"\s+datetime="PT89[0-9]S">14:[0-9]{2}<', page)


def test_what_is_over_by_the_clock_is_expired_before_housekeeping_has_seen_it(
    bob: Client, hand: Callable[..., Any]
) -> None:
    given = hand()
    Handout.objects.update(expires_at=timezone.now())
    assert "Expired" in words_of(text(bob))
    assert ids_on(text(bob, f"{BOARD}?state=open")) == []
    assert ids_on(text(bob, f"{BOARD}?state=expired")) == [given.handout.id]


def test_each_state_is_a_filter_that_lives_in_the_address(
    bob: Client, cast: Cast, hand: Callable[..., Any], sts: FaultSTS
) -> None:
    names = ("open", "refused-once", "claimed", "expired", "locked", "cancelled")
    given = {name: hand(read_only=True) for name in names}
    claim(cast.alice, given["refused-once"])
    claim(cast.charlie, given["claimed"])
    for name in ("expired", "locked", "cancelled"):
        Handout.objects.filter(pk=given[name].handout.pk).update(state=name, ended_at=timezone.now())
    found = {
        state: {name for name in names if given[name].handout.id in ids_on(text(bob, f"{BOARD}?state={state}"))}
        for state in ("open", "claimed", "expired", "refused", "cancelled", "")
    }
    assert found == {
        "open": {"open", "refused-once"},
        "claimed": {"claimed"},
        "expired": {"expired"},
        "refused": {"refused-once", "locked"},
        "cancelled": {"cancelled"},
        "": set(names),
    }


def test_a_filter_that_makes_no_sense_is_422(bob: Client, erin: Client, hand: Callable[..., Any]) -> None:
    hand()
    assert "Select a valid choice" in text(bob, f"{BOARD}?state=lost", 422)
    text(erin, f"{BOARD}?person={'x' * 201}", 422)


def test_reviewers_filter_by_issuer_recipient_and_outsider(erin: Client, other: User, hand: Callable[..., Any]) -> None:
    bobs, alices, vendors = hand().handout.id, hand(by=other).handout.id, hand(VENDOR, minutes=30).handout.id
    for words, expected in (
        ("alice", {alices}),
        ("Osei", {bobs, vendors}),
        ("vera", {vendors}),
        ("vendor.example", {vendors}),
        ("charlie osei", {bobs}),
        ("%", set()),
    ):
        assert set(ids_on(text(erin, f"{BOARD}?person={words}"))) == expected, words


def test_a_board_that_has_seen_it_all_gets_nothing(bob: Client, cast: Cast, hand: Callable[..., Any]) -> None:
    given = hand()
    seen = seen_in(text(bob))
    assert bob.get(f"{BOARD}?seen={seen}", headers=HTMX).status_code == 204
    claim(cast.alice, given)
    page = text(bob, f"{BOARD}?seen={seen}", htmx=True)
    assert "<html" not in page
    assert "Somebody else tried to claim it" in page
    assert seen_in(page) != seen


def test_the_board_changes_by_itself_when_a_window_ends(bob: Client, hand: Callable[..., Any]) -> None:
    hand()
    seen = seen_in(text(bob))
    Handout.objects.update(expires_at=timezone.now())
    assert "Expired" in text(bob, f"{BOARD}?seen={seen}", htmx=True)


def test_what_watches_keeps_its_filters(erin: Client, hand: Callable[..., Any]) -> None:
    hand()
    page = text(erin, f"{BOARD}?state=open&person=bob")
    assert re.search(r'hx-get="/handouts/\?state=open&amp;person=bob&amp;seen=[0-9a-f]{16}"', page)


def test_a_claim_says_what_came_of_it(bob: Client, cast: Cast, hand: Callable[..., Any], sts: FaultSTS) -> None:
    claim(cast.charlie, hand())
    assert "Claimed" in words_of(text(bob, f"{BOARD}?state=claimed"))
    sts.fault("access_denied")
    claim(cast.charlie, hand(window=timedelta(hours=2)))
    assert "Open" in words_of(text(bob, f"{BOARD}?state=open")), "given back"
    sts.fault("truncated_xml")
    claim(cast.charlie, hand())
    assert "Claimed, outcome unknown" in words_of(text(bob, f"{BOARD}?state=claimed"))


def test_a_report_is_loud(bob: Client, cast: Cast, hand: Callable[..., Any], sts: FaultSTS) -> None:
    given = hand()
    claim(cast.charlie, given)
    report(token=token_of(given), user=cast.charlie, origin=ORIGIN, now=timezone.now())
    page = text(bob)
    assert "handout-reported" in page
    assert "Reported: “this was not me”" in page


def test_an_outsiders_claim_from_the_issuers_address_is_marked(
    bob: Client, hand: Callable[..., Any], sts: FaultSTS
) -> None:
    given = hand(VENDOR, minutes=30)
    claim(None, given, code=given.code)
    assert "Claimed from the address it was handed out from" in text(bob)
    Handout.objects.update(claimed_from="198.51.100.7")
    assert "Claimed from the address" not in text(bob)


def test_more_hand_outs_take_no_more_statements_and_none_counts_the_audit(
    erin: Client, cast: Cast, hand: Callable[..., Any], sts: FaultSTS
) -> None:
    claim(cast.charlie, hand())
    text(erin)
    with CaptureQueriesContext(connection) as few:
        text(erin)
    for _ in range(20):
        hand()
        claim(cast.charlie, hand())
    with CaptureQueriesContext(connection) as many:
        text(erin)
    assert len(many) == len(few) <= 7
    assert not any("COUNT(" in query["sql"] for query in many)


def test_the_list_is_bounded_and_says_so(erin: Client, cast: Cast, catalogue: Catalogue) -> None:
    now = timezone.now()
    usual = {"issuer": cast.bob, "role": catalogue.read_only, "recipient": cast.charlie, "expires_at": now}
    Handout.objects.bulk_create(
        Handout(**usual, state="expired", duration=timedelta(hours=1), submission=f"s{number}", token_hash=f"t{number}")
        for number in range(101)
    )
    page = text(erin)
    assert len(ids_on(page)) == 100
    assert "These are the last 100 that have ended" in page


def test_nothing_yet_says_what_to_do(bob: Client, cast: Cast, erin: Client) -> None:
    support(cast)
    assert "You have not handed anything out yet" in text(bob)
    assert "Nobody has handed anything out yet" in text(erin)


def test_the_menu_leads_to_it_whoever_has_something_there(
    bob: Client, cast: Cast, dana: Client, erin: Client, charlie: Client
) -> None:
    support(cast)
    for client, shown in ((bob, True), (dana, True), (erin, True), (charlie, False)):
        assert (f'href="{BOARD}"' in text(client, "/")) is shown
