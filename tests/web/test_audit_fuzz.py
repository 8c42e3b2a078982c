"""Whatever stands in the address of the audit page: an answer that helps, and nothing that is not on the list."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from credportal.audit.models import Event
from credportal.web.forms.audit import NAMES
from tests.support.history import NOON, write_history, write_issuances

HOSTILE = [
    *(
        "",
        " ",
        "0",
        "-1",
        "1e9",
        "null",
        "[]",
        "{}",
        "%s",
        "%(x)s",
        "'",
        '"',
        "\\",
        "';--",
        "' OR 1=1 --",
        "*",
        "%",
        "_%",
    ),
    *(
        "\u202e\u2066",
        "\ufeff",
        "\ud7ff",
        "é" * 30,
        "🔑" * 20,
        "a" * 5000,
        "arn:",
        "arn:aws:iam::1:role/x",
        "\u0661" * 12,
    ),
    *("2026-02-30", "0001-01-01T00:00", "9999-12-31T23:59", "2026-03-29T02:30", "2026-11-20", "2026-11-20T12:00+25:00"),
    *(
        "../../etc/passwd",
        "UTC",
        "Europe/Berlin",
        "posixrules",
        "leapseconds",
        "tzdata.zi",
        "Asia",
        "::1",
        "fe80::1%eth0",
    ),
    *(
        "issued",
        "requested",
        "issuance:issued",
        "approval",
        "production",
        "1h",
        "all",
        "999999999999",
        "true",
        "abc def",
    ),
]
OTHERS = [
    "cursor",
    "seen",
    "chart",
    "order",
    "user__password",
    "detail",
    "hash",
    "id__gt",
    "actor_id",
    "page",
    "person[]",
]

values = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30),
    st.text("0123456789:-T", max_size=19),
)
queries = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES.split() + OTHERS), values), values), max_size=6)
headers = st.sampled_from([{}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-Target": "chart"}])


def fill() -> None:
    if Event.objects.exists():
        return
    write_issuances(
        {"status": status, "reason": "abc def % _"} for status in ("issued", "denied", "unknown", "requested")
    )
    write_history([{"kind": "sign-in:failed", "address": "::1"}, {"at": NOON + timedelta(days=400)}])


@pytest.mark.django_db
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(query=queries, header=headers)
@example(query=[("tz", "Pacific/Kiritimati"), ("from", "2999-12-31T23:59")], header={})
@example(query=[("tz", "Pacific/Pago_Pago"), ("to", "2000-01-01T00:00"), ("chart", "1")], header={})
@example(
    query=[("from", "2000-01-01T00:00"), ("to", "2999-12-31T23:59"), ("person", "alice"), ("chart", "1")], header={}
)
@example(query=[("q", "%%% \\\\\\ ___"), ("chart", "1")], header={})
def test_no_address_of_the_audit_breaks_it(erin: Client, query: list[tuple[str, str]], header: dict[str, str]) -> None:
    fill()
    response = erin.get(f"/audit/?{urlencode(query)}", headers=header)
    assert response.status_code in {200, 400, 422}
    if response.status_code == 422:
        given_values = dict(query)
        wrong = response.context["form"].errors
        assert wrong
        assert all(
            str(response.context["form"][name].value()) == given_values[name] for name in wrong if name in given_values
        )


@pytest.mark.parametrize(
    "name",
    [
        "detail",
        "hash",
        "actor_id",
        "user_agent",
        "request_id",
        "actor_handle__startswith",
        "user__password",
        "reason__regex",
        "id",
    ],
)
@pytest.mark.parametrize("value", ["a", "alice", "1", ".*"])
def test_a_column_that_is_no_filter_cannot_be_asked_about(erin: Client, db: None, name: str, value: str) -> None:
    fill()
    rows = re.compile(r'id="e(\d+)"')
    every = rows.findall(erin.get("/audit/").content.decode())
    response = erin.get("/audit/", {name: value})
    assert rows.findall(response.content.decode()) == every != []
    assert response.context["ignored"] == [name]


def test_more_filters_than_a_form_may_have_fields_are_400(erin: Client, db: None) -> None:
    assert erin.get("/audit/?" + "&".join(f"person={number}" for number in range(1100))).status_code == 400


def test_a_cursor_that_was_signed_for_something_else_is_400(erin: Client, dana: Client, db: None) -> None:
    write_history([{}] * 120)
    page = erin.get("/audit/")
    older = page.context["older_url"].removeprefix("?cursor=")
    touched = older[:10] + ("A" if older[10] != "A" else "B") + older[11:]
    for client, address in (
        (erin, f"/audit/?cursor={touched}"),
        (erin, f"/sessions/?cursor={older}"),
        (erin, f"/audit/?cursor={page.context['seen']}"),
        (erin, f"/audit/?seen={older}"),
        (dana, f"/audit/?cursor={older}"),
    ):
        response = client.get(address)
        assert response.status_code == 400, address
        assert "damaged" in response.content.decode()
    assert erin.get(f"/audit/?cursor={older}").status_code == 200
