"""The rule book, as sentences: who, how long, when, why not, and what goes to AWS."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.policy import best_first, effective_maximum, longest, valid_rows
from credportal.domain.types import (
    DenialReason,
    Denied,
    EligibilityFacts,
    Facts,
    Narrowing,
    Needs,
    RoleFacts,
    SessionSpec,
)
from tests.domain.rulebook import (
    ALICE,
    ASKED,
    HOUR,
    ISSUANCE_ID,
    MINUTE,
    NOW,
    ROLE,
    ROW,
    decided,
    denied,
    given_rows,
    granted,
)

# Who may have what.


def test_two_rows_are_never_added_up() -> None:
    long_with_reason = replace(ROW, id=1, max_duration=8 * HOUR, needs=Needs(reason=True))
    short_without = replace(ROW, id=2, max_duration=HOUR)
    known = given_rows(long_with_reason, short_without)
    assert denied(replace(ASKED, duration=8 * HOUR), known).reason is DenialReason.REASON_REQUIRED
    assert granted(replace(ASKED, duration=HOUR), known).eligibility == short_without
    assert granted(replace(ASKED, duration=8 * HOUR, reason="Queue stuck"), known).eligibility == long_with_reason


def test_the_row_that_asks_for_less_is_taken_first_then_the_longer_then_the_older() -> None:
    strict = replace(ROW, id=1, max_duration=12 * HOUR, needs=Needs(reason=True))
    short = replace(ROW, id=2, max_duration=2 * HOUR)
    younger, older = replace(ROW, id=9), replace(ROW, id=3)
    assert best_first(given_rows(strict, short, younger, older), ROLE) == [older, younger, short, strict]
    asked = replace(ASKED, reason="Queue stuck")
    assert granted(asked, given_rows(strict, short, younger, older)).eligibility == older


def test_a_person_who_is_switched_off_gets_nothing() -> None:
    known = replace(given_rows(ROW), actor=replace(ALICE, is_active=False))
    assert denied(ASKED, known).reason is DenialReason.INACTIVE


@pytest.mark.parametrize("known", [given_rows(), given_rows(role=None), given_rows(ROW, role=None)])
def test_a_role_that_is_not_there_and_one_that_is_not_theirs_read_the_same(known: Facts) -> None:
    assert denied(ASKED, known) == denied(ASKED, given_rows(role=None))
    assert denied(ASKED, known).reason is DenialReason.NOT_ELIGIBLE


def test_a_role_that_is_switched_off_is_told_only_to_whoever_has_it() -> None:
    off = replace(ROLE, enabled=False)
    assert denied(ASKED, given_rows(ROW, role=off)).reason is DenialReason.ROLE_DISABLED
    assert denied(ASKED, given_rows(role=off)).reason is DenialReason.NOT_ELIGIBLE


# How long.


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        (-15, DenialReason.DURATION_TOO_SHORT),
        (0, DenialReason.DURATION_TOO_SHORT),
        (14, DenialReason.DURATION_TOO_SHORT),
        (15, None),
        (240, None),
        (241, DenialReason.DURATION_TOO_LONG),
        (10**6, DenialReason.DURATION_TOO_LONG),
    ],
)
def test_the_limits_themselves_are_allowed_and_nothing_beyond(minutes: int, reason: DenialReason | None) -> None:
    decision = decided(replace(ASKED, duration=minutes * MINUTE), given_rows(ROW))
    assert (decision.reason if isinstance(decision, Denied) else None) is reason


@pytest.mark.parametrize(
    ("row", "role_hours", "ceiling", "why"),
    [
        (replace(ROW, max_duration=2 * HOUR), 4, None, "Limit for the group engineers."),
        (replace(ROW, group="", max_duration=2 * HOUR), 4, None, "Your own limit."),
        (replace(ROW, max_duration=4 * HOUR), 2, None, "The role’s own maximum in AWS."),
        (replace(ROW, max_duration=4 * HOUR), 2, HOUR, "AWS stops chained roles at 1 h."),
        (replace(ROW, max_duration=24 * HOUR), 24, None, "AWS issues nothing longer."),
        (replace(ROW, max_duration=12 * HOUR), 12, None, "Limit for the group engineers."),
        (replace(ROW, max_duration=HOUR), 1, HOUR, "Limit for the group engineers."),
        (replace(ROW, max_duration=4 * HOUR), 1, HOUR, "The role’s own maximum in AWS."),
    ],
)
def test_the_effective_maximum_names_the_limit_that_set_it(
    row: EligibilityFacts, role_hours: int, ceiling: timedelta | None, why: str
) -> None:
    role = replace(ROLE, max_session_duration=role_hours * HOUR)
    assert effective_maximum(row, role, ceiling).why == why


def test_a_chained_role_ends_at_one_hour_and_the_refusal_says_so() -> None:
    known = given_rows(ROW, ceiling=HOUR)
    assert granted(ASKED, known).spec.duration == HOUR
    refusal = denied(replace(ASKED, duration=HOUR + MINUTE), known)
    assert refusal.reason is DenialReason.DURATION_TOO_LONG
    assert refusal.longest == HOUR
    assert "AWS stops chained roles at 1 h." in refusal.why


def test_among_the_longest_rows_the_one_that_asks_for_less_is_named_then_the_older() -> None:
    strict, younger, older = replace(ROW, id=1, needs=Needs(reason=True)), replace(ROW, id=3), replace(ROW, id=2)
    best = longest(given_rows(strict, younger, older), NOW)
    assert best is not None
    assert best[1] == older


@pytest.mark.parametrize("role", [None, replace(ROLE, enabled=False)])
def test_a_role_that_is_not_there_or_switched_off_has_no_longest_duration(role: RoleFacts | None) -> None:
    assert longest(given_rows(ROW, role=role), NOW) is None


# When.


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [
        (NOW, None, None),
        (NOW + timedelta(microseconds=1), None, DenialReason.NOT_YET_VALID),
        (None, NOW, DenialReason.NO_LONGER_VALID),
        (None, NOW + timedelta(microseconds=1), None),
        (NOW, NOW, DenialReason.NO_LONGER_VALID),
        (NOW - HOUR, NOW + HOUR, None),
    ],
)
def test_a_row_is_valid_from_its_first_moment_to_just_before_its_last(
    begins: datetime | None, ends: datetime | None, reason: DenialReason | None
) -> None:
    row = replace(ROW, valid_from=begins, valid_until=ends)
    decision = decided(ASKED, given_rows(row))
    assert (decision.reason if isinstance(decision, Denied) else None) is reason
    assert valid_rows(given_rows(row), NOW) == ([] if reason else [row])


def test_a_row_that_has_ended_says_when() -> None:
    row = replace(ROW, valid_until=datetime(2026, 11, 20, 17, 0, tzinfo=UTC))
    assert denied(ASKED, given_rows(row)).why == "It ended on 20 Nov 2026, 17:00 UTC."


# Why not.


def test_the_reason_that_is_nearest_to_a_yes_is_told() -> None:
    reason = replace(ROW, id=1, needs=Needs(reason=True))
    short = replace(ROW, id=2, max_duration=15 * MINUTE)
    early = replace(ROW, id=3, valid_from=NOW + HOUR)
    late = replace(ROW, id=4, valid_until=NOW - HOUR)
    told = [denied(ASKED, given_rows(*some)).reason for some in [(late,), (late, early), (late, early, short)]]
    told.append(denied(ASKED, given_rows(late, early, short, reason)).reason)
    assert told == [
        DenialReason.NO_LONGER_VALID,
        DenialReason.NOT_YET_VALID,
        DenialReason.DURATION_TOO_LONG,
        DenialReason.REASON_REQUIRED,
    ]


@pytest.mark.parametrize("reason", ["", " ", "\t\n", "\u00a0"])
def test_a_reason_of_spaces_is_none(reason: str) -> None:
    known = given_rows(replace(ROW, needs=Needs(reason=True)))
    assert denied(replace(ASKED, reason=reason), known).reason is DenialReason.REASON_REQUIRED


# What goes to AWS.


def spec(**role: Any) -> SessionSpec:
    return granted(replace(ASKED, ticket="OPS-1234"), given_rows(ROW, role=replace(ROLE, **role))).spec


def test_source_identity_and_tags_go_out_only_where_the_role_takes_them() -> None:
    both = spec()
    assert both.source_identity == "alice"
    assert dict(both.session_tags) == {
        "credportal:issuance": ISSUANCE_ID,
        "credportal:ticket": "OPS-1234",
        "credportal:issued-by": "alice",
    }
    assert spec(accepts_source_identity=False).source_identity == ""
    assert spec(accepts_session_tags=False).session_tags == ()
    assert spec(accepts_source_identity=False).session_tags == both.session_tags
    assert spec(accepts_session_tags=False).source_identity == "alice"


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789_.=@-", min_size=2, max_size=51))
def test_the_session_name_carries_the_whole_issuance_id(handle: str) -> None:
    known = replace(given_rows(ROW), actor=replace(ALICE, handle=handle))
    name = granted(ASKED, known).spec.session_name
    assert name == f"{handle}-{ISSUANCE_ID}"
    assert len(name) <= 64


def test_a_role_of_another_partition_gets_the_session_policies_of_that_partition() -> None:
    china = replace(ROLE, arn="arn:aws-cn:iam::491200653381:role/PaymentsOnCall")
    decision = granted(replace(ASKED, narrowing=Narrowing(read_only=True)), given_rows(ROW, role=china))
    assert decision.spec.session_policy_arns == ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess",)


def test_the_external_id_is_not_in_the_representation_of_a_decision() -> None:
    assert ROLE.external_id not in repr(granted(ASKED, given_rows(ROW)))
    assert ROLE.external_id not in repr(given_rows(ROW))
