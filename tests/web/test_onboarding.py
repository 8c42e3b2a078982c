"""The page that writes the trust policy of a role, for catalogue admins."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from credportal.access.models import Account, Role
from credportal.audit.models import Event
from credportal.domain.trust import Reach, TrustOptions, portal_policy, trust_policy
from credportal.flows.onboarding import role_to_onboard
from tests.support.cast import Catalogue, make_role

PORTAL = "arn:aws:iam::111111111111:role/team/credportal"
KEYS = [
    "trust-json",
    "trust-cli",
    "trust-cli-new",
    "trust-cloudformation",
    "trust-terraform",
    "portal-json",
    "portal-cli",
    "portal-cloudformation",
    "portal-terraform",
]


@pytest.fixture
def known(settings: Settings) -> None:
    settings.PRINCIPAL = PORTAL


@pytest.fixture
def unknown(settings: Settings) -> None:
    settings.PRINCIPAL = ""


def address(role: Role, query: str = "") -> str:
    return f"/catalogue/roles/{role.id}/trust/{query}"


def role_at(account: Account, arn: str) -> Role:
    """Make a role with an ARN that the cast has none like."""
    role = make_role(account, "Moved")
    role.arn = arn
    role.save()
    return role


def texts_of(page: str) -> dict[str, str]:
    """Return what the Copy buttons give: the exact text of each element."""
    found = re.findall(r'<code id="text-([\w-]+)" data-policy="([\w-]+)">(.*?)</code>', page, re.S)
    assert all(target == key for target, key, _ in found)
    return {key: unescape(text) for _, key, text in found}


def expected(role: Role, options: TrustOptions, principal: str = PORTAL) -> tuple[Any, Any, Any]:
    found = role_to_onboard(role.id)
    assert found
    subject = found.subject(principal)
    return (
        trust_policy(subject, options),
        portal_policy(subject, options, Reach.ROLE),
        portal_policy(subject, options, Reach.ACCOUNT),
    )


def test_everything_is_on_at_first(dana: Client, catalogue: Catalogue, known: None) -> None:
    response = dana.get(address(catalogue.read_only))
    page = response.content.decode()
    found = texts_of(page)
    trusted, allowed, _ = expected(catalogue.read_only, TrustOptions())
    assert response.status_code == 200
    assert list(found) == KEYS
    assert (json.loads(found["trust-json"]), json.loads(found["portal-json"])) == (trusted, allowed)
    assert catalogue.production.external_id in found["trust-json"]
    assert "caution" not in page


def test_every_text_has_a_copy_button(dana: Client, catalogue: Catalogue, known: None) -> None:
    page = dana.get(address(catalogue.read_only)).content.decode()
    assert re.findall(r'data-copy="text-([\w-]+)"', page) == KEYS


def test_reading_the_page_records_nothing_and_asks_nobody(dana: Client, catalogue: Catalogue, known: None) -> None:
    events = Event.objects.count()
    dana.get(address(catalogue.read_only))
    assert Event.objects.count() == events


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("?tags=on&source_identity=on&reach=role", TrustOptions(external_id=False)),
        ("?external_id=on&source_identity=on&reach=role", TrustOptions(tags=False)),
        ("?external_id=on&tags=on&reach=role", TrustOptions(source_identity=False)),
        ("?reach=role", TrustOptions(external_id=False, tags=False, source_identity=False)),
        ("?tags=false", TrustOptions(tags=False)),
    ],
)
def test_what_is_switched_off_is_left_out(
    query: str, options: TrustOptions, dana: Client, catalogue: Catalogue, known: None
) -> None:
    found = texts_of(dana.get(address(catalogue.read_only, query)).content.decode())
    trusted, allowed, _ = expected(catalogue.read_only, options)
    assert (json.loads(found["trust-json"]), json.loads(found["portal-json"])) == (trusted, allowed)


def test_the_external_id_is_switched_off_only_with_a_warning(dana: Client, catalogue: Catalogue, known: None) -> None:
    page = dana.get(address(catalogue.read_only, "?tags=on&source_identity=on&reach=role")).content.decode()
    assert "lets the portal in on its ARN alone" in page
    assert page.count('role="note"') == 1


def test_a_flag_of_the_catalogue_that_would_be_wrong_is_named(dana: Client, catalogue: Catalogue, known: None) -> None:
    page = dana.get(address(catalogue.read_only, "?external_id=on&source_identity=on&reach=role")).content.decode()
    assert "The catalogue says that this role accepts session tags." in page


def test_the_portals_policy_can_name_every_enabled_role_of_the_account(
    dana: Client, catalogue: Catalogue, known: None
) -> None:
    make_role(catalogue.production, "SwitchedOff", enabled=False)
    page = dana.get(address(catalogue.read_only, "?external_id=on&tags=on&source_identity=on&reach=account"))
    found = json.loads(texts_of(page.content.decode())["portal-json"])
    assert found == expected(catalogue.read_only, TrustOptions())[2]
    assert found["Statement"][0]["Resource"] == [
        f"arn:aws:iam::491200653381:role/{name}" for name in ("NobodyMayHaveThis", "PaymentsOnCall", "PaymentsReadOnly")
    ]


def test_a_portal_that_does_not_know_itself_says_so_and_writes_nothing(
    dana: Client, catalogue: Catalogue, unknown: None
) -> None:
    response = dana.get(address(catalogue.read_only))
    page = response.content.decode()
    assert response.status_code == 200
    assert "does not know yet who it is" in page
    assert "CREDPORTAL_PRINCIPAL" in page
    assert "Please look at this again" not in page
    assert len(re.findall(r'type="checkbox"[^>]*checked', page)) == 3
    assert texts_of(page) == {}


def test_a_principal_that_is_typed_makes_the_texts(dana: Client, catalogue: Catalogue, unknown: None) -> None:
    page = dana.get(address(catalogue.read_only), {"principal": PORTAL}).content.decode()
    trusted, _, _ = expected(catalogue.read_only, TrustOptions())
    assert json.loads(texts_of(page)["trust-json"]) == trusted
    assert f'value="{PORTAL}"' in page


@pytest.mark.parametrize(
    "typed", ['"><script>alert(1)</script>', "arn:aws:iam::111111111111:role/*", "arn:aws-cn:iam::111111111111:role/p"]
)
def test_a_principal_that_cannot_be_is_refused_and_kept(
    typed: str, dana: Client, catalogue: Catalogue, unknown: None
) -> None:
    response = dana.get(address(catalogue.read_only), {"principal": typed})
    page = response.content.decode()
    assert response.status_code == 422
    assert typed in unescape(page)
    assert "<script>alert" not in page
    assert texts_of(page) == {}


def test_a_form_sent_without_the_principal_is_refused(dana: Client, catalogue: Catalogue, unknown: None) -> None:
    response = dana.get(address(catalogue.read_only, "?reach=account&tags=on&principal="))
    page = response.content.decode()
    assert response.status_code == 422
    assert "Write the ARN of the portal’s own role or user." in page
    assert re.search(r'name="tags"[^>]*checked', page)
    assert not re.search(r'name="external_id"[^>]*checked', page)


def test_a_principal_in_the_address_never_replaces_the_one_that_is_known(
    dana: Client, catalogue: Catalogue, known: None
) -> None:
    other = "arn:aws:iam::999999999999:role/other"
    assert other not in dana.get(address(catalogue.read_only), {"principal": other}).content.decode()


def test_a_reach_that_is_none_is_refused(dana: Client, catalogue: Catalogue, known: None) -> None:
    response = dana.get(address(catalogue.read_only, "?reach=world"))
    assert response.status_code == 422
    assert texts_of(response.content.decode()) == {}


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_another_partition_is_a_sentence_and_no_text(
    partition: str, dana: Client, catalogue: Catalogue, known: None
) -> None:
    role = role_at(catalogue.sandbox, f"arn:{partition}:iam::602217449035:role/Far")
    response = dana.get(address(role))
    assert response.status_code == 200
    assert f"This role is in the partition {partition}" in response.content.decode()
    assert texts_of(response.content.decode()) == {}


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_the_texts_are_those_of_the_partition(
    partition: str, dana: Client, catalogue: Catalogue, settings: Settings
) -> None:
    settings.PRINCIPAL = f"arn:{partition}:iam::111111111111:user/credportal"
    role = role_at(catalogue.sandbox, f"arn:{partition}:iam::602217449035:role/Far")
    found = texts_of(dana.get(address(role)).content.decode())
    assert list(found) == KEYS
    assert all("arn:aws:" not in text for text in found.values())
    assert "put-user-policy" in found["portal-cli"]


def test_what_was_put_in_behind_the_forms_is_a_sentence(dana: Client, catalogue: Catalogue, known: None) -> None:
    Role.objects.filter(pk=catalogue.read_only.pk).update(arn="arn:aws:iam::491200653381:role/*")
    response = dana.get(address(catalogue.read_only))
    assert response.status_code == 200
    assert "is not the ARN of one IAM role" in response.content.decode()
    Account.objects.filter(pk=catalogue.staging.pk).update(external_id="x' y")
    assert "would not take this account’s ExternalId" in dana.get(address(catalogue.deployer)).content.decode()


def test_what_people_wrote_about_a_role_reaches_no_text(dana: Client, catalogue: Catalogue, known: None) -> None:
    hostile = "</code><script>x</script>' $(id) ${x}"
    role = make_role(catalogue.sandbox, "Plain", label=hostile, description=hostile, tags=hostile)
    page = dana.get(address(role)).content.decode()
    assert "<script>x" not in page
    assert all("script" not in text and "$(id)" not in text for text in texts_of(page).values())


def test_a_hostile_path_is_shown_exactly(dana: Client, catalogue: Catalogue, known: None) -> None:
    arn = "arn:aws:iam::602217449035:role/</code><b>&amp;'\"/R"
    role = role_at(catalogue.sandbox, arn)
    found = texts_of(dana.get(address(role)).content.decode())
    assert json.loads(found["portal-json"])["Statement"][0]["Resource"] == arn


def test_htmx_gets_the_fragment(dana: Client, catalogue: Catalogue, known: None) -> None:
    response = dana.get(address(catalogue.read_only), headers={"HX-Request": "true"})
    page = response.content.decode()
    assert "<html" not in page
    assert list(texts_of(page)) == KEYS


def test_the_page_leads_on_to_the_probe(dana: Client, catalogue: Catalogue, known: None) -> None:
    page = dana.get(address(catalogue.read_only)).content.decode()
    assert f'action="/catalogue/roles/{catalogue.read_only.id}/probe/"' in page


def test_the_texts_cost_two_statements_whatever_the_account_holds(catalogue: Catalogue, known: None) -> None:
    for number in range(20):
        make_role(catalogue.production, f"Role{number}")
    with CaptureQueriesContext(connection) as asked:
        role_to_onboard(catalogue.read_only.id)
    assert len(asked) == 2


def test_a_role_that_is_not_there_is_not_found(dana: Client, catalogue: Catalogue) -> None:
    assert dana.get("/catalogue/roles/4k9zq2h7m3xw/trust/").status_code == 404


@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "erin"])
def test_the_external_id_is_for_catalogue_admins_only(
    who: str, request: pytest.FixtureRequest, catalogue: Catalogue, known: None
) -> None:
    response = request.getfixturevalue(who).get(address(catalogue.read_only))
    assert response.status_code == 403
    assert catalogue.production.external_id not in response.content.decode()
