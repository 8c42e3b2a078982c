"""Snippets: their form. The real shells and the real AWS tools stand in files of their own."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from credportal.domain.quoting import ini_value, plain_word, quote_cmd, quote_fish, quote_posix, quote_powershell
from credportal.domain.snippets import VARIABLES, Pairs, Snippet, expiration_text, snippets, unset_snippet, values
from credportal.domain.types import Credentials

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCWV1==" * 20
ENDPOINT: Pairs = (("AWS_ENDPOINT_URL", "http://127.0.0.1:5555"),)
CREDENTIALS = Credentials(
    access_key_id="ASIAIOSFODNN7EXAMPLE",
    secret_access_key=SECRET,
    session_token=TOKEN,
    expiration=datetime(2026, 11, 23, 19, 29, 36, 123456, tzinfo=UTC),
)
KEYS = ("bash", "fish", "powershell", "cmd", "profile", "dotenv", "process")
CHARACTERS = st.characters(exclude_categories=["Cc", "Cs"])
TEXT = st.lists(st.sampled_from("'\"\\$`%!^&|#; ‘’‚‛") | CHARACTERS, min_size=1).map("".join)
NAMED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def made(key: str, *, extra: Pairs = (), legacy: bool = False, region: str = "eu-west-1") -> Snippet:
    found = snippets(CREDENTIALS, region=region, profile="payments-prod-oncall", extra=extra, legacy=legacy)
    return {snippet.key: snippet for snippet in found}[key]


EXPECTED = {
    "bash": f"""export AWS_ACCESS_KEY_ID='ASIAIOSFODNN7EXAMPLE'
export AWS_SECRET_ACCESS_KEY='{SECRET}'
export AWS_SESSION_TOKEN='{TOKEN}'
export AWS_REGION='eu-west-1'
export AWS_DEFAULT_REGION='eu-west-1'
export AWS_CREDENTIAL_EXPIRATION='2026-11-23T19:29:36Z'
export AWS_ENDPOINT_URL='http://127.0.0.1:5555'""",
    "fish": f"""set -gx AWS_ACCESS_KEY_ID 'ASIAIOSFODNN7EXAMPLE'
set -gx AWS_SECRET_ACCESS_KEY '{SECRET}'
set -gx AWS_SESSION_TOKEN '{TOKEN}'
set -gx AWS_REGION 'eu-west-1'
set -gx AWS_DEFAULT_REGION 'eu-west-1'
set -gx AWS_CREDENTIAL_EXPIRATION '2026-11-23T19:29:36Z'
set -gx AWS_ENDPOINT_URL 'http://127.0.0.1:5555'""",
    "powershell": f"""$Env:AWS_ACCESS_KEY_ID = 'ASIAIOSFODNN7EXAMPLE'
$Env:AWS_SECRET_ACCESS_KEY = '{SECRET}'
$Env:AWS_SESSION_TOKEN = '{TOKEN}'
$Env:AWS_REGION = 'eu-west-1'
$Env:AWS_DEFAULT_REGION = 'eu-west-1'
$Env:AWS_CREDENTIAL_EXPIRATION = '2026-11-23T19:29:36Z'
$Env:AWS_ENDPOINT_URL = 'http://127.0.0.1:5555'""",
    "cmd": f"""set "AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE"
set "AWS_SECRET_ACCESS_KEY={SECRET}"
set "AWS_SESSION_TOKEN={TOKEN}"
set "AWS_REGION=eu-west-1"
set "AWS_DEFAULT_REGION=eu-west-1"
set "AWS_CREDENTIAL_EXPIRATION=2026-11-23T19:29:36Z"
set "AWS_ENDPOINT_URL=http://127.0.0.1:5555\"""",
    "profile": f"""[payments-prod-oncall]
aws_access_key_id = ASIAIOSFODNN7EXAMPLE
aws_secret_access_key = {SECRET}
aws_session_token = {TOKEN}
aws_expiration = 2026-11-23T19:29:36Z
region = eu-west-1
endpoint_url = http://127.0.0.1:5555""",
    "dotenv": f"""AWS_ACCESS_KEY_ID=ASIAIOSFODNN7EXAMPLE
AWS_SECRET_ACCESS_KEY={SECRET}
AWS_SESSION_TOKEN={TOKEN}
AWS_REGION=eu-west-1
AWS_DEFAULT_REGION=eu-west-1
AWS_CREDENTIAL_EXPIRATION=2026-11-23T19:29:36Z
AWS_ENDPOINT_URL=http://127.0.0.1:5555""",
    "process": f"""{{
  "Version": 1,
  "AccessKeyId": "ASIAIOSFODNN7EXAMPLE",
  "SecretAccessKey": "{SECRET}",
  "SessionToken": "{TOKEN}",
  "Expiration": "2026-11-23T19:29:36Z"
}}""",
}


def test_the_snippets_come_in_the_order_of_the_tabs() -> None:
    found = snippets(CREDENTIALS, region="eu-west-1", profile="p")
    assert tuple(snippet.key for snippet in found) == KEYS
    assert [snippet.title for snippet in found] == [
        "bash / zsh",
        "fish",
        "PowerShell",
        "cmd",
        "Credentials file",
        ".env",
        "Process",
    ]


@pytest.mark.parametrize("key", KEYS)
def test_a_snippet_is_exactly_this_text(key: str) -> None:
    assert made(key, extra=ENDPOINT).text == EXPECTED[key]


@pytest.mark.parametrize("key", KEYS)
def test_the_segments_joined_are_the_text(key: str) -> None:
    snippet = made(key, extra=ENDPOINT, legacy=True)
    assert "".join(segment.text for segment in snippet.segments) == snippet.text


@pytest.mark.parametrize("key", KEYS)
def test_secrets_stand_in_secret_segments_and_nowhere_else(key: str) -> None:
    segments = made(key, extra=ENDPOINT, legacy=True).segments
    assert {segment.text for segment in segments if segment.kind == "secret"} == {SECRET, TOKEN}
    open_text = "".join(segment.text for segment in segments if segment.kind != "secret")
    assert SECRET not in open_text
    assert TOKEN not in open_text


def test_the_profile_name_stands_in_a_segment_of_its_own() -> None:
    named = [segment.text for segment in made("profile").segments if segment.kind == "profile"]
    assert named == ["payments-prod-oncall"]


@pytest.mark.parametrize("key", KEYS)
def test_no_repr_shows_a_secret(key: str) -> None:
    shown = repr(made(key)) + repr(made(key).segments) + repr(values(CREDENTIALS))
    assert SECRET not in shown
    assert TOKEN not in shown


@pytest.mark.parametrize("key", ["bash", "fish", "powershell", "cmd", "dotenv"])
def test_the_legacy_variable_follows_the_session_token_with_the_same_value(key: str) -> None:
    lines = made(key, legacy=True).lines
    assert tuple(line.name for line in lines)[:4] == NAMED
    assert lines[3].text == lines[2].text.replace("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")
    assert "AWS_SECURITY_TOKEN" in {line.name for line in lines}
    assert "AWS_SECURITY_TOKEN" not in made(key).text


def test_without_a_region_no_variable_is_set_to_nothing() -> None:
    assert "REGION" not in made("bash", region="").text
    assert "region" not in made("profile", region="").text


UNSET = {
    "bash": "unset A B",
    "fish": "set -e A B",
    "powershell": "Remove-Item Env:\\A, Env:\\B -ErrorAction Ignore",
    "cmd": 'set "A="\nset "B="',
    "profile": "",
    "dotenv": "",
    "process": "",
}


@pytest.mark.parametrize("key", KEYS)
def test_an_unset_snippet_speaks_the_same_shell(key: str) -> None:
    assert unset_snippet(key, ["A", "B"]) == UNSET[key]


@pytest.mark.parametrize("key", ["bash", "fish", "powershell", "cmd"])
def test_a_snippet_unsets_exactly_what_it_sets(key: str) -> None:
    snippet = made(key, extra=ENDPOINT, legacy=True)
    assert snippet.unset == unset_snippet(key, [line.name for line in snippet.lines])
    assert made(key).unset == unset_snippet(key) == unset_snippet(key, VARIABLES)


def test_the_four_values_come_one_by_one() -> None:
    assert [(value.field, value.text, value.secret) for value in values(CREDENTIALS)] == [
        ("access-key-id", "ASIAIOSFODNN7EXAMPLE", False),
        ("secret-access-key", SECRET, True),
        ("session-token", TOKEN, True),
        ("expiration", "2026-11-23T19:29:36Z", False),
    ]


def test_an_expiration_is_written_in_utc_without_microseconds() -> None:
    berlin = timezone(timedelta(hours=1))
    assert expiration_text(datetime(2026, 11, 23, 20, 29, 36, 999999, tzinfo=berlin)) == "2026-11-23T19:29:36Z"


def test_an_expiration_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        expiration_text(datetime(2026, 11, 23, 19, 29, 36))  # noqa: DTZ001  # A naive one is the point.


@pytest.mark.parametrize("profile", ["", "-x", "a b", "a]\n[default", "é", "x" * 65])
def test_a_profile_name_that_is_none_is_refused(profile: str) -> None:
    with pytest.raises(ValueError, match="profile name"):
        snippets(CREDENTIALS, region="eu-west-1", profile=profile)


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "A;id", "A\n", "É", "AWS_REGION", "$(id)", "-A"])
def test_a_variable_name_that_is_none_or_taken_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="Variables have names"):
        made("bash", extra=((name, "value"),))


def test_a_variable_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="has a value"):
        made("bash", extra=(("EMPTY", ""),))


@pytest.mark.parametrize("key", ["cmd", "dotenv"])
def test_a_format_that_cannot_carry_a_value_says_so_and_the_others_still_work(key: str) -> None:
    extra = (("HOSTILE", "100%"), ("OTHER", "a b"))
    assert made(key, extra=extra).lines == ()
    assert "cannot carry" in made(key, extra=extra).heading
    assert made("bash", extra=extra).text.endswith("export HOSTILE='100%'\nexport OTHER='a b'")


def test_a_line_longer_than_cmd_takes_is_not_written() -> None:
    assert len(made("cmd", extra=(("LONG", "x" * 8180),)).lines[-1].text) == 8191
    assert made("cmd", extra=(("LONG", "x" * 8181),)).heading == "cmd.exe takes lines of at most 8191 characters."


@pytest.mark.parametrize("quote", [quote_posix, quote_fish, quote_powershell, quote_cmd, plain_word, ini_value])
@pytest.mark.parametrize("control", ["\0", "\x03", "\x04", "\r", "\x1b[201~", "\x7f", "\x9b", "\ud800"])
def test_no_format_carries_a_control_character_that_drives_a_terminal(
    quote: Callable[[str], str], control: str
) -> None:
    with pytest.raises(ValueError, match=r"cannot|one line"):
        quote(f"a{control}b")


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("it's", "'it''s'"),
        ("‘‘", "'‘‘‘‘'"),  # PowerShell ends a string at these, so they are the point.
        ("a’b‚c‛d", "'a’’b‚‚c‛‛d'"),  # The same.
        ("$(id) `id` $Env:PATH", "'$(id) `id` $Env:PATH'"),
        ('"“”„"', "'\"“”„\"'"),
        ("a\nb", "'a\nb'"),
        ("trailing\\", "'trailing\\'"),
        ("; Start-Process calc #", "'; Start-Process calc #'"),
    ],
)
def test_powershell_doubles_every_kind_of_single_quote(value: str, quoted: str) -> None:
    assert quote_powershell(value) == quoted


def powershell_reads(source: str) -> str:
    """Read one PowerShell literal string as its tokenizer does: any single quote ends it, a pair is the second one."""
    kinds = "'‘’‚‛"  # The characters that PowerShell's tokenizer calls single quotes.
    assert source[0] in kinds
    read, position = "", 1
    while source[position] not in kinds or source[position + 1 : position + 2] in tuple(kinds):
        position += source[position] in kinds
        read += source[position]
        position += 1
    assert position == len(source) - 1, "The string ended early: the rest would run."
    return read


@given(TEXT)
def test_powershell_reads_back_every_value(value: str) -> None:
    assert powershell_reads(quote_powershell(value)) == value


@pytest.mark.parametrize(
    "value",
    ["a&calc", "a|b", "a<b>c", "^", "(x)", "trailing\\", " spaces ", "=", "-x", "/A 1+1", "ü", "`id`", "$(id)", "it's"],
)
def test_cmd_keeps_these_between_double_quotes(value: str) -> None:
    assert quote_cmd(value) == f'"{value}"'


@pytest.mark.parametrize("value", ["%PATH%", "100%", "^%PATH^%", "!PATH!", 'a"&calc&"', '"', "a\nb", "a\tb", "\u2028"])
def test_cmd_refuses_what_its_prompt_cannot_say(value: str) -> None:
    with pytest.raises(ValueError, match=r"cannot carry|one line"):
        quote_cmd(value)


@given(TEXT)
def test_what_cmd_accepts_has_nothing_that_it_expands_and_no_way_out_of_the_quotes(value: str) -> None:
    snippet = made("cmd", extra=(("VALUE", value),))
    if snippet.lines:
        line = snippet.lines[-1].text
        assert line == f'set "VALUE={value}"'
        assert line.count('"') == 2
        assert not set("%!\n\r") & set(line)


@pytest.mark.parametrize("value", ["a b", "'a'", '"a"', "$HOME", "`id`", "a#b", "a\\b", "~", "a\nb", "a;b", "a&b", "é"])
def test_a_dotenv_file_refuses_what_its_readers_take_differently(value: str) -> None:
    with pytest.raises(ValueError, match="cannot carry"):
        plain_word(value)


@given(st.from_regex(r"[A-Za-z0-9_./:=+@%,\[\]-]+", fullmatch=True))
def test_a_dotenv_file_means_the_same_to_docker_and_to_a_dotenv_library(value: str) -> None:
    text = made("dotenv", extra=(("VALUE", value),)).text
    docker = dict(line.split("=", 1) for line in text.split("\n"))
    assert docker["VALUE"] == value
    assert dotenv_values(stream=StringIO(text)) == docker


@pytest.mark.parametrize(
    "value", [" a", "a ", "a\u00a0", "a #b", "a ;b", "#a", ";a", "a\nb = c", "a\n[x]", "a\tb", "\u2028"]
)
def test_the_credentials_file_refuses_what_it_cannot_say(value: str) -> None:
    with pytest.raises(ValueError, match=r"cannot carry|one line"):
        ini_value(value)


@given(TEXT, TEXT)
def test_the_process_snippet_is_json_with_the_exact_values(secret: str, token: str) -> None:
    credentials = Credentials(
        access_key_id="ASIA",
        secret_access_key=secret,
        session_token=token,
        expiration=CREDENTIALS.expiration,
    )
    text = snippets(credentials, region="", profile="p")[-1].text
    assert json.loads(text) == {
        "Version": 1,
        "AccessKeyId": "ASIA",
        "SecretAccessKey": secret,
        "SessionToken": token,
        "Expiration": "2026-11-23T19:29:36Z",
    }
