"""What may be pasted into the box of keys: each form leads somewhere, and a secret leads nowhere."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.naming import issuance_id_from, session_name
from credportal.domain.sought import Form, Secret, Sought, Unreadable, parse_sought

ID = "2g7h0kq4z9xw"
KEY = "ASIAIOSFODNN7EXAMPLE"
NAME = f"alice@example.com-{ID}"
ARN = f"arn:aws:sts::123456789012:assumed-role/PaymentsReadOnly/{NAME}"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = base64.b64encode(bytes(range(256)) * 2).decode()
BASE64 = st.text(string.ascii_letters + string.digits + "+/", min_size=40, max_size=40)
IDS = st.binary(min_size=8, max_size=8).map(issuance_id_from)
HANDLES = st.text(string.ascii_letters + string.digits + "_.@=-", min_size=2, max_size=51)
KEYS = st.builds(
    "{}{}".format,
    st.sampled_from(["ASIA", "AKIA"]),
    st.text(string.ascii_uppercase + "234567", min_size=16, max_size=16),
)


@pytest.mark.parametrize(
    ("pasted", "form", "text", "issuance_id"),
    [
        (KEY, Form.ACCESS_KEY_ID, KEY, ""),
        ("AKIAIOSFODNN7EXAMPLE", Form.ACCESS_KEY_ID, "AKIAIOSFODNN7EXAMPLE", ""),
        ("Q3AM3UQ867SPQQA43P2F", Form.ACCESS_KEY_ID, "Q3AM3UQ867SPQQA43P2F", ""),
        ("0123456789abcdef0123456789abcdef", Form.ACCESS_KEY_ID, "0123456789abcdef0123456789abcdef", ""),
        (ARN, Form.SESSION_ARN, ARN, ID),
        (ARN.replace("aws", "aws-cn"), Form.SESSION_ARN, ARN.replace("aws", "aws-cn"), ID),
        (ARN.replace("aws", "aws-us-gov"), Form.SESSION_ARN, ARN.replace("aws", "aws-us-gov"), ID),
        (f"arn:aws:sts:::assumed-role/Some/{NAME}", Form.SESSION_ARN, f"arn:aws:sts:::assumed-role/Some/{NAME}", ID),
        (f"AROAEXAMPLEROLEID1234:{NAME}", Form.SESSION_ID, f"AROAEXAMPLEROLEID1234:{NAME}", ID),
        (f"9f-8:{NAME}", Form.SESSION_ID, f"9f-8:{NAME}", ID),
        (NAME, Form.SESSION_NAME, NAME, ID),
        (ID, Form.ISSUANCE_ID, ID, ID),
        (
            "arn:aws:sts::123456789012:assumed-role/Deploy/somebody",
            Form.SESSION_ARN,
            "arn:aws:sts::123456789012:assumed-role/Deploy/somebody",
            "",
        ),
        ("AROAEXAMPLEROLEID1234:i-0abc", Form.SESSION_ID, "AROAEXAMPLEROLEID1234:i-0abc", ""),
    ],
)
def test_each_form_is_read(pasted: str, form: Form, text: str, issuance_id: str) -> None:
    assert parse_sought(pasted) == Sought(form, text, issuance_id)


@pytest.mark.parametrize(
    ("pasted", "text"),
    [
        (f"  {KEY}\n", KEY),
        (f"'{KEY}'", KEY),
        (f"“{KEY}”,", KEY),
        (KEY.lower(), KEY),
        (f"export AWS_ACCESS_KEY_ID='{KEY}'", KEY),
        (f"AWS_ACCESS_KEY_ID={KEY}", KEY),
        (f"aws_access_key_id = {KEY}", KEY),
        (f'"accessKeyId": "{KEY}",', KEY),
        (f"I found {KEY} in a paste, and {KEY} again", KEY),
        (f'"arn": "{ARN}",', ARN),
        (f'{{"arn": "{ARN}",\n  "accessKeyId": "{KEY}"}}', ARN),
        (f"User: {ARN} is not authorized to perform: s3:ListBucket", ARN),
        (ARN[:-12] + ID.upper(), ARN),
        (NAME[:-12] + ID.upper(), NAME),
        (f" {ID.upper()} ", ID),
        ("2G7HOKQ4Z9XW", ID),
        ("\ufeff" + ID, ID),
    ],
)
def test_what_stands_around_it_and_slips_of_case_are_mended(pasted: str, text: str) -> None:
    sought = parse_sought(pasted)
    assert isinstance(sought, Sought)
    assert sought.text == text


@pytest.mark.parametrize(
    ("pasted", "key_id"),
    [
        (SECRET, ""),
        (SECRET[2:], ""),
        (f" '{SECRET}' ", ""),
        (f"{SECRET[:20]}\n{SECRET[20:]}", ""),
        (SECRET.replace("/", "\\/"), ""),
        (SECRET.replace("/", "%2F"), ""),
        (TOKEN, ""),
        ("\n".join(TOKEN[start : start + 60] for start in range(0, len(TOKEN), 60)), ""),
        (f"AWS_SECRET_ACCESS_KEY={SECRET}", ""),
        (f"{KEY}:{SECRET}", KEY),
        (f"{KEY}:{SECRET.replace('/', 'a')}", KEY),
        (f"AROAEXAMPLEROLEID1234:{SECRET.replace('/', 'a')}", ""),
        (f"export AWS_ACCESS_KEY_ID='{KEY}'\nexport AWS_SECRET_ACCESS_KEY='{SECRET}'", KEY),
        (f"{KEY} {SECRET} AKIAIOSFODNN7EXAMPLE", ""),
        (f"arn:aws:sts::123456789012:assumed-role/Role/{SECRET.replace('/', 'a')}", ""),
        (
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
            "",
        ),
    ],
)
def test_a_secret_is_refused_and_only_the_key_id_beside_it_stays(pasted: str, key_id: str) -> None:
    assert parse_sought(pasted) == Secret(key_id)


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("", "Nothing was pasted"),
        (" '' ", "Nothing was pasted"),
        ("alice", "leads to no issuance"),
        ("arn:aws:iam::123456789012:role/ops/PaymentsOnCallWithAVeryLongNameIndeed", "a role, not a session"),
        ("arn:aws:iam::123456789012:user/alice", "not one of a session"),
        ("arn:aws:sts::123:assumed-role/x", "not one of a session"),
        ("alice-notanissuanc", "leads to no issuance"),
        ("\0", "leads to no issuance"),
        ("ключ", "leads to no issuance"),
    ],
)
def test_what_leads_nowhere_is_told_how_to_write_it(pasted: str, words: str) -> None:
    read = parse_sought(pasted)
    assert isinstance(read, Unreadable)
    assert words in read.why


@pytest.mark.parametrize(("text", "is_aws_key"), [(KEY, True), ("Q3AM3UQ867SPQQA43P2F", False), (ID, False)])
def test_only_a_key_of_aws_has_an_account_to_ask_aws_for(text: str, is_aws_key: bool) -> None:
    sought = parse_sought(text)
    assert isinstance(sought, Sought)
    assert sought.is_aws_key is is_aws_key


@given(st.text() | st.text("arn:stASIAKassumed-role/0123456789 '\"\n=+", max_size=300))
def test_no_text_raises(pasted: str) -> None:
    read = parse_sought(pasted)
    if isinstance(read, Sought):
        assert parse_sought(read.text) == read


@given(HANDLES, IDS)
def test_every_session_of_the_portal_leads_back_to_its_issuance(handle: str, issuance_id: str) -> None:
    name = session_name(handle, issuance_id)
    written = {
        Form.SESSION_NAME: name,
        Form.SESSION_ARN: f"arn:aws:sts::123456789012:assumed-role/Role/{name}",
        Form.SESSION_ID: f"AROAEXAMPLEROLEID1234:{name}",
        Form.ISSUANCE_ID: issuance_id,
    }
    for form, text in written.items():
        read = parse_sought(text)
        assert read == Sought(form, text, issuance_id)
        if form is not Form.ISSUANCE_ID:
            assert isinstance(read, Sought)
            assert read.session_name == name


@given(KEYS)
def test_every_access_key_id_of_aws_is_read_in_any_case(key: str) -> None:
    for text in (key, key.lower(), f" {key.title()} "):
        assert parse_sought(text) == Sought(Form.ACCESS_KEY_ID, key)


@given(BASE64, st.sampled_from(["", "\n", "AWS_SECRET_ACCESS_KEY=", '"', "export X='", f"{KEY}:", f"{KEY} "]))
def test_no_secret_access_key_comes_through(secret: str, before: str) -> None:
    read = parse_sought(before + secret)
    assert isinstance(read, Secret)
    assert secret not in read.key_id
