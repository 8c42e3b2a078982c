"""The one mail with a link in it, where the issuer chose so. It never waits anywhere: no outbox, no database."""

import structlog
from django.conf import settings

from credportal.access.models import Handout
from credportal.flows.handout_words import words_of
from credportal.flows.mail import compose, send_at_once

log = structlog.get_logger(__name__)


def mail_link(handout: Handout, address: str) -> bool:
    """Mail the recipient their link; False where that failed. The code for an outsider is never mailed."""
    to = handout.recipient.email if handout.recipient else handout.outsider_email
    if not settings.MAIL_IS_ON or not to:
        log.warning("mail.not_sent", handout_id=handout.id, cause="no server" if to else "no address")
        return False
    return send_at_once(compose("link", to, {**words_of(handout, handout.recipient), "address": address}))
