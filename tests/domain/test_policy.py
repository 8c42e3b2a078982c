"""The rule book, as sentences. Each holds for any catalogue that hypothesis can think of."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from credportal.domain.durations import MAX_DURATION, MIN_DURATION
from credportal.domain.policy import NEXT_STEPS, best_first, decide, effective_maximum, longest, valid_rows
from credportal.domain.types import (
    Actor,
    DenialReason,
    Denied,
    EligibilityFacts,
    Environment,
    Facts,
    Granted,
    IssuanceRequest,
    Narrowing,
    RoleFacts,
    SessionSpec,
    Source,
)

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ISSUANCE_ID = "4k2m9x7c1p0z"
ALICE = Actor(id=1, handle="alice", name="Alice Engström")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ROLE = RoleFacts(
    id="r0r0r0r0r0r0",
    arn="arn:aws:iam::491200653381:role/credportal/PaymentsOnCall",
    name="PaymentsOnCall",
    description="",
    account_number="491200653381",
    account_name="payments-prod",
    account_owner="",
    environment=Environment.PRODUCTION,
    enabled=True,
    max_session_duration=12 * HOUR,
    default_region="eu-west-1",
    external_id="an-external-id-of-the-tests",
    accepts_source_identity=True,
    accepts_session_tags=True,
)
ROW = EligibilityFacts(id=1, group="engineers", max_duration=4 * HOUR, needs_reason=False)
ASKED = IssuanceRequest(role_id=ROLE.id, duration=HOUR)

# Most draws are a plain yes, so that many of them come as far as the rows: hypothesis shrinks to the first choice.
mostly = st.sampled_from([True] * 9 + [False])
instants = st.integers(-3, 3).map(lambda hours: NOW + hours * HOUR)
limits = st.sampled_from([15, 59, 60, 61, 120, 240, 719, 720]).map(lambda minutes: minutes * MINUTE)
rows = st.builds(
    EligibilityFacts,
    id=st.integers(1, 10**9),
    group=st.sampled_from(["engineers", "on-call", ""]),
    max_duration=limits,
    needs_reason=st.booleans(),
    valid_from=st.one_of(st.none(), st.none(), instants),
    valid_until=st.one_of(st.none(), st.none(), instants),
)
catalogues = st.lists(rows, min_size=1, max_size=5, unique_by=lambda row: row.id).map(tuple)
roles = st.builds(
    replace,
    st.just(ROLE),
    enabled=mostly,
    max_session_duration=limits.filter(lambda duration: duration >= HOUR),
    accepts_source_identity=st.booleans(),
    accepts_session_tags=st.booleans(),
)
facts = st.builds(
    Facts,
    actor=st.builds(replace, st.just(ALICE), is_active=mostly),
    role=mostly.flatmap(lambda there: roles if there else st.none()),
    eligibilities=mostly.flatmap(lambda some: catalogues if some else st.just(())),
    chaining_ceiling=st.none() | st.just(HOUR),
)
narrowings = st.builds(
    Narrowing,
    read_only=st.booleans(),
    address=st.sampled_from(["", "203.0.113.24", "2001:db8::1"]),
    region=st.sampled_from(["", "eu-west-1"]),
)
requests = st.builds(
    IssuanceRequest,
    role_id=st.just(ROLE.id),
    duration=limits | st.sampled_from([0, 14, 15, 30, 60, 721]).map(lambda minutes: minutes * MINUTE),
    reason=st.sampled_from(["Queue stuck", "", "  "]),
    ticket=st.sampled_from(["", "OPS-1234"]),
    narrowing=narrowings,
    submission=st.text(max_size=8),
)


def given_rows(
    *eligibilities: EligibilityFacts, role: RoleFacts | None = ROLE, ceiling: timedelta | None = None
) -> Facts:
    return Facts(actor=ALICE, role=role, eligibilities=eligibilities, chaining_ceiling=ceiling)


def decided(asked: IssuanceRequest, known: Facts, now: datetime = NOW) -> Granted | Denied:
    return decide(asked, known, issuance_id=ISSUANCE_ID, now=now)


def granted(asked: IssuanceRequest, known: Facts, now: datetime = NOW) -> Granted:
    decision = decided(asked, known, now)
    assert isinstance(decision, Granted), decision
    return decision


def denied(asked: IssuanceRequest, known: Facts, now: datetime = NOW) -> Denied:
    decision = decided(asked, known, now)
    assert isinstance(decision, Denied), decision
    return decision


def allows_alone(row: EligibilityFacts, asked: IssuanceRequest, known: Facts, now: datetime) -> bool:
    """Say in the plainest words whether this one row gives all that is asked. The other rows are not looked at."""
    if known.role is None or not known.role.enabled or not known.actor.is_active:
        return False
    return (
        (row.valid_from is None or row.valid_from <= now)
        and (row.valid_until is None or now < row.valid_until)
        and asked.duration >= timedelta(minutes=15)
        and asked.duration <= row.max_duration
        and asked.duration <= known.role.max_session_duration
        and asked.duration <= timedelta(hours=12)
        and (known.chaining_ceiling is None or asked.duration <= known.chaining_ceiling)
        and (not row.needs_reason or asked.reason.strip() != "")
    )


# Who may have what.


@given(requests, facts, instants)
@example(ASKED, given_rows(ROW), NOW)
def test_it_is_granted_if_and_only_if_some_one_row_allows_the_whole_request(
    asked: IssuanceRequest, known: Facts, now: datetime
) -> None:
    expected = any(allows_alone(row, asked, known, now) for row in known.eligibilities)
    assert isinstance(decided(asked, known, now), Granted) == expected


@given(requests, facts, instants)
def test_the_row_that_is_named_allows_the_whole_request_alone(
    asked: IssuanceRequest, known: Facts, now: datetime
) -> None:
    decision = decided(asked, known, now)
    if isinstance(decision, Granted):
        assert decision.eligibility in known.eligibilities
        assert allows_alone(decision.eligibility, asked, known, now)
        assert decision.source is Source.STANDARD


def test_two_rows_are_never_added_up() -> None:
    long_with_reason = replace(ROW, id=1, max_duration=8 * HOUR, needs_reason=True)
    short_without = replace(ROW, id=2, max_duration=HOUR)
    known = given_rows(long_with_reason, short_without)
    assert denied(replace(ASKED, duration=8 * HOUR), known).reason is DenialReason.REASON_REQUIRED
    assert granted(replace(ASKED, duration=HOUR), known).eligibility == short_without
    assert granted(replace(ASKED, duration=8 * HOUR, reason="Queue stuck"), known).eligibility == long_with_reason


@given(requests, facts, rows, instants)
def test_one_more_row_never_takes_a_right_away(
    asked: IssuanceRequest, known: Facts, row: EligibilityFacts, now: datetime
) -> None:
    assume(row.id not in {other.id for other in known.eligibilities})
    more = replace(known, eligibilities=(*known.eligibilities, row))
    if isinstance(decided(asked, known, now), Granted):
        assert isinstance(decided(asked, more, now), Granted)
    before, after = longest(known, now), longest(more, now)
    if before is not None:
        assert after is not None
        assert after[0].duration >= before[0].duration


@given(requests, facts, st.randoms(use_true_random=False), instants)
def test_the_order_of_the_rows_changes_nothing(
    asked: IssuanceRequest, known: Facts, chance: object, now: datetime
) -> None:
    shuffled = list(known.eligibilities)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # A random.Random of hypothesis.
    other = replace(known, eligibilities=tuple(shuffled))
    assert decided(asked, other, now) == decided(asked, known, now)
    assert longest(other, now) == longest(known, now)


def test_the_row_that_asks_for_less_is_taken_first_then_the_longer_then_the_older() -> None:
    strict = replace(ROW, id=1, max_duration=12 * HOUR, needs_reason=True)
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


@given(rows, roles, st.none() | limits)
def test_the_effective_maximum_is_the_smallest_limit(
    row: EligibilityFacts, role: RoleFacts, ceiling: timedelta | None
) -> None:
    limits_of_all = {row.max_duration, role.max_session_duration, MAX_DURATION, ceiling or MAX_DURATION}
    assert effective_maximum(row, role, ceiling).duration == min(limits_of_all)


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


@given(requests, facts, instants)
def test_the_longest_duration_is_granted_and_one_second_more_is_not(
    asked: IssuanceRequest, known: Facts, now: datetime
) -> None:
    best = longest(known, now)
    if best is None or not known.actor.is_active:
        return
    maximum, row = best
    asked = replace(asked, duration=maximum.duration, reason="Queue stuck")
    assert granted(asked, known, now).spec.duration == maximum.duration
    over = replace(asked, duration=maximum.duration + timedelta(seconds=1))
    assert denied(over, known, now).longest == maximum.duration
    assert row in valid_rows(known, now)


@given(facts, instants)
def test_without_a_longest_duration_nothing_is_granted(known: Facts, now: datetime) -> None:
    if longest(known, now) is None:
        denied(replace(ASKED, duration=MIN_DURATION, reason="Queue stuck"), known, now)


def test_among_the_longest_rows_the_one_that_asks_for_less_is_named_then_the_older() -> None:
    strict, younger, older = replace(ROW, id=1, needs_reason=True), replace(ROW, id=3), replace(ROW, id=2)
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


@given(requests, facts, instants)
def test_every_refusal_says_why_and_what_to_do_next(asked: IssuanceRequest, known: Facts, now: datetime) -> None:
    decision = decided(asked, known, now)
    if isinstance(decision, Denied):
        assert decision.why.endswith(".")
        assert decision.next_step == NEXT_STEPS[decision.reason]
        assert decision.next_step.endswith(".")
        assert all(row.why.endswith(".") for row in decision.tried)


REASONS_OF_ROWS = {
    DenialReason.REASON_REQUIRED,
    DenialReason.DURATION_TOO_LONG,
    DenialReason.NOT_YET_VALID,
    DenialReason.NO_LONGER_VALID,
}


@given(requests, facts, instants)
def test_a_refusal_by_rows_lists_every_row_that_was_tried(asked: IssuanceRequest, known: Facts, now: datetime) -> None:
    decision = decided(asked, known, now)
    if isinstance(decision, Denied) and decision.reason in REASONS_OF_ROWS:
        assert {row.eligibility for row in decision.tried} == set(known.eligibilities)
        assert decision.reason in {row.reason for row in decision.tried}


def test_every_reason_has_a_next_step() -> None:
    assert set(NEXT_STEPS) == set(DenialReason)


def test_the_reason_that_is_nearest_to_a_yes_is_told() -> None:
    reason = replace(ROW, id=1, needs_reason=True)
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
    known = given_rows(replace(ROW, needs_reason=True))
    assert denied(replace(ASKED, reason=reason), known).reason is DenialReason.REASON_REQUIRED


# Nothing in the request widens a right.


@given(requests, requests, facts, instants)
def test_whatever_else_is_asked_the_session_is_the_catalogues(
    asked: IssuanceRequest, other: IssuanceRequest, known: Facts, now: datetime
) -> None:
    """Ticket, narrowing, submission and even the role id of the form decide nothing."""
    twisted = replace(other, role_id="of-another-role", duration=asked.duration, reason=asked.reason)
    first, second = decided(asked, known, now), decided(twisted, known, now)
    assert type(first) is type(second)
    if isinstance(first, Denied) or isinstance(second, Denied):
        assert first == second
        return
    assert known.role is not None
    for decision in (first, second):
        assert decision.spec.role_arn == known.role.arn
        assert decision.spec.external_id == known.role.external_id
        assert decision.spec.duration == asked.duration
    assert first.eligibility == second.eligibility


@given(requests, facts, instants)
def test_a_reason_opens_only_rows_that_ask_for_one(asked: IssuanceRequest, known: Facts, now: datetime) -> None:
    silent = decided(replace(asked, reason=""), known, now)
    talking = decided(replace(asked, reason="Queue stuck"), known, now)
    if isinstance(talking, Granted) and isinstance(silent, Denied):
        assert talking.eligibility.needs_reason
    if isinstance(silent, Granted):
        assert talking == silent


@given(requests, facts, instants, narrowings)
def test_narrowing_only_adds_a_session_policy(
    asked: IssuanceRequest, known: Facts, now: datetime, narrowing: Narrowing
) -> None:
    wide = decided(replace(asked, narrowing=Narrowing()), known, now)
    narrow = decided(replace(asked, narrowing=narrowing), known, now)
    if isinstance(wide, Denied) or isinstance(narrow, Denied):
        assert wide == narrow
        return
    assert (wide.spec.session_policy, wide.spec.session_policy_arns) == ("", ())
    assert replace(narrow.spec, session_policy="", session_policy_arns=()) == wide.spec
    if narrowing:
        assert json.loads(narrow.spec.session_policy)["Statement"]


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


@given(requests, facts, instants)
def test_the_flags_of_the_role_alone_decide_on_source_identity_and_tags(
    asked: IssuanceRequest, known: Facts, now: datetime
) -> None:
    decision = decided(asked, known, now)
    if isinstance(decision, Granted) and known.role is not None:
        assert bool(decision.spec.source_identity) == known.role.accepts_source_identity
        assert bool(decision.spec.session_tags) == known.role.accepts_session_tags


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
