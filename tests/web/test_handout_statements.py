"""How many statements a look and a claim take, and that it does not matter how much there is besides."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credportal.access.models import User
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.handouts import VENDOR, handed_out, support, token_of
from tests.support.visitor import new_submission

pytestmark = pytest.mark.django_db(transaction=True)
AROUND = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def statements(client: Client, path: str, fields: dict[str, str]) -> list[str]:
    """Post a form that has to work; return what the database was asked, without begin and commit."""
    with CaptureQueriesContext(connection) as seen:
        answer: Any = client.post(path, fields)
    assert answer.status_code == 200, answer.content[:500]
    return [query["sql"] for query in seen.captured_queries if not query["sql"].startswith(AROUND)]


def counted(cast: Cast, catalogue: Catalogue, sign_in: Callable[[User], Client]) -> dict[str, int]:
    """Hand out to Charlie and to a vendor; return how many statements each takes to look and to claim."""
    links = {
        "colleague": handed_out(cast.bob, catalogue.read_only, cast.charlie, minutes=30, submission=new_submission()),
        "outsider": handed_out(cast.bob, catalogue.read_only, VENDOR, minutes=30, submission=new_submission()),
    }
    clients = {"colleague": sign_in(cast.charlie), "outsider": Client()}
    found = {}
    for who, given in links.items():
        fields = {"token": token_of(given), "code": given.code}
        for act, path in (("look", "/claim/look/"), ("claim", "/claim/")):
            found[f"{act}, {who}"] = len(statements(clients[who], path, fields))
    return found


def test_a_look_and_a_claim_take_few_statements_however_much_is_handed_out(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, sign_in: Callable[[User], Client]
) -> None:
    support(cast, catalogue.read_only, outsider_minutes=30, max_open=50, max_per_day=50)
    first = counted(cast, catalogue, sign_in)
    for _ in range(20):
        handed_out(cast.bob, catalogue.read_only, cast.charlie, minutes=30, submission=new_submission())
    assert counted(cast, catalogue, sign_in) == first
    # Of a look eight count it against its address; one finds the hand-out, two the person.
    assert first["look, colleague"] <= 11
    assert first["look, outsider"] <= 9
    assert first["claim, colleague"] <= 15
    assert first["claim, outsider"] <= 16
