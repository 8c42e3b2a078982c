"""What the roles list and the request page say a role asks for, and what they do where it is missing."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import Approval, Eligibility, Favourite, Role
from credportal.audit.models import Event, EventKind
from tests.fault_sts import FaultSTS
from tests.support.asking import ask_more, make_vault, only_denial, post, text_of
from tests.support.cast import PASSWORD, Cast, Catalogue, allow, make_role
from tests.support.html import hidden

HX = {"hx-request": "true"}


def forget_sign_in(client: Client) -> None:
    """Let the person have signed in a long time ago."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": timezone.now().timestamp() - 3600}]
    session.save()


def confirm(client: Client) -> None:
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": timezone.now().timestamp()}]
    session.save()


@pytest.fixture
def approved_only(cast: Cast, catalogue: Catalogue) -> Role:
    """A role that always waits for approval, with a glass to break."""
    return make_vault(cast, catalogue)


# The roles list.


def test_a_row_says_in_words_all_that_the_role_asks_for(
    alice: Client, catalogue: Catalogue, approved_only: Role
) -> None:
    ask_more(approved_only, needs_reason=True, needs_ticket=True, needs_step_up=True)
    page = text_of(alice.get("/?q=vault"))
    for words in ("The vault", "Up to 4 h", "Limit for the group engineers.", "Reason", "Ticket", "Approval"):
        assert words in page
    assert "Fresh sign-in" in page
    assert "Break-glass possible" in page


def test_a_row_names_the_limit_of_the_role_in_aws_where_that_is_the_smallest(
    alice: Client, catalogue: Catalogue
) -> None:
    ask_more(catalogue.deployer, max_session_duration=timedelta(hours=1))
    page = text_of(alice.get("/?q=deployer"))
    assert "Up to 1 h" in page
    assert "The role’s own maximum in AWS." in page


def test_a_shorter_row_without_approval_is_told_beside_the_longer_one_with_it(
    alice: Client, cast: Cast, approved_only: Role
) -> None:
    Role.objects.filter(pk=approved_only.pk).update(needs_approval=False)
    Eligibility.objects.filter(role=approved_only).update(needs_approval=True)
    allow(approved_only, cast.alice, hours=2)
    assert "Approval over 2 h" in text_of(alice.get("/?q=vault"))
    page = text_of(alice.get(f"/roles/{approved_only.id}/"))
    assert "Needs approval over 2 h" in page
    assert "4 h with approval" in page
    assert "Get credentials" in page


def test_tags_are_shown_and_found(alice: Client, catalogue: Catalogue) -> None:
    ask_more(catalogue.deployer, tags="hotfix friday")
    found = text_of(alice.get("/?q=HOTFIX", headers=HX))
    assert "Deployer" in found
    assert "friday" in found
    assert "PaymentsReadOnly" not in found


def test_a_search_reads_the_catalogue_in_one_query(alice: Client, catalogue: Catalogue) -> None:
    with CaptureQueriesContext(connection) as seen:
        alice.get("/?q=deploy", headers=HX)
    reads = [query["sql"] for query in seen if "access_eligibility" in query["sql"]]
    assert len(reads) == 1
    assert len(seen) <= 4  # the session, the person, their stars, the catalogue


def test_of_hundreds_of_roles_some_are_shown_and_the_other_accounts_are_named(
    alice: Client, catalogue: Catalogue
) -> None:
    for number in range(70):
        allow(make_role(catalogue.sandbox, f"Box{number:02}"), catalogue.engineers)
    page = text_of(alice.get("/"))
    assert "74 roles in 3 accounts" in page
    assert "Deployer" in page
    assert "Box07" not in page
    assert "1 more account" in page
    assert "sandbox 71 roles" in page
    assert "Box07" in text_of(alice.get("/?all=1"))
    assert "Box07" in text_of(alice.get(f"/?q={catalogue.sandbox.number}"))


@pytest.mark.parametrize("needed", ["needs_reason", "needs_ticket", "needs_approval", "needs_step_up"])
def test_a_favourite_that_asks_for_something_leads_to_its_form(
    alice: Client, cast: Cast, approved_only: Role, needed: str
) -> None:
    ask_more(approved_only, needs_approval=False)
    Favourite.objects.create(user=cast.alice, role=approved_only)
    offered = f'action="/roles/{approved_only.id}/issue/"'
    assert offered in alice.get("/").content.decode()
    ask_more(approved_only, **{needed: True})
    assert offered not in alice.get("/").content.decode()


def test_a_favourite_is_had_with_one_press_only_for_as_long_as_it_asks_for_nothing(
    alice: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    allow(catalogue.deployer, cast.alice, hours=2)
    Eligibility.objects.filter(role=catalogue.deployer, user=None).update(needs_reason=True)
    Favourite.objects.create(user=cast.alice, role=catalogue.deployer)
    offered = f'action="/roles/{catalogue.deployer.id}/issue/"'
    assert post(alice, catalogue.deployer, duration="7200").status_code == 200
    assert offered in alice.get("/").content.decode()
    assert post(alice, catalogue.deployer, duration="14400", reason="Long roll-out").status_code == 200
    assert offered not in alice.get("/").content.decode()


# The request page.


def test_the_page_shows_what_a_ticket_looks_like(alice: Client, catalogue: Catalogue) -> None:
    ask_more(catalogue.deployer, needs_ticket=True, ticket_pattern="INC-# CHG-#")
    assert "such as INC-1234 or CHG-1234" in text_of(alice.get(f"/roles/{catalogue.deployer.id}/"))


@pytest.mark.parametrize(("ticket", "reason"), [("", "ticket_required"), ("JIRA-1", "ticket_malformed")])
def test_a_ticket_that_is_missing_or_wrong_comes_back_on_its_field_and_is_recorded(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, ticket: str, reason: str
) -> None:
    ask_more(catalogue.deployer, needs_ticket=True, ticket_pattern="INC-#")
    answer = post(alice, catalogue.deployer, ticket=ticket, reason="Queue stuck")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="ticket-wrong-{catalogue.deployer.id}"' in page
    assert "INC-1234" in page
    assert hidden(page, "reason") == "Queue stuck"
    assert only_denial().code == reason
    assert sts.ledger.mints == []


NARROWINGS = {
    "allows_read_only": 'value="read-only"',
    "allows_my_address": 'value="my-address"',
    "allows_one_region": 'value="region:eu-west-1"',
}


@pytest.mark.parametrize("forbidden", NARROWINGS)
def test_only_the_narrowing_that_the_role_offers_is_offered(
    alice: Client, catalogue: Catalogue, forbidden: str
) -> None:
    ask_more(catalogue.deployer, **{forbidden: False})
    page = alice.get(f"/roles/{catalogue.deployer.id}/").content.decode()
    assert {name for name, shown in NARROWINGS.items() if shown in page} == set(NARROWINGS) - {forbidden}


def test_a_role_that_offers_no_narrowing_does_not_mention_it(alice: Client, catalogue: Catalogue) -> None:
    ask_more(catalogue.deployer, **dict.fromkeys(NARROWINGS, False))
    assert "Narrow it" not in text_of(alice.get(f"/roles/{catalogue.deployer.id}/"))


def test_a_narrowing_that_is_not_offered_is_refused_with_a_way_back_to_the_form(
    alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    ask_more(catalogue.deployer, allows_read_only=False)
    answer = post(alice, catalogue.deployer, narrowing="read-only")
    assert answer.status_code == 403
    assert f'href="/roles/{catalogue.deployer.id}/?duration=3600"' in answer.content.decode()
    assert only_denial().code == "narrowing_not_allowed"
    assert sts.ledger.mints == []


def test_the_page_says_who_approves_and_its_button_asks_for_that(alice: Client, approved_only: Role) -> None:
    page = text_of(alice.get(f"/roles/{approved_only.id}/"))
    assert "2 members of the group payments-leads other than you have to agree" in page
    assert "Ask for approval" in page
    assert "Get credentials </button>" not in page


def test_asking_for_approval_answers_with_the_page_that_waits(
    alice: Client, approved_only: Role, sts: FaultSTS
) -> None:
    answer = post(alice, approved_only, reason="Rotate the keys")
    assert answer.status_code == 202
    assert Approval.objects.get().reason == "Rotate the keys"
    assert Event.objects.filter(kind=EventKind.APPROVAL_REQUESTED).count() == 1
    assert "Rotate the keys" in text_of(answer)
    assert sts.ledger.mints == []


def test_for_htmx_only_the_fragment_of_the_waiting_page_comes(alice: Client, approved_only: Role) -> None:
    fields = {"duration": "3600", "reason": "x", "submission": "0123456789abcdef0"}
    answer = alice.post(f"/roles/{approved_only.id}/issue/", fields, headers=HX)
    assert answer.status_code == 202
    assert "<html" not in answer.content.decode()
    assert answer["HX-Push-Url"] == f"/approvals/{Approval.objects.get().pk}/"


def test_the_console_of_a_role_that_needs_approval_waits_like_its_credentials(
    alice: Client, approved_only: Role, settings: Settings, sts: FaultSTS
) -> None:
    settings.AWS_ENDPOINT_URL_SIGNIN = "http://127.0.0.1:9"
    answer = post(alice, approved_only, "console", reason="Look around")
    assert answer.status_code == 202
    assert Approval.objects.get().reason == "Look around"
    assert sts.ledger.mints == []


# Confirming who one is.


def test_a_role_that_asks_for_a_fresh_sign_in_says_so_and_leads_there_and_back(
    alice: Client, catalogue: Catalogue
) -> None:
    ask_more(catalogue.deployer, needs_step_up=True)
    forget_sign_in(alice)
    page = alice.get(f"/roles/{catalogue.deployer.id}/").content.decode()
    assert f'href="/account/confirm/?next=%2Froles%2F{catalogue.deployer.id}%2F"' in page
    confirm(alice)
    assert "You have confirmed who you are" in text_of(alice.get(f"/roles/{catalogue.deployer.id}/"))


def test_without_a_fresh_sign_in_the_letter_leads_to_confirm_and_back_to_what_was_typed(
    alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    ask_more(catalogue.deployer, needs_step_up=True)
    forget_sign_in(alice)
    answer = post(alice, catalogue.deployer, duration="7200", reason="A & B <c>", ticket="INC-7")
    assert answer.status_code == 403
    assert only_denial().code == "step_up_required"
    link = re.search(r'href="(/account/confirm/[^"]+)"', answer.content.decode())
    assert link is not None
    address = unescape(link[1])
    back = parse_qs(urlsplit(address).query)["next"][0]

    confirmed = alice.post("/account/confirm/", {"password": PASSWORD, "next": back})
    assert (confirmed.status_code, confirmed["Location"]) == (302, back)
    page = alice.get(back).content.decode()
    assert unescape(hidden(page, "reason")) == "A & B <c>"
    assert hidden(page, "ticket") == "INC-7"
    assert re.search(r'value="7200"\s+checked', page)
    submission = hidden(page, "submission")
    again = alice.post(
        f"/roles/{catalogue.deployer.id}/issue/", {"duration": "7200", "reason": "A & B", "submission": submission}
    )
    assert again.status_code == 200
    assert len(sts.ledger.mints) == 1


@pytest.mark.parametrize("query", ["reason=" + "x" * 9000, "reason=a%E2%80%AEb", "duration=9e9", "duration=-1"])
def test_an_address_with_anything_in_it_only_fills_the_form(alice: Client, catalogue: Catalogue, query: str) -> None:
    answer = alice.get(f"/roles/{catalogue.deployer.id}/?{query}&narrowing=read-only&submission=x")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert len(hidden(page, "reason")) <= 500
    assert "\u202e" not in page
    assert hidden(page, "submission") != "x"
    assert not re.search(r'value="read-only"[^>]*checked', page)
