"""What mails say of a hand-out. None of it is a secret."""

import zoneinfo
from datetime import datetime
from typing import Any

from django.conf import settings

from credportal.access.models import Handout, User
from credportal.domain.durations import describe_duration
from credportal.domain.handouts import HandoutState


def words_of(handout: Handout, reader: User | None) -> dict[str, Any]:
    """Return the words for a template, with times as ``reader`` reads them; None is an outsider."""
    role, account = handout.role, handout.role.account
    tells = account.environment in account.name.lower()
    return {
        "issuer": str(handout.issuer),
        "recipient": handout.recipient_name,
        "email": handout.outsider_email,
        "is_outsider": handout.is_for_outsider,
        "is_open": handout.state == HandoutState.OPEN,
        "role": role.label or role.name,
        "account": account.name if tells else f"{account.name} ({account.environment})",
        "duration": describe_duration(handout.duration),
        "reason": handout.reason,
        "ticket": handout.ticket,
        "until": moment(handout.expires_at, reader),
    }


def moment(at: datetime, reader: User | None) -> str:
    """Write a moment in the reader's time zone, and name it: ``28 Nov 2026, 15:05 (Europe/Berlin)``."""
    name = reader.time_zone if reader else settings.TIME_ZONE
    local = at.astimezone(zoneinfo.ZoneInfo(name))
    return f"{local.day} {local:%b %Y, %H:%M} ({name})"
