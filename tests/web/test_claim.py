"""The claim pages: a look changes nothing, one press claims, and every no has its sentence, its status and its row."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from credportal.access.models import Handout, User
from credportal.audit.models import Event, Issuance
from credportal.flows.handout import HandedOut
from credportal.web.forms.claim import token_in
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.claiming import UNKNOWN, look, press, refusals, report, text, wrong
from tests.support.handouts import handed_out, state, support, token_of
from tests.support.html import hidden
from tests.support.unwritable import unwritable_audit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nobody_counted")]


# The page and the look


def test_the_page_is_the_same_for_everybody_and_changes_nothing(
    client: Client, charlie: Client, to_charlie: HandedOut
) -> None:
    sessions, events = Session.objects.count(), Event.objects.count()
    pages = [client.get("/claim/"), charlie.get("/claim/")]
    assert [page.status_code for page in pages] == [200, 200]
    told = [text(page).replace(hidden(text(page), "csrfmiddlewaretoken"), "") for page in pages]
    assert told[0] == told[1]
    assert "Charlie" not in told[0]
    assert (Session.objects.count(), Event.objects.count(), state(to_charlie)) == (sessions, events, "open")
    assert settings.CSRF_COOKIE_NAME in pages[0].cookies
    assert settings.SESSION_COOKIE_NAME not in pages[0].cookies


def test_a_look_tells_the_recipient_who_what_why_and_until_when_and_changes_nothing(
    charlie: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    support(cast, catalogue.read_only)
    more = {"read_only": True, "region": "eu-west-1", "from_claim_address": True, "ticket": "INC-7"}
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie, minutes=45, **more)
    before = (Event.objects.count(), Handout.objects.values().get())
    answer = look(charlie, given)
    assert answer.status_code == 200
    for said in (
        "Bob Osei",
        "PaymentsReadOnly",
        "payments-prod",
        "Production",
        "Case 4711: look at the queue",
        "45 min",
    ):
        assert said in text(answer), said
    for said in ("INC-7", "read-only, only from 127.0.0.1, only in eu-west-1", "today", "Get credentials"):
        assert said in text(answer), said
    assert (Event.objects.count(), Handout.objects.values().get()) == before
    assert sts.ledger.mints == []


def test_a_link_is_understood_as_an_address_and_as_a_token_with_white_space_around() -> None:
    token = "aB3_-" * 8 + "xyz"
    for pasted in (token, f"  {token}\n", f"https://portal.example/claim/#{token}", f"<http://x/claim/#{token}>"):
        assert token_in(pasted) == token
    for pasted in ("", "hello", token[:-1], token + "x", f"https://x/else/#{token}", f"https://x/claim/#{token[:9]}"):
        assert token_in(pasted) == "", pasted
    assert token_in(f"https://x/claim/#{token[:20]}\n{token[20:]}") == token, "a mail program broke the line"


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "Paste the link that you were sent"),
        ("hello <b>", "That is no claim link"),
        ("https://x/claim/#half", "That is not a whole claim link"),
        ("\x00\u202e", "That is no claim link"),
    ],
)
def test_what_is_no_link_is_said_and_what_was_typed_is_kept(client: Client, cast: Cast, pasted: str, said: str) -> None:
    answer = look(client, pasted)
    assert answer.status_code == 422
    assert said in text(answer)
    assert "hello <b>" not in text(answer)
    if pasted.startswith("https"):
        assert hidden(text(answer), "token") == pasted
    assert not Event.objects.exists()


def test_a_signed_out_colleague_is_asked_to_sign_in_and_learns_no_name(client: Client, to_charlie: HandedOut) -> None:
    answer = look(client, to_charlie)
    assert answer.status_code == 403
    assert "This link is for a colleague" in text(answer)
    assert f'href="/account/login/?next=%2Fclaim%2F#{token_of(to_charlie)}"' in text(answer)
    for name in ("Bob", "Charlie", "Payments", "Case 4711"):
        assert name not in text(answer)
    assert press(client, to_charlie).status_code == 403
    assert refusals() == [("handout:refused", "claim_signed_out", "")]


def test_the_wrong_person_learns_nothing_and_raises_an_alarm(
    alice: Client, charlie: Client, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    for answer in (look(alice, to_charlie), press(alice, to_charlie), report(alice, to_charlie)):
        assert answer.status_code == 403
        assert "This is for somebody else" in text(answer)
        for name in ("Bob", "Charlie", "Payments", "Case 4711"):
            assert name not in text(answer)
    assert refusals() == [("handout:wrong-person", "claim_by_another", "alice")] * 3
    assert press(charlie, to_charlie).status_code == 200


def test_the_issuer_is_led_to_the_board_and_raises_no_alarm_by_looking(bob: Client, to_charlie: HandedOut) -> None:
    answer = look(bob, to_charlie)
    assert answer.status_code == 403
    assert "You handed this out" in text(answer)
    assert f'href="/handouts/{to_charlie.handout.id}/"' in text(answer)
    assert refusals() == []
    assert press(bob, to_charlie).status_code == 403
    assert refusals() == [("handout:wrong-person", "claim_by_another", "bob")]


def test_an_outsiders_link_is_not_for_somebody_who_is_signed_in(alice: Client, to_vera: HandedOut) -> None:
    assert look(alice, to_vera).status_code == 403
    assert press(alice, to_vera, to_vera.code).status_code == 403
    assert state(to_vera) == "open"


def test_a_link_of_no_hand_out_is_a_404_at_the_look_the_press_and_the_report(client: Client, cast: Cast) -> None:
    for answer in (look(client, UNKNOWN), press(client, UNKNOWN), press(client, "forged"), report(client, UNKNOWN)):
        assert answer.status_code == 404
        assert "No hand-out has this link" in text(answer)
    assert refusals() == [("handout:refused", "claim_of_no_handout", "")] * 2


# The press


def test_a_colleague_claims_once_and_gets_the_credentials_page(
    charlie: Client, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    answer = press(charlie, to_charlie)
    assert answer.status_code == 200
    page = text(answer)
    issuance = Issuance.objects.get()
    assert f'data-issuance="{issuance.id}"' in page
    for part in ('data-field="secret-access-key"', 'data-snippet="bash"', "data-countdown", "Handed out by"):
        assert part in page
    assert sts.ledger.mints[-1].access_key_id in page
    assert f'href="/sessions/{issuance.id}/"' in page
    assert "Renew" not in page
    assert "console" not in page.casefold()
    assert (issuance.status, issuance.actor_handle, state(to_charlie)) == ("issued", "charlie", "claimed")


def test_an_outsider_claims_with_link_and_code_and_sees_no_menu(
    client: Client, to_vera: HandedOut, sts: FaultSTS
) -> None:
    assert "The eight digits that" in text(look(client, to_vera))
    code = f" {to_vera.code[:4]} {to_vera.code[4:]} "
    answer = press(client, to_vera, code)
    assert answer.status_code == 200
    page = text(answer)
    assert sts.ledger.mints[-1].access_key_id in page
    for part in ('class="nav"', 'type="search"', "Sign out", "/sessions/", "Renew", "/roles/"):
        assert part not in page, part
    assert "UTC" in page, "a time without a zone says nothing to somebody whose zone nobody knows"


def test_htmx_gets_the_fragment_of_the_same_answer(charlie: Client, to_charlie: HandedOut, sts: FaultSTS) -> None:
    answer = press(charlie, to_charlie, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in text(answer)
    assert "data-issuance" in text(answer)


def test_a_press_without_a_token_is_a_422_with_a_row(client: Client, cast: Cast) -> None:
    assert client.post("/claim/").status_code == 422
    assert refusals() == [("handout:refused", "claim_without_token", "")]


def test_a_wrong_code_tells_how_many_tries_are_left_and_keeps_nothing_typed(
    client: Client, to_vera: HandedOut, sts: FaultSTS
) -> None:
    answer = press(client, to_vera)
    assert answer.status_code == 422
    assert "The code is missing" in text(answer)
    for left in (4, 3, 2, 1):
        answer = press(client, to_vera, wrong(to_vera))
        assert answer.status_code == 422
        assert f"That is not the code. {left} {'try is' if left == 1 else 'tries are'} left" in text(answer)
        assert wrong(to_vera) not in text(answer)
    answer = press(client, to_vera, wrong(to_vera))
    assert answer.status_code == 410
    assert "This link is locked" in text(answer)
    assert press(client, to_vera, to_vera.code).status_code == 410
    assert sts.ledger.mints == []
    kinds = [kind for kind, _, _ in refusals()]
    assert kinds == ["handout:refused"] + ["handout:wrong-code"] * 5 + ["handout:locked", "handout:refused"]


# What comes of a link in the end


def test_a_used_link_says_when_and_offers_to_report_it(charlie: Client, to_charlie: HandedOut, sts: FaultSTS) -> None:
    press(charlie, to_charlie)
    for answer in (look(charlie, to_charlie), press(charlie, to_charlie)):
        assert answer.status_code == 409
        assert "This link has been used" in text(answer)
        assert "It was claimed today" in text(answer)
        assert "from 127.0.0.1" in text(answer)
        assert "This was not me" in text(answer)
    answer = report(charlie, to_charlie)
    assert answer.status_code == 200
    assert "It tells <bdi>Bob Osei</bdi>" in text(answer)
    assert report(charlie, to_charlie).status_code == 200
    assert "This was not me" not in text(look(charlie, to_charlie)), "said once is said"
    assert refusals()[-2:] == [("handout:refused", "handout_claimed", "charlie"), ("handout:reported", "", "charlie")]
    assert len(sts.ledger.mints) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"expires_at": timezone.now() - timedelta(hours=1)}, "This link has expired"),
        ({"state": "cancelled", "ended_at": timezone.now()}, "This link was cancelled"),
        ({"state": "locked", "ended_at": timezone.now()}, "This link is locked"),
    ],
)
def test_a_link_that_has_ended_says_how_and_when(
    charlie: Client, to_charlie: HandedOut, sts: FaultSTS, change: dict[str, Any], said: str
) -> None:
    Handout.objects.update(**change)
    for answer in (look(charlie, to_charlie), press(charlie, to_charlie)):
        assert answer.status_code == 410
        assert said in text(answer)
        assert "ask Bob Osei to hand it out anew" in text(answer)
    assert sts.ledger.mints == []
    assert len(refusals()) == 1


def test_times_are_told_in_the_persons_own_zone(charlie: Client, cast: Cast, to_charlie: HandedOut) -> None:
    User.objects.filter(pk=cast.charlie.pk).update(time_zone="Asia/Tokyo")
    Handout.objects.update(expires_at=timezone.now().replace(hour=3, minute=7, year=2020, month=1, day=6))
    assert "until Mon 6 Jan, 12:07." in text(look(charlie, to_charlie))


def test_the_rules_are_told_at_the_claim_and_the_link_stays_good(
    charlie: Client, catalogue: Catalogue, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    row = catalogue.read_only.delegations.get()
    row.roles.clear()
    answer = press(charlie, to_charlie)
    assert answer.status_code == 403
    assert "This role may not be handed out any more." in text(answer)
    assert "The link was not used up: it stays good until" in text(answer)
    assert Issuance.objects.get().code == "not_delegated"
    row.roles.add(catalogue.read_only)
    assert press(charlie, to_charlie).status_code == 200


def test_a_role_with_step_up_leads_the_recipient_to_confirm_and_back_with_the_link(
    charlie: Client, catalogue: Catalogue, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    type(catalogue.read_only).objects.filter(pk=catalogue.read_only.pk).update(needs_step_up=True)
    answer = press(charlie, to_charlie)
    assert answer.status_code == 403
    assert f'href="/account/confirm/?next=%2Fclaim%2F#{token_of(to_charlie)}"' in text(answer)
    assert (state(to_charlie), sts.ledger.mints) == ("open", [])


@pytest.mark.parametrize(
    ("fault", "status", "said", "left"),
    [
        ("access_denied", 502, "The link was not used up: it stays good until", "open"),
        ("throttling", 503, "The link was not used up: it stays good until", "open"),
        ("reset_after_mint", 502, "The link is used up.", "claimed"),
    ],
)
def test_trouble_with_aws_says_whether_the_link_is_still_good(
    charlie: Client, to_charlie: HandedOut, sts: FaultSTS, *, fault: str, status: int, said: str, left: str
) -> None:
    sts.fault(fault, count=None)
    answer = press(charlie, to_charlie)
    assert (answer.status_code, state(to_charlie)) == (status, left), text(answer)
    assert said in text(answer)
    assert Issuance.objects.get().id in text(answer)
    assert "AWS’s own words" not in text(answer)
    assert Issuance.objects.get().status == ("failed" if left == "open" else "unknown")
    sts.heal()
    assert press(charlie, to_charlie).status_code == (200 if left == "open" else 409)


def test_nothing_is_claimed_or_refused_unrecorded(
    charlie: Client, alice: Client, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    with unwritable_audit():
        answers = [press(charlie, to_charlie), press(charlie, UNKNOWN), look(alice, to_charlie)]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert answers[0]["Retry-After"] == "5"
    assert "stays good" in text(answers[0])
    assert (state(to_charlie), sts.ledger.mints) == ("open", [])
    assert press(charlie, to_charlie).status_code == 200
