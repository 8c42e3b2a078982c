"""One event's whole row, column by column: what a test does not name has to be empty."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from credportal.access.models import Account, Role, User
from credportal.audit.columns import COLUMNS, Form
from credportal.audit.models import Event, EventKind
from tests.support.requests import ORIGIN

BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"
EMPTY: dict[Form, Any] = {Form.TEXT: "", Form.JSON: {}}
GIVEN_BY_THE_DATABASE = {"id", "at"}


class _RequestId(str):
    """Equals the id of any request."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch("[0-9a-f]{16}", other) is not None

    __hash__ = str.__hash__


BY_FLOW = {"address": ORIGIN.address, "user_agent": ORIGIN.user_agent, "request_id": ORIGIN.request_id}
BY_PAGE = {"address": "127.0.0.1", "user_agent": BROWSER, "request_id": _RequestId("any")}
BY_PORTAL: dict[str, Any] = {}
"""From where the event came: a flow with the origin of the tests, a page, or the portal itself."""


def by(user: User) -> dict[str, Any]:
    """Return the columns of who acted, for nobody but themselves."""
    return {
        "actor_id": user.pk,
        "actor_handle": user.handle,
        "actor_name": str(user),
        "on_behalf_of": user.handle,
    }


def of_account(account: Account) -> dict[str, Any]:
    """Return the columns of an account."""
    return {"account_number": account.number, "account_name": account.name, "environment": account.environment}


def of_role(role: Role) -> dict[str, Any]:
    """Return the columns of a role and its account."""
    return {**of_account(role.account), "role_arn": role.arn, "role_name": role.name}


def of_mint(mint: Any) -> dict[str, Any]:
    """Return the columns of what the STS of the tests minted."""
    return {
        "duration_given": timedelta(seconds=mint.duration),
        "aws_request_id": mint.request_id,
        "access_key_id": mint.access_key_id,
        "assumed_role_id": f"AROAFAKEFAKEFAKEFAKE:{mint.session_name}",
        "expiration": datetime.strptime(mint.expiration, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
    }


def assert_content(kind: EventKind, *parts: dict[str, Any], **said: Any) -> None:
    """Check the one event of this kind: each column as the parts and ``said`` name it, later ones first, else empty."""
    event = Event.objects.get(kind=kind.value)
    names = [column.name for column in COLUMNS if column.name not in GIVEN_BY_THE_DATABASE]
    row = {name: getattr(event, name) for name in names}
    expected = {column.name: EMPTY.get(column.form) for column in COLUMNS if column.name in names}
    for part in (*parts, said):
        assert part.keys() <= expected.keys()
        expected |= part
    assert row == expected | {"kind": kind.value}
    assert event.id >= 1
    assert abs(timezone.now() - event.at) < timedelta(minutes=1)
    assert len(event.hash) == 32
