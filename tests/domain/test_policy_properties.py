"""The rule book for any catalogue that hypothesis can think of, beside a plain reading of the rules."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import assume, example, given
from hypothesis import strategies as st

from credportal.domain.durations import MAX_DURATION, MIN_DURATION
from credportal.domain.policy import (
    break_glass_maximum,
    effective_maximum,
    longest,
    standing,
)
from credportal.domain.types import (
    Approved,
    DenialReason,
    Denied,
    EligibilityFacts,
    Facts,
    Granted,
    Identity,
    IssuanceRequest,
    Narrowing,
    Needs,
    NeedsApproval,
    Preset,
    RoleFacts,
    Source,
)
from tests.domain.rulebook import ALICE, ASKED, HOUR, MINUTE, NOW, ROLE, ROW, decided, given_rows

# Most draws are a plain yes, so that many of them come as far as the rows: hypothesis shrinks to the first choice.
mostly = st.sampled_from([True] * 9 + [False])
seldom = st.sampled_from([False] * 4 + [True])
instants = st.integers(-3, 3).map(lambda hours: NOW + hours * HOUR)
limits = st.sampled_from([60, 15, 59, 61, 120, 240, 719, 720, 0, -15, 721, 1440]).map(lambda minutes: minutes * MINUTE)
needs = st.builds(Needs, reason=seldom, ticket=seldom, approval=seldom, step_up=seldom)
rows = st.builds(
    EligibilityFacts,
    id=st.integers(1, 10**9),
    group=st.sampled_from(["engineers", "on-call", ""]),
    max_duration=limits,
    needs=needs,
    valid_from=st.one_of(st.none(), st.none(), instants),
    valid_until=st.one_of(st.none(), st.none(), instants),
    break_glass_duration=st.none() | limits,
)
catalogues = st.lists(rows, min_size=1, max_size=5, unique_by=lambda row: row.id).map(tuple)
roles = st.builds(
    replace,
    st.just(ROLE),
    arn=mostly.map(lambda fit: ROLE.arn if fit else "arn:aws:iam::491200653381:role/*"),
    enabled=mostly,
    max_session_duration=limits,
    accepts_source_identity=st.booleans(),
    accepts_session_tags=st.booleans(),
    needs=needs,
    ticket_pattern=st.sampled_from(["", "INC-#", "OPS-# CHG-#"]),
    narrowings=st.just(frozenset(Preset)) | st.frozensets(st.sampled_from(Preset)),
    approvers=mostly.map(lambda there: "leads" if there else ""),
)
facts = st.builds(
    Facts,
    actor=st.builds(replace, st.just(ALICE), is_active=mostly),
    role=mostly.flatmap(lambda there: roles if there else st.none()),
    eligibilities=mostly.flatmap(lambda some: catalogues if some else st.just(())),
    chaining_ceiling=st.none() | st.just(HOUR),
    identity=st.sampled_from([Identity()] * 8 + [Identity(partition="aws-cn"), Identity(principal=ROLE.arn)]),
    signed_in_at=st.none() | st.sampled_from([0, 5, 6]).map(lambda ago: NOW - ago * MINUTE),
    approved=st.none() | st.builds(Approved, id=st.just("a9a9a9a9a9a9"), max_duration=limits, by=st.just("Bob Osei")),
    open_review=seldom,
)
narrowings = st.builds(
    Narrowing,
    read_only=seldom,
    address=st.sampled_from(["", "203.0.113.24", "2001:db8::1"]),
    region=st.sampled_from(["", "eu-west-1"]),
)
requests = st.builds(
    IssuanceRequest,
    role_id=st.just(ROLE.id),
    duration=limits | st.sampled_from([0, 14, 15, 30, 60, 721]).map(lambda minutes: minutes * MINUTE),
    reason=st.sampled_from(["Queue stuck", "", "  "]),
    ticket=st.sampled_from(["OPS-1234", "INC-7", "", "INC-x", "no;tag"]),
    narrowing=st.just(Narrowing()) | narrowings,
    submission=st.text(max_size=8),
    break_glass=seldom,
)
nows = st.just(NOW) | instants


def ticket_is_taken(role: RoleFacts, ticket: str) -> bool:
    """Read the three patterns above with a regex, which is safe for them."""
    alternatives = [re.escape(part).replace(r"\#", "[0-9]+") for part in role.ticket_pattern.split()]
    return re.fullmatch("|".join(alternatives) or "[A-Za-z0-9_.:/=+@-]+", ticket) is not None


def passes_at_the_door(asked: IssuanceRequest, known: Facts) -> bool:
    role = known.role
    return (
        role is not None
        and role.enabled
        and known.actor.is_active
        and role.arn == ROLE.arn
        and known.identity == Identity()
        and asked.narrowing.presets <= role.narrowings
        and not (asked.break_glass and known.open_review)
        and MIN_DURATION <= asked.duration <= MAX_DURATION
    )


def lasts(row: EligibilityFacts, asked: IssuanceRequest, known: Facts, now: datetime) -> bool:
    """Say whether the row is valid and long enough, without any approval's cap."""
    own = row.break_glass_duration if asked.break_glass else row.max_duration
    return (
        known.role is not None
        and own is not None
        and asked.duration <= own
        and asked.duration <= known.role.max_session_duration
        and (known.chaining_ceiling is None or asked.duration <= known.chaining_ceiling)
        and (row.valid_from is None or row.valid_from <= now)
        and (row.valid_until is None or now < row.valid_until)
    )


def brings_along(row: EligibilityFacts, asked: IssuanceRequest, known: Facts, now: datetime) -> bool:
    """Say whether the request has the reason, the ticket and the sign-in that role and row ask for."""
    role = known.role
    if role is None:
        return False
    both = (role.needs, row.needs)
    wants_ticket = any(need.ticket for need in both) and not asked.break_glass
    legal = asked.ticket == "" or ticket_is_taken(replace(role, ticket_pattern=""), asked.ticket)
    fresh = known.signed_in_at is not None and abs(now - known.signed_in_at) <= timedelta(minutes=5)
    return (
        (asked.reason.strip() != "" or not (asked.break_glass or any(need.reason for need in both)))
        and legal
        and (not wants_ticket or ticket_is_taken(role, asked.ticket))
        and (fresh or not any(need.step_up for need in both))
    )


def answer_of_one_row(row: EligibilityFacts, asked: IssuanceRequest, known: Facts, now: datetime) -> type:
    """Say in the plainest words what this one row answers. The other rows are not looked at."""
    role = known.role
    if role is None or not passes_at_the_door(asked, known):
        return Denied
    if not lasts(row, asked, known, now) or not brings_along(row, asked, known, now):
        return Denied
    if asked.break_glass or not (role.needs.approval or row.needs.approval):
        return Granted
    if not role.approvers:
        return Denied
    if known.approved is None:
        return NeedsApproval
    return Granted if asked.duration <= known.approved.max_duration else Denied


@given(requests, facts, nows)
@example(ASKED, given_rows(ROW), NOW)
def test_the_answer_is_the_best_that_any_one_row_gives_alone(
    asked: IssuanceRequest, known: Facts, now: datetime
) -> None:
    answers = {answer_of_one_row(row, asked, known, now) for row in known.eligibilities}
    expected = next((kind for kind in (Granted, NeedsApproval) if kind in answers), Denied)
    assert type(decided(asked, known, now)) is expected


@given(requests, facts, nows)
def test_the_row_that_is_named_gives_that_answer_alone(asked: IssuanceRequest, known: Facts, now: datetime) -> None:
    decision = decided(asked, known, now)
    if not isinstance(decision, Denied):
        assert decision.eligibility in known.eligibilities
        assert answer_of_one_row(decision.eligibility, asked, known, now) is type(decision)


@given(requests, facts, nows)
def test_what_waits_for_an_approval_is_granted_by_one_and_only_by_one(
    asked: IssuanceRequest, known: Facts, now: datetime
) -> None:
    waits = isinstance(decided(asked, replace(known, approved=None), now), NeedsApproval)
    agreed = replace(known, approved=Approved(id="a9a9a9a9a9a9", max_duration=MAX_DURATION, by="Bob Osei"))
    after = decided(asked, agreed, now)
    assert waits == (isinstance(after, Granted) and after.source is Source.APPROVAL)


@given(requests, facts, nows)
def test_the_source_says_what_the_grant_rests_on(asked: IssuanceRequest, known: Facts, now: datetime) -> None:
    decision = decided(asked, known, now)
    if not isinstance(decision, Granted) or known.role is None:
        return
    needs_approval = decision.eligibility.needs.approval or known.role.needs.approval
    expected = Source.APPROVAL if needs_approval else Source.STANDARD
    assert decision.source is (Source.BREAK_GLASS if asked.break_glass else expected)
    assert bool(decision.approval_id) == (decision.source is Source.APPROVAL)


@given(requests, facts, rows, nows)
def test_one_more_row_never_takes_a_right_away(
    asked: IssuanceRequest, known: Facts, row: EligibilityFacts, now: datetime
) -> None:
    assume(row.id not in {other.id for other in known.eligibilities})
    more = replace(known, eligibilities=(*known.eligibilities, row))
    worth: list[type] = [Denied, NeedsApproval, Granted]
    assert worth.index(type(decided(asked, more, now))) >= worth.index(type(decided(asked, known, now)))
    before, after = longest(known, now), longest(more, now)
    if before is not None:
        assert after is not None
        assert after[0].duration >= before[0].duration


@given(requests, facts, st.randoms(use_true_random=False), nows)
def test_the_order_of_the_rows_changes_nothing(
    asked: IssuanceRequest, known: Facts, chance: Random, now: datetime
) -> None:
    shuffled = list(known.eligibilities)
    chance.shuffle(shuffled)
    other = replace(known, eligibilities=tuple(shuffled))
    assert decided(asked, other, now) == decided(asked, known, now)
    assert longest(other, now) == longest(known, now)
    assert standing(other, now=now) == standing(known, now=now)


@given(rows, roles, st.none() | limits)
def test_the_effective_maximum_is_the_smallest_limit(
    row: EligibilityFacts, role: RoleFacts, ceiling: timedelta | None
) -> None:
    of_all = {role.max_session_duration, MAX_DURATION, MAX_DURATION if ceiling is None else ceiling}
    assert effective_maximum(row, role, ceiling).duration == min(of_all | {row.max_duration})
    glass = break_glass_maximum(row, role, ceiling)
    assert (glass is None) == (row.break_glass_duration is None)
    if glass is not None and row.break_glass_duration is not None:
        assert glass.duration == min(of_all | {row.break_glass_duration})


@given(requests, facts, nows)
def test_break_glass_never_exceeds_its_cap_and_always_says_why(
    asked: IssuanceRequest, known: Facts, now: datetime
) -> None:
    decision = decided(replace(asked, break_glass=True), known, now)
    assert not isinstance(decision, NeedsApproval)
    if isinstance(decision, Granted):
        assert decision.eligibility.break_glass_duration is not None
        assert decision.spec.duration <= decision.eligibility.break_glass_duration
        assert asked.reason.strip()
        assert not known.open_review


@given(facts, nows)
def test_the_longest_duration_is_had_by_who_brings_along_all_that_is_asked(known: Facts, now: datetime) -> None:
    best = longest(known, now)
    known = replace(known, actor=ALICE, signed_in_at=now)
    ticket = {"": "T-1", "INC-#": "INC-1", "OPS-# CHG-#": "CHG-1"}[known.role.ticket_pattern if known.role else ""]
    asked = replace(ASKED, reason="Queue stuck", ticket=ticket)
    if best is None:
        assert isinstance(decided(replace(asked, duration=MIN_DURATION), known, now), Denied)
        return
    assert not isinstance(decided(replace(asked, duration=best[0].duration), known, now), Denied)
    over = decided(replace(asked, duration=best[0].duration + timedelta(seconds=1)), known, now)
    assert isinstance(over, Denied)
    assert (over.reason, over.longest) == (DenialReason.DURATION_TOO_LONG, best[0].duration)


@given(facts, nows)
def test_a_standing_is_what_deciding_answers_for_the_row_that_it_names(known: Facts, now: datetime) -> None:
    found = standing(known, now=now)
    assert (found.row is None) == (found.maximum is None) == isinstance(found.decision, Denied)
    if found.row is None or found.maximum is None or known.role is None:
        return
    alone = replace(known, eligibilities=(found.row,), approved=None)
    assert type(standing(alone, now=now).decision) is type(found.decision)
    assert found.needs == found.row.needs | known.role.needs
    assert found.maximum.duration >= MIN_DURATION
    assert found.needs.approval == isinstance(found.decision, NeedsApproval)


@given(requests, facts, nows)
def test_every_refusal_says_why_and_what_to_do_next(asked: IssuanceRequest, known: Facts, now: datetime) -> None:
    decision = decided(asked, known, now)
    if not isinstance(decision, Denied):
        return
    assert all(text.endswith(".") for text in (decision.why, decision.next_step))
    assert all(row.why.endswith(".") for row in decision.tried)
    if decision.tried:
        assert {row.eligibility for row in decision.tried} == set(known.eligibilities)
        assert decision.reason in {row.reason for row in decision.tried}


# Nothing in the request widens a right.


@given(requests, requests, facts, nows)
def test_whatever_else_is_asked_the_session_is_the_catalogues(
    asked: IssuanceRequest, other: IssuanceRequest, known: Facts, now: datetime
) -> None:
    """Submission, narrowings that are offered, and even the role id of the form decide nothing."""
    assume(known.role is None or (asked.narrowing.presets | other.narrowing.presets) <= known.role.narrowings)
    twisted = replace(asked, role_id="of-another-role", submission=other.submission, narrowing=other.narrowing)
    first, second = decided(asked, known, now), decided(twisted, known, now)
    if not (isinstance(first, Granted) and isinstance(second, Granted)):
        assert first == second
        return
    assert known.role is not None
    plain = replace(first.spec, session_policy="", session_policy_arns=())
    assert replace(second.spec, session_policy="", session_policy_arns=()) == plain
    assert (plain.role_arn, plain.external_id) == (known.role.arn, known.role.external_id)
    assert plain.duration == asked.duration
    assert bool(plain.source_identity) == known.role.accepts_source_identity
    assert bool(plain.session_tags) == known.role.accepts_session_tags
    assert first.eligibility == second.eligibility
    assert bool(second.spec.session_policy) == bool(other.narrowing)


@given(requests, facts, nows)
def test_a_reason_opens_only_rows_that_ask_for_one(asked: IssuanceRequest, known: Facts, now: datetime) -> None:
    asked = replace(asked, break_glass=False)
    silent = decided(replace(asked, reason=""), known, now)
    talking = decided(replace(asked, reason="Queue stuck"), known, now)
    if isinstance(talking, Granted) and talking != silent and known.role is not None:
        # Also where both are granted: a row that only wants a reason goes before one that uses up an approval.
        assert (talking.eligibility.needs | known.role.needs).reason
    if isinstance(silent, Granted):
        assert isinstance(talking, Granted)


@given(requests, facts, nows, narrowings)
def test_a_narrowing_never_opens_what_was_closed(
    asked: IssuanceRequest, known: Facts, now: datetime, narrowing: Narrowing
) -> None:
    wide = decided(replace(asked, narrowing=Narrowing()), known, now)
    narrow = decided(replace(asked, narrowing=narrowing), known, now)
    if isinstance(wide, Denied):
        assert isinstance(narrow, Denied)
