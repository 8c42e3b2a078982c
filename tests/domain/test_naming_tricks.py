"""What is refused at entry: ARNs of what nobody may assume, and names that look like others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.naming import arn_problem, is_role_arn, name_problem, principal_from
from credportal.domain.types import Identity

NOBODY = Identity()
ARN = "arn:aws:iam::123456789012:role/ops/PaymentsOnCall"
PORTAL = Identity(partition="aws", principal="arn:aws:iam::123456789012:role/ops/PaymentsOnCall")
SESSION = "arn:aws:sts::123456789012:assumed-role/PaymentsOnCall/session"


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("", "Write the ARN of a role"),
        ("PaymentsOnCall", "Write the ARN of a role"),
        (ARN.replace("ops", "оps"), "The 32nd character is CYRILLIC SMALL LETTER O."),
        ("arn:aws:iаm::123456789012:role/x", "The 10th character is CYRILLIC SMALL LETTER A."),
        (" " + ARN, "The 1st character is SPACE."),
        (ARN + "\n", "The 50th character is the control character U+000A."),
        (ARN.replace("ops", "o\u200bs"), "ZERO WIDTH SPACE."),
        (ARN.replace("123456789012", "１23456789012"), "FULLWIDTH DIGIT ONE."),
        (ARN.replace("PaymentsOnCall", "*"), "wildcard"),
        (ARN.replace("ops", "o?s"), "wildcard"),
        ("*", "wildcard"),
        ("arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/X", "service-linked"),
        (SESSION, "arn:aws:iam::123456789012:role/PaymentsOnCall"),
        ("arn:aws:iam::123456789012:user/alice", "names a user, not a role"),
        ("arn:aws:iam::123456789012:root", "names a root, not a role"),
        ("arn:aws:iam::123456789012:policy/p", "names a policy, not a role"),
        ("arn:aws:iam::12345678901:role/x", "Write the ARN of a role"),
    ],
)
def test_what_nobody_can_assume_is_refused_with_what_is_wrong(arn: str, words: str) -> None:
    assert words in arn_problem(arn, NOBODY)


@pytest.mark.parametrize(
    "arn",
    [
        ARN,
        "arn:aws-cn:iam::123456789012:role/r",
        "arn:aws:iam::123456789012:role/service-role/r",
        ARN.replace("/ops", ""),
    ],
)
def test_an_ordinary_role_has_no_problem(arn: str) -> None:
    assert arn_problem(arn, NOBODY) == ""


@given(st.text() | st.text("arn:ws-i/ole0123456789*? ", max_size=60) | st.just(ARN))
def test_nothing_but_one_roles_arn_has_no_problem(text: str) -> None:
    problem = arn_problem(text, NOBODY)
    assert problem == "" or problem.endswith(".")
    if problem == "":
        assert is_role_arn(text)


@given(st.integers(0, len(ARN) - 1), st.characters(min_codepoint=128) | st.sampled_from(" \t\n\x7f\x00"))
def test_one_strange_character_anywhere_in_an_arn_is_named_with_its_place(place: int, char: str) -> None:
    problem = arn_problem(ARN[:place] + char + ARN[place:], NOBODY)
    assert problem.startswith(f"The {place + 1}")


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_a_foreign_partition_is_refused_where_the_portals_is_known(partition: str) -> None:
    problem = arn_problem(ARN, Identity(partition=partition))
    assert f"in the partition aws, the portal is in {partition}" in problem
    assert arn_problem(ARN.replace(":aws:", f":{partition}:"), Identity(partition=partition)) == ""


@pytest.mark.parametrize(
    "arn",
    [ARN, ARN.replace("/ops/", "/"), ARN.replace("/ops/", "/other/"), ARN.replace("PaymentsOnCall", "paymentsoncall")],
)
@pytest.mark.parametrize("principal", [PORTAL.principal, PORTAL.principal.replace("/ops/", "/"), SESSION])
def test_the_portals_own_role_is_refused_however_it_is_written(arn: str, principal: str) -> None:
    assert "the portal’s own role" in arn_problem(arn, Identity(partition="aws", principal=principal))


@pytest.mark.parametrize(
    "principal",
    ["", "arn:aws:iam::123456789012:user/PaymentsOnCall", ARN.replace("On", "Off"), ARN.replace("9012", "9013")],
)
def test_a_role_that_is_not_the_portals_is_none_of_this(principal: str) -> None:
    assert arn_problem(ARN, Identity(partition="aws", principal=principal)) == ""


def test_a_session_stands_for_its_role() -> None:
    assert principal_from(SESSION) == "arn:aws:iam::123456789012:role/PaymentsOnCall"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Payments (prod) – on call, 24/7",
        "Alice Engström",
        "Seán O’Neill-García",
        "María José",
        "Mª Carmen",
        "Сара Иванова",
        "Ольга (Olga)",
        "Παπαδόπουλος",
        "山田 太郎",
        "カタカナーteam",
        "김철수",
        "محمد علي",
        "नरेन्द्र",
        "Ẹ́niọlá",
        "日本Team",
        "💳 payments",
        "١٢٣",
    ],
)
def test_an_honest_name_of_any_script_has_no_problem(name: str) -> None:
    assert name_problem(name) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (" admins", "begins or ends with a space"),
        ("admins ", "begins or ends with a space"),
        ("on  call", "two spaces in a row"),
        ("on\u00a0call", "The 3rd character is NO-BREAK SPACE"),
        ("on\tcall", "The 3rd character is the control character U+0009"),
        ("on\u2028call", "LINE SEPARATOR"),
        ("ad\u200bmins", "The 3rd character is ZERO WIDTH SPACE"),
        ("\u202eadmins", "The 1st character is RIGHT-TO-LEFT OVERRIDE"),
        ("ad\u00admins", "SOFT HYPHEN"),
        ("admins\u3164", "HANGUL FILLER"),
        ("admins\ufe0f", "VARIATION SELECTOR-16"),
        ("admins\ufffd", "REPLACEMENT CHARACTER"),
        ("admins\ud800", "U+D800"),
        ("\U000e0041dmins", "TAG LATIN CAPITAL LETTER A"),
        ("аdmins", "The 1st character is CYRILLIC SMALL LETTER A, in a word of another script"),
        ("admіns", "The 4th character is CYRILLIC SMALL LETTER BYELORUSSIAN-UKRAINIAN I"),
        ("Αlice", "GREEK CAPITAL LETTER ALPHA"),
        ("pay-рау", "its word looks like a Latin one"),
        ("Payments Сор", "The 10th character is CYRILLIC CAPITAL LETTER ES"),
        ("ａdmins", "FULLWIDTH LATIN SMALL LETTER A"),
        ("𝐚dmins", "MATHEMATICAL BOLD SMALL A"),
        ("ﬁnance", "LATIN SMALL LIGATURE FI"),
        ("teamعربي", "in a word of another script"),
        ("日本рау", "in a word of another script"),
        ("prod1٢", "ARABIC-INDIC DIGIT TWO"),
        ("Zoe\u0308", "put together from parts"),
    ],
)
def test_a_name_that_could_be_taken_for_another_is_refused_with_the_reason(name: str, words: str) -> None:
    assert words in name_problem(name)


@given(st.text(max_size=40))
def test_a_problem_of_a_name_is_a_sentence_and_never_an_accident(name: str) -> None:
    problem = name_problem(name)
    assert problem == "" or problem.endswith(".")


@given(st.lists(st.text("abcXYZ019_-.()&/", min_size=1), min_size=1).map(" ".join))
def test_plain_words_with_single_spaces_are_always_a_name(name: str) -> None:
    assert name_problem(name) == ""


@given(st.text("abcdefgh", min_size=1), st.sampled_from("аеосрху"), st.integers(0, 20))
def test_one_cyrillic_letter_in_a_latin_word_is_always_found(word: str, letter: str, place: int) -> None:
    assert "CYRILLIC" in name_problem(word[:place] + letter + word[place:])
