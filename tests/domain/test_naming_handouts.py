"""The names of a hand-out in AWS: the recipient's session, and in its name whoever handed it out."""

import re

import pytest
from hypothesis import given

from credportal.domain.naming import (
    OUTSIDER_PREFIX,
    handle_for,
    outsider_handle_for,
    session_name,
    session_tags,
)
from credportal.domain.sought import Form, Secret, Sought, parse_sought
from tests.domain.test_naming import SESSION_NAME, USERNAMES

ID = "4k2m9x7c1p0z"
# The STS API reference, AssumeRole: SourceIdentity.
SOURCE_IDENTITY = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}", re.ASCII)
HALF = 25
HANDLES = USERNAMES.map(handle_for)
RECIPIENTS = HANDLES | USERNAMES.map(outsider_handle_for)


@given(RECIPIENTS, HANDLES)
def test_every_session_name_is_legal_and_ends_with_the_whole_id(recipient: str, issuer: str) -> None:
    name = session_name(recipient, ID, issuer)
    assert SESSION_NAME.fullmatch(name)
    assert name.endswith(f"-{ID}")


@given(RECIPIENTS, HANDLES)
def test_recipient_and_issuer_both_stand_in_the_name_at_half_its_length_at_least(recipient: str, issuer: str) -> None:
    name = session_name(recipient, ID, issuer).removesuffix(f"-{ID}")
    shown = [
        (left, name[len(left) + 1 :]) for left in (name[:cut] for cut in range(len(name))) if name[len(left)] == "+"
    ]
    assert any(
        recipient.startswith(one)
        and issuer.startswith(other)
        and len(one) >= min(HALF, len(recipient))
        and len(other) >= min(HALF, len(issuer))
        for one, other in shown
    )


@given(RECIPIENTS, HANDLES)
def test_nothing_is_cut_where_both_fit(recipient: str, issuer: str) -> None:
    whole = f"{recipient}+{issuer}-{ID}"
    assert (session_name(recipient, ID, issuer) == whole) == (len(whole) <= 64)


@given(HANDLES)
def test_without_an_issuer_the_name_is_what_it_always_was(handle: str) -> None:
    assert session_name(handle, ID) == f"{handle}-{ID}"


@pytest.mark.parametrize(
    ("recipient", "issuer", "name"),
    [
        ("charlie", "bob", "charlie+bob"),
        ("c" * 51, "bob", f"{'c' * 47}+bob"),
        ("charlie", "b" * 51, f"charlie+{'b' * 43}"),
        ("c" * 51, "b" * 51, f"{'c' * 25}+{'b' * 25}"),
        ("c" * 26, "b" * 51, f"{'c' * 25}+{'b' * 25}"),
        ("outsider+vera@vendor.example", "bob", "outsider+vera@vendor.example+bob"),
        (
            "outsider+a.very.long.name@a.very.long.vendor.example",
            "bob",
            "outsider+a.very.long.name@a.very.long.vendor.ex+bob",
        ),
    ],
)
def test_what_one_leaves_the_other_takes(recipient: str, issuer: str, name: str) -> None:
    assert session_name(recipient, ID, issuer) == f"{name}-{ID}"


@pytest.mark.parametrize("hostile", ["", "b ob", "bob\n", "bób", "b/ob", "b:ob", "b" * 257])
def test_a_part_that_sts_does_not_take_makes_no_name(hostile: str) -> None:
    with pytest.raises(ValueError, match="handle"):
        session_name(hostile, ID, "bob")
    if hostile:
        with pytest.raises(ValueError, match="handle"):
            session_name("charlie", ID, hostile)


@given(USERNAMES, USERNAMES)
def test_no_outsider_ever_has_the_handle_of_a_user(email: str, username: str) -> None:
    outsider, user = outsider_handle_for(email), handle_for(username)
    assert outsider != user
    assert (outsider.startswith(OUTSIDER_PREFIX), user.startswith(OUTSIDER_PREFIX)) == (True, False)


def test_a_user_who_takes_an_outsiders_name_gets_another_handle() -> None:
    assert handle_for(f"{OUTSIDER_PREFIX}vera@vendor.example") == "outsider=2Bvera@vendor.example"


@given(USERNAMES)
def test_an_outsiders_handle_is_a_legal_source_identity(email: str) -> None:
    assert SOURCE_IDENTITY.fullmatch(outsider_handle_for(email))


@given(USERNAMES, USERNAMES)
def test_two_addresses_never_share_a_handle_but_for_capitals(one: str, other: str) -> None:
    assert (outsider_handle_for(one) == outsider_handle_for(other)) == (one.lower() == other.lower())


@given(HANDLES)
def test_the_issuer_is_a_legal_session_tag(issuer: str) -> None:
    assert dict(session_tags(ID, "", issuer))["credportal:issued-by"] == issuer


@given(RECIPIENTS, HANDLES)
def test_a_session_name_of_a_hand_out_that_turns_up_leads_back_to_its_issuance(recipient: str, issuer: str) -> None:
    name = session_name(recipient, ID, issuer)
    assert parse_sought(name) == Sought(Form.SESSION_NAME, name, ID)
    arn = f"arn:aws:sts::491200653381:assumed-role/PaymentsReadOnly/{name}"
    assert parse_sought(arn) == Sought(Form.SESSION_ARN, arn, ID)
    assert parse_sought(f"AROAFAKEFAKEFAKEFAKE:{name}") == Sought(Form.SESSION_ID, f"AROAFAKEFAKEFAKEFAKE:{name}", ID)


@pytest.mark.parametrize("recipient", ["charlie", "c" * 30, "outsider+vera@vendor.example"])
def test_a_line_of_cloudtrail_leads_back_however_long_the_names_in_it(recipient: str) -> None:
    name = session_name(recipient, ID, "bob")
    line = f'{{"userIdentity": {{"arn": "arn:aws:sts::491200653381:assumed-role/PaymentsReadOnly/{name}"}}}}'
    found = parse_sought(line)
    assert isinstance(found, Sought), found
    assert found.issuance_id == ID


SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


@pytest.mark.parametrize("between", [",", " ", '": "', ":", "\t"])
def test_a_secret_beside_the_session_is_refused_all_the_same(between: str) -> None:
    session = f"arn:aws:sts::491200653381:assumed-role/ReadOnly/charlie+bob-{ID}"
    for line in (f"{session}{between}{SECRET}", f"{SECRET}{between}{session}", f"x {session}{between}{SECRET}-{ID}"):
        assert isinstance(parse_sought(line), Secret), line
