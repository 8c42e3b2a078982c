"""From an empty database to an engineer's role, only through pages, each leading to the next."""

import re
from html import unescape

from django.contrib.auth.models import Group
from django.test import Client
from pytest_django.fixtures import Settings

from tests.support.cast import Cast
from tests.support.forms import send, told


def link(page: str, words: str) -> str:
    """Return where the link with these words leads."""
    found = re.search(rf'<a[^>]*href="([^"]*)"[^>]*>{re.escape(words)}', page)
    assert found, words
    return unescape(found[1])


def test_an_admin_gets_from_nothing_to_a_role_that_an_engineer_can_ask_for(
    dana: Client, alice: Client, cast: Cast, settings: Settings
) -> None:
    settings.PRINCIPAL = "arn:aws:iam::118840276615:role/portal"
    cast.alice.groups.add(Group.objects.create(name="engineers"))
    begin = dana.get("/catalogue/").content.decode()

    saved = send(dana, link(begin, "Add an account"), number="001122334455", name="data", environment="sandbox")
    account = dana.get(saved["Location"]).content.decode()

    new_role = link(account, "Add a role of it")
    arn = "arn:aws:iam::001122334455:role/Reader"
    saved = send(dana, new_role, arn=arn, default_region="eu-west-1", label="Reader")
    role = dana.get(saved["Location"]).content.decode()

    group = str(Group.objects.get(name="engineers").pk)
    saved = send(dana, link(role, "Add an eligibility"), group=group, max_duration="1 h")
    role = dana.get(saved["Location"]).content.decode()
    assert "give the role its trust policy now, then probe it" in role
    assert arn in dana.get(link(role, "Trust policy")).content.decode()
    assert "Reader" in alice.get("/").content.decode()
    assert [kind for kind, *_ in told()] == ["account:added", "role:added", "eligibility:added"]


def test_the_list_of_roles_offers_the_second_step_where_the_first_is_done(dana: Client) -> None:
    send(dana, "/catalogue/accounts/new/", number="001122334455", name="data", environment="sandbox")
    page = dana.get("/catalogue/").content.decode()
    assert link(page, "Add a role") == "/catalogue/roles/new/"
    assert "Add an account</a>" not in page
