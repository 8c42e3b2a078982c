"""The journey of one issuance, against a real STS and a real database."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import User
from credportal.audit.models import Event, Issuance
from credportal.domain.types import DenialReason, IssuanceRequest, Narrowing, Origin
from credportal.flows.issue import (
    AlreadySubmitted,
    Answer,
    AuditUnavailable,
    Failed,
    Issued,
    Refused,
    issue,
)
from tests.fault_sts import CANARY, FaultSTS
from tests.support.cast import Cast, Catalogue, allow, make_role
from tests.support.unwritable import unwritable_audit

ORIGIN = Origin(address="203.0.113.24", user_agent="tests", request_id="0123456789abcdef")


def ask(user: User, role_id: str, *, hours: float = 1, **fields: object) -> Answer:
    asked = IssuanceRequest(
        role_id=role_id,
        duration=timedelta(hours=hours),
        **{"submission": "submission-of-a-test", **fields},  # type: ignore[arg-type]  # fields of the request
    )
    return issue(user=user, asked=asked, origin=ORIGIN, now=timezone.now())


def kinds(issuance_id: str) -> list[str]:
    return list(Event.objects.filter(issuance_id=issuance_id).order_by("id").values_list("kind", flat=True))


def test_alice_gets_credentials_and_both_rows_are_there(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    answer = ask(cast.alice, catalogue.read_only.id, reason="Look at a queue", ticket="INC-7")
    assert isinstance(answer, Issued)
    [mint] = sts.ledger.mints
    assert answer.assumed.credentials.secret_access_key == mint.secret_access_key
    row = Issuance.objects.get()
    assert kinds(row.id) == ["issuance:requested", "issuance:issued"]
    assert (row.status, row.actor_handle, row.actor_name) == ("issued", "alice", "Alice Engström")
    assert (row.role_arn, row.role_name) == (catalogue.read_only.arn, "PaymentsReadOnly")
    assert (row.account_number, row.account_name, row.environment) == ("491200653381", "payments-prod", "production")
    assert (row.duration_asked, row.duration_given) == (timedelta(hours=1), timedelta(hours=1))
    assert (row.reason, row.ticket, row.source) == ("Look at a queue", "INC-7", "standard")
    assert row.eligibility == "the group engineers, up to 4 h"
    assert (row.address, row.user_agent, row.request_id) == ("203.0.113.24", "tests", "0123456789abcdef")
    assert row.access_key_id == mint.access_key_id
    assert row.session_name == mint.session_name == f"alice-{row.id}"
    assert row.expiration == answer.assumed.credentials.expiration
    assert row.aws_request_id == mint.request_id
    assert row.finished_at is not None


def test_attribution_reaches_sts_as_session_name_source_identity_tags_and_external_id(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    answer = ask(cast.alice, catalogue.read_only.id, ticket="INC-7")
    [mint] = sts.ledger.mints
    assert isinstance(answer, Issued)
    assert mint.source_identity == "alice"
    assert dict(mint.tags) == {
        "credportal:issuance": answer.issuance_id,
        "credportal:ticket": "INC-7",
        "credportal:issued-by": "alice",
    }
    assert mint.external_id == catalogue.production.external_id


def test_a_role_without_the_capabilities_gets_neither_source_identity_nor_tags(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    plain = make_role(catalogue.sandbox, "Plain", accepts_source_identity=False, accepts_session_tags=False)
    allow(plain, cast.alice)
    assert isinstance(ask(cast.alice, plain.id), Issued)
    [mint] = sts.ledger.mints
    assert (mint.source_identity, list(mint.tags)) == ("", [])


def test_narrowing_goes_out_as_compact_json(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    narrowing = Narrowing(address="203.0.113.24", region="eu-west-1")
    assert isinstance(ask(cast.alice, catalogue.read_only.id, narrowing=narrowing), Issued)
    [mint] = sts.ledger.mints
    assert mint.policy.startswith('{"Version":"2012-10-17"')
    assert " " not in mint.policy
    assert Issuance.objects.get().narrowing == "only from 203.0.113.24, only in eu-west-1"


def test_charlie_is_refused_recorded_and_sts_is_not_called(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    answer = ask(cast.charlie, catalogue.read_only.id)
    assert isinstance(answer, Refused)
    assert answer.denied.reason is DenialReason.NOT_ELIGIBLE
    assert answer.role is None, "what is not theirs is not told"
    row = Issuance.objects.get()
    assert (row.status, row.code, row.actor_handle) == ("denied", "not_eligible", "charlie")
    assert row.role_arn == catalogue.read_only.arn, "the audit knows what was tried"
    assert kinds(row.id) == ["issuance:denied"]
    assert sts.ledger.calls == []


def test_an_unknown_role_is_refused_and_recorded_as_it_was_asked(cast: Cast, sts: FaultSTS) -> None:
    assert isinstance(ask(cast.alice, "no-such-role"), Refused)
    row = Issuance.objects.get()
    assert (row.status, row.code, row.role_id, row.role_arn) == ("denied", "not_eligible", "no-such-role", "")
    assert sts.ledger.calls == []


def test_longer_than_every_row_is_refused_with_the_rows_that_were_tried(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    answer = ask(cast.alice, catalogue.read_only.id, hours=8)
    assert isinstance(answer, Refused)
    assert answer.denied.longest == timedelta(hours=4)
    [event] = Event.objects.all()
    assert event.code == "duration_too_long"
    assert event.detail["tried"] == ["the group engineers: 8 h is over 4 h. Limit for the group engineers."]
    assert sts.ledger.calls == []


def test_aws_refusing_is_recorded_as_failed_with_its_own_words(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    sts.fault("access_denied")
    answer = ask(cast.alice, catalogue.read_only.id)
    assert isinstance(answer, Failed)
    row = Issuance.objects.get()
    assert (row.status, row.code) == ("failed", "sts_denied")
    assert "not authorized to perform: sts:AssumeRole" in row.aws_words
    assert kinds(row.id) == ["issuance:requested", "issuance:failed"]


def test_an_answer_lost_on_its_way_is_unknown_and_keeps_the_session_name(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    sts.fault("reset_after_mint")
    answer = ask(cast.alice, catalogue.read_only.id)
    assert isinstance(answer, Failed)
    row = Issuance.objects.get()
    assert (row.status, row.code) == ("unknown", "sts_connection_lost")
    assert row.session_name == sts.ledger.mints[0].session_name
    assert kinds(row.id) == ["issuance:requested", "issuance:unknown"]


def test_throttling_is_tried_once_more_and_both_attempts_are_recorded(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    sts.fault("throttling")
    answer = ask(cast.alice, catalogue.read_only.id)
    assert isinstance(answer, Issued)
    assert kinds(answer.issuance_id) == ["issuance:requested", "issuance:retried", "issuance:issued"]
    assert len(sts.ledger.mints) == 1


def test_throttled_twice_is_a_failure(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    sts.fault("throttling", count=2)
    answer = ask(cast.alice, catalogue.read_only.id)
    assert isinstance(answer, Failed)
    assert answer.failure.code == "sts_throttled"
    assert len(sts.ledger.calls_of("AssumeRole")) == 2


def test_a_fault_after_which_sts_may_have_minted_is_never_tried_again(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    sts.fault("internal_failure")
    assert isinstance(ask(cast.alice, catalogue.read_only.id), Failed)
    assert len(sts.ledger.calls_of("AssumeRole")) == 1


def test_one_submission_mints_once(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    first = ask(cast.alice, catalogue.read_only.id)
    second = ask(cast.alice, catalogue.read_only.id)
    assert isinstance(first, Issued)
    assert isinstance(second, AlreadySubmitted)
    assert second.issuance.id == first.issuance_id
    assert len(sts.ledger.mints) == 1


def test_two_people_may_use_the_same_submission_text(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    assert isinstance(ask(cast.alice, catalogue.read_only.id), Issued)
    assert isinstance(ask(cast.bob, catalogue.read_only.id), Issued)
    assert len(sts.ledger.mints) == 2


def test_invariant_1_no_row_no_secret_an_unwritable_intent_stops_before_sts(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    with unwritable_audit("issuance:requested"):
        answer = ask(cast.alice, catalogue.read_only.id)
    assert answer == AuditUnavailable(minted=False, issuance_id=answer.issuance_id)  # type: ignore[union-attr]  # seen
    assert sts.ledger.calls == []
    assert not Issuance.objects.exists()


def test_invariant_1_no_row_no_secret_an_unwritable_outcome_drops_the_credentials(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    with unwritable_audit("issuance:issued"):
        answer = ask(cast.alice, catalogue.read_only.id)
    assert isinstance(answer, AuditUnavailable)
    assert answer.minted
    assert len(sts.ledger.mints) == 1
    assert Issuance.objects.get().status == "requested", "housekeeping finds it and calls it unknown"


def test_an_issuance_takes_eight_statements_whatever_the_catalogue_holds(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    for number in range(50):
        allow(make_role(catalogue.sandbox, f"Other{number}"), cast.alice)
    with CaptureQueriesContext(connection) as seen:
        assert isinstance(ask(cast.alice, catalogue.read_only.id), Issued)
    statements = [
        query["sql"] for query in seen if not query["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))
    ]
    # On SQLite the portal reads the end of the chain itself; on PostgreSQL each of the two transactions is followed by
    # one message that waits for the disk. With the session and the user of a request that is two more.
    assert len(statements) == 8, statements


def test_no_secret_is_in_any_row(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    ask(cast.alice, catalogue.read_only.id)
    rows = [*Issuance.objects.values_list(), *Event.objects.values_list()]
    assert CANARY not in repr(rows)


def test_the_chaining_ceiling_of_the_portals_identity_limits_every_role(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS, settings: Settings
) -> None:
    settings.IDENTITY_CHAINS = True
    answer = ask(cast.alice, catalogue.administrator.id, hours=2)
    assert isinstance(answer, Refused)
    assert answer.denied.longest == timedelta(hours=1)
    assert sts.ledger.calls == []
