"""Forms that ask with one press, with everything that was typed: get it shorter, try again, renew, as last time."""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlencode

from django.urls import reverse

from credportal.domain.types import IssuanceRequest
from credportal.web.forms.issue import MY_ADDRESS, READ_ONLY, REGION_PREFIX


def new_submission() -> str:
    """Make the one-time id of a form that is about to be rendered."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Offer:
    """The hidden inputs of such a form, and what its button says."""

    label: str
    role_id: str
    duration_seconds: int
    reason: str = ""
    ticket: str = ""
    narrowing: tuple[str, ...] = ()
    submission: str = field(default_factory=new_submission)
    break_glass: bool = False

    @property
    def route(self) -> str:
        """Return the name of the address that the form goes to."""
        return "break_glass" if self.break_glass else "issue"


def offer_of(asked: IssuanceRequest, *, label: str, duration: timedelta) -> Offer:
    """Return the form that asks for the same, for ``duration``."""
    narrowing = asked.narrowing
    chosen = [READ_ONLY] if narrowing.read_only else []
    chosen += [MY_ADDRESS] if narrowing.address else []
    chosen += [f"{REGION_PREFIX}{narrowing.region}"] if narrowing.region else []
    return Offer(
        label,
        asked.role_id,
        int(duration.total_seconds()),
        asked.reason,
        asked.ticket,
        tuple(chosen),
        break_glass=asked.break_glass,
    )


def request_url(asked: IssuanceRequest) -> str:
    """Return the address of the request page, with what was typed: it never mints, and shows it again."""
    typed = {"duration": int(asked.duration.total_seconds()) or "", "reason": asked.reason, "ticket": asked.ticket}
    query = urlencode({name: value for name, value in typed.items() if value})
    page = reverse("role", args=[asked.role_id])
    return f"{page}?{query}" if query else page


def confirm_url(back: str) -> str:
    """Return the address where a person confirms who they are, and then comes back to one of our own."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
