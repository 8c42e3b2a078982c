"""Breaking the glass by the pages, and the letters of a role that nobody can have as it stands."""

import re

import pytest
from django.test import Client

from credportal.access.models import Eligibility, Review, Role
from credportal.audit.models import Issuance
from tests.fault_sts import FaultSTS
from tests.support.asking import ask_more, make_vault, only_denial, post, text_of
from tests.support.cast import Cast, Catalogue


@pytest.fixture
def approved_only(cast: Cast, catalogue: Catalogue) -> Role:
    """A role that always waits for approval, with a glass to break."""
    return make_vault(cast, catalogue)


def test_the_glass_is_there_only_where_a_row_allows_it_and_approval_is_needed(
    alice: Client, catalogue: Catalogue, approved_only: Role
) -> None:
    page = alice.get(f"/roles/{approved_only.id}/")
    assert "No approval. Recorded loudly. Somebody else has to review it before your next one." in text_of(page)
    assert f'action="/roles/{approved_only.id}/break-glass/"' in page.content.decode()
    assert "Break glass" not in text_of(alice.get(f"/roles/{catalogue.deployer.id}/"))
    Eligibility.objects.filter(role=approved_only).update(break_glass_duration=None)
    assert "Break glass" not in text_of(alice.get(f"/roles/{approved_only.id}/"))


def test_breaking_the_glass_without_a_reason_comes_back_in_the_panel_and_is_recorded(
    alice: Client, approved_only: Role, sts: FaultSTS
) -> None:
    answer = post(alice, approved_only, "break-glass", duration="900", ticket="INC-9")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f'id="glass-reason-wrong-{approved_only.id}"' in page
    assert f'id="reason-wrong-{approved_only.id}"' not in page
    assert re.search(r'<details class="glass"\s+open', page)
    assert only_denial().code == "reason_required"
    assert sts.ledger.mints == []


def test_a_broken_form_of_the_glass_keeps_what_was_typed_in_the_panel(alice: Client, approved_only: Role) -> None:
    answer = post(alice, approved_only, "break-glass", duration="custom", duration_minutes="x", reason="Fire")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count('value="Fire"') == 1
    assert not Issuance.objects.exists()


def test_a_glass_broken_for_too_long_is_offered_for_its_own_limit_by_the_same_way(
    alice: Client, approved_only: Role, sts: FaultSTS
) -> None:
    answer = post(alice, approved_only, "break-glass", duration="3600", reason="Fire")
    assert answer.status_code == 403
    assert "You may have The vault for 30 min by break-glass, not 1 h" in text_of(answer)
    page = answer.content.decode()
    assert f'action="/roles/{approved_only.id}/break-glass/"' in page
    assert f'action="/roles/{approved_only.id}/issue/"' not in page
    assert only_denial().code == "duration_too_long"
    assert sts.ledger.mints == []


def test_credentials_by_break_glass_come_without_buttons_that_would_be_refused(
    alice: Client, approved_only: Role, sts: FaultSTS
) -> None:
    answer = post(alice, approved_only, "break-glass", duration="900", reason="Fire")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "data-issuance" in page
    assert "data-renew" not in page
    assert Issuance.objects.get().source == "break-glass"
    assert Review.objects.filter(closed_at=None).count() == 1
    assert len(sts.ledger.mints) == 1


def test_an_open_review_is_told_in_the_panel_and_in_the_letter_with_who_can_close_it(
    alice: Client, cast: Cast, approved_only: Role, sts: FaultSTS
) -> None:
    Review.objects.create(issuance_id="0123456789ab", user=cast.alice, role=approved_only, reason="Fire")
    page = text_of(alice.get(f"/roles/{approved_only.id}/"))
    assert "Your last break-glass still waits for its review" in page
    answer = post(alice, approved_only, "break-glass", duration="900", reason="Fire again")
    assert answer.status_code == 403
    assert "Somebody in the group payments-leads, an auditor or a catalogue admin can close it" in text_of(answer)
    assert only_denial().code == "review_open"
    assert sts.ledger.mints == []


def test_break_glass_where_no_row_allows_it_leads_to_the_usual_way(
    alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    answer = post(alice, catalogue.deployer, "break-glass", reason="Fire")
    assert answer.status_code == 403
    assert "Ask the usual way" in text_of(answer)
    assert only_denial().code == "no_break_glass"
    assert sts.ledger.mints == []


def test_a_role_without_approvers_says_whom_to_tell(alice: Client, approved_only: Role, sts: FaultSTS) -> None:
    ask_more(approved_only, approvers=None)
    submission = "0123456789abcdef0"
    answer = alice.post(
        f"/roles/{approved_only.id}/issue/", {"duration": "3600", "reason": "x", "submission": submission}
    )
    assert answer.status_code == 403
    assert "Ask an admin of the portal to name a group of approvers" in text_of(answer)
    assert only_denial().code == "no_approvers"


def test_a_role_with_an_arn_that_came_past_the_forms_says_whom_to_tell(
    alice: Client, catalogue: Catalogue, sts: FaultSTS
) -> None:
    ask_more(catalogue.deployer, arn=f"arn:aws:iam::{catalogue.staging.number}:role/*")
    fields = {"duration": "3600", "submission": "0123456789abcdef0"}
    answer = alice.post(f"/roles/{catalogue.deployer.id}/issue/", fields)
    assert answer.status_code == 403
    assert "Ask an admin of the portal to mend the role’s ARN" in text_of(answer)
    assert only_denial().code == "role_unfit"
    assert sts.ledger.mints == []
