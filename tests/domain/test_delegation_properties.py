"""The rules of handing out for whatever hypothesis can think of, beside a plain reading of them."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from credportal.domain.delegation import best_first, longest_for, longest_for_outsiders
from credportal.domain.durations import MAX_DURATION, MIN_DURATION
from credportal.domain.handouts import (
    MAX_WINDOW,
    MIN_WINDOW,
    Delegated,
    DelegationFacts,
    GrantedClaim,
    HandoutFacts,
    HandoutRequest,
    Recipient,
)
from credportal.domain.types import DenialReason, Denied, Identity, Needs, Preset, RoleFacts
from tests.domain.handing_out import ADDRESS, ASKED, BOB, CHARLIE, ROLE_FOR_ALL, ROW, VERA, claimed, facts, made
from tests.domain.rulebook import HOUR, MINUTE, NOW, ROLE
from tests.domain.test_policy_properties import ticket_is_taken

LONG_AGO = NOW - 6 * MINUTE

# Drawn freely, nearly everything would be refused for several reasons at once. So each draw begins with what is
# allowed, and a few changes spoil or widen it.


def changes_of(*choices: dict[str, Any], most: int = 2) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.sampled_from(choices), max_size=most)


def changed(thing: Any, changes: list[dict[str, Any]]) -> Any:
    for change in changes:
        thing = replace(thing, **change)
    return thing


rows = st.builds(
    lambda number, changes: changed(replace(ROW, id=number), changes),
    st.integers(1, 10**9),
    changes_of(
        *({"max_duration": minutes * MINUTE} for minutes in (15, 60, 720, 721, 0, -15)),
        *({"outsider_duration": minutes * MINUTE} for minutes in (15, 60, 720, 721, 0)),
        {"outsider_duration": None},
        {"group": ""},
        {"recipients": "payments"},
        {"recipients": "network"},
        {"rota": "Support", "on_duty": False},
        {"rota": "Support", "on_duty": True},
        {"open_now": 5},
        {"open_now": 1, "max_open": 1},
        {"made_lately": 20},
        most=3,
    ),
)
roles = st.builds(
    changed,
    st.just(ROLE_FOR_ALL),
    changes_of(
        {"arn": "arn:aws:iam::491200653381:role/*"},
        {"enabled": False},
        *({"max_session_duration": minutes * MINUTE} for minutes in (15, 60, 721)),
        *({"outsider_duration": minutes * MINUTE} for minutes in (15, 60, 721)),
        {"outsider_duration": None},
        {"accepts_source_identity": False},
        {"accepts_session_tags": False},
        {"needs": Needs(reason=True)},
        {"needs": Needs(ticket=True)},
        {"needs": Needs(ticket=True), "ticket_pattern": "INC-#"},
        {"needs": Needs(approval=True)},
        {"needs": Needs(step_up=True)},
        {"ticket_pattern": "OPS-# CHG-#"},
        {"narrowings": frozenset()},
        {"narrowings": frozenset({Preset.READ_ONLY})},
    ),
)
STRANGERS = [
    None,
    replace(CHARLIE, actor=BOB.actor),
    replace(CHARLIE, actor=replace(CHARLIE.actor, is_active=False)),
    replace(VERA, actor=replace(VERA.actor, is_active=False)),
    replace(VERA, is_colleague_by_email=True),
    replace(CHARLIE, groups=frozenset()),
]
known_facts = st.builds(
    lambda role, some, recipient, changes: changed(facts(*some, role=role, recipient=recipient), changes),
    roles,
    st.lists(rows, min_size=1, max_size=4, unique_by=lambda row: row.id),
    st.sampled_from([CHARLIE, VERA]),
    changes_of(
        *({"recipient": stranger} for stranger in STRANGERS),
        {"role": None},
        {"delegations": ()},
        {"chaining_ceiling": HOUR},
        {"identity": Identity(partition="aws-cn")},
        {"identity": Identity(principal=ROLE.arn)},
        {"issuer": replace(BOB, is_support=False)},
        {"issuer": replace(BOB, actor=replace(BOB.actor, is_active=False))},
        *({"issuer": replace(BOB, signed_in_at=moment)} for moment in (None, LONG_AGO, NOW - 5 * MINUTE)),
        *({"recipient_signed_in_at": moment} for moment in (None, LONG_AGO, NOW - 5 * MINUTE)),
    ),
)
requests = st.builds(
    changed,
    st.just(ASKED),
    changes_of(
        *({"duration": minutes * MINUTE} for minutes in (15, 60, 61, 720, 721, 14, 0)),
        *({"window": minutes * MINUTE} for minutes in (15, 1440, 14, 1441, 0)),
        *({"reason": reason} for reason in ("", "  ")),
        *({"ticket": ticket} for ticket in ("OPS-1234", "INC-7", "INC-x", "no;tag")),
        {"read_only": True},
        {"region": "eu-west-1"},
        {"from_claim_address": True},
        {"submission": "of-a-form"},
    ),
)
addresses = st.sampled_from([ADDRESS, "2001:db8::1", ""])


def people_are_fit(known: HandoutFacts, *, claiming: bool) -> bool:
    recipient, issuer = known.recipient, known.issuer
    return (
        issuer.is_support
        and issuer.actor.is_active
        and recipient is not None
        and recipient.actor.is_active
        and (recipient.is_outsider or recipient.actor.id != issuer.actor.id)
        and (claiming or not recipient.is_colleague_by_email)
    )


def role_is_fit(role: RoleFacts, asked: HandoutRequest, recipient: Recipient, known: HandoutFacts) -> bool:
    legal = asked.ticket == "" or ticket_is_taken(replace(role, ticket_pattern=""), asked.ticket)
    return (
        role.enabled
        and role.arn == ROLE.arn
        and known.identity == Identity()
        and not role.needs.approval
        and not (recipient.is_outsider and (role.needs.step_up or role.outsider_duration is None))
        and asked.presets <= role.narrowings
        and legal
        and (not role.needs.ticket or ticket_is_taken(role, asked.ticket))
        and asked.reason.strip() != ""
    )


def is_fresh(moment: object) -> bool:
    return moment in (NOW, NOW - 5 * MINUTE)


def one_row_allows(row: DelegationFacts, asked: HandoutRequest, known: HandoutFacts, *, claiming: bool) -> bool:
    """Say in the plainest words whether this one row allows all of it. The other rows are not looked at."""
    role, recipient = known.role, known.recipient
    if role is None or recipient is None or not people_are_fit(known, claiming=claiming):
        return False
    caps = [MAX_DURATION, row.max_duration, role.max_session_duration, known.chaining_ceiling or MAX_DURATION]
    if recipient.is_outsider:
        caps += [cap for cap in (row.outsider_duration, role.outsider_duration) if cap is not None]
        whom = row.outsider_duration is not None
    else:
        whom = row.recipients == "" or row.recipients in recipient.groups
    counts = row.open_now < row.max_open and row.made_lately < row.max_per_day and (row.rota == "" or row.on_duty)
    confirmed = is_fresh(known.recipient_signed_in_at if claiming else known.issuer.signed_in_at)
    return (
        role_is_fit(role, asked, recipient, known)
        and MIN_DURATION <= asked.duration <= min(caps)
        and whom
        and (claiming or (counts and MIN_WINDOW <= asked.window <= MAX_WINDOW))
        and (confirmed or not role.needs.step_up)
    )


@given(requests, known_facts)
@example(ASKED, facts())
@example(ASKED, facts(recipient=VERA))
def test_it_is_handed_out_where_some_one_row_allows_all_of_it(asked: HandoutRequest, known: HandoutFacts) -> None:
    allowing = [row for row in known.delegations if one_row_allows(row, asked, known, claiming=False)]
    decision = made(asked, known)
    assert isinstance(decision, Delegated) == bool(allowing)
    if isinstance(decision, Delegated):
        assert decision.delegation in allowing


@given(requests, known_facts, addresses)
@example(ASKED, facts(), ADDRESS)
@example(ASKED, facts(recipient=VERA), ADDRESS)
def test_it_is_claimed_where_some_one_row_still_allows_it(
    asked: HandoutRequest, known: HandoutFacts, address: str
) -> None:
    allowing = [row for row in known.delegations if one_row_allows(row, asked, known, claiming=True)]
    decision = claimed(asked, known, address=address)
    expected = bool(allowing) and not (asked.from_claim_address and not address)
    assert isinstance(decision, GrantedClaim) == expected
    if isinstance(decision, GrantedClaim):
        assert decision.delegation in allowing


@given(requests, known_facts, addresses)
def test_a_claim_grants_nothing_that_making_would_refuse_for_good(
    asked: HandoutRequest, known: HandoutFacts, address: str
) -> None:
    """Counts, duty and window are over once it is made, and so are the issuer's sign-in and who is a colleague."""
    if not isinstance(claimed(asked, known, address=address), GrantedClaim) or known.recipient is None:
        return
    rows_then = [replace(row, open_now=0, made_lately=0, on_duty=True) for row in known.delegations]
    then = replace(
        known,
        issuer=replace(known.issuer, signed_in_at=NOW),
        recipient=replace(known.recipient, is_colleague_by_email=False),
        delegations=tuple(rows_then),
    )
    assert isinstance(made(replace(asked, window=MIN_WINDOW), then), Delegated)


@given(requests, known_facts, addresses)
def test_a_session_is_never_longer_than_any_cap(asked: HandoutRequest, known: HandoutFacts, address: str) -> None:
    decision = claimed(asked, known, address=address)
    if not isinstance(decision, GrantedClaim) or known.role is None or known.recipient is None:
        return
    spec, row = decision.spec, decision.delegation
    assert spec.duration == asked.duration
    assert MIN_DURATION <= spec.duration <= min(row.max_duration, known.role.max_session_duration, MAX_DURATION)
    assert known.chaining_ceiling is None or spec.duration <= known.chaining_ceiling
    if known.recipient.is_outsider:
        assert row.outsider_duration is not None
        assert known.role.outsider_duration is not None
        assert spec.duration <= min(row.outsider_duration, known.role.outsider_duration)


@given(requests, known_facts, addresses)
def test_a_session_is_the_recipients_and_names_the_issuer(
    asked: HandoutRequest, known: HandoutFacts, address: str
) -> None:
    decision = claimed(asked, known, address=address)
    if not isinstance(decision, GrantedClaim) or known.role is None or known.recipient is None:
        return
    spec, role, handle = decision.spec, known.role, known.recipient.actor.handle
    assert (spec.role_arn, spec.external_id) == (role.arn, role.external_id)
    assert spec.source_identity == (handle if role.accepts_source_identity else "")
    assert bool(spec.session_tags) == role.accepts_session_tags
    assert dict(spec.session_tags).get("credportal:issued-by", "bob") == "bob"
    assert spec.session_name.startswith(f"{handle}+bob-")
    assert bool(spec.session_policy or spec.session_policy_arns) == bool(asked.presets)


@given(requests, known_facts, rows)
def test_one_more_row_never_takes_a_right_away(
    asked: HandoutRequest, known: HandoutFacts, row: DelegationFacts
) -> None:
    assume(row.id not in {other.id for other in known.delegations})
    more = replace(known, delegations=(*known.delegations, row))
    assert isinstance(made(asked, more), Delegated) or not isinstance(made(asked, known), Delegated)
    assert isinstance(claimed(asked, more), GrantedClaim) or not isinstance(claimed(asked, known), GrantedClaim)


@given(requests, known_facts, st.integers(0, 3))
def test_a_wider_row_never_takes_a_right_away(asked: HandoutRequest, known: HandoutFacts, which: int) -> None:
    assume(which < len(known.delegations))
    wide = replace(
        known.delegations[which], max_duration=MAX_DURATION, outsider_duration=MAX_DURATION, recipients="", rota=""
    )
    wide = replace(wide, max_open=100, max_per_day=1000)
    wider = replace(known, delegations=tuple(wide if row.id == wide.id else row for row in known.delegations))
    assert isinstance(made(asked, wider), Delegated) or not isinstance(made(asked, known), Delegated)
    assert isinstance(claimed(asked, wider), GrantedClaim) or not isinstance(claimed(asked, known), GrantedClaim)


@given(requests, known_facts, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(asked: HandoutRequest, known: HandoutFacts, chance: Random) -> None:
    shuffled = list(known.delegations)
    chance.shuffle(shuffled)
    other = replace(known, delegations=tuple(shuffled))
    assert made(asked, other) == made(asked, known)
    assert claimed(asked, other) == claimed(asked, known)
    assert best_first(other) == best_first(known)


@given(requests, known_facts)
def test_nobody_hands_out_to_themselves_or_to_who_is_switched_off(asked: HandoutRequest, known: HandoutFacts) -> None:
    unfit = [
        None,
        replace(CHARLIE, actor=known.issuer.actor),
        replace(VERA, actor=replace(VERA.actor, is_active=False)),
    ]
    for recipient in unfit:
        assert isinstance(made(asked, replace(known, recipient=recipient)), Denied)
        assert isinstance(claimed(asked, replace(known, recipient=recipient)), Denied)


@given(requests, known_facts)
def test_an_outsider_gets_no_role_that_is_not_for_any(asked: HandoutRequest, known: HandoutFacts) -> None:
    assume(known.role is not None)
    assert known.role is not None
    to_vera = replace(known, recipient=VERA)
    for role in (
        replace(known.role, outsider_duration=None),
        replace(known.role, needs=Needs(step_up=True)),
        replace(known.role, needs=Needs(approval=True)),
    ):
        assert isinstance(made(asked, replace(to_vera, role=role)), Denied)
        assert isinstance(claimed(asked, replace(to_vera, role=role)), Denied)
    for_colleagues = tuple(replace(row, outsider_duration=None) for row in known.delegations)
    assert isinstance(made(asked, replace(to_vera, delegations=for_colleagues)), Denied)


@given(known_facts)
def test_what_the_form_offers_as_the_longest_is_allowed_and_a_second_more_is_not(known: HandoutFacts) -> None:
    assume(len(known.delegations) > 0 and known.role is not None)
    assert known.role is not None
    row = replace(known.delegations[0], open_now=0, made_lately=0, on_duty=True, recipients="")
    role = replace(ROLE_FOR_ALL, max_session_duration=known.role.max_session_duration)
    role = replace(role, outsider_duration=known.role.outsider_duration)
    for recipient in (CHARLIE, VERA):
        find = longest_for_outsiders if recipient.is_outsider else longest_for
        maximum = find(row, role, known.chaining_ceiling)
        alone = facts(row, role=role, recipient=recipient, chaining_ceiling=known.chaining_ceiling)
        if maximum is None:
            assert isinstance(made(ASKED, alone), Denied)
            continue
        allowed = isinstance(made(replace(ASKED, duration=maximum.duration), alone), Delegated)
        assert allowed == (maximum.duration >= MIN_DURATION)
        over = made(replace(ASKED, duration=max(maximum.duration, MIN_DURATION) + MINUTE / 60), alone)
        assert isinstance(over, Denied)
        assert over.reason is DenialReason.DURATION_TOO_LONG


@given(requests, known_facts, addresses)
def test_every_refusal_says_why_and_what_to_do_next(asked: HandoutRequest, known: HandoutFacts, address: str) -> None:
    for decision in (made(asked, known), claimed(asked, known, address=address)):
        if isinstance(decision, Denied):
            assert all(text.endswith(".") for text in (decision.why, decision.next_step))


def test_most_of_these_draws_are_no_plain_refusal() -> None:
    """The tests above would pass on nothing: this one counts what they see."""
    seen: Counter[object] = Counter()

    @settings(max_examples=400)
    @given(requests, known_facts)
    def look(asked: HandoutRequest, known: HandoutFacts) -> None:
        for decision in (made(asked, known), claimed(asked, known)):
            seen[decision.reason if isinstance(decision, Denied) else type(decision)] += 1

    look()
    assert min(seen[Delegated], seen[GrantedClaim]) >= 30, seen
    assert len(seen) >= 12, seen
    assert made(ASKED, facts()) == Delegated(ROW)
