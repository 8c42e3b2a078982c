"""Opening the AWS console: a session like any other, whose credentials nobody sees."""

import json
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from credportal.audit.models import Event, Issuance
from tests.fault_sts import CANARY, FaultSTS
from tests.support.cast import Catalogue, make_role
from tests.support.sign_in_service import TOKEN, SignInService, sign_in_service
from tests.support.unwritable import unwritable_audit


@pytest.fixture
def sign_in_at_aws(settings: Settings) -> Iterator[SignInService]:
    with sign_in_service() as service:
        settings.AWS_ENDPOINT_URL_SIGNIN = service.url
        yield service


def form(**changes: str) -> dict[str, str]:
    return {"duration": "3600", "submission": "submission-of-a-test", **changes}


def test_alice_is_sent_to_the_console_and_every_step_is_recorded(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService
) -> None:
    answer = alice.post(f"/roles/{catalogue.read_only.id}/console/", form())
    assert answer.status_code == 302
    there = urlsplit(answer["Location"])
    asked = {name: values[0] for name, values in parse_qs(there.query).items()}
    assert (there.path, asked["Action"], asked["SigninToken"]) == ("/federation", "login", TOKEN)
    assert asked["Destination"] == "https://eu-west-1.console.aws.amazon.com/console/home?region=eu-west-1"
    assert asked["Issuer"] == f"http://testserver/roles/{catalogue.read_only.id}/"
    row = Issuance.objects.get()
    assert row.status == "issued"
    kinds = Event.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["issuance:requested", "issuance:issued", "console:opened"]


def test_the_credentials_go_to_sign_in_in_the_body_of_a_post_and_without_a_duration(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService
) -> None:
    alice.post(f"/roles/{catalogue.read_only.id}/console/", form())
    [sent], [path] = sign_in_at_aws.seen, sign_in_at_aws.paths
    assert path == "/federation"
    assert set(sent) == {"Action", "Session"}
    session = json.loads(sent["Session"])
    [mint] = sts.ledger.mints
    assert session == {
        "sessionId": mint.access_key_id,
        "sessionKey": mint.secret_access_key,
        "sessionToken": mint.session_token,
    }


def test_the_answer_holds_no_credentials(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService
) -> None:
    answer = alice.post(f"/roles/{catalogue.read_only.id}/console/", form())
    [mint] = sts.ledger.mints
    whole = answer.serialize_headers().decode() + answer.content.decode()
    assert mint.secret_access_key not in whole
    assert mint.session_token not in whole
    assert answer["Cache-Control"] == "no-store, private"


def test_the_region_a_session_is_narrowed_to_is_where_the_console_opens(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService
) -> None:
    answer = alice.post(f"/roles/{catalogue.read_only.id}/console/", form(narrowing="region:us-east-1"))
    assert "us-east-1.console.aws.amazon.com" in answer["Location"]


@pytest.mark.parametrize(
    "broken",
    [(503, b"busy"), (200, b"<html>"), (200, b"{}"), (200, b'{"SigninToken": ""}'), (200, b"[]"), (302, b"")],
)
def test_a_sign_in_service_that_gives_no_token_is_a_letter_and_an_event(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService, broken: tuple[int, bytes]
) -> None:
    sign_in_at_aws.answer = broken
    answer = alice.post(f"/roles/{catalogue.read_only.id}/console/", form())
    assert answer.status_code == 502
    assert "The console could not be opened" in answer.content.decode()
    assert CANARY not in answer.content.decode()
    last = Event.objects.latest("id")
    assert (last.kind, last.code) == ("console:failed", "console_unavailable")
    assert Issuance.objects.get().status == "issued", "STS did issue it, and the log says so"


def test_a_partition_without_a_known_sign_in_says_so(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService, settings: Settings
) -> None:
    settings.PRINCIPAL = "arn:aws-iso:iam::111111111111:role/portal"  # Nobody crosses partitions.
    role = make_role(catalogue.sandbox, "Isolated")
    role.eligibilities.create(user=catalogue.engineers.user_set.get(), max_duration=role.max_session_duration)
    type(role).objects.filter(pk=role.pk).update(arn="arn:aws-iso:iam::602217449035:role/Isolated")
    answer = alice.post(f"/roles/{role.id}/console/", form())
    assert answer.status_code == 502
    assert "no console sign-in" in answer.content.decode()
    assert sign_in_at_aws.seen == []


def test_charlie_is_refused_and_nothing_is_asked(
    charlie: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService
) -> None:
    assert charlie.post(f"/roles/{catalogue.read_only.id}/console/", form()).status_code == 403
    assert Issuance.objects.get().status == "denied"
    assert (sts.ledger.calls, sign_in_at_aws.seen) == ([], [])


def test_one_press_opens_one_console(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService
) -> None:
    assert alice.post(f"/roles/{catalogue.read_only.id}/console/", form()).status_code == 302
    assert alice.post(f"/roles/{catalogue.read_only.id}/console/", form()).status_code == 409
    assert len(sts.ledger.mints) == len(sign_in_at_aws.seen) == 1


def test_the_credentials_page_offers_the_console_only_where_there_is_one(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, settings: Settings
) -> None:
    without = alice.post(f"/roles/{catalogue.read_only.id}/issue/", form()).content.decode()
    assert "Open console" not in without
    settings.AWS_ENDPOINT_URL_SIGNIN = "http://127.0.0.1:9"
    offered = alice.post(
        f"/roles/{catalogue.read_only.id}/issue/", form(submission="another-submission")
    ).content.decode()
    assert f'action="/roles/{catalogue.read_only.id}/console/"' in offered


def test_invariant_1_no_row_no_secret_an_unrecorded_console_is_not_opened(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, sign_in_at_aws: SignInService
) -> None:
    with unwritable_audit("console:"):
        answer = alice.post(f"/roles/{catalogue.read_only.id}/console/", form())
    assert answer.status_code == 503
    assert "Location" not in answer
    assert Issuance.objects.get().status == "issued", "STS did issue it, and the log says so"
