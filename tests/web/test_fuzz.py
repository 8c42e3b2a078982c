"""Generated requests at every route, by everybody: never a 5xx, never a mint that no form asked for."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings as django_settings
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credportal.audit.models import Event, Issuance
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue
from tests.support.routes import all_routes

ROUTES = [route for route in all_routes() if route.name != "readyz"]  # That one asks AWS by itself.
OWN = ROUTES
HOSTILE = ["", "0", "-1", "3600", "custom", "٣٦٠٠", "\0", "\n", "\u202e", "é" * 30, "'", '"><b>', "%s", "{}", "[]"]
HOSTILE += ["a" * 5000, "2026-99-99", "0001-01-01", "9999-12-31", "//evil.example", "http://[evil", "\ufffd", "issued"]
NAMES = ["duration", "duration_minutes", "reason", "ticket", "narrowing", "submission", "starred", "next", "login"]
NAMES += [
    "password",
    "time_zone",
    "day_ends",
    "person",
    "role",
    "account",
    "outcome",
    "day",
    "cursor",
    "q",
    "oldpassword",
]
TYPES = [
    *["application/x-www-form-urlencoded"] * 6,
    "multipart/form-data; boundary=x",
    "application/json",
    "text/plain",
    "",
]
TYPES += ["application/x-www-form-urlencoded; charset=utf-16", "multipart/form-data", "a/b; charset=\u00e9"]
METHODS = [*["GET", "POST"] * 6, "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
HEADERS = ["HX-Request", "HX-Current-URL", "X-Forwarded-For", "User-Agent", "Accept", "Referer", "Cookie", "Range"]

texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40), st.text("0123456789-+.eE_", max_size=12))
fields = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), texts), texts), max_size=8)
# An address with a control character is refused at once, so most have none.
tame = texts.filter(lambda text: text.isprintable())
queries = st.lists(st.tuples(st.one_of(st.sampled_from(NAMES), tame), tame), max_size=4)


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    form = [(name.encode(errors="replace"), value.encode(errors="replace")) for name, value in draw(fields)]
    kind = draw(st.sampled_from(TYPES))
    query = fields if draw(st.integers(0, 9)) == 9 else queries
    body = draw(st.one_of(st.just(urlencode(form).encode()), st.binary(max_size=200)))
    if kind.startswith("multipart") and draw(st.booleans()):
        body = b"".join(
            b'--x\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + value + b"\r\n"
            for name, value in form
        )
    headers = draw(st.dictionaries(st.sampled_from(HEADERS), st.text(st.characters(max_codepoint=255), max_size=40)))
    return {
        "route": draw(st.one_of(st.sampled_from(OWN), st.sampled_from(OWN), st.sampled_from(ROUTES))),
        "inside": draw(
            st.one_of(st.sampled_from(["mine", "mine", "theirs"]), tame.filter(lambda text: "/" not in text and text))
        ),
        "method": draw(st.sampled_from(METHODS)),
        "query": urlencode([(n.encode(errors="replace"), v.encode(errors="replace")) for n, v in draw(query)]),
        "body": body,
        "kind": kind,
        "headers": {name: value.replace("\n", "").replace("\r", "") for name, value in headers.items()},
        "who": draw(st.sampled_from(["alice", "bob", "charlie", "dana", "erin", ""])),
    }


def send(client: Client, cast: Cast, catalogue: Catalogue, sent: dict[str, Any]) -> Any:
    """Send one generated request as the person it names."""
    client.cookies.clear()
    if sent["who"]:
        client.force_login(getattr(cast, sent["who"]), backend=django_settings.AUTHENTICATION_BACKENDS[0])
    known = {"mine": catalogue.read_only.id, "theirs": catalogue.nobody.id}
    inside = known.get(sent["inside"], sent["inside"])
    markers = {name: f"inside{number}" for number, name in enumerate(sent["route"].parameters)}
    markers |= {name: "access" for name in markers if name == "app_label"}
    path = sent["route"].path(**markers)
    for marker in markers.values():
        path = path.replace(marker, quote(inside.encode(errors="replace"), safe=""))
    extra = {"QUERY_STRING": sent["query"]}
    return client.generic(sent["method"], path, sent["body"], sent["kind"], headers=sent["headers"], **extra)


@pytest.mark.django_db
@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sent=asked())
def test_no_generated_request_breaks_the_portal_or_mints(
    client: Client, cast: Cast, catalogue: Catalogue, sts: FaultSTS, sent: dict[str, Any]
) -> None:
    response = send(client, cast, catalogue, sent)
    assert response.status_code < 500, response.content[:500]
    assert response.has_header("Content-Security-Policy")
    assert not Issuance.objects.exclude(status="denied").exists(), "a one-time id is never guessed"
    assert Event.objects.filter(kind__startswith="issuance:").count() == Issuance.objects.count()
    assert sts.ledger.mints == []
