"""AssumeRole's arguments are checked before anything is sent: botocore checks no pattern and no maximum."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credportal.aws.arguments import arguments
from credportal.aws.errors import AssumeRoleError
from credportal.domain.types import SessionSpec
from tests.aws.conftest import SPEC

ARN = "arn:aws:iam::222222222222:policy/Narrow"

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("role ARN", {"role_arn": ""}),
    ("role ARN", {"role_arn": "arn:aws:iam::222222222222:role/tár"}),
    ("role ARN", {"role_arn": "arn:aws:iam::222222222222:role/a b"}),
    ("role ARN", {"role_arn": "arn:aws:iam::222222222222:role/a\n"}),
    ("role ARN", {"role_arn": "arn:" + "a" * 2045}),
    ("session name", {"session_name": ""}),
    ("session name", {"session_name": "a"}),
    ("session name", {"session_name": "a" * 65}),
    ("session name", {"session_name": "éa"}),
    ("session name", {"session_name": "alice\n"}),
    ("session name", {"session_name": "alice smith"}),
    ("source identity", {"source_identity": "a"}),
    ("source identity", {"source_identity": "a" * 65}),
    ("source identity", {"source_identity": "aws:alice"}),
    ("external id", {"external_id": "a"}),
    ("external id", {"external_id": "a" * 1225}),
    ("external id", {"external_id": "a b"}),
    ("duration", {"duration": timedelta(seconds=899)}),
    ("duration", {"duration": timedelta(seconds=43201)}),
    ("duration", {"duration": timedelta(seconds=900, microseconds=1)}),
    ("duration", {"duration": timedelta(seconds=-3600)}),
    ("session tags", {"session_tags": tuple((f"k{n}", "v") for n in range(51))}),
    ("session tags", {"session_tags": (("", "v"),)}),
    ("session tags", {"session_tags": (("k" * 129, "v"),)}),
    ("session tags", {"session_tags": (("k", "v" * 257),)}),
    ("session tags", {"session_tags": (("k", "v\n"),)}),
    ("session tags", {"session_tags": (("ticket", "1"), ("Ticket", "2"))}),
    ("session tags", {"session_tags": (("AWS:ticket", "1"),)}),
    ("session policy", {"session_policy": "x" * 2049}),
    ("session policy", {"session_policy": '{"Sid":"☃"}'}),
    ("session policy", {"session_policy": "x" * 2040, "session_policy_arns": (ARN,)}),
    ("session policy", {"session_policy_arns": (ARN,) * 11}),
    ("session policy", {"session_policy_arns": ("ReadOnlyAccess",)}),
]


@pytest.mark.parametrize(("field", "changes"), WRONG)
def test_what_aws_would_refuse_is_refused_here_by_name(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(AssumeRoleError) as caught:
        arguments(replace(SPEC, **changes))
    failure = caught.value.failure
    assert failure.code == "bad_parameters"
    assert failure.aws_words == f"Not sent. Refused here: {field}."


@pytest.mark.parametrize("seconds", [900, 901, 3600, 43200])
def test_the_whole_range_of_durations_is_accepted(seconds: int) -> None:
    assert arguments(replace(SPEC, duration=timedelta(seconds=seconds)))["DurationSeconds"] == seconds


@pytest.mark.parametrize("arn", ["arn:aws:iam:::role/gateway-role", "arn:minio:iam:::role/dev", SPEC.role_arn])
def test_arns_of_other_endpoints_are_welcome(arn: str) -> None:
    assert arguments(replace(SPEC, role_arn=arn))["RoleArn"] == arn


def test_the_external_id_is_not_in_the_message_that_refuses_it() -> None:
    with pytest.raises(AssumeRoleError) as caught:
        arguments(replace(SPEC, external_id="secret word"))
    assert "secret" not in repr(caught.value.failure)


@given(name=st.text(min_size=0, max_size=70), tag=st.text(max_size=300), external_id=st.text(max_size=40))
def test_whatever_passes_is_what_the_service_model_allows(name: str, tag: str, external_id: str) -> None:
    try:
        asked = arguments(replace(SPEC, session_name=name, external_id=external_id, session_tags=(("ticket", tag),)))
    except AssumeRoleError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", asked["RoleSessionName"])
    assert re.fullmatch(r"[A-Za-z0-9_+=,.@:/-]{2,1224}", asked.get("ExternalId", "ok"))
    assert re.fullmatch(r"[A-Za-z0-9_ .:/=+@-]{0,256}", asked["Tags"][0]["Value"])


@given(seconds=st.integers(min_value=-(10**9), max_value=10**9))
def test_no_duration_outside_of_the_range_passes(seconds: int) -> None:
    spec: SessionSpec = replace(SPEC, duration=timedelta(seconds=seconds))
    if 900 <= seconds <= 43200:
        assert arguments(spec)["DurationSeconds"] == seconds
    else:
        with pytest.raises(AssumeRoleError):
            arguments(spec)
