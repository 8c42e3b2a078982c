"""What the credentials page shows, once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from credportal.domain.naming import profile_name
from credportal.domain.narrowing import describe
from credportal.domain.snippets import Snippet, Value, snippets, values
from credportal.domain.types import IssuanceRequest, RoleFacts
from credportal.flows.console import is_offered
from credportal.flows.issue import Issued
from credportal.web import offers


@dataclass(frozen=True, slots=True)
class IssuedPage:
    """The credentials as text for every shell, with what the page says around them.

    ``issuer`` names who handed them out, empty where nobody did. ``has_record`` where the person has a page of it.
    """

    issuance_id: str
    role: RoleFacts
    seconds_left: int
    seconds_total: int
    duration: timedelta
    expiration: datetime
    narrowed: tuple[str, ...]
    reason: str
    ticket: str
    session_name: str
    packed_policy_size: int | None
    snippets: tuple[Snippet, ...]
    values: tuple[Value, ...]
    profile_name: str
    renew: offers.Offer | None
    console: offers.Offer | None
    issuer: str = ""
    has_record: bool = True

    @property
    def clock(self) -> str:
        """Return how times are written: with their zone for whoever has not told us theirs."""
        return "H:i" if self.has_record else "H:i T"


def issued_page(answer: Issued, asked: IssuanceRequest, *, now: datetime) -> IssuedPage:
    """Return the page of freshly issued credentials. It must go into one response and nowhere else."""
    credentials, role = answer.assumed.credentials, answer.role
    profile = profile_name(role.account_name, role.name)
    return IssuedPage(
        issuance_id=answer.issuance_id,
        role=role,
        seconds_left=max(0, int((credentials.expiration - now).total_seconds())),
        seconds_total=int(asked.duration.total_seconds()),
        duration=asked.duration,
        expiration=credentials.expiration,
        narrowed=describe(asked.narrowing),
        reason=asked.reason,
        ticket=asked.ticket,
        session_name=answer.spec.session_name,
        packed_policy_size=answer.assumed.packed_policy_size,
        snippets=snippets(
            credentials,
            region=asked.narrowing.region or role.default_region,
            profile=profile,
            extra=(("AWS_ENDPOINT_URL", settings.DEMO_ENDPOINT),) if settings.DEMO_ENDPOINT else (),
        ),
        values=values(credentials),
        profile_name=profile,
        renew=offers.offer_of(asked, label="Renew", duration=asked.duration),
        console=offers.offer_of(asked, label="Open console", duration=asked.duration) if is_offered() else None,
    )
