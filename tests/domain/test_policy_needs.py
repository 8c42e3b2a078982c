"""What a request has to bring along: tickets, a fresh sign-in, approvals; break-glass; and what nobody may have."""

from dataclasses import replace
from datetime import timedelta

import pytest

from credportal.domain.policy import STEP_UP_WINDOW, Standing, best_first, break_glass_maximum, longest, standing
from credportal.domain.types import (
    Approved,
    DenialReason,
    Granted,
    Identity,
    Narrowing,
    Needs,
    NeedsApproval,
    Preset,
    Source,
)
from tests.domain.rulebook import (
    ASKED,
    HOUR,
    MINUTE,
    NOW,
    ROLE,
    ROW,
    decided,
    denied,
    given_rows,
    granted,
    waiting,
)

TICKETED = replace(ROLE, needs=Needs(ticket=True), ticket_pattern="INC-# CHG-#")
APPROVED_BY_BOB = Approved(id="a9a9a9a9a9a9", max_duration=HOUR, by="Bob Osei")
WITH_APPROVERS = replace(ROLE, approvers="leads")
WAITS = replace(ROW, id=5, needs=Needs(approval=True))
GLASS = replace(ROW, id=7, break_glass_duration=30 * MINUTE)
SMASH = replace(ASKED, duration=15 * MINUTE, reason="Payments stand still", break_glass=True)

# Tickets and narrowing.


def test_a_missing_ticket_is_asked_for_with_an_example_of_the_roles_own() -> None:
    refusal = denied(ASKED, given_rows(ROW, role=TICKETED))
    assert refusal.reason is DenialReason.TICKET_REQUIRED
    assert refusal.next_step == "Name the ticket you work on. It looks like INC-1234 or CHG-1234."


@pytest.mark.parametrize("ticket", ["INC-", "inc-1", "OPS-1", "INC-1x", "xINC-1"])
def test_a_ticket_of_another_form_is_refused(ticket: str) -> None:
    refusal = denied(replace(ASKED, ticket=ticket), given_rows(ROW, role=TICKETED))
    assert refusal.reason is DenialReason.TICKET_MALFORMED


def test_a_ticket_that_fits_is_taken_and_goes_to_aws() -> None:
    decision = granted(replace(ASKED, ticket="CHG-7"), given_rows(ROW, role=TICKETED))
    assert ("credportal:ticket", "CHG-7") in decision.spec.session_tags


def test_a_ticket_that_nobody_asked_for_need_not_fit_but_has_to_be_one_that_aws_takes() -> None:
    role = replace(TICKETED, needs=Needs())
    assert granted(replace(ASKED, ticket="OPS-1"), given_rows(ROW, role=role))
    assert denied(replace(ASKED, ticket="no;tag"), given_rows(ROW, role=role)).reason is DenialReason.TICKET_MALFORMED


def test_a_broken_pattern_takes_no_ticket_and_sends_the_person_to_an_admin() -> None:
    refusal = denied(replace(ASKED, ticket="INC-1"), given_rows(ROW, role=replace(TICKETED, ticket_pattern="(INC")))
    assert refusal.reason is DenialReason.TICKET_MALFORMED
    assert refusal.next_step == "Ask an admin of the portal to mend the ticket pattern of PaymentsOnCall."


def test_a_narrowing_that_the_role_does_not_offer_is_refused_and_the_others_are_named() -> None:
    role = replace(ROLE, narrowings=frozenset({Preset.MY_ADDRESS}))
    refusal = denied(replace(ASKED, narrowing=Narrowing(read_only=True)), given_rows(ROW, role=role))
    assert refusal.reason is DenialReason.NARROWING_NOT_ALLOWED
    assert refusal.why == "PaymentsOnCall does not offer to be narrowed to: read-only."
    assert refusal.next_step == "Ask without it. PaymentsOnCall offers: only from my address."
    assert granted(replace(ASKED, narrowing=Narrowing(address="203.0.113.24")), given_rows(ROW, role=role))


# Step-up.


@pytest.mark.parametrize(
    ("ago", "fresh"),
    [
        (timedelta(0), True),
        (STEP_UP_WINDOW, True),
        (STEP_UP_WINDOW + timedelta(microseconds=1), False),
        (-MINUTE, True),
        (-HOUR, False),
        (None, False),
    ],
)
def test_a_step_up_asks_for_a_sign_in_of_the_last_five_minutes(ago: timedelta | None, fresh: bool) -> None:
    known = given_rows(replace(ROW, needs=Needs(step_up=True)), signed_in_at=None if ago is None else NOW - ago)
    decision = decided(ASKED, known)
    assert isinstance(decision, Granted) == fresh
    if not fresh:
        refusal = denied(ASKED, known)
        assert refusal.reason is DenialReason.STEP_UP_REQUIRED
        assert refusal.next_step == "Confirm who you are, then ask again within 5 min."


# Approvals.


def test_a_row_that_needs_an_approval_waits_for_it() -> None:
    assert waiting(ASKED, given_rows(WAITS, role=WITH_APPROVERS)) == NeedsApproval(WAITS)


def test_a_role_that_needs_an_approval_makes_every_row_wait() -> None:
    role = replace(WITH_APPROVERS, needs=Needs(approval=True))
    assert waiting(ASKED, given_rows(ROW, role=role)) == NeedsApproval(ROW)


def test_a_row_that_gives_it_outright_is_taken_before_one_that_waits() -> None:
    short = replace(ROW, id=9, max_duration=HOUR, needs=Needs(step_up=True, ticket=True, reason=True))
    known = given_rows(WAITS, short, role=WITH_APPROVERS, signed_in_at=NOW)
    assert best_first(known, WITH_APPROVERS) == [short, WAITS]
    assert granted(replace(ASKED, reason="Queue stuck", ticket="OPS-1"), known).eligibility == short


def test_a_row_that_waits_is_taken_before_a_refusal() -> None:
    short = replace(ROW, max_duration=15 * MINUTE)
    assert waiting(ASKED, given_rows(short, WAITS, role=WITH_APPROVERS)).eligibility == WAITS


def test_without_a_group_of_approvers_nobody_waits_for_ever() -> None:
    refusal = denied(ASKED, given_rows(WAITS))
    assert refusal.reason is DenialReason.NO_APPROVERS
    assert refusal.next_step == "Ask an admin of the portal to name a group of approvers for PaymentsOnCall."
    assert longest(given_rows(WAITS), NOW) is None


def test_what_was_approved_is_granted_by_its_id() -> None:
    decision = granted(ASKED, given_rows(WAITS, role=WITH_APPROVERS, approved=APPROVED_BY_BOB))
    assert (decision.source, decision.approval_id) == (Source.APPROVAL, APPROVED_BY_BOB.id)


def test_an_approval_is_not_collected_for_longer_than_was_agreed() -> None:
    known = given_rows(WAITS, role=WITH_APPROVERS, approved=APPROVED_BY_BOB)
    refusal = denied(replace(ASKED, duration=HOUR + MINUTE), known)
    assert refusal.reason is DenialReason.DURATION_TOO_LONG
    assert refusal.longest == HOUR
    assert "Approved by Bob Osei for up to 1 h." in refusal.why


def test_while_collecting_a_row_that_needs_no_approval_grants_as_always_and_is_not_capped_by_it() -> None:
    known = given_rows(WAITS, ROW, role=WITH_APPROVERS, approved=APPROVED_BY_BOB)
    decision = granted(replace(ASKED, duration=4 * HOUR), known)
    assert (decision.source, decision.approval_id, decision.eligibility) == (Source.STANDARD, "", ROW)


@pytest.mark.parametrize(
    ("row", "role", "reason"),
    [
        (replace(WAITS, valid_until=NOW), WITH_APPROVERS, DenialReason.NO_LONGER_VALID),
        (replace(WAITS, max_duration=30 * MINUTE), WITH_APPROVERS, DenialReason.DURATION_TOO_LONG),
        (replace(WAITS, needs=Needs(approval=True, step_up=True)), WITH_APPROVERS, DenialReason.STEP_UP_REQUIRED),
        (WAITS, replace(WITH_APPROVERS, enabled=False), DenialReason.ROLE_DISABLED),
        (WAITS, ROLE, DenialReason.NO_APPROVERS),
    ],
)
def test_an_approval_widens_nothing_else(row: object, role: object, reason: DenialReason) -> None:
    known = replace(given_rows(WAITS), eligibilities=(row,), role=role, approved=APPROVED_BY_BOB)  # type: ignore[arg-type]
    assert denied(ASKED, known).reason is reason


# Break-glass.


def test_break_glass_needs_neither_approval_nor_ticket() -> None:
    role = replace(ROLE, needs=Needs(approval=True, ticket=True), ticket_pattern="INC-#")
    decision = granted(SMASH, given_rows(GLASS, role=role))
    assert (decision.source, decision.eligibility) == (Source.BREAK_GLASS, GLASS)


def test_break_glass_always_asks_for_a_reason() -> None:
    assert denied(replace(SMASH, reason=" "), given_rows(GLASS)).reason is DenialReason.REASON_REQUIRED


def test_break_glass_still_asks_for_a_step_up() -> None:
    row = replace(GLASS, needs=Needs(step_up=True))
    assert denied(SMASH, given_rows(row)).reason is DenialReason.STEP_UP_REQUIRED
    assert granted(SMASH, given_rows(row, signed_in_at=NOW))


def test_break_glass_has_a_cap_of_its_own_that_may_be_longer_than_the_rows_limit() -> None:
    refusal = denied(replace(SMASH, duration=31 * MINUTE), given_rows(GLASS))
    assert (refusal.reason, refusal.longest) == (DenialReason.DURATION_TOO_LONG, 30 * MINUTE)
    assert "Break-glass limit for the group engineers." in refusal.why
    assert granted(SMASH, given_rows(replace(GLASS, max_duration=timedelta(0))))


def test_a_row_without_break_glass_gives_none() -> None:
    refusal = denied(SMASH, given_rows(ROW, role=WITH_APPROVERS))
    assert refusal.reason is DenialReason.NO_BREAK_GLASS
    assert refusal.next_step == "Ask for it the usual way. Approvals come from the group leads."
    assert break_glass_maximum(ROW, ROLE, None) is None


def test_an_open_review_blocks_the_next_break_glass_and_nothing_else() -> None:
    known = given_rows(GLASS, open_review=True)
    assert denied(SMASH, known).reason is DenialReason.REVIEW_OPEN
    assert granted(ASKED, known).source is Source.STANDARD
    assert denied(SMASH, given_rows(ROW, open_review=True)).reason is DenialReason.NO_BREAK_GLASS


# What came past the forms.


@pytest.mark.parametrize(
    ("arn", "identity"),
    [
        ("arn:aws:iam::491200653381:role/*", Identity()),
        ("arn:aws:iam::491200653381:role/aws-service-role/x.amazonaws.com/X", Identity()),
        (ROLE.arn, Identity(partition="aws-cn")),
        (ROLE.arn, Identity(principal=ROLE.arn)),
        ("arn:aws:iam::491200653381:role/Pаyments", Identity()),
    ],
)
def test_a_role_that_cannot_be_is_refused_at_the_moment_of_asking(arn: str, identity: Identity) -> None:
    known = given_rows(ROW, role=replace(ROLE, arn=arn), identity=identity)
    refusal = denied(ASKED, known)
    assert refusal.reason is DenialReason.ROLE_UNFIT
    assert arn not in refusal.why
    assert longest(known, NOW) is None


@pytest.mark.parametrize("limit", [timedelta(days=-1), timedelta(0), 14 * MINUTE])
def test_a_limit_under_what_aws_issues_gives_nothing(limit: timedelta) -> None:
    refusal = denied(replace(ASKED, duration=15 * MINUTE), given_rows(replace(ROW, max_duration=limit)))
    assert (refusal.reason, refusal.longest) == (DenialReason.DURATION_TOO_LONG, None)
    assert (
        refusal.next_step == "Ask an admin of the portal to raise the limit of the eligibility of the group engineers."
    )


def test_limits_beyond_what_aws_issues_widen_nothing() -> None:
    known = given_rows(replace(ROW, max_duration=99 * HOUR), role=replace(ROLE, max_session_duration=99 * HOUR))
    assert denied(replace(ASKED, duration=12 * HOUR + MINUTE), known).longest == 12 * HOUR


# Where somebody stands.


def test_who_brings_along_what_is_asked_stands_where_the_row_gives_it() -> None:
    row = replace(ROW, needs=Needs(reason=True, step_up=True))
    found = standing(given_rows(row, role=TICKETED), now=NOW)
    assert isinstance(found.decision, Granted)
    assert (found.row, found.needs) == (row, Needs(reason=True, ticket=True, step_up=True))
    assert found.maximum is not None
    assert found.maximum.duration == 4 * HOUR


def test_a_standing_names_the_longest_row_that_answers_alike() -> None:
    long = replace(ROW, id=2, max_duration=8 * HOUR, needs=Needs(reason=True))
    longer = replace(WAITS, max_duration=12 * HOUR)
    assert standing(given_rows(ROW, long, longer, role=WITH_APPROVERS), now=NOW).row == long


def test_who_needs_an_approval_stands_as_waiting() -> None:
    found = standing(given_rows(WAITS, role=WITH_APPROVERS), now=NOW)
    assert found == Standing(NeedsApproval(WAITS), found.maximum, WAITS, Needs(approval=True))


def test_who_may_not_stands_refused_with_the_reason() -> None:
    found = standing(given_rows(), now=NOW)
    assert found == Standing(denied(ASKED, given_rows()), None, None, Needs())
