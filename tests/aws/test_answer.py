"""An answer is believed whole or not at all, whatever shape it has."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.aws.answer import assumed_role
from credportal.aws.errors import FAILURES, AssumeRoleError, failure, printable
from credportal.domain.types import Status

NOW = datetime(2026, 11, 24, 12, 0, 0, 400_000, tzinfo=UTC)
HOUR = timedelta(hours=1)


def an_answer(**changes: Any) -> dict[str, Any]:
    credentials = {
        "AccessKeyId": "ASIAEXAMPLE",
        "SecretAccessKey": "FAKE-secret",
        "SessionToken": "FAKE-token",
        "Expiration": NOW + HOUR,
        **changes,
    }
    return {"Credentials": credentials, "ResponseMetadata": {"RequestId": "r-1", "HTTPHeaders": {}}}


def code_of(answer: Any, *, duration: timedelta = HOUR) -> str:
    with pytest.raises(AssumeRoleError) as caught:
        assumed_role(answer, duration=duration, now=NOW)
    return caught.value.failure.code


@pytest.mark.parametrize("minutes", [-5, -1, 0, 1, 5])
def test_an_expiration_near_what_was_asked_is_believed(minutes: int) -> None:
    ends = NOW + HOUR + timedelta(minutes=minutes)
    assert assumed_role(an_answer(Expiration=ends), duration=HOUR, now=NOW).credentials.expiration <= ends


@pytest.mark.parametrize("minutes", [-60, -6, 6, 600])
def test_an_expiration_far_from_what_was_asked_is_not(minutes: int) -> None:
    assert code_of(an_answer(Expiration=NOW + HOUR + timedelta(minutes=minutes))) == "sts_bad_response"


def test_an_expiration_without_a_zone_is_not_believed() -> None:
    assert code_of(an_answer(Expiration=(NOW + HOUR).replace(tzinfo=None))) == "sts_bad_response"


def test_an_expiration_of_another_zone_becomes_utc() -> None:
    ends = (NOW + HOUR).astimezone(timezone(timedelta(hours=5, minutes=30)))
    expiration = assumed_role(an_answer(Expiration=ends), duration=HOUR, now=NOW).credentials.expiration
    assert expiration.isoformat() == "2026-11-24T13:00:00+00:00"


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("Tue, 24 Nov 2026 11:58:00 GMT", "clock_skew"),
        ("Tue, 24 Nov 2026 12:00:30 GMT", "sts_bad_response"),
        ("yesterday", "sts_bad_response"),
        ("", "sts_bad_response"),
    ],
)
def test_a_clock_that_differs_by_a_minute_is_named_where_the_expiration_is_wrong(date: str, code: str) -> None:
    answer = an_answer(Expiration=NOW - HOUR)
    answer["ResponseMetadata"]["HTTPHeaders"]["date"] = date
    assert code_of(answer) == code


@pytest.mark.parametrize("name", ["AccessKeyId", "SecretAccessKey", "SessionToken"])
@pytest.mark.parametrize("value", [None, "", 7, b"bytes", "two words", "line\nbreak", "é"])
def test_a_value_that_is_no_visible_ascii_text_is_not_believed(name: str, value: Any) -> None:
    assert code_of(an_answer(**{name: value})) == "sts_bad_response"


@pytest.mark.parametrize("answer", [{}, {"Credentials": None}, {"Credentials": []}, {"ResponseMetadata": "x"}])
def test_an_answer_of_another_shape_is_not_believed(answer: Any) -> None:
    assert code_of(answer) == "sts_bad_response"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.datetimes(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(list(an_answer()["Credentials"])), inner),
    )
)
def test_no_shape_of_credentials_raises_anything_else(credentials: Any) -> None:
    assert code_of({"Credentials": credentials}) == "sts_bad_response"


@pytest.mark.parametrize("row", sorted(FAILURES))
def test_every_row_of_the_table_is_whole(row: str) -> None:
    found = FAILURES[row]
    assert found.code == row.partition(".")[0]
    assert found.status in {422, 502, 503, 504}
    assert found.outcome in {Status.FAILED, Status.UNKNOWN}
    assert found.headline
    assert found.why.endswith(".")
    assert found.next_step.endswith((".", "administrator"))
    assert len(found.headline) <= 50


def test_only_what_cannot_have_minted_may_be_tried_again() -> None:
    again = {row for row, found in FAILURES.items() if found.may_retry}
    assert again == {"sts_throttled", "sts_unreachable"}
    assert all(FAILURES[row].outcome is Status.FAILED for row in again)


def test_the_words_of_aws_are_capped_and_cannot_steer_a_terminal() -> None:
    found = failure("sts_denied", aws_words="\x1b[2J\r\nforged \u202e" + "x" * 5000)
    assert found.aws_words.startswith("\\x1b[2J\\r\\nforged \\u202e")
    assert len(found.aws_words) == 600


@given(st.text())
def test_printable_text_is_printable(text: str) -> None:
    assert printable(text).isprintable()
