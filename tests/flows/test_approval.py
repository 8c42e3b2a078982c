"""A request that needs an approval: it waits, others decide, the requester collects once."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access.models import Approval, ApprovalDecision, ApprovalState, Eligibility, Role, User
from credportal.audit.models import Event, Issuance
from credportal.domain.types import DenialReason, IssuanceRequest, Narrowing
from credportal.flows.answers import AlreadySubmitted, AuditUnavailable, Failed, Issued, Refused, Waiting
from credportal.flows.approval import APPROVAL_EXPIRES, NotDone, expire_overdue
from credportal.flows.console import open_console
from credportal.flows.deciding import COLLECT_WINDOW, Done, deny, withdraw
from credportal.flows.housekeeping import Kept, keep_house
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.requests import ORIGIN, ask, guard, say_yes, story, take, waiting
from tests.support.unwritable import unwritable_audit


def late(approval_id: str, **fields: object) -> None:
    """Move an end of a request into the past."""
    Approval.objects.filter(id=approval_id).update(**fields)


def state_of(approval_id: str) -> str:
    return str(Approval.objects.get(id=approval_id).state)


def no(user: User, approval_id: str, comment: str = "Not during the freeze") -> object:
    return deny(user=user, approval_id=approval_id, comment=comment, origin=ORIGIN, now=timezone.now())


def drop(user: User, approval_id: str) -> object:
    return withdraw(user=user, approval_id=approval_id, origin=ORIGIN, now=timezone.now())


def test_a_request_that_needs_approval_waits_and_aws_is_not_called(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    role = guard(catalogue, cast.dana, needed=2)
    answer = ask(cast.alice, role, ticket="INC-7", narrowing=Narrowing(read_only=True, region="eu-west-1"))
    assert isinstance(answer, Waiting)
    assert (answer.role.id, answer.approvers, answer.approvals_needed) == (role.id, "payments-leads", 2)
    row = Approval.objects.get()
    assert (row.id, row.state, row.requester, row.role_id) == (answer.approval_id, "waiting", cast.alice, role.id)
    assert (row.reason, row.ticket, row.read_only, row.region) == ("The queue is stuck", "INC-7", True, "eu-west-1")
    assert abs(row.expires_at - timezone.now() - APPROVAL_EXPIRES) < timedelta(minutes=1)
    event = Event.objects.get()
    assert (event.kind, event.subject, event.actor_handle) == ("approval:requested", f"approval:{row.id}", "alice")
    assert event.detail["after"]["reason"] == "The queue is stuck"
    assert sts.ledger.calls == []
    assert not Issuance.objects.exists()


def test_a_form_sent_twice_leads_to_the_same_request(cast: Cast, catalogue: Catalogue) -> None:
    role = guard(catalogue, cast.dana)
    assert waiting(cast.alice, role) == waiting(cast.alice, role)
    assert Event.objects.count() == 1


def test_nothing_waits_where_the_request_cannot_be_recorded(cast: Cast, catalogue: Catalogue) -> None:
    role = guard(catalogue, cast.dana)
    with unwritable_audit():
        assert isinstance(ask(cast.alice, role), AuditUnavailable)
    assert not Approval.objects.exists()


def test_the_console_of_such_a_role_waits_the_same_way(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    role = guard(catalogue, cast.dana)
    asked = IssuanceRequest(role.id, timedelta(hours=1), reason="Look", submission="submission-of-a-test")
    answer = open_console(user=cast.alice, asked=asked, origin=ORIGIN, now=timezone.now(), issuer="http://testserver/")
    assert isinstance(answer, Waiting)
    assert sts.ledger.calls == []


def test_one_approver_of_one_is_enough_and_alice_collects(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    role = guard(catalogue, cast.dana)
    approval_id = waiting(cast.alice, role)
    assert say_yes(cast.dana, approval_id) == Done(ApprovalState.APPROVED)
    answer = take(cast.alice, approval_id)
    assert isinstance(answer, Issued)
    [mint] = sts.ledger.mints
    assert mint.session_name == f"alice-{answer.issuance_id}"
    issuance, row = Issuance.objects.get(), Approval.objects.get()
    assert (issuance.status, issuance.source, issuance.approval_id) == ("issued", "approval", approval_id)
    assert issuance.reason == "The queue is stuck"
    assert (row.state, row.issuance_id) == ("collected", issuance.id)
    kinds = ["approval:requested", "approval:agreed", "approval:approved", "approval:collected"]
    assert story(f"approval:{approval_id}") == kinds
    assert Event.objects.get(kind="approval:agreed").actor_handle == "dana"


def test_the_shortest_duration_of_all_approvers_is_given_and_begins_at_collection(
    cast: Cast, catalogue: Catalogue, sts: FaultSTS
) -> None:
    role = guard(catalogue, cast.dana, cast.erin, needed=2)
    approval_id = waiting(cast.alice, role, minutes=120)
    assert say_yes(cast.dana, approval_id, minutes=30) == Done(ApprovalState.WAITING)
    assert state_of(approval_id) == "waiting"
    assert say_yes(cast.erin, approval_id, minutes=60) == Done(ApprovalState.APPROVED)
    row = Approval.objects.get()
    assert row.max_duration == timedelta(minutes=30)
    assert row.collect_until is not None
    assert abs(row.collect_until - timezone.now() - COLLECT_WINDOW) < timedelta(minutes=1)
    answer = take(cast.alice, approval_id)
    assert isinstance(answer, Issued)
    assert answer.spec.duration == timedelta(minutes=30)
    left = answer.assumed.credentials.expiration - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=31)


def test_one_approver_does_not_count_twice(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana, cast.erin, needed=2))
    say_yes(cast.dana, approval_id)
    second = say_yes(cast.dana, approval_id)
    assert isinstance(second, NotDone)
    assert second.status == 409
    assert state_of(approval_id) == "waiting"
    assert story(f"approval:{approval_id}") == ["approval:requested", "approval:agreed"]


def test_one_no_ends_it_with_its_comment(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana, cast.erin, needed=2))
    say_yes(cast.dana, approval_id)
    assert no(cast.erin, approval_id) == Done(ApprovalState.DENIED)
    assert isinstance(take(cast.alice, approval_id), NotDone)
    event = Event.objects.get(kind="approval:denied")
    assert (event.actor_handle, event.detail) == ("erin", {"after": {"comment": "Not during the freeze"}})
    assert sts.ledger.calls == []


def test_a_no_needs_a_comment(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    answer = no(cast.dana, approval_id, comment="  ")
    assert isinstance(answer, NotDone)
    assert answer.status == 422
    assert story(f"approval:{approval_id}") == ["approval:requested"]


def test_nobody_decides_what_they_ask_for_themselves(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.alice, cast.dana))
    for answer in (say_yes(cast.alice, approval_id), no(cast.alice, approval_id)):
        assert isinstance(answer, NotDone)
        assert answer.status == 403
    assert story(f"approval:{approval_id}") == ["approval:requested"]


@pytest.mark.parametrize("name", ["bob", "charlie"])
def test_for_others_the_request_does_not_exist(cast: Cast, catalogue: Catalogue, name: str) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    stranger = getattr(cast, name)
    for answer in (
        say_yes(stranger, approval_id),
        no(stranger, approval_id),
        drop(stranger, approval_id),
        take(stranger, approval_id),
    ):
        assert answer is None
    assert story(f"approval:{approval_id}") == ["approval:requested"]


def test_whoever_left_the_group_decides_no_more(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.bob))
    cast.bob.groups.clear()
    assert say_yes(cast.bob, approval_id) is None
    assert state_of(approval_id) == "waiting"


@pytest.mark.parametrize("minutes", [14, 61, 600])
def test_an_approver_shortens_and_never_lengthens(cast: Cast, catalogue: Catalogue, minutes: int) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana), minutes=60)
    answer = say_yes(cast.dana, approval_id, minutes=minutes)
    assert isinstance(answer, NotDone)
    assert answer.status == 422
    assert not ApprovalDecision.objects.exists()


@pytest.mark.parametrize("approved", [False, True])
def test_alice_withdraws_what_waits_or_is_approved(cast: Cast, catalogue: Catalogue, approved: bool) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    if approved:
        say_yes(cast.dana, approval_id)
    assert drop(cast.alice, approval_id) == Done(ApprovalState.WITHDRAWN)
    assert isinstance(take(cast.alice, approval_id), NotDone)
    assert isinstance(say_yes(cast.dana, approval_id), NotDone)
    assert story(f"approval:{approval_id}")[-1] == "approval:withdrawn"


def test_what_expired_is_over_even_if_housekeeping_never_ran(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    late(approval_id, expires_at=timezone.now())
    for answer in (say_yes(cast.dana, approval_id), no(cast.dana, approval_id), drop(cast.alice, approval_id)):
        assert isinstance(answer, NotDone)
        assert answer.status == 409
    assert story(f"approval:{approval_id}") == ["approval:requested"]


def test_nothing_is_collected_after_the_window(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    say_yes(cast.dana, approval_id)
    late(approval_id, collect_until=timezone.now())
    assert isinstance(take(cast.alice, approval_id), NotDone)
    assert sts.ledger.calls == []


@pytest.mark.parametrize("approved", [False, True])
def test_housekeeping_writes_down_that_it_expired(cast: Cast, catalogue: Catalogue, approved: bool) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    if approved:
        say_yes(cast.dana, approval_id)
    assert keep_house() == Kept()
    late(approval_id, **{"collect_until" if approved else "expires_at": timezone.now()})
    assert keep_house() == Kept(expired=(approval_id,))
    assert keep_house() == Kept()
    assert state_of(approval_id) == "expired"
    event = Event.objects.get(kind="approval:expired")
    assert (event.actor_id, event.subject) == (None, f"approval:{approval_id}")


def test_an_approval_is_collected_once(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    say_yes(cast.dana, approval_id)
    first = take(cast.alice, approval_id)
    for submission in ("submission-to-collect", "submission-of-another-page"):
        again = take(cast.alice, approval_id, submission)
        assert isinstance(first, Issued)
        assert isinstance(again, AlreadySubmitted)
        assert again.issuance.id == first.issuance_id
    assert len(sts.ledger.mints) == 1


def test_rights_are_computed_again_at_collection(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    role = guard(catalogue, cast.dana)
    approval_id = waiting(cast.alice, role)
    say_yes(cast.dana, approval_id)
    Role.objects.filter(id=role.id).update(enabled=False)
    refused = take(cast.alice, approval_id)
    assert isinstance(refused, Refused)
    assert refused.denied.reason is DenialReason.ROLE_DISABLED
    issuance = Issuance.objects.get()
    assert (issuance.status, issuance.code, issuance.approval_id) == ("denied", "role_disabled", approval_id)
    assert state_of(approval_id) == "approved", "it can be collected when the role is on again"
    assert sts.ledger.calls == []
    Role.objects.filter(id=role.id).update(enabled=True)
    assert isinstance(take(cast.alice, approval_id, "submission-after-it"), Issued)


def test_a_right_that_ended_meanwhile_gives_nothing(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    role = guard(catalogue, cast.dana)
    approval_id = waiting(cast.alice, role)
    say_yes(cast.dana, approval_id)
    Eligibility.objects.filter(role=role).update(valid_until=timezone.now())
    refused = take(cast.alice, approval_id)
    assert isinstance(refused, Refused)
    assert refused.denied.reason is DenialReason.NO_LONGER_VALID
    assert sts.ledger.calls == []


def test_where_aws_minted_nothing_the_approval_is_given_back(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    say_yes(cast.dana, approval_id)
    sts.fault("access_denied")
    assert isinstance(take(cast.alice, approval_id), Failed)
    row = Approval.objects.get()
    assert (row.state, row.issuance_id, row.collected_at) == ("approved", "", None)
    assert story(f"approval:{approval_id}")[-2:] == ["approval:collected", "approval:returned"]
    assert isinstance(take(cast.alice, approval_id, "submission-after-it"), Issued)
    assert len(sts.ledger.mints) == 1


def test_where_aws_may_have_minted_the_approval_is_used_up(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    say_yes(cast.dana, approval_id)
    sts.fault("reset_after_mint")
    assert isinstance(take(cast.alice, approval_id), Failed)
    assert state_of(approval_id) == "collected"
    assert isinstance(take(cast.alice, approval_id, "submission-after-it"), AlreadySubmitted)
    assert story(f"approval:{approval_id}")[-1] == "approval:collected"


def test_a_collection_that_lost_its_worker_is_used_up(cast: Cast, catalogue: Catalogue) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    say_yes(cast.dana, approval_id)
    _intent_only(cast, approval_id)
    assert len(keep_house().reaped) == 1
    assert state_of(approval_id) == "collected"


def _intent_only(cast: Cast, approval_id: str) -> None:
    Issuance.objects.create(
        id="lost",
        submission="lost",
        status="requested",
        actor_id=cast.alice.pk,
        actor_handle="alice",
        role_id="r",
        duration_asked=timedelta(hours=1),
        approval_id=approval_id,
        requested_at=timezone.now() - timedelta(minutes=1),
    )
    Approval.objects.filter(id=approval_id).update(state="collected", issuance_id="lost")


def test_an_intent_that_cannot_be_written_takes_no_approval(cast: Cast, catalogue: Catalogue, sts: FaultSTS) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.dana))
    say_yes(cast.dana, approval_id)
    with unwritable_audit():
        assert isinstance(take(cast.alice, approval_id), AuditUnavailable)
    assert state_of(approval_id) == "approved"
    assert sts.ledger.calls == []


def test_ending_many_requests_reads_their_roles_and_people_at_once(cast: Cast, catalogue: Catalogue) -> None:
    role = guard(catalogue, cast.dana)
    for number in range(3):
        waiting(cast.alice, role, submission=f"submission-of-test-{number}")
    with CaptureQueriesContext(connection) as seen:
        assert len(expire_overdue(now=timezone.now() + APPROVAL_EXPIRES)) == 3
    reads = [query["sql"] for query in seen if query["sql"].startswith("SELECT") and "access_role" in query["sql"]]
    assert len(reads) == 1
    assert not [query["sql"] for query in seen if 'FROM "access_user"' in query["sql"]]
