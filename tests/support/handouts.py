"""Delegations, hand-outs and claims, as tests need them: Bob is support and hands out, Charlie receives."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone

from credportal.access.models import Delegation, Handout, Role, User
from credportal.domain.handouts import HandoutRequest
from credportal.domain.types import Duty
from credportal.flows.claim import Claimed
from credportal.flows.claim import claim as claim_flow
from credportal.flows.claim_door import NotClaimed
from credportal.flows.handout import Addressee, HandedOut
from credportal.flows.handout import hand_out as hand_out_flow
from tests.support.cast import Cast, give_duties
from tests.support.requests import ORIGIN

VENDOR = Addressee(name="Vera Vendor", email="vera@vendor.example")


def delegate(
    holder: Group | User, *roles: Role, hours: float = 2, outsider_minutes: int | None = None, **fields: Any
) -> Delegation:
    """Let somebody hand out these roles; with ``outsider_minutes`` to outsiders too, as each role then allows."""
    whom = {"group": holder} if isinstance(holder, Group) else {"user": holder}
    outsiders = timedelta(minutes=outsider_minutes) if outsider_minutes else None
    row = Delegation.objects.create(
        max_duration=timedelta(hours=hours),
        outsider_duration=outsiders,
        **{"name": f"Delegation {Delegation.objects.count() + 1}", **whom, **fields},
    )
    row.roles.set(roles)
    if outsiders:
        Role.objects.filter(pk__in=[role.pk for role in roles]).update(outsider_duration=outsiders)
    return row


def support(cast: Cast, *roles: Role, **fields: Any) -> Delegation:
    """Give Bob the duty support, and his group a delegation for these roles."""
    group = give_duties("support", (Duty.SUPPORT,), cast.bob)
    return delegate(group, *roles, **fields)


def fresh(user: User) -> User:
    """Return the person as the next request would know them: nothing remembered of their duties."""
    return User.objects.get(pk=user.pk)


def hand_out(
    user: User,
    role: Role,
    to: User | Addressee,
    *,
    minutes: int = 60,
    window: timedelta = timedelta(hours=1),
    submission: str = "submission-of-a-hand-out",
    mail_link: bool = False,
    **more: Any,
) -> Any:
    """Hand a role out; return the flow's answer."""
    asked = HandoutRequest(
        role_id=role.id,
        duration=timedelta(minutes=minutes),
        window=window,
        submission=submission,
        **{"reason": "Case 4711: look at the queue", **more},
    )
    addressee = to if isinstance(to, Addressee) else Addressee(handle=to.handle)
    return hand_out_flow(
        user=fresh(user), asked=asked, addressee=addressee, origin=ORIGIN, now=timezone.now(), mail_link=mail_link
    )


def handed_out(user: User, role: Role, to: User | Addressee, **more: Any) -> HandedOut:
    """Hand a role out, where that has to work."""
    answer = hand_out(user, role, to, **more)
    assert isinstance(answer, HandedOut), answer
    return answer


def token_of(given: HandedOut) -> str:
    """Return the token of a link."""
    token = given.address.partition("#")[2]
    assert re.fullmatch("[A-Za-z0-9_-]{43}", token)
    return token


def claim(user: User | None, given: HandedOut | str, *, code: str = "", origin: Any = ORIGIN) -> Any:
    """Claim with a link, or with a token; return the flow's answer."""
    token = given if isinstance(given, str) else token_of(given)
    who = fresh(user) if user else None
    return claim_flow(token=token, code=code, user=who, origin=origin, now=timezone.now())


def why_not(answer: object) -> str:
    """Return the code by which a claim was refused before the rules."""
    assert isinstance(answer, NotClaimed), answer
    return answer.why.value


def answer_of(answer: object) -> Any:
    """Return what the issuance of a claim came to."""
    assert isinstance(answer, Claimed), answer
    return answer.answer


def state(given: HandedOut) -> str:
    """Return where a hand-out stands in the database."""
    return str(Handout.objects.get(pk=given.handout.pk).state)
