"""Names that AWS takes: each one legal, each one leading back to one person or one issuance."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.naming import (
    TICKET_PATTERN,
    account_number_from,
    handle_for,
    is_profile_name,
    is_public_id,
    is_role_arn,
    issuance_id_from,
    partition_from,
    profile_name,
    role_name_from,
    session_name,
    session_tags,
)

HANDLE = re.compile(r"[A-Za-z0-9_.@=-]{2,51}", re.ASCII)
SESSION_NAME = re.compile(r"[A-Za-z0-9_+=,.@-]{2,64}", re.ASCII)
PUBLIC_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{12}", re.ASCII)
CHARACTERS = st.sampled_from("ab=@é-.ß'+ ") | st.characters(exclude_categories=["Cs"])
USERNAMES = st.lists(CHARACTERS, max_size=150).map("".join)
ARN = "arn:aws:iam::123456789012:role/ops/PaymentsOnCall"


@pytest.mark.parametrize(
    ("username", "handle"),
    [
        ("alice", "alice"),
        ("Alice", "Alice"),
        ("erin.auditor@example.com", "erin.auditor@example.com"),
        ("o'neil@example.com", "o=27neil@example.com"),
        ("alice+aws", "alice=2Baws"),
        ("zoë", "zo=C3=AB"),
        ("a=b", "a=3Db"),
        ("aws:alice", "aws=3Aalice"),
        ("a" * 51, "a" * 51),
    ],
)
def test_a_handle_keeps_what_sts_takes_and_escapes_the_rest(username: str, handle: str) -> None:
    assert handle_for(username) == handle


@pytest.mark.parametrize(
    ("username", "beginning"),
    [
        ("", ""),
        ("a", "a"),
        ("b" * 52, "b" * 33),
        ("é" * 20, "=C3=A9" * 5 + "=C3"),
        ("x" + "é" * 20, "x" + "=C3=A9" * 5),
        ("a" * 32 + "é" * 20, "a" * 32),
    ],
)
def test_a_handle_that_would_not_fit_is_a_beginning_without_half_an_escape_and_a_digest(
    username: str, beginning: str
) -> None:
    handle = handle_for(username)
    assert re.fullmatch(re.escape(beginning) + r"==[A-Z2-7]{16}", handle)


@given(USERNAMES)
def test_every_handle_is_legal_in_a_session_name(username: str) -> None:
    assert HANDLE.fullmatch(handle_for(username))


@given(USERNAMES, USERNAMES)
def test_two_distinct_usernames_never_share_a_handle(one: str, other: str) -> None:
    assert (handle_for(one) == handle_for(other)) == (one == other)


@given(USERNAMES)
def test_two_long_usernames_that_begin_alike_never_share_a_handle(username: str) -> None:
    beginning = "same" * 20
    assert (handle_for(beginning + username) == handle_for(beginning)) == (username == "")


@given(USERNAMES)
def test_a_plain_handle_can_be_read_back_so_no_other_username_has_it(username: str) -> None:
    handle = handle_for(username)
    if "==" not in handle:
        assert unquote(handle.replace("=", "%"), errors="strict") == username


@given(USERNAMES)
def test_nobody_can_choose_the_handle_that_another_username_has(username: str) -> None:
    assert handle_for(handle_for(username)) != handle_for(username) or handle_for(username) == username


def test_a_lone_surrogate_is_no_username() -> None:
    with pytest.raises(ValueError, match="whole Unicode characters"):
        handle_for("alice\ud800")


@given(st.binary(min_size=8, max_size=8))
def test_an_issuance_id_is_12_readable_characters(random: bytes) -> None:
    assert PUBLIC_ID.fullmatch(issuance_id_from(random))
    assert is_public_id(issuance_id_from(random))


@given(st.integers(0, 2**60 - 1), st.integers(0, 2**60 - 1))
def test_an_issuance_id_keeps_60_random_bits(one: int, other: int) -> None:
    ids = [issuance_id_from(number.to_bytes(8, "big")) for number in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)


@pytest.mark.parametrize("random", [b"", b"1234567", b"123456789"])
def test_an_issuance_id_needs_exactly_8_bytes(random: bytes) -> None:
    with pytest.raises(ValueError, match="8 random bytes"):
        issuance_id_from(random)


@pytest.mark.parametrize(
    "text",
    ["", "0" * 11, "0" * 13, "ABCDEFGHJKMN", "00000000000i", "00000000000u", "00000000000\n", "٠" * 12, "../../../..."],
)
def test_other_texts_are_no_issuance_id(text: str) -> None:
    assert not is_public_id(text)


@given(USERNAMES, st.binary(min_size=8, max_size=8))
def test_a_session_name_is_legal_and_ends_with_the_whole_id(username: str, random: bytes) -> None:
    name = session_name(handle_for(username), issuance_id_from(random))
    assert SESSION_NAME.fullmatch(name)
    assert name == f"{handle_for(username)}-{issuance_id_from(random)}"


def test_a_handle_that_is_too_long_is_cut_and_the_id_is_not() -> None:
    assert session_name("h" * 200, "7kq2m9xd4tvb") == "h" * 51 + "-7kq2m9xd4tvb"


@pytest.mark.parametrize(
    ("handle", "issuance_id"),
    [("", "7kq2m9xd4tvb"), ("a b", "7kq2m9xd4tvb"), ("é", "7kq2m9xd4tvb"), ("a\n", "7kq2m9xd4tvb"), ("alice", "no id")],
)
def test_a_session_name_of_illegal_parts_is_refused(handle: str, issuance_id: str) -> None:
    with pytest.raises(ValueError, match="session name"):
        session_name(handle, issuance_id)


def test_session_tags_name_the_issuance_the_ticket_and_who_issued() -> None:
    assert session_tags("7kq2m9xd4tvb", "INC-2207", "alice") == (
        ("credportal:issuance", "7kq2m9xd4tvb"),
        ("credportal:ticket", "INC-2207"),
        ("credportal:issued-by", "alice"),
    )


def test_without_a_ticket_there_is_no_ticket_tag() -> None:
    assert [key for key, _ in session_tags("7kq2m9xd4tvb", "", "alice")] == [
        "credportal:issuance",
        "credportal:issued-by",
    ]


@pytest.mark.parametrize("ticket", ["a;b", "a\nb", "é", "t" * 257, '"', "<b>", "INC-1\n"])
def test_a_session_tag_that_sts_does_not_take_is_refused(ticket: str) -> None:
    with pytest.raises(ValueError, match="credportal:ticket"):
        session_tags("7kq2m9xd4tvb", ticket, "alice")


@given(USERNAMES, st.from_regex(re.compile(TICKET_PATTERN, re.ASCII), fullmatch=True))
def test_every_handle_and_every_ticket_of_the_form_is_a_legal_tag(username: str, ticket: str) -> None:
    assert dict(session_tags("7kq2m9xd4tvb", ticket, handle_for(username)))["credportal:ticket"] == ticket


@pytest.mark.parametrize(
    ("arn", "partition", "account", "name"),
    [
        (ARN, "aws", "123456789012", "PaymentsOnCall"),
        ("arn:aws-cn:iam::000000000001:role/r", "aws-cn", "000000000001", "r"),
        ("arn:aws-us-gov:iam::123456789012:role/a/b/c/R+=,.@-_", "aws-us-gov", "123456789012", "R+=,.@-_"),
        ("arn:aws-eusc:iam::123456789012:role/" + "n" * 64, "aws-eusc", "123456789012", "n" * 64),
        ("arn:aws:iam::123456789012:role/" + "p" * 510 + "/n", "aws", "123456789012", "n"),
    ],
)
def test_a_role_arn_tells_its_partition_account_and_name(arn: str, partition: str, account: str, name: str) -> None:
    assert is_role_arn(arn)
    assert (partition_from(arn), account_number_from(arn), role_name_from(arn)) == (partition, account, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        ARN + "\n",
        " " + ARN,
        ARN + "/",
        ARN.replace("PaymentsOnCall", "*"),
        ARN.replace("ops", "o?s"),
        ARN.replace("ops", "o*"),
        ARN.replace("ops", "o s"),
        ARN.replace("ops", "öps"),
        ARN.replace("123456789012", "12345678901"),
        ARN.replace("123456789012", "1234567890123"),
        ARN.replace("123456789012", "١٢٣٤٥٦٧٨٩٠١٢"),
        ARN.replace("123456789012", "*"),
        ARN.replace("arn:aws:", "arn:evil:"),
        ARN.replace("arn:aws:", "arn:awsx:"),
        ARN.replace("arn:aws:", "ARN:aws:"),
        ARN.replace(":role/", ":user/"),
        ARN.replace(":iam:", ":sts:"),
        ARN.replace("iam::", "iam:eu-west-1:"),
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/" + "n" * 65,
        "arn:aws:iam::123456789012:role/" + "p" * 511 + "/n",
        "arn:aws:iam::123456789012:role/" + "a/" * 2000 + "n",
        "arn:aws:iam::123456789012:root",
    ],
)
def test_other_texts_are_no_role_arn(text: str) -> None:
    assert not is_role_arn(text)
    with pytest.raises(ValueError, match="not the ARN"):
        role_name_from(text)


@pytest.mark.parametrize(
    ("account", "role", "name"),
    [
        ("payments-prod", "oncall", "payments-prod-oncall"),
        ("Payments (prod)", "On call", "Payments-prod-On-call"),
        ("]\n[default]\naws_access_key_id = x", "r", "default-aws_access_key_id-x-r"),
        ("--", "--", "credportal"),
        ("-", "-r-", "r"),
        ("حساب", "دور", "credportal"),
        ("$(id)", "`id`", "id-id"),
        ("a" * 60, "b" * 60, "a" * 60 + "-bbb"),
        ("a" * 63, "b", "a" * 63),
    ],
)
def test_a_profile_name_holds_only_safe_characters(account: str, role: str, name: str) -> None:
    assert profile_name(account, role) == name


@given(st.text(), st.text())
def test_every_profile_name_is_legal(account: str, role: str) -> None:
    name = profile_name(account, role)
    assert re.fullmatch(r"[A-Za-z0-9_.@+][A-Za-z0-9_.@+-]{0,63}", name, re.ASCII)
    assert is_profile_name(name)


@pytest.mark.parametrize("text", ["", "-a", "a b", "a]", "a\n", "é", "a" * 65, "[a", "a;b", "a#"])
def test_other_texts_are_no_profile_name(text: str) -> None:
    assert not is_profile_name(text)
