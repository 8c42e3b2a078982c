"""Handing out, rule by rule: what a delegation lets its holder hand out, and what a recipient may claim of it."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest

from credportal.domain import unhanded
from credportal.domain.delegation import longest_for, longest_for_outsiders
from credportal.domain.durations import MAX_DURATION
from credportal.domain.handouts import MAX_WINDOW, MIN_WINDOW, Delegated, GrantedClaim, HandoutRequest
from credportal.domain.policy import STEP_UP_WINDOW
from credportal.domain.types import DenialReason, Denied, Identity, Needs, Preset, Source
from tests.domain.handing_out import (
    ADDRESS,
    ASKED,
    BOB,
    CHARLIE,
    ROLE_FOR_ALL,
    ROW,
    VERA,
    claimed,
    facts,
    made,
    reason,
    refused,
)
from tests.domain.rulebook import HOUR, ISSUANCE_ID, MINUTE, NOW, ROLE

GONE = replace(BOB, actor=replace(BOB.actor, is_active=False))
OFF = replace(CHARLIE, actor=replace(CHARLIE.actor, is_active=False))
GUARDED = replace(ROLE_FOR_ALL, needs=Needs(step_up=True))
LONG_AGO = NOW - STEP_UP_WINDOW - MINUTE


def role(**changes: Any) -> dict[str, Any]:
    return {"role": replace(ROLE_FOR_ALL, **changes)}


# What may be handed out


def test_a_row_lets_support_hand_a_role_to_a_colleague() -> None:
    assert made() == Delegated(ROW)


def test_a_row_and_a_role_that_are_for_outsiders_let_support_hand_it_to_one() -> None:
    assert made(known=facts(recipient=VERA)) == Delegated(ROW)


def test_a_delegation_counts_for_support_only() -> None:
    assert reason(made(known=facts(issuer=replace(BOB, is_support=False)))) is DenialReason.NOT_DELEGATED


def test_who_is_switched_off_hands_out_nothing() -> None:
    assert reason(made(known=facts(issuer=GONE))) is DenialReason.INACTIVE


def test_nobody_hands_out_to_themselves() -> None:
    to_bob = replace(CHARLIE, actor=BOB.actor)
    assert reason(made(known=facts(recipient=to_bob))) is DenialReason.HANDOUT_TO_SELF


def test_nobody_hands_out_to_an_outsider_with_a_colleagues_address() -> None:
    known = facts(recipient=replace(VERA, is_colleague_by_email=True))
    assert reason(made(known=known)) is DenialReason.RECIPIENT_IS_COLLEAGUE


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"recipient": None}, DenialReason.RECIPIENT_UNKNOWN),
        ({"recipient": OFF}, DenialReason.RECIPIENT_INACTIVE),
        ({"role": None}, DenialReason.NOT_DELEGATED),
        (role(enabled=False), DenialReason.ROLE_DISABLED),
        (role(arn="arn:aws:iam::491200653381:role/*"), DenialReason.ROLE_UNFIT),
        ({"identity": Identity(partition="aws-cn")}, DenialReason.ROLE_UNFIT),
        (role(needs=Needs(approval=True)), DenialReason.APPROVAL_NOT_HANDED_OUT),
        (role(needs=Needs(ticket=True)), DenialReason.TICKET_REQUIRED),
        ({"recipient": VERA, **role(outsider_duration=None)}, DenialReason.OUTSIDERS_NOT_ALLOWED),
        ({"recipient": VERA, "role": GUARDED}, DenialReason.OUTSIDERS_NOT_ALLOWED),
        ({"role": GUARDED, "issuer": replace(BOB, signed_in_at=LONG_AGO)}, DenialReason.STEP_UP_REQUIRED),
        ({"role": GUARDED, "issuer": replace(BOB, signed_in_at=None)}, DenialReason.STEP_UP_REQUIRED),
    ],
)
def test_what_people_and_role_are_not_fit_for_is_refused(change: dict[str, Any], expected: DenialReason) -> None:
    assert reason(made(known=facts(**change))) is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"duration": timedelta(seconds=899)}, DenialReason.DURATION_TOO_SHORT),
        ({"duration": 2 * HOUR + timedelta(seconds=1)}, DenialReason.DURATION_TOO_LONG),
        ({"window": timedelta(0)}, DenialReason.WINDOW_TOO_SHORT),
        ({"window": MIN_WINDOW - timedelta(seconds=1)}, DenialReason.WINDOW_TOO_SHORT),
        ({"window": MAX_WINDOW + timedelta(seconds=1)}, DenialReason.WINDOW_TOO_LONG),
        ({"window": timedelta(days=365)}, DenialReason.WINDOW_TOO_LONG),
        ({"reason": " "}, DenialReason.REASON_REQUIRED),
        ({"ticket": "no;tag"}, DenialReason.TICKET_MALFORMED),
    ],
)
def test_what_is_asked_beyond_the_rules_is_refused(change: dict[str, Any], expected: DenialReason) -> None:
    assert reason(made(replace(ASKED, **change))) is expected


@pytest.mark.parametrize("window", [MIN_WINDOW, MAX_WINDOW])
def test_a_claim_window_has_15_minutes_to_24_hours(window: timedelta) -> None:
    assert made(replace(ASKED, window=window)) == Delegated(ROW)


def test_a_ticket_has_to_be_one_that_the_role_takes() -> None:
    known = facts(**role(needs=Needs(ticket=True), ticket_pattern="INC-#"))
    assert reason(made(replace(ASKED, ticket="OPS-1"), known)) is DenialReason.TICKET_MALFORMED
    assert made(replace(ASKED, ticket="INC-1"), known) == Delegated(ROW)


@pytest.mark.parametrize(
    "narrowing", [{"read_only": True}, {"region": "eu-west-1"}, {"from_claim_address": True}], ids=str
)
def test_a_narrowing_has_to_be_one_that_the_role_offers(narrowing: dict[str, Any]) -> None:
    asked = replace(ASKED, **narrowing)
    assert made(asked) == Delegated(ROW)
    assert reason(made(asked, facts(**role(narrowings=frozenset())))) is DenialReason.NARROWING_NOT_ALLOWED


# One row allows the whole of it


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"open_now": 5}, DenialReason.TOO_MANY_OPEN),
        ({"made_lately": 20}, DenialReason.TOO_MANY_TODAY),
        ({"rota": "Support", "on_duty": False}, DenialReason.OFF_DUTY),
        ({"recipients": "vendors' friends"}, DenialReason.RECIPIENT_NOT_ALLOWED),
        ({"max_duration": 15 * MINUTE}, DenialReason.DURATION_TOO_LONG),
    ],
)
def test_a_row_that_does_not_allow_it_refuses(change: dict[str, Any], expected: DenialReason) -> None:
    assert reason(made(known=facts(replace(ROW, **change)))) is expected


def test_a_row_without_outsiders_refuses_them() -> None:
    known = facts(replace(ROW, outsider_duration=None), recipient=VERA)
    assert reason(made(known=known)) is DenialReason.OUTSIDERS_NOT_ALLOWED


def test_two_rows_never_add_up_to_one_hand_out() -> None:
    short_for_all = replace(ROW, max_duration=15 * MINUTE)
    long_for_others = replace(ROW, id=2, recipients="network")
    assert isinstance(made(known=facts(short_for_all, long_for_others)), Denied)


def test_the_counts_of_one_row_leave_another_row_alone() -> None:
    full, free = replace(ROW, open_now=5), replace(ROW, id=2)
    assert made(known=facts(full, free)) == Delegated(free)


def test_being_on_duty_is_asked_only_where_a_rota_is_named() -> None:
    assert made(known=facts(replace(ROW, rota="Support", on_duty=True))) == Delegated(
        replace(ROW, rota="Support", on_duty=True)
    )
    assert made(known=facts(replace(ROW, on_duty=False))) == Delegated(replace(ROW, on_duty=False))


def test_the_refusal_names_the_longest_that_would_have_been_allowed() -> None:
    denied = refused(made(replace(ASKED, duration=4 * HOUR), facts(replace(ROW, max_duration=HOUR, id=2), ROW)))
    assert (denied.reason, denied.longest) == (DenialReason.DURATION_TOO_LONG, 2 * HOUR)
    assert denied.next_step == "Hand it out for 2 h."


def test_outsiders_have_caps_of_their_own() -> None:
    forty = replace(ASKED, duration=40 * MINUTE)
    assert made(forty) == Delegated(ROW)
    assert refused(made(forty, facts(recipient=VERA))).longest == 30 * MINUTE
    wide = replace(ROW, outsider_duration=2 * HOUR)
    fifty = replace(ASKED, duration=50 * MINUTE)
    assert refused(made(fifty, facts(wide, recipient=VERA))).longest == 45 * MINUTE


@pytest.mark.parametrize(
    ("row", "changes", "ceiling", "why"),
    [
        (ROW, {}, None, "Limit for the group support."),
        (replace(ROW, group=""), {}, None, "Your own limit for handing out."),
        (ROW, {"max_session_duration": HOUR}, None, "The role’s own maximum in AWS."),
        (ROW, {}, HOUR, "AWS stops chained roles at 1 h."),
        (replace(ROW, max_duration=MAX_DURATION + HOUR), {}, None, "The role’s own maximum in AWS."),
    ],
)
def test_the_longest_for_a_colleague_says_which_limit_it_is(
    row: Any, changes: dict[str, Any], ceiling: timedelta | None, why: str
) -> None:
    assert longest_for(row, replace(ROLE_FOR_ALL, **changes), ceiling).why == why


@pytest.mark.parametrize(
    ("row", "changes", "why"),
    [
        (ROW, {}, "Limit for the group support, for outsiders."),
        (replace(ROW, group=""), {}, "Your own limit, for outsiders."),
        (ROW, {"outsider_duration": 15 * MINUTE}, "Limit of PaymentsOnCall for outsiders."),
    ],
)
def test_the_longest_for_an_outsider_says_which_limit_it_is(row: Any, changes: dict[str, Any], why: str) -> None:
    found = longest_for_outsiders(row, replace(ROLE_FOR_ALL, **changes), None)
    assert found is not None
    assert found.why == why


# The claim


def test_a_claim_is_the_recipients_session_and_names_the_issuer() -> None:
    decision = claimed(known=facts(handout_id="h4h4h4h4h4h4"))
    assert isinstance(decision, GrantedClaim)
    spec = decision.spec
    assert (decision.handout_id, decision.issuer, decision.source) == ("h4h4h4h4h4h4", BOB.actor, Source.HANDOUT)
    assert (spec.role_arn, spec.duration, spec.source_identity) == (ROLE.arn, 30 * MINUTE, "charlie")
    assert spec.session_name == f"charlie+bob-{ISSUANCE_ID}"
    assert dict(spec.session_tags)["credportal:issued-by"] == "bob"


def test_a_claim_sends_neither_identity_nor_tags_where_the_role_takes_none() -> None:
    decision = claimed(known=facts(**role(accepts_source_identity=False, accepts_session_tags=False)))
    assert isinstance(decision, GrantedClaim)
    assert (decision.spec.source_identity, decision.spec.session_tags) == ("", ())
    assert decision.spec.session_name == f"charlie+bob-{ISSUANCE_ID}"


def test_a_claim_is_tied_to_the_address_that_claims() -> None:
    tied = replace(ASKED, from_claim_address=True)
    decision = claimed(tied, address="198.51.100.7")
    assert isinstance(decision, GrantedClaim)
    assert "198.51.100.7" in decision.spec.session_policy
    assert reason(claimed(tied, address="")) is DenialReason.NARROWING_NOT_ALLOWED


@pytest.mark.parametrize(
    "change", [{"open_now": 5}, {"made_lately": 20}, {"rota": "Support", "on_duty": False}], ids=str
)
def test_counts_and_duty_are_over_once_it_is_made(change: dict[str, Any]) -> None:
    assert isinstance(claimed(known=facts(replace(ROW, **change))), GrantedClaim)


def test_a_window_that_was_shortened_still_claims() -> None:
    assert isinstance(claimed(replace(ASKED, window=MINUTE)), GrantedClaim)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"issuer": GONE}, DenialReason.ISSUER_GONE),
        ({"issuer": replace(BOB, is_support=False)}, DenialReason.ISSUER_GONE),
        ({"recipient": OFF}, DenialReason.RECIPIENT_INACTIVE),
        ({"role": None}, DenialReason.NOT_DELEGATED),
        (role(enabled=False), DenialReason.ROLE_DISABLED),
        (role(arn="arn:aws:iam::491200653381:role/*"), DenialReason.ROLE_UNFIT),
        (role(needs=Needs(approval=True)), DenialReason.APPROVAL_NOT_HANDED_OUT),
        (role(needs=Needs(ticket=True)), DenialReason.TICKET_REQUIRED),
        (role(max_session_duration=15 * MINUTE), DenialReason.DURATION_TOO_LONG),
        ({"chaining_ceiling": 20 * MINUTE}, DenialReason.DURATION_TOO_LONG),
        ({"recipient": VERA, **role(outsider_duration=None)}, DenialReason.OUTSIDERS_NOT_ALLOWED),
        ({"recipient": VERA, **role(outsider_duration=15 * MINUTE)}, DenialReason.DURATION_TOO_LONG),
        ({"recipient": VERA, "role": GUARDED}, DenialReason.OUTSIDERS_NOT_ALLOWED),
        ({"role": GUARDED, "recipient_signed_in_at": LONG_AGO}, DenialReason.STEP_UP_REQUIRED),
        ({"role": GUARDED, "recipient_signed_in_at": None}, DenialReason.STEP_UP_REQUIRED),
    ],
)
def test_every_right_is_checked_again_at_the_claim(change: dict[str, Any], expected: DenialReason) -> None:
    assert reason(claimed(known=facts(**change))) is expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((replace(ROW, max_duration=15 * MINUTE),), DenialReason.DURATION_TOO_LONG),
        ((replace(ROW, recipients="network"),), DenialReason.RECIPIENT_NOT_ALLOWED),
    ],
)
def test_a_row_that_has_shrunk_refuses_at_the_claim(rows: Any, expected: DenialReason) -> None:
    assert reason(claimed(known=facts(*rows))) is expected


def test_who_has_become_a_colleague_since_still_claims() -> None:
    assert isinstance(claimed(known=facts(recipient=replace(VERA, is_colleague_by_email=True))), GrantedClaim)


# What is said


OWN_TO_HANDOUTS = set(list(DenialReason)[list(DenialReason).index(DenialReason.NOT_DELEGATED) :])
TO_ISSUER = [
    made(known=facts(issuer=GONE)),
    made(known=facts(issuer=replace(BOB, is_support=False))),
    made(known=facts(recipient=None)),
    made(known=facts(recipient=OFF)),
    made(known=facts(recipient=replace(CHARLIE, actor=BOB.actor))),
    made(known=facts(recipient=replace(VERA, is_colleague_by_email=True))),
    made(known=facts(role=None)),
    *(made(known=facts(**role(**change))) for change in ({"enabled": False}, {"arn": "x"})),
    made(known=facts(**role(needs=Needs(approval=True)))),
    made(known=facts(**role(needs=Needs(ticket=True)))),
    made(replace(ASKED, ticket="no;tag")),
    made(known=facts(role=GUARDED, issuer=replace(BOB, signed_in_at=None))),
    made(known=facts(recipient=VERA, role=GUARDED)),
    made(known=facts(recipient=VERA, **role(outsider_duration=None))),
    made(known=facts(replace(ROW, outsider_duration=None), recipient=VERA)),
    *(made(known=facts(replace(ROW, open_now=limit, max_open=limit))) for limit in (1, 5)),
    *(made(known=facts(replace(ROW, made_lately=limit, max_per_day=limit))) for limit in (1, 20)),
    made(known=facts(replace(ROW, rota="Support", on_duty=False))),
    made(known=facts(replace(ROW, recipients="network"))),
    made(replace(ASKED, duration=3 * HOUR)),
    made(known=facts(replace(ROW, max_duration=5 * MINUTE))),
    made(replace(ASKED, duration=MINUTE)),
    made(replace(ASKED, reason="")),
    made(replace(ASKED, window=MINUTE)),
    made(replace(ASKED, window=25 * HOUR)),
    *(
        made(asked, facts(**role(narrowings=frozenset({Preset.ONE_REGION}))))
        for asked in (replace(ASKED, read_only=True), replace(ASKED, from_claim_address=True))
    ),
]
TO_RECIPIENT = [
    claimed(known=facts(issuer=GONE)),
    claimed(known=facts(recipient=OFF)),
    claimed(known=facts(role=None)),
    *(claimed(known=facts(**role(**change))) for change in ({"enabled": False}, {"arn": "x"})),
    claimed(known=facts(**role(needs=Needs(approval=True)))),
    claimed(known=facts(**role(needs=Needs(ticket=True)))),
    claimed(replace(ASKED, ticket="OPS-1"), facts(**role(needs=Needs(ticket=True), ticket_pattern="INC-#"))),
    claimed(known=facts(role=GUARDED, recipient_signed_in_at=None)),
    claimed(known=facts(recipient=VERA, **role(outsider_duration=None))),
    claimed(known=facts(replace(ROW, outsider_duration=None), recipient=VERA)),
    claimed(known=facts(replace(ROW, recipients="network"))),
    claimed(known=facts(replace(ROW, max_duration=15 * MINUTE))),
    claimed(replace(ASKED, from_claim_address=True), address=""),
    claimed(replace(ASKED, read_only=True), facts(**role(narrowings=frozenset()))),
]


def name_of(decision: object) -> str:
    return decision.reason.value if isinstance(decision, Denied) else "not refused"


def test_every_reason_of_handing_out_is_told_here() -> None:
    told = {reason(decision) for decision in (*TO_ISSUER, *TO_RECIPIENT)}
    assert told >= OWN_TO_HANDOUTS


@pytest.mark.parametrize("decision", [*TO_ISSUER, *TO_RECIPIENT], ids=name_of)
def test_every_refusal_says_why_and_what_next_in_whole_sentences(decision: object) -> None:
    denied = refused(decision)
    for text in (denied.why, denied.next_step):
        assert text.endswith(".")
        assert text[0].isupper()
        assert "  " not in text
        assert "1 times" not in text
        assert " of you " not in text


@pytest.mark.parametrize("decision", TO_RECIPIENT, ids=name_of)
def test_the_recipient_is_never_told_to_do_what_only_the_issuer_can(decision: object) -> None:
    denied = refused(decision)
    told = f"{denied.why} {denied.next_step}"
    for words in ("You may hand", "Your delegation", "Hand it", "Choose", "admin", "arn:", "Name the ticket"):
        assert words not in told
    assert denied.tried == ()
    assert denied.longest is None


@pytest.mark.parametrize("decision", TO_RECIPIENT, ids=name_of)
def test_the_recipients_next_step_names_somebody_or_something_to_do(decision: object) -> None:
    denied = refused(decision)
    own = {"Ask support to hand it out anew.", unhanded.ADDRESS_UNKNOWN.next_step, unhanded.step_up(ROLE).next_step}
    assert "Bob Osei" in denied.next_step or denied.next_step in own


def test_who_is_gone_is_not_whom_the_recipient_is_sent_to() -> None:
    assert "Bob" not in refused(claimed(known=facts(issuer=GONE))).next_step


def test_a_form_cannot_say_who_hands_out_to_whom_or_by_which_row() -> None:
    said = {field.name for field in fields(HandoutRequest)}
    assert said == {
        "role_id", "duration", "window", "reason", "ticket", "read_only", "region", "from_claim_address", "submission",
    }  # fmt: skip


def test_what_a_claim_asks_for_is_what_was_handed_out() -> None:
    decision = claimed(replace(ASKED, read_only=True, region="eu-west-1", ticket="INC-7"))
    assert isinstance(decision, GrantedClaim)
    assert decision.spec.duration == ASKED.duration
    assert dict(decision.spec.session_tags)["credportal:ticket"] == "INC-7"
    assert "eu-west-1" in decision.spec.session_policy
    assert ADDRESS not in decision.spec.session_policy
