"""What the tests of the audit page share: a log of eight issuances, and what an answer shows."""

import re
from datetime import timedelta
from typing import Any

from tests.support.cast import Cast
from tests.support.history import NOON, write_issuances

HTMX = {"HX-Request": "true"}
_OTHER_ACCOUNT = {"account_number": "602217449035", "account_name": "sandbox", "environment": "sandbox"}


def ids_in(response: Any) -> list[str]:
    """Return the issuances that a page lists, in its order."""
    return re.findall(r'href="/audit/(\d{12})/"', response.content.decode())


def text_of(response: Any) -> str:
    """Return the words of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def names(numbers: list[int]) -> list[str]:
    """Return the issuance ids with these numbers."""
    return [f"{number:012}" for number in numbers]


def write_some(cast: Cast) -> list[str]:
    """Write eight issuances of two people, two roles, two accounts, four outcomes, over some days."""
    bob = {"actor_id": cast.bob.pk, "actor_handle": "bob", "actor_name": "Bob Osei"}
    deployer = {"role_name": "Deployer", "role_arn": "arn:aws:iam::491200653381:role/Deployer"}
    rows: list[tuple[int, dict[str, Any]]] = [
        (1, {}),
        (2, {"status": "denied", "code": "not_eligible"}),
        (3, {**bob, **deployer}),
        (4, {**bob, **_OTHER_ACCOUNT}),
        (14, {**deployer, **_OTHER_ACCOUNT, "ticket": "PAY-7", "reason": "Settlement queue", "source": "approval"}),
        (15, {**deployer, "status": "failed", "code": "sts_denied"}),
        (40, {**bob, "status": "unknown", "code": "sts_timeout", "address": "203.0.113.24"}),
        (41, {"access_key_id": "ASIAIOSFODNN7EXAMPLE"}),
    ]
    write_issuances(
        {"id": f"{number:012}", "requested_at": NOON + timedelta(hours=number), "actor_id": cast.alice.pk, **columns}
        for number, columns in rows
    )
    return names([41, 40, 15, 14, 4, 3, 2, 1])
