"""The pages of requests that wait: who sees what, and what each button answers."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from credportal.access.models import Approval, ApprovalDecision, Role, User
from credportal.audit.models import Issuance
from tests.fault_sts import CANARY, FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.html import hidden
from tests.support.requests import guard, say_yes, story, waiting

HTMX = {"HX-Request": "true"}


@pytest.fixture
def role(cast: Cast, catalogue: Catalogue) -> Role:
    """A role that Dana and Bob approve."""
    return guard(catalogue, cast.dana, cast.bob)


@pytest.fixture
def asked(cast: Cast, role: Role) -> str:
    """A request of Alice's."""
    return waiting(cast.alice, role, ticket="INC-7")


def text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status
    return str(response.content.decode())


def decide(client: Client, approval_id: str, **fields: str) -> int:
    return client.post(f"/approvals/{approval_id}/decide/", fields).status_code


def test_asking_for_such_a_role_answers_202_with_the_waiting_page(alice: Client, role: Role) -> None:
    fields = {"duration": "3600", "reason": "The queue is stuck", "submission": "submission-of-a-test"}
    first = alice.post(f"/roles/{role.id}/issue/", fields)
    assert first.status_code == 202
    assert "Waiting for somebody’s yes" in first.content.decode()
    again = alice.post(f"/roles/{role.id}/issue/", fields, headers=HTMX)
    assert again.status_code == 202
    assert "<html" not in again.content.decode()
    approval = Approval.objects.get()
    assert f'data-approval="{approval.id}"' in again.content.decode()
    assert story(f"approval:{approval.id}") == ["approval:requested"]


def test_the_queue_says_who_asks_what_why_and_for_how_long(dana: Client, asked: str) -> None:
    page = text(dana, "/approvals/")
    for words in ("Waiting for you", "Alice Engström", "PaymentsOnCall", "1 h", "The queue is stuck", "INC-7"):
        assert words.replace("PaymentsOnCall", "OnCall") in page
    assert f"/approvals/{asked}/" in page


def test_nothing_of_ones_own_and_nothing_decided_is_in_the_queue(
    cast: Cast, catalogue: Catalogue, dana: Client, alice: Client
) -> None:
    role = guard(catalogue, cast.alice, cast.dana, cast.erin, needed=2)
    approval_id = waiting(cast.alice, role)
    assert "Nobody waits for you" in text(alice, "/approvals/")
    say_yes(cast.dana, approval_id)
    assert "Nobody waits for you" in text(dana, "/approvals/")


def test_whoever_approves_nothing_sees_only_their_own_requests(charlie: Client, asked: str) -> None:
    page = text(charlie, "/approvals/")
    assert "Waiting for you" not in page
    assert "You have not asked for an approval yet" in page
    assert asked not in page


@pytest.mark.parametrize(("name", "status"), [("alice", 200), ("bob", 200), ("dana", 200), ("erin", 200)])
def test_requester_approvers_and_reviewers_see_the_request(
    cast: Cast, sign_in: Callable[[User], Client], asked: str, name: str, status: int
) -> None:
    assert "The queue is stuck" in text(sign_in(getattr(cast, name)), f"/approvals/{asked}/", status)


def test_for_others_there_is_no_such_request(charlie: Client, asked: str) -> None:
    text(charlie, f"/approvals/{asked}/", 404)
    for act in ("withdraw", "collect"):
        fields = {"submission": "submission-of-a-test"}
        assert charlie.post(f"/approvals/{asked}/{act}/", fields).status_code == 404
    assert story(f"approval:{asked}") == ["approval:requested"]


def test_only_an_approver_is_shown_the_buttons_to_decide(
    cast: Cast, alice: Client, bob: Client, erin: Client, asked: str
) -> None:
    for client, shown in ((alice, False), (bob, True), (erin, False)):
        assert ('value="approve"' in text(client, f"/approvals/{asked}/")) is shown


def test_bob_approves_for_less_and_alice_collects(
    cast: Cast, alice: Client, bob: Client, sts: FaultSTS, asked: str
) -> None:
    response = bob.post(f"/approvals/{asked}/decide/", {"decision": "approve", "duration": "900", "comment": ""})
    assert (response.status_code, response["Location"]) == (302, f"/approvals/{asked}/")
    page = text(alice, f"/approvals/{asked}/")
    assert "ready to collect" in page
    fields = {"submission": hidden(page, "submission")}
    collected = alice.post(f"/approvals/{asked}/collect/", fields)
    assert collected.status_code == 200
    assert CANARY in collected.content.decode()
    assert "no-store" in collected["Cache-Control"]
    assert Issuance.objects.get().duration_given == timedelta(minutes=15)
    again = alice.post(f"/approvals/{asked}/collect/", fields)
    assert again.status_code == 409
    assert CANARY not in again.content.decode()
    assert len(sts.ledger.mints) == 1


def test_bob_denies_with_a_comment_that_alice_reads(alice: Client, bob: Client, asked: str) -> None:
    assert decide(bob, asked, decision="deny", comment="Not during the freeze") == 302
    page = text(alice, f"/approvals/{asked}/")
    assert "You were not given" in page
    assert "Not during the freeze" in page
    assert story(f"approval:{asked}") == ["approval:requested", "approval:denied"]


def test_a_denial_without_a_comment_keeps_what_was_chosen(bob: Client, asked: str) -> None:
    response = bob.post(f"/approvals/{asked}/decide/", {"decision": "deny", "duration": "900"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "Write why you deny it" in page
    assert '<option value="900" selected>' in page
    assert Approval.objects.get().state == "waiting"


@pytest.mark.parametrize(
    "fields",
    [
        {"decision": "approve", "duration": "7200"},
        {"decision": "approve", "duration": "60"},
        {"decision": "approve"},
        {"decision": "approve", "duration": "900", "comment": "x" * 501},
        {"decision": "approve", "duration": "900", "comment": "two\nlines"},
        {"decision": "maybe", "duration": "900"},
        {"duration": "900"},
    ],
)
def test_what_an_approver_may_not_write_is_422(bob: Client, asked: str, fields: dict[str, str]) -> None:
    assert decide(bob, asked, **fields) == 422
    assert not ApprovalDecision.objects.exists()


def test_state_approver_and_actor_are_not_fields(cast: Cast, bob: Client, asked: str) -> None:
    forged = {"state": "collected", "approver": str(cast.dana.pk), "actor": "dana", "requester": str(cast.bob.pk)}
    assert decide(bob, asked, decision="approve", duration="900", **forged) == 302
    assert Approval.objects.get().state == "approved"
    assert ApprovalDecision.objects.get().approver == cast.bob


def test_an_approver_does_not_decide_their_own_request(cast: Cast, catalogue: Catalogue, alice: Client) -> None:
    approval_id = waiting(cast.alice, guard(catalogue, cast.alice, cast.dana))
    assert decide(alice, approval_id, decision="approve", duration="900") == 403
    assert decide(alice, approval_id, decision="nonsense") == 403
    assert story(f"approval:{approval_id}") == ["approval:requested"]


def test_the_slower_of_two_approvers_is_told(cast: Cast, bob: Client, asked: str) -> None:
    say_yes(cast.dana, asked)
    response = bob.post(f"/approvals/{asked}/decide/", {"decision": "deny", "comment": "No"})
    assert response.status_code == 409
    assert "somebody was faster" in response.content.decode()
    assert Approval.objects.get().state == "approved"


def test_alice_withdraws(alice: Client, asked: str) -> None:
    assert alice.post(f"/approvals/{asked}/withdraw/").status_code == 302
    assert "You have withdrawn this request" in text(alice, f"/approvals/{asked}/")
    assert alice.post(f"/approvals/{asked}/withdraw/").status_code == 409


def test_collecting_too_early_mints_nothing(alice: Client, sts: FaultSTS, asked: str) -> None:
    fields = {"submission": "submission-of-a-test-2"}
    assert alice.post(f"/approvals/{asked}/collect/", fields).status_code == 409
    assert alice.post(f"/approvals/{asked}/collect/").status_code == 422
    assert sts.ledger.calls == []


def test_the_waiting_page_looks_by_itself_until_it_is_decided(cast: Cast, alice: Client, asked: str) -> None:
    path = f"/approvals/{asked}/"
    assert f'hx-get="{path}?seen=waiting-0" hx-trigger="every 5s"' in " ".join(text(alice, path).split())
    same = alice.get(f"{path}?seen=waiting-0", headers=HTMX)
    assert (same.status_code, same.content) == (204, b"")
    say_yes(cast.dana, asked)
    changed = alice.get(f"{path}?seen=waiting-0", headers=HTMX)
    assert changed.status_code == 200
    assert "hx-trigger" not in changed.content.decode()
    assert "ready to collect" in changed.content.decode()
    assert "Refresh" not in changed.content.decode()


def test_what_expired_reads_so_before_housekeeping_ran(alice: Client, bob: Client, asked: str) -> None:
    Approval.objects.update(expires_at=timezone.now())
    assert "This request has expired" in text(alice, f"/approvals/{asked}/")
    assert 'value="approve"' not in text(bob, f"/approvals/{asked}/")
    assert "Nobody waits for you" in text(bob, "/approvals/")


def test_the_timeline_tells_each_step_with_its_person(cast: Cast, erin: Client, asked: str) -> None:
    say_yes(cast.dana, asked, minutes=30, comment="Mind the <b>queue</b>")
    page = text(erin, f"/approvals/{asked}/")
    for words in (
        "Approval asked for",
        "One approver agreed",
        "Approved",
        "30 min",
        "Mind the &lt;b&gt;queue&lt;/b&gt;",
    ):
        assert words in page


MARK = "a request waits for you"


def test_the_menu_of_everybody_who_is_waited_for_says_so_until_they_have_decided(
    cast: Cast, alice: Client, bob: Client, dana: Client, catalogue: Catalogue
) -> None:
    role = guard(catalogue, cast.dana, cast.bob, cast.alice, needed=2)
    assert MARK not in text(bob, "/")
    asked = waiting(cast.alice, role)
    told = {name: MARK in text(client, "/") for name, client in (("bob", bob), ("dana", dana), ("alice", alice))}
    assert told == {"bob": True, "dana": True, "alice": False}
    say_yes(cast.bob, asked)
    assert (MARK in text(bob, "/"), MARK in text(dana, "/")) == (False, True)


def test_the_menu_does_not_call_for_what_has_expired(asked: str, bob: Client) -> None:
    Approval.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert MARK not in text(bob, "/")
