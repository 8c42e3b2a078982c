"""What people, scripts and attackers send: a clear 4xx, nothing minted, what was typed is kept, never a 5xx."""

import re
import secrets
from html import unescape
from importlib import import_module
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client, RequestFactory

from credportal.audit.models import Issuance
from tests.fault_sts import FaultSTS
from tests.support.cast import PASSWORD, Catalogue

FORM = "application/x-www-form-urlencoded"
DURATIONS = ["", "0", "-1", "899", "43201", "1e3", "3_600", "٣٦٠٠", "9" * 5000, " 3600", "3600 ", "+3600", "0x384"]
DURATIONS += ["3600.0", "NaN", "Infinity", "³⁶⁰⁰", "3600\n", "3600;900", "null", "[]", "custom"]
BAD_REASONS = {
    "too long": "a" * 501,
    "a megabyte": "a" * 1_000_000,
    "NUL": "look\0here",
    "a line break": "look\nINFO forged=1",
    "a carriage return": "look\r\nforged",
    "a terminal escape": "\x1b[2J\x1b[31mred",
    "a line separator": "look\u2028here",
    "bidi": "\u202egnp.exe",
    "an isolate": "\u2066hidden\u2069",
}
RAW_REASONS = {
    "invalid UTF-8": b"%ff%fe%80",
    "invalid UTF-8 unquoted": b"\xff\xfe\x80",
    "a lone surrogate": b"%ED%A0%80",
    "a cut sequence": b"%e2%82",
    "overlong": b"%c0%af",
}
ROLE_IDS = ["no-such-role", "NO-SUCH", "1", "0", "-1", "[]", "{}", '{"id":"x"}', "null", "..", "a" * 65, "a" * 3000]
ROLE_IDS += ["' OR 1=1 --", "é", "%ff", "%ED%A0%80", "a,b", "*", "\u202e", "arn:aws:iam::491200653381:role"]


def submission() -> str:
    return secrets.token_urlsafe(16)


def post(client: Client, role_id: str, **fields: Any) -> Any:
    asked = {"duration": "3600", "submission": submission(), **fields}
    return client.post(f"/roles/{role_id}/issue/", asked)


def post_raw(client: Client, role_id: str, body: bytes, content_type: str = FORM, **headers: str) -> Any:
    return client.generic("POST", f"/roles/{role_id}/issue/", body, content_type, headers=headers)


def nothing_minted(sts: FaultSTS) -> bool:
    return sts.ledger.mints == [] and not Issuance.objects.exclude(status="denied").exists()


@pytest.mark.parametrize("duration", DURATIONS, ids=lambda text: repr(text[:12]))
def test_a_duration_that_is_none_is_a_form_error(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, duration: str
) -> None:
    response = post(alice, catalogue.read_only.id, duration=duration, reason="Look at a queue", ticket="INC-7")
    page = response.content.decode()
    assert response.status_code == 422
    assert 'role="alert"' in page
    assert 'value="Look at a queue"' in page, "what was typed is kept"
    assert 'value="INC-7"' in page
    assert nothing_minted(sts)


@pytest.mark.parametrize("minutes", ["", "0", "14", "721", "-90", "90.5", "٩٠", "9" * 5000, "1e2", "90\0"])
def test_other_minutes_that_are_none_are_a_form_error(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, minutes: str
) -> None:
    response = post(alice, catalogue.read_only.id, duration="custom", duration_minutes=minutes)
    assert response.status_code == 422
    assert nothing_minted(sts)


@pytest.mark.parametrize("reason", BAD_REASONS.values(), ids=BAD_REASONS)
def test_a_reason_that_cannot_be_one_line_is_a_form_error_and_kept(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, reason: str
) -> None:
    response = post(alice, catalogue.read_only.id, reason=reason)
    assert response.status_code == 422
    kept = re.search(r'name="reason"\s+value="([^"]*)"', response.content.decode())
    assert kept
    assert unescape(kept[1]).replace("\r\n", "\n") == reason.replace("\r\n", "\n")
    assert nothing_minted(sts)


@pytest.mark.parametrize("raw", RAW_REASONS.values(), ids=RAW_REASONS)
def test_a_reason_that_is_no_utf8_is_a_form_error(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, raw: bytes
) -> None:
    body = b"duration=3600&submission=" + submission().encode() + b"&reason=" + raw
    assert post_raw(alice, catalogue.read_only.id, body).status_code == 422
    assert nothing_minted(sts)


@pytest.mark.parametrize(
    "ticket", ["a b", "é", "INC\n7", "x" * 65, "<b>", "\0", "$(id)", "INC-7\u202e"], ids=lambda text: repr(text[:8])
)
def test_a_ticket_that_aws_would_not_take_is_a_form_error(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, ticket: str
) -> None:
    assert post(alice, catalogue.read_only.id, ticket=ticket).status_code == 422
    assert nothing_minted(sts)


@pytest.mark.parametrize(
    "narrowing",
    [["everything"], ["region:"], ["region:eu west"], ["region:eu-west-1", "region:us-east-1"], ["\0"], ["{}"]],
    ids=str,
)
def test_a_narrowing_that_is_not_on_the_list_is_a_form_error(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, narrowing: list[str]
) -> None:
    assert post(alice, catalogue.read_only.id, narrowing=narrowing).status_code == 422
    assert nothing_minted(sts)


@pytest.mark.parametrize("field", ["duration", "reason", "ticket", "submission"])
def test_two_values_at_once_are_a_form_error(alice: Client, catalogue: Catalogue, sts: FaultSTS, field: str) -> None:
    two = {"duration": ["900", "3600"], "reason": ["a", "b"], "ticket": ["A-1", "A-2"]}
    two["submission"] = [submission(), submission()]
    assert post(alice, catalogue.read_only.id, **{field: two[field]}).status_code == 422
    assert nothing_minted(sts)


@pytest.mark.parametrize("text", ["", "short", "x" * 33, "with space in the middle", "é" * 20, "\0" * 20])
def test_a_form_without_its_one_time_id_gets_a_new_one_and_mints_nothing(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, text: str
) -> None:
    response = post(alice, catalogue.read_only.id, submission=text)
    assert response.status_code == 422
    assert re.search(r'name="submission" value="[A-Za-z0-9_-]{22}"', response.content.decode())
    assert nothing_minted(sts)


@pytest.mark.parametrize("role_id", ROLE_IDS, ids=lambda text: repr(text[:16]))
def test_a_role_that_is_none_is_refused_and_recorded(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, role_id: str
) -> None:
    response = post(alice, quote(role_id, safe="%"))
    assert response.status_code == 403
    row = Issuance.objects.get()
    assert (row.status, row.code, row.actor_handle) == ("denied", "not_eligible", "alice")
    assert len(row.role_id) <= 64
    assert sts.ledger.calls == []


def test_the_id_of_a_role_is_exact(alice: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    assert post(alice, catalogue.read_only.id.upper()).status_code == 403
    assert post(alice, catalogue.read_only.id + "%20").status_code == 403
    assert sts.ledger.calls == []


@pytest.mark.parametrize("fields", [{}, {"duration": "nonsense"}, {"reason": "\0"}, {"submission": ""}], ids=str)
def test_a_role_that_is_not_mine_is_refused_and_recorded_whatever_the_form_says(
    charlie: Client, catalogue: Catalogue, sts: FaultSTS, fields: dict[str, str]
) -> None:
    response = post(charlie, catalogue.read_only.id, **fields)
    assert response.status_code == 403
    assert "PaymentsReadOnly" not in response.content.decode(), "what is not theirs is not told"
    assert Issuance.objects.get().code == "not_eligible"
    assert sts.ledger.calls == []


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"duration": "3600"}'),
        ("text/plain", b"duration=3600"),
        ("", b"duration=3600"),
        ("nonsense", b"\xff\xff"),
        ("application/xml", b"<a/>"),
        ("multipart/form-data; boundary=x", b"--x\r\nnothing"),
        ("multipart/form-data", b"--x--"),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x--"),
        ("multipart/form-data; boundary=\u20ac", b"--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="duration"\r\n'),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--',
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="duration"; filename="a\0b"\r\n\r\n3600\r\n--x--\r\n',
        ),
    ],
)
def test_another_kind_of_body_is_a_clear_4xx(
    alice: Client, catalogue: Catalogue, sts: FaultSTS, content_type: str, body: bytes
) -> None:
    response = post_raw(alice, catalogue.read_only.id, body, content_type)
    assert response.status_code in {400, 422}
    assert nothing_minted(sts)


CHARSETS = ["utf-16", "utf-7", "base64", "rot13", "idna", "punycode", "undefined", "none", "x y", "latin-1"]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=x"])
def test_another_charset_is_400(alice: Client, catalogue: Catalogue, sts: FaultSTS, charset: str, kind: str) -> None:
    body = f'--x\r\nContent-Disposition: form-data; name="duration"\r\n\r\n3600é{submission()}\r\n--x--\r\n'.encode()
    response = post_raw(alice, catalogue.read_only.id, body, f"{kind}; charset={charset}")
    assert response.status_code == 400
    assert nothing_minted(sts)


@pytest.mark.parametrize("charset", CHARSETS)
def test_another_charset_of_an_address_is_400_at_the_real_entry_point(db: None, charset: str) -> None:
    application = import_module("credportal.wsgi").application  # It wants the static files to be there.
    environ = RequestFactory().get("/?q=%c3%a9&r=" + "=" * 300).environ
    started: list[str] = []
    application(
        {**environ, "CONTENT_TYPE": f"text/plain; charset={charset}"}, lambda status, *_: started.append(status)
    )
    assert started == ["400 Bad Request"]


def test_very_many_fields_are_refused(alice: Client, dana: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    body = "&".join(f"field{number}=1" for number in range(10_000)).encode()
    assert post_raw(alice, catalogue.read_only.id, body).status_code == 400
    assert dana.get("/audit/?" + "&".join(f"a{number}=1" for number in range(1_100))).status_code == 400
    assert nothing_minted(sts)


def test_a_body_larger_than_any_form_is_refused(alice: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    assert post_raw(alice, catalogue.read_only.id, b"reason=" + b"a" * 5_000_000).status_code == 400
    assert nothing_minted(sts)


def test_a_file_is_not_taken(alice: Client, catalogue: Catalogue, sts: FaultSTS) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="reason"; filename="reason"\r\n\r\nsecret\r\n--x--\r\n'
    response = post_raw(alice, catalogue.read_only.id, body, "multipart/form-data; boundary=x")
    assert response.status_code == 422
    assert response.wsgi_request.FILES == {}
    assert nothing_minted(sts)


@pytest.mark.parametrize("cursor", ["x", "\u202e", "a:b:c", "null", "W10", "." * 3000, "eyJhIjoxfQ:1:1"])
@pytest.mark.parametrize("page", ["/audit/", "/sessions/"])
def test_a_bad_cursor_is_400(dana: Client, page: str, cursor: str) -> None:
    assert dana.get(page, {"cursor": cursor}).status_code == 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("day", day) for day in ("2026-99-99", "yesterday", "2026-11-24T10:00", "0001-01-01", "9999-12-31", "1e9")),
        ("outcome", "minted"),
        ("outcome", "ISSUED"),
        ("person", "a" * 65),
        ("role", "a" * 601),
        ("account", "a" * 65),
    ],
)
@pytest.mark.parametrize("time_zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_a_bad_filter_is_a_form_error_and_kept(dana: Client, cast: Any, name: str, value: str, time_zone: str) -> None:
    cast.dana.time_zone = time_zone
    cast.dana.save()
    response = dana.get("/audit/", {name: value})
    assert response.status_code == 422
    assert "This filter does not work" in response.content.decode()
    if name != "outcome":
        assert f'value="{value}"' in response.content.decode()


@pytest.mark.parametrize("where", ["/audit/?person=a%00b", "/?q=%00", "/sessions/?cursor=%0a", "/roles/a%00b/", "/%7f"])
def test_nul_and_control_characters_in_an_address_are_400(dana: Client, where: str) -> None:
    assert dana.get(where).status_code == 400


@pytest.mark.parametrize("name", ["login", "password", "next"])
def test_nul_in_the_sign_in_form_is_a_form_error(client: Client, cast: Any, name: str) -> None:
    fields = {"login": "alice", "password": "not the password", name: "al\0ice"}
    response = client.post("/account/login/", fields)
    assert response.status_code == 200
    assert "You are not signed in" in response.content.decode()


@pytest.mark.parametrize(
    "session",
    [
        '"abc\\000def\\000ghi"',
        '"\\377\\376abcdefgh"',
        "a" * 4000,
        '"\\012\\012\\012\\012\\012\\012\\012\\012\\012"',
        ";;;",
        "é" * 20,
    ],
)
def test_a_broken_session_cookie_is_no_session(db: None, session: str) -> None:
    response = Client(headers={"Cookie": f"session={session}"}).get("/")
    assert response.status_code in {302, 400}


@pytest.mark.parametrize("token", ['"\\000"', "x", "é" * 32, "a" * 5000])
def test_a_broken_csrf_cookie_is_no_token(cast: Any, token: str) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Cookie": f"csrf={token}"})
    assert client.post("/account/login/", {"login": "alice", "password": PASSWORD}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "a b", "[::1", "é", ""])
@pytest.mark.parametrize("path", ["/", "/account/login/", "/nothing-here"])
def test_a_weird_host_is_400(client: Client, db: None, host: str, path: str) -> None:
    assert client.get(path, headers={"host": host}).status_code == 400


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "CONNECT", "BREW"])
def test_a_method_that_no_page_has_is_405(alice: Client, catalogue: Catalogue, sts: FaultSTS, method: str) -> None:
    for path in ("/", f"/roles/{catalogue.read_only.id}/", f"/roles/{catalogue.read_only.id}/issue/", "/sessions/"):
        response = alice.generic(method, path)
        assert response.status_code == 405, path
        assert b"This address takes" in response.content
    assert nothing_minted(sts)


@pytest.mark.parametrize(
    "fields", [{"time_zone": "Mars/Base"}, {"time_zone": "a\0"}, {"day_ends": "25:00"}, {"day_ends": ""}]
)
def test_bad_preferences_are_a_form_error(alice: Client, fields: dict[str, str]) -> None:
    response = alice.post("/account/", {"time_zone": "UTC", "day_ends": "17:00", **fields})
    assert response.status_code == 422


@pytest.mark.parametrize("role_id", ROLE_IDS, ids=lambda text: repr(text[:16]))
def test_a_role_that_is_none_has_no_page_and_no_star(alice: Client, catalogue: Catalogue, role_id: str) -> None:
    address = quote(role_id, safe="%")
    assert alice.get(f"/roles/{address}/").status_code == 404
    assert alice.post(f"/roles/{address}/favourite/", {"starred": "1"}).status_code == 404
    assert alice.get(f"/sessions/{address}/").status_code == 404
