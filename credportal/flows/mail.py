"""Sending mail: composed from a template, over one connection, with every way in which it can go wrong.

The first line of a template is the subject, the rest after an empty line the text. What people typed is made one
visible line before it gets there. Neither the log nor an error quotes a mail or what a server said.
"""

import hashlib
import re
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string

from credportal.domain.one_line import one_line

log = structlog.get_logger(__name__)

MOST_OF_A_SUBJECT = 150
AT_ONCE_SECONDS = 8.0
"""How long somebody may wait in front of a page until a mail is gone."""
_FINAL = 500  # From here on a reply code of SMTP means no, below it not now (RFC 5321, 4.2.1).


class Away(Exception):  # noqa: N818 -- what the server is.
    """The server cannot be reached, or takes nothing now. The same mail may go later."""


class NotNow(Exception):  # noqa: N818 -- what the server said.
    """The server does not take this one mail now."""


class Unsendable(Exception):  # noqa: N818 -- what the mail is.
    """A mail will never go: the server refuses the address or the mail for good, or it cannot be written."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one address. ``key`` tells it from every other, so that a second copy can be known for one."""

    to: str
    subject: str
    text: str = field(repr=False)
    key: str = ""


def compose(template: str, to: str, words: dict[str, Any], *, key: str = "") -> Mail:
    """Compose a mail from ``templates/mail/<template>.txt``."""
    said = {name: one_line(value) if isinstance(value, str) else value for name, value in words.items()}
    subject, _, text = render_to_string(f"mail/{template}.txt", said).strip().partition("\n")
    text = re.sub(r"\n{3,}", "\n\n", text.strip())
    return Mail(to, one_line(subject, most=MOST_OF_A_SUBJECT), f"{text}\n", key)


class Post:
    """A connection to the mail server, for one mail after the other."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def send(self, mail: Mail) -> None:
        """Send one mail. Raises Away, NotNow or Unsendable."""
        try:
            self._connection.send_messages([_message(mail)])
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise (Unsendable if min(codes) >= _FINAL else NotNow)(f"address refused with {min(codes)}") from None
        except smtplib.SMTPDataError as error:
            raise (Unsendable if error.smtp_code >= _FINAL else NotNow)(f"refused with {error.smtp_code}") from None
        except smtplib.SMTPNotSupportedError:
            # The address has letters that this server cannot write.
            raise Unsendable("SMTPNotSupportedError") from None
        except smtplib.SMTPResponseException as error:
            raise Away(f"{type(error).__name__} {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise Away(type(error).__name__) from None
        except (ValueError, MessageError) as error:
            raise Unsendable(type(error).__name__) from None


@contextmanager
def post() -> Iterator[Post]:
    """Open a connection to the server and close it in the end. Raises Away."""
    try:
        connection = get_connection()
        connection.open()
    except smtplib.SMTPResponseException as error:
        raise Away(f"{type(error).__name__} {error.smtp_code}") from None
    except (OSError, ValueError, ImproperlyConfigured) as error:
        raise Away(type(error).__name__) from None
    try:
        yield Post(connection)
    finally:
        # What was sent is sent, however the connection ends.
        with suppress(OSError):
            connection.close()


def send_at_once(mail: Mail) -> bool:
    """Send a mail while somebody waits for the page; False where that failed or took too long. Never raises.

    After AT_ONCE_SECONDS nobody waits any more. The mail may still go then.
    """
    done: list[bool] = []

    def send() -> None:
        try:
            with post() as opened:
                opened.send(mail)
            done.append(True)
        except (Away, NotNow, Unsendable) as error:
            log.warning("mail.not_sent", cause=f"{type(error).__name__}: {error}")

    # Each step of SMTP has its own time-out; a server that is slow at every step would hold the page up for all.
    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(AT_ONCE_SECONDS)
    if thread.is_alive():
        log.warning("mail.not_sent", cause="took too long")
    return bool(done)


def _message(mail: Mail) -> EmailMessage:
    host = urlsplit(settings.PORTAL_URL).hostname or "localhost"
    headers = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    if mail.key:
        # The same mail sent twice has the same name, by which servers and readers drop the second.
        name = hashlib.sha256(f"{mail.key} {mail.to}".encode()).hexdigest()[:32]
        headers["Message-ID"] = f"<{name}@{host}>"
    return EmailMessage(mail.subject, mail.text, None, [mail.to], headers=headers)
