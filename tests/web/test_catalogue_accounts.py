"""The pages of accounts: adding, changing, switching off, and what they refuse."""

from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credportal.access.models import Account
from credportal.access.selectors import MOST_LISTED
from credportal.audit import record
from tests.support.cast import Catalogue, make_role
from tests.support.forms import opened, send, told

NEW = "/catalogue/accounts/new/"
GOOD = {"number": "001122334455", "name": "data-prod", "environment": "production", "owner": "Data", "enabled": "on"}


def test_an_added_account_is_written_with_its_event_and_leads_on_to_its_first_role(dana: Client) -> None:
    response = dana.post(NEW, GOOD, follow=True)
    page = response.content.decode()
    account = Account.objects.get()
    assert (account.number, account.name, account.environment, account.owner) == (
        "001122334455",
        "data-prod",
        "production",
        "Data",
    )
    assert account.external_id in page, "the page shows the ExternalId that was made"
    assert "Next: add a role of it." in page
    assert "/catalogue/roles/new/?account=001122334455" in page
    after = {"number": "001122334455", "name": "data-prod", "environment": "production", "owner": "Data"}
    assert told() == [
        ("account:added", "account:001122334455", "dana", {"before": {}, "after": {**after, "enabled": True}})
    ]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("number", "12345678901", "Write the twelve digits"),
        ("number", "1234-5678-9012", "Write the twelve digits"),
        ("number", "١٢٣٤٥٦٧٨٩٠١٢", "Write the twelve digits"),
        ("number", "9" * 5000, "at most 40 characters"),
        ("number", "", "This field is required."),
        ("name", "", "This field is required."),
        ("name", "n" * 65, "at most 64 characters"),
        ("name", "dаta-prod", "CYRILLIC SMALL LETTER A"),
        ("name", " data-prod", "begins or ends with a space"),
        ("name", "data\u200bprod", "which a reader cannot see"),
        ("name", "data\nprod", "which a reader cannot see"),
        ("environment", "", "This field is required."),
        ("environment", "Production", "Select a valid choice"),
        ("owner", "Da\x1b[31mta", "which a reader cannot see"),
        ("owner", "Data\u202e", "which a reader cannot see"),
        ("owner", "o" * 121, "at most 120 characters"),
        ("owner", "a\0b", "Null characters are not allowed."),
    ],
)
def test_what_is_refused_says_why_keeps_what_was_typed_and_writes_nothing(
    dana: Client, field: str, value: str, words: str
) -> None:
    response = dana.post(NEW, {**GOOD, field: value})
    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert words in page
    assert 'role="alert"' in page
    kept = "owner" if field != "owner" else "name"
    assert f'value="{GOOD[kept]}"' in page, "what was typed is kept"
    assert not Account.objects.exists()
    assert told() == []


@pytest.mark.parametrize(
    ("field", "words", "where"),
    [
        ("number", "This account is in the catalogue already.", "491200653381"),
        ("name", "Another account has this name.", "491200653381"),
    ],
)
def test_an_account_that_is_there_already_is_pointed_to(
    dana: Client, catalogue: Catalogue, field: str, words: str, where: str
) -> None:
    response = dana.post(NEW, {**GOOD, field: getattr(catalogue.production, field)})
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert f'href="/catalogue/accounts/{where}/"' in page
    assert Account.objects.count() == 3
    assert told() == []


def test_a_change_keeps_only_what_changed_before_and_after(dana: Client, catalogue: Catalogue) -> None:
    response = send(dana, "/catalogue/accounts/491200653381/", owner="Treasury", enabled=None)
    assert response["Location"] == "/catalogue/accounts/491200653381/?saved=changed"
    account = Account.objects.get(number="491200653381")
    assert (account.owner, account.enabled, account.version) == ("Treasury", False, 2)
    detail = {
        "before": {"owner": "Payments Platform", "enabled": True},
        "after": {"owner": "Treasury", "enabled": False},
    }
    assert told() == [("account:changed", "account:491200653381", "dana", detail)]


def test_saving_without_a_change_writes_nothing_and_says_so(dana: Client, catalogue: Catalogue) -> None:
    response = send(dana, "/catalogue/accounts/491200653381/")
    assert "Nothing changed." in dana.get(response["Location"]).content.decode()
    assert Account.objects.get(number="491200653381").version == 1
    assert told() == []


def test_the_number_and_the_external_id_cannot_be_changed(dana: Client, catalogue: Catalogue) -> None:
    path = "/catalogue/accounts/491200653381/"
    external_id = catalogue.production.external_id
    assert not {"number", "external_id"} & opened(dana, path).keys()
    send(dana, path, number="001122334455", external_id="mine", owner="Treasury")
    assert Account.objects.get(owner="Treasury").external_id == external_id
    assert Account.objects.get(owner="Treasury").number == "491200653381"


def test_the_partition_comes_from_the_roles(dana: Client) -> None:
    account = Account.objects.create(number="001122334455", name="china", environment="staging")
    path = "/catalogue/accounts/001122334455/"
    assert "Its first role’s ARN tells." in dana.get(path).content.decode()
    account.roles.create(arn="arn:aws-cn:iam::001122334455:role/Reader", default_region="cn-north-1")
    assert '<span class="id">aws-cn</span>' in dana.get(path).content.decode()


def test_an_empty_list_says_what_to_do_first(dana: Client) -> None:
    page = dana.get("/catalogue/accounts/").content.decode()
    assert "No accounts yet." in page
    assert f'href="{NEW}"' in page


def test_the_list_finds_by_name_number_owner_and_environment(dana: Client, catalogue: Catalogue) -> None:
    def found(query: str) -> set[str]:
        page = dana.get("/catalogue/accounts/", {"q": query}, headers={"HX-Request": "true"}).content.decode()
        return {name for name in ("payments-prod", "payments-staging", ">sandbox<") if name in page}

    assert found("") == {"payments-prod", "payments-staging", ">sandbox<"}
    assert found("PAYMENTS") == {"payments-prod", "payments-staging"}
    assert found("1188402") == {"payments-staging"}
    assert found("payments production") == {"payments-prod"}
    assert found("platform") == {"payments-prod"}
    assert found("%") == set()


def test_a_long_list_is_cut_and_says_so(dana: Client) -> None:
    Account.objects.bulk_create(
        Account(number=f"{number:012}", name=f"account-{number:03}", environment="sandbox")
        for number in range(MOST_LISTED + 1)
    )
    page = dana.get("/catalogue/accounts/").content.decode()
    assert f"These are the first {MOST_LISTED}." in page
    assert page.count("/catalogue/accounts/0") == MOST_LISTED


def test_the_list_asks_as_many_statements_for_one_account_as_for_many(dana: Client, catalogue: Catalogue) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            dana.get("/catalogue/accounts/")
        return len(captured)

    few = statements()
    for number in range(30):
        account = Account.objects.create(number=f"{number:012}", name=f"account-{number}", environment="sandbox")
        make_role(account, "Reader")
    assert statements() == few


@pytest.mark.parametrize("number", ["000000000000", "x", "' OR 1=1 --"])
def test_an_account_that_is_not_there_is_not_found(dana: Client, number: str) -> None:
    assert dana.get(f"/catalogue/accounts/{number}/").status_code == 404


def test_without_the_audit_nothing_is_written(
    dana: Client, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(event: Any) -> None:
        raise record.AuditUnavailable("broken")

    monkeypatch.setattr(record, "append", broken)
    response = dana.post(NEW, GOOD)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert "Nothing was changed" in response.content.decode()
    assert Account.objects.count() == 3
