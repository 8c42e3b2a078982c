"""The form that hands out: what it offers, what it keeps, and that every no of the rule book has its row."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as portal_settings
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from credportal.access.models import Handout, Role, User
from credportal.audit.models import Event
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue, make_role
from tests.support.handouts import delegate, support
from tests.support.html import hidden
from tests.support.unwritable import unwritable_audit

HTMX = {"HX-Request": "true"}
NEW = "/handouts/new/"
LINK = re.compile(r'data-field="claim-link"[^>]*>([^<]*)<')
CODE = re.compile(r'data-field="claim-code"[^>]*><span>([0-9]*)</span><span>([0-9]*)</span></p>')


@pytest.fixture
def role(cast: Cast, catalogue: Catalogue) -> Role:
    """A role that Bob may hand to colleagues for two hours and to outsiders for thirty minutes."""
    support(cast, catalogue.read_only, outsider_minutes=30)
    return catalogue.read_only


def fields(role: Role, /, **changes: Any) -> dict[str, Any]:
    """Return what the form sends, with some of it changed; None leaves a field out."""
    usual = {
        "to": "colleague",
        "recipient": "charlie",
        "role": role.id,
        "duration": "3600",
        "window": "3600",
        "reason": "Case 4711: look at the queue",
        "submission": "submission-of-a-hand-out",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def outsider(**changes: Any) -> dict[str, Any]:
    return {
        "to": "outsider",
        "recipient": None,
        "outsider_name": "Vera Vendor",
        "outsider_email": "vera@vendor.example",
        "duration": "1800",
        **changes,
    }


def send(client: Client, role: Role, /, **changes: Any) -> Any:
    return client.post(NEW, fields(role, **changes))


def denials() -> list[tuple[str, str, str]]:
    return list(Event.objects.order_by("id").values_list("kind", "code", "actor_handle"))


def test_bob_hands_out_and_sees_the_link_once(bob: Client, role: Role, sts: FaultSTS) -> None:
    response = send(bob, role)
    page = response.content.decode()
    handout = Handout.objects.get()
    (link,) = LINK.findall(page)
    assert response.status_code == 200
    assert re.fullmatch(re.escape(portal_settings.PORTAL_URL.rstrip("/")) + "/claim/#[A-Za-z0-9_-]{43}", link)
    assert f'data-handout="{handout.id}"' in page
    assert "no-store" in response["Cache-Control"]
    assert link.partition("#")[2] not in str(response.headers)
    assert "claim-code" not in page
    assert sts.ledger.mints == []
    assert denials() == [("handout:made", "", "bob")]
    assert link.partition("#")[2] not in bob.get(f"/handouts/{handout.id}/").content.decode()


def test_the_link_is_drawn_dark_on_light_with_its_quiet_zone_and_no_style(bob: Client, role: Role) -> None:
    page = send(bob, role).content.decode()
    drawn = re.search(r"<svg viewBox=[^>]*>.*?</svg>", page, re.DOTALL)
    assert drawn is not None
    assert '<path fill="#fff" d="M0 0h' in drawn[0]
    assert re.search(r'<path (?:transform="[^"]*" )?stroke="#000" d="M4 4.5', drawn[0])
    assert "style=" not in page


def test_an_outsiders_code_is_shown_in_two_halves_whose_text_is_the_code(bob: Client, role: Role) -> None:
    page = send(bob, role, **outsider()).content.decode()
    ((first, second),) = CODE.findall(page)
    assert re.fullmatch("[0-9]{8}", first + second)
    handout = Handout.objects.get()
    assert (handout.outsider_name, handout.outsider_email) == ("Vera Vendor", "vera@vendor.example")
    assert first + second not in repr(list(Event.objects.values_list()))


def test_htmx_gets_the_fragment_of_the_link(bob: Client, role: Role) -> None:
    page = bob.post(NEW, fields(role), headers=HTMX).content.decode()
    assert "<html" not in page
    assert "claim-link" in page


def test_one_form_hands_out_once(bob: Client, role: Role) -> None:
    (link,) = LINK.findall(send(bob, role).content.decode())
    again = send(bob, role)
    page = again.content.decode()
    assert again.status_code == 409
    assert link.partition("#")[2] not in page
    assert f"/handouts/{Handout.objects.get().id}/" in page


def test_a_rendered_form_carries_what_its_post_needs(bob: Client, role: Role) -> None:
    page = bob.get(NEW).content.decode()
    response = send(bob, role, submission=hidden(page, "submission"), window=None)
    assert response.status_code == 200
    handout = Handout.objects.get()
    assert handout.expires_at - handout.made_at < timedelta(hours=1, minutes=1)


def test_all_that_is_chosen_arrives(bob: Client, role: Role) -> None:
    narrowing = ["read-only", "claim-address", "region:eu-west-1"]
    more = {"duration": "custom", "duration_minutes": "45", "window": "900", "ticket": "INC-7"}
    assert send(bob, role, narrowing=narrowing, **more).status_code == 200
    handout = Handout.objects.get()
    assert (handout.duration, handout.ticket) == (timedelta(minutes=45), "INC-7")
    assert (handout.read_only, handout.from_claim_address, handout.region) == (True, True, "eu-west-1")
    assert handout.made_from == "127.0.0.1"


@pytest.mark.parametrize("typed", ["charlie", "Charlie Novak", "charlie novak"])
def test_a_colleague_is_found_by_handle_or_by_name(bob: Client, cast: Cast, role: Role, typed: str) -> None:
    assert send(bob, role, recipient=typed).status_code == 200
    assert Handout.objects.get().recipient == cast.charlie


def test_a_name_that_two_have_is_nobody(bob: Client, cast: Cast, role: Role) -> None:
    User.objects.filter(pk=cast.alice.pk).update(name="Charlie Novak")
    assert send(bob, role, recipient="Charlie Novak").status_code == 403
    assert denials() == [("handout:denied", "recipient_unknown", "bob")]


@pytest.mark.parametrize(
    ("changes", "code", "sentence"),
    [
        ({"recipient": "bob"}, "handout_to_self", "Nobody hands out to themselves"),
        ({"recipient": "nobody-of-this-name"}, "recipient_unknown", "There is no such recipient"),
        ({"recipient": "alice"}, "recipient_inactive", "is switched off in the portal"),
        ({"role": "x" * 300}, "not_delegated", "No delegation of yours covers this role"),
        ({"role": "'; drop table access_role; --"}, "not_delegated", "No delegation of yours covers this role"),
        ({"role": None}, "not_delegated", "No delegation of yours covers this role"),
        ({"duration": "7201"}, "duration_too_long", "You may hand out PaymentsReadOnly for up to 2 h"),
        ({"duration": "9" * 5000}, "duration_too_long", "You may hand out PaymentsReadOnly for up to 2 h"),
        ({"duration": "0"}, "duration_too_short", "AWS issues nothing shorter than 15 min"),
        ({"window": "0"}, "window_too_short", "A hand-out can be claimed for 15 min at least"),
        ({"window": str(365 * 86400)}, "window_too_long", "A hand-out can be claimed for 24 h at most"),
        (outsider(outsider_email="dana@example.com"), "recipient_is_colleague", "belongs to a user of the portal"),
        (outsider(duration="1860"), "duration_too_long", "for up to 30 min"),
    ],
    ids=lambda value: None if isinstance(value, dict) else str(value)[:30],
)
def test_what_may_not_be_is_refused_with_its_sentence_and_its_row(
    bob: Client, role: Role, changes: dict[str, Any], code: str, sentence: str
) -> None:
    User.objects.filter(username="alice").update(is_active=False)
    User.objects.filter(username="dana").update(email="dana@example.com")
    response = send(bob, role, **changes)
    page = response.content.decode()
    assert (response.status_code, denials()) == (403, [("handout:denied", code, "bob")])
    assert sentence in page
    assert f'data-denied="{code}"' in page
    assert "Case 4711: look at the queue" in page
    assert not Handout.objects.exists()


def test_a_role_outside_the_delegation_is_refused(bob: Client, catalogue: Catalogue, role: Role) -> None:
    assert send(bob, catalogue.administrator).status_code == 403
    assert denials() == [("handout:denied", "not_delegated", "bob")]


def test_a_role_that_needs_an_approval_is_refused_and_named_as_such(
    bob: Client, cast: Cast, catalogue: Catalogue, role: Role
) -> None:
    Role.objects.filter(pk=catalogue.on_call.pk).update(needs_approval=True)
    delegate(cast.bob, catalogue.on_call)
    page = bob.get(NEW).content.decode()
    assert "would go around the approvers" in page
    assert f'value="{catalogue.on_call.id}"' not in page
    assert send(bob, catalogue.on_call).status_code == 403
    assert denials() == [("handout:denied", "approval_not_handed_out", "bob")]


def test_over_the_counts_of_the_delegation_is_refused(bob: Client, cast: Cast, catalogue: Catalogue) -> None:
    support(cast, catalogue.read_only, max_open=1, max_per_day=1)
    assert send(bob, catalogue.read_only).status_code == 200
    page = bob.get(NEW).content.decode()
    assert "1 of 1 are open" in page
    assert send(bob, catalogue.read_only, submission="another-submission").status_code == 403
    Handout.objects.update(state="cancelled")
    assert send(bob, catalogue.read_only, submission="third-submission").status_code == 403
    assert [code for _, code, _ in denials()] == ["", "too_many_open", "too_many_today"]


def test_too_long_offers_what_is_allowed_with_all_that_was_typed(bob: Client, role: Role) -> None:
    page = send(bob, role, duration="10800", ticket="INC-7", narrowing=["read-only"]).content.decode()
    form = page[page.index("data-denied") : page.index("Hand it out for 2 h")]
    sent = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form))
    sent.pop("csrfmiddlewaretoken", None)
    assert sent["duration"] == "7200"
    assert sent["submission"] != "submission-of-a-hand-out"
    assert bob.post(NEW, sent).status_code == 200
    handout = Handout.objects.get()
    assert (handout.ticket, handout.read_only) == ("INC-7", True)
    assert handout.reason == "Case 4711: look at the queue"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"to": None}, "Say whom it is for"),
        ({"to": "martian"}, "Say whom it is for"),
        ({"recipient": ""}, "Write which colleague it is for"),
        ({"recipient": "x" * 201}, "Write a name or a handle"),
        (outsider(outsider_name=""), "Write what the outsider is called"),
        (outsider(outsider_name="Vera\u202eVendor"), "which a reader cannot see"),
        (outsider(outsider_email="vera"), "e-mail address, such as"),
        (outsider(outsider_email=f"{'v' * 250}@vendor.example"), "e-mail address, such as"),
        ({"duration": "soon"}, "Choose for how long"),
        ({"duration": "-900"}, "Choose for how long"),
        ({"duration": None}, "Choose for how long"),
        ({"duration": "custom", "duration_minutes": "x"}, "whole minutes"),
        ({"window": "later"}, "Choose how long it can be claimed"),
        ({"window": ["900", "1800"]}, "Send one window, not several"),
        ({"reason": "two\nlines"}, "as one line"),
        ({"reason": "x" * 501}, "Shorten the reason"),
        ({"ticket": "not a ticket"}, "Write the ticket as letters"),
        ({"narrowing": ["my-address"]}, "Choose the narrowing from the list"),
        ({"narrowing": ["region:eu-west-1", "region:us-east-1"]}, "Choose one region"),
        ({"submission": ""}, "lost its one-time id"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value,
)
def test_a_mistake_comes_back_on_its_field_with_what_was_typed(
    bob: Client, role: Role, changes: dict[str, Any], sentence: str
) -> None:
    response = send(bob, role, **{"ticket": "INC-7", **changes})
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    if "reason" not in changes:
        assert 'value="Case 4711: look at the queue"' in page
    if "ticket" not in changes:
        assert 'value="INC-7"' in page
    assert not Handout.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": " "}, "reason_required"),
        ({}, "ticket_required"),
        ({"ticket": "SEC-7"}, "ticket_malformed"),
    ],
    ids=["reason", "no ticket", "wrong ticket"],
)
def test_what_the_role_asks_for_is_missed_on_its_field_and_in_the_audit(
    bob: Client, role: Role, changes: dict[str, Any], code: str
) -> None:
    Role.objects.filter(pk=role.pk).update(needs_ticket=True, ticket_pattern="INC-#")
    response = send(bob, role, **changes)
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.content.decode()
    assert denials() == [("handout:denied", code, "bob")]


def test_a_role_with_step_up_asks_for_a_fresh_sign_in_and_keeps_what_was_typed(bob: Client, role: Role) -> None:
    Role.objects.filter(pk=role.pk).update(needs_step_up=True)
    response = send(bob, role, ticket="INC-7")
    page = response.content.decode()
    assert (response.status_code, denials()) == (403, [("handout:denied", "step_up_required", "bob")])
    assert "/account/confirm/?next=%2Fhandouts%2Fnew%2F%3F" in page
    back = bob.get(f"{NEW}?role={role.id}&recipient=charlie&reason=Case+4711&ticket=INC-7&window=900").content.decode()
    for typed in ('value="charlie"', 'value="Case 4711"', 'value="INC-7"'):
        assert typed in back


def test_nothing_is_handed_out_that_cannot_be_recorded(bob: Client, role: Role) -> None:
    with unwritable_audit():
        response = send(bob, role)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "Nothing was handed out" in response.content.decode()
    assert not Handout.objects.exists()


def test_whoever_has_no_delegation_is_told_what_next(bob: Client, cast: Cast, catalogue: Catalogue) -> None:
    support(cast)
    page = bob.get(NEW).content.decode()
    assert "Nothing is delegated to you" in page
    assert "Ask an admin of the portal for a delegation" in page
    assert send(bob, catalogue.read_only).status_code == 403


def test_what_one_may_use_oneself_is_not_offered_to_hand_out(
    bob: Client, cast: Cast, catalogue: Catalogue, role: Role
) -> None:
    delegate(cast.charlie, catalogue.deployer)
    page = bob.get(NEW).content.decode()
    assert f'value="{role.id}"' in page
    for other in (catalogue.deployer, catalogue.on_call, catalogue.administrator):
        assert f'value="{other.id}"' not in page


def test_each_role_says_how_long_and_why_for_whom_and_what_it_needs(
    bob: Client, cast: Cast, catalogue: Catalogue, role: Role
) -> None:
    Role.objects.filter(pk=catalogue.deployer.pk).update(needs_ticket=True)
    delegate(cast.bob, catalogue.deployer, recipients=catalogue.engineers)
    page = re.sub(r"<[^>]*>", "", bob.get(NEW).content.decode())
    page = re.sub(r"\s+", " ", page)
    for words in (
        "Up to 2 h Limit for the group support.",
        "Outsiders up to 30 min",
        "For colleagues only",
        "Only for members of engineers",
        "Ticket",
    ):
        assert words in page


def test_colleagues_are_found_as_one_types(bob: Client, cast: Cast, role: Role) -> None:
    User.objects.bulk_create(
        User(username=f"p{number}", handle=f"p{number}", name=f"P {number}") for number in range(400)
    )
    page = bob.get(NEW).content.decode()
    assert page.count("<option value=") < 400
    headers = {**HTMX, "HX-Target": "people"}
    found = bob.get(f"{NEW}?recipient=novak", headers=headers).content.decode()
    assert re.findall(r'<option value="([^"]*)">([^<]*)</option>', found) == [("charlie", "Charlie Novak")]


def test_neither_oneself_nor_the_switched_off_are_suggested(bob: Client, cast: Cast, role: Role) -> None:
    User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    page = bob.get(NEW).content.decode()
    assert '<option value="bob">' not in page
    assert '<option value="alice">' not in page
    assert '<option value="charlie">' in page


def test_more_roles_take_no_more_statements(bob: Client, cast: Cast, catalogue: Catalogue, role: Role) -> None:
    bob.get(NEW)
    with CaptureQueriesContext(connection) as few:
        bob.get(NEW)
    delegate(cast.bob, *[make_role(catalogue.staging, f"Role{number}") for number in range(30)])
    with CaptureQueriesContext(connection) as many:
        bob.get(NEW)
    assert len(many) == len(few) <= 10


@pytest.mark.parametrize("name", ["alice", "charlie", "dana", "erin"])
def test_only_support_hands_out(
    cast: Cast, sign_in: Callable[[User], Client], catalogue: Catalogue, role: Role, name: str
) -> None:
    delegate(getattr(cast, name), role)
    client = sign_in(getattr(cast, name))
    assert client.get(NEW).status_code == 403
    assert send(client, role, recipient="bob").status_code == 403
    assert not Handout.objects.exists()


@pytest.mark.parametrize("chosen", [True, False])
def test_the_link_goes_by_mail_only_where_the_issuer_chose_so(
    bob: Client, role: Role, settings: Settings, mailoutbox: list[EmailMessage], chosen: bool
) -> None:
    settings.MAIL_IS_ON = True
    assert 'name="mail_link"' in bob.get(NEW).content.decode()
    page = send(bob, role, **outsider(mail_link="on" if chosen else None)).content.decode()
    (link,) = LINK.findall(page)
    ((first, second),) = CODE.findall(page)
    assert ("Sent to <bdi>vera@vendor.example</bdi>" in page) is chosen
    assert [link in str(mail.body) for mail in mailoutbox] == ([True] if chosen else [])
    assert not any(first + second in str(mail.body) for mail in mailoutbox)


def test_a_mail_that_could_not_be_sent_is_told_beside_the_link(
    bob: Client, cast: Cast, role: Role, settings: Settings
) -> None:
    settings.MAIL_IS_ON = True
    assert not cast.charlie.email
    page = send(bob, role, mail_link="on").content.decode()
    assert "The mail could not be sent: copy the link" in page
    assert LINK.findall(page)


def test_where_the_portal_sends_no_mail_it_offers_none(bob: Client, role: Role, settings: Settings) -> None:
    settings.MAIL_IS_ON = False
    assert "mail_link" not in bob.get(NEW).content.decode()
