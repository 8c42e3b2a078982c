"""What tests of notices share: people with addresses, a cursor that stands at now, and the mails of one run."""

from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone

from credportal.access.models import User
from credportal.flows.notices import Told, send_notices
from tests.support.cast import Cast


def give_addresses(cast: Cast) -> None:
    """Give everybody of the cast an address at example.com."""
    for person in (cast.alice, cast.bob, cast.charlie, cast.dana, cast.erin):
        person.email = f"{person.handle}@example.com"
        person.save()


def begin() -> None:
    """Let notices begin here: the first run tells nothing of the past."""
    send_notices(now=timezone.now())
    mail.outbox.clear()


def run(**later: Any) -> Told:
    """Run the notices once."""
    return send_notices(**{"now": timezone.now(), **later})


def new_mails() -> list[EmailMessage]:
    """Run the notices, and return the mails of this run."""
    mail.outbox.clear()
    told = run()
    assert told.fault == ""
    return list(mail.outbox)


def to_whom(mails: list[EmailMessage]) -> list[str]:
    """Return the handles of those who got mails, in order."""
    assert all(len(message.to) == 1 and not message.cc and not message.bcc for message in mails)
    return [message.to[0].partition("@")[0] for message in mails]


def the_one_to(person: User | str, mails: list[EmailMessage]) -> EmailMessage:
    """Return the only mail to somebody."""
    address = person if isinstance(person, str) else f"{person.handle}@example.com"
    [message] = [message for message in mails if message.to == [address]]
    return message


@pytest.fixture
def told_cast(cast: Cast) -> Cast:
    """Give the cast addresses, and let notices begin here."""
    give_addresses(cast)
    begin()
    return cast
