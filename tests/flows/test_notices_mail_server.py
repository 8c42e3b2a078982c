"""Notices over real SMTP: what the server refuses, breaks off or leaves unanswered, and what becomes of it."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import Handout, User
from credportal.audit.models import Progress
from credportal.flows import mail
from credportal.flows.housekeeping import keep_house
from credportal.flows.notices import Told, send_notices
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, handed_out, support, token_of
from tests.support.mail_server import MailServer, mail_server
from tests.support.notices import run, told_cast
from tests.support.scanner import found

__all__ = ["told_cast"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(told_cast: Cast, settings: Settings) -> Iterator[MailServer]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", running.port, 1
        yield running


@pytest.fixture
def three(told_cast: Cast, catalogue: Catalogue) -> None:
    """Three hand-outs, to Charlie, Alice and Erin: three mails."""
    support(told_cast, catalogue.read_only)
    for person in (told_cast.charlie, told_cast.alice, told_cast.erin):
        handed_out(
            told_cast.bob,
            catalogue.read_only,
            person,
            window=timedelta(hours=8),
            submission=f"submission-for-{person.handle}",
        )


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Let nobody wait for half a second, and the steps of SMTP for far longer."""
    monkeypatch.setattr(mail, "AT_ONCE_SECONDS", 0.5)
    settings.EMAIL_TIMEOUT = 15


CHARLIE, ALICE, ERIN = "charlie@example.com", "alice@example.com", "erin@example.com"


def test_mails_arrive_in_order_over_one_connection(server: MailServer, three: None) -> None:
    assert run() == Told(sent=3)
    assert (server.to(), server.connections) == ([CHARLIE, ALICE, ERIN], 1)
    [first, *_] = server.mails()
    assert (first["To"], first["From"]) == (CHARLIE, "credportal@localhost")
    assert "Bob Osei hands you" in first.get_content()
    assert run() == Told(), "nothing comes twice where all went well"


def test_letters_beyond_ascii_arrive_as_they_were_typed(
    server: MailServer, told_cast: Cast, catalogue: Catalogue
) -> None:
    User.objects.filter(handle="bob").update(name="Bøb Øsei 🦉")
    support(told_cast, catalogue.read_only)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, reason="Größe prüfen")
    run()
    [message] = server.mails()
    assert message["Subject"].strip().startswith("Bøb Øsei 🦉 hands you")
    assert "Größe prüfen" in message.get_content()


@pytest.mark.parametrize("code", [550, 553])
def test_an_address_that_is_refused_for_good_is_skipped_and_the_rest_goes(
    server: MailServer, three: None, code: int
) -> None:
    server.refused[ALICE] = code
    assert run() == Told(sent=2, refused=1)
    assert server.to() == [CHARLIE, ERIN]
    assert run() == Told()


def test_a_mail_that_the_server_takes_from_nobody_is_skipped(server: MailServer, three: None) -> None:
    server.data_code = 554
    assert run() == Told(refused=3)
    assert run() == Told()


@pytest.mark.parametrize("address", ["vera@vendör.example", "véra@vendor.example"])
def test_an_address_that_the_server_cannot_write_stops_nobody(
    server: MailServer, told_cast: Cast, catalogue: Catalogue, address: str
) -> None:
    support(told_cast, catalogue.read_only)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    handed_out(told_cast.bob, catalogue.read_only, told_cast.alice, submission="submission-for-alice")
    User.objects.filter(handle="charlie").update(email=address)
    assert run().fault == ""
    assert ALICE in server.to()


def test_an_address_that_is_not_taken_now_is_tried_again_for_an_hour(server: MailServer, three: None) -> None:
    server.refused[ALICE] = 450
    told = run()
    assert (told.sent, told.refused) == (1, 0)
    assert told.fault == "The mail server takes nothing now (address refused with 450). Notices wait."
    assert run(now=timezone.now() + timedelta(minutes=59)).sent == 0
    assert run(now=timezone.now() + timedelta(minutes=61)) == Told(sent=1, refused=1)
    assert server.to() == [CHARLIE, ERIN]


@pytest.mark.parametrize("fault", ["busy", "hang", "drop", "drop-after-taking"])
def test_a_server_in_trouble_loses_no_mail(server: MailServer, three: None, fault: str) -> None:
    server.faults.append(fault)
    began = time.monotonic()
    assert run().fault.startswith("The mail server takes nothing now")
    assert time.monotonic() - began < 10
    assert run().fault == ""
    assert list(dict.fromkeys(server.to())) == [CHARLIE, ALICE, ERIN]
    assert server.to().count(CHARLIE) == (2 if fault == "drop-after-taking" else 1), "at least once, and rarely twice"


def test_a_mail_that_comes_twice_has_one_name(server: MailServer, three: None) -> None:
    server.faults.append("drop-after-taking")
    run()
    run()
    first, second, *_ = server.mails()
    assert first["Message-ID"] == second["Message-ID"] != ""


def test_a_server_that_is_away_stops_nothing_else_of_housekeeping(
    told_cast: Cast, catalogue: Catalogue, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    support(told_cast, catalogue.read_only)
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie)
    Handout.objects.update(expires_at=timezone.now())
    kept = keep_house()
    assert kept.handouts_expired == (given.handout.id,)
    assert kept.told == Told(fault="The mail server takes nothing now (ConnectionRefusedError). Notices wait.")
    with pytest.raises(SystemExit) as ended:
        call_command("housekeeping")
    assert ended.value.code == kept.told.fault


def test_after_days_away_the_server_gets_everything(server: MailServer, three: None, settings: Settings) -> None:
    settings.EMAIL_PORT = 9
    for _ in range(3):
        assert run().sent == 0
    settings.EMAIL_PORT = server.port
    assert run().sent == 3


def test_of_two_runs_at_once_one_sends(server: MailServer, three: None) -> None:
    told: list[Told] = []

    def work() -> None:
        told.append(send_notices(now=timezone.now()))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run()
    assert server.to() == [CHARLIE, ALICE, ERIN]
    assert all(each.fault == "" for each in told)


def test_a_restored_backup_is_told_from_where_it_ends(server: MailServer, three: None) -> None:
    Progress.objects.filter(reader="notices").update(through=10_000)
    assert run() == Told()
    assert Progress.objects.get(reader="notices").through < 10_000


def test_the_link_goes_over_the_wire_in_that_one_mail_only(
    server: MailServer, told_cast: Cast, catalogue: Catalogue
) -> None:
    support(told_cast, catalogue.read_only, outsider_minutes=30)
    given = handed_out(told_cast.bob, catalogue.read_only, VENDOR, minutes=30, mail_link=True)
    run()
    assert given.mailed is True
    [(address, raw)] = server.got
    assert address == "vera@vendor.example"
    assert token_of(given).encode() in raw.replace(b"=\r\n", b"")
    assert given.code.encode() not in raw
    assert found([token_of(given)], {"the mail": raw}) == ["the mail"]


@pytest.mark.parametrize("fault", ["busy", "hang", "drop"])
def test_whoever_waits_for_the_page_waits_for_seconds_at_most(
    server: MailServer, told_cast: Cast, catalogue: Catalogue, hasty: None, fault: str
) -> None:
    support(told_cast, catalogue.read_only)
    server.faults.append(fault)
    began = time.monotonic()
    given = handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, mail_link=True)
    assert given.mailed is False
    assert time.monotonic() - began < 8
    assert Handout.objects.get().state == "open"


def test_an_address_that_the_server_refuses_gets_no_link(
    server: MailServer, told_cast: Cast, catalogue: Catalogue
) -> None:
    support(told_cast, catalogue.read_only)
    server.refused[CHARLIE] = 550
    assert handed_out(told_cast.bob, catalogue.read_only, told_cast.charlie, mail_link=True).mailed is False
