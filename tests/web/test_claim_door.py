"""The door to a claim: forms from elsewhere, what comes ahead of a person, too many tries, and what stays behind."""

from typing import Any

import pytest
from django.test import Client

from credportal.access.models import Handout
from credportal.audit.models import Issuance
from credportal.flows.handout import HandedOut
from tests.fault_sts import FaultSTS
from tests.support import scanner
from tests.support.cast import Cast, Catalogue
from tests.support.claiming import UNKNOWN, look, press, refusals, report, strict, text
from tests.support.handouts import claim, handed_out, state, token_of
from tests.support.html import hidden

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("nobody_counted")]


# From elsewhere, ahead of time, too often


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
    ],
)
@pytest.mark.parametrize("secure", [False, True])
def test_a_form_counts_as_ours_where_the_browser_itself_says_so(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, *, headers: dict[str, str], status: int, secure: bool
) -> None:
    client = strict(cast.charlie)
    headers = {name: value.replace("http:", "https:") if secure else value for name, value in headers.items()}
    csrf = hidden(text(client.get("/claim/", secure=secure)), "csrfmiddlewaretoken")
    fields = {"token": token_of(to_charlie), "csrfmiddlewaretoken": csrf}
    assert client.post("/claim/look/", fields, headers=headers, secure=secure).status_code == status
    answer = client.post("/claim/", fields, headers=headers, secure=secure)
    assert (answer.status_code, len(sts.ledger.mints)) == (status, int(status == 200))
    if status == 403:
        assert "This form is too old, or came from elsewhere" in text(answer)
        assert refusals() == [("handout:refused", "claim_from_elsewhere", "charlie")]


@pytest.mark.parametrize("csrf", ["", "x" * 64])
def test_a_claim_without_our_csrf_token_is_refused_and_recorded(
    cast: Cast, to_charlie: HandedOut, sts: FaultSTS, csrf: str
) -> None:
    client = strict(cast.charlie)
    client.get("/claim/")
    fields = {"token": token_of(to_charlie), "csrfmiddlewaretoken": csrf}
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    for path in ("/claim/", "/claim/look/", "/claim/report/"):
        answer = client.post(path, fields, headers=headers)
        assert answer.status_code == 403
        assert "Open the link that you were sent once more" in text(answer)
        assert token_of(to_charlie) not in text(answer)
    assert refusals() == [("handout:refused", "claim_from_elsewhere", "charlie")]
    assert (state(to_charlie), sts.ledger.mints) == ("open", [])


def test_other_pages_take_no_form_whose_origin_is_null(cast: Cast) -> None:
    client = strict(cast.charlie)
    csrf = hidden(text(client.get("/account/")), "csrfmiddlewaretoken")
    headers = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    answer = client.post("/account/", {"csrfmiddlewaretoken": csrf, "time_zone": "UTC"}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "ahead", [{"Sec-Purpose": "prefetch"}, {"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}]
)
def test_whatever_fetches_ahead_of_a_person_uses_nothing_up(
    charlie: Client, to_charlie: HandedOut, sts: FaultSTS, ahead: dict[str, str]
) -> None:
    before = Handout.objects.values().get()
    assert charlie.get("/claim/", headers=ahead).status_code == 200
    assert press(charlie, to_charlie, headers=ahead).status_code == 403
    assert look(charlie, to_charlie, headers=ahead).status_code == 403
    assert charlie.head("/claim/").status_code == 200
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH"):
        for path in ("/claim/", "/claim/look/", "/claim/report/"):
            assert charlie.generic(method, path).status_code == 405
    for method in ("GET", "HEAD"):
        assert charlie.generic(method, "/claim/look/").status_code == 405
        assert charlie.generic(method, "/claim/report/").status_code == 405
    assert Handout.objects.values().get() == before
    assert press(charlie, to_charlie).status_code == 200


def test_an_address_that_tries_too_often_is_not_listened_to_and_the_audit_says_so_once(
    client: Client, charlie: Client, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    answers = [press(client, f"{number:043}").status_code for number in range(30)]
    assert answers == [404] * 21 + [429] * 9
    assert refusals() == [("handout:refused", "claim_of_no_handout", "")] * 21 + [
        ("handout:refused", "claim_throttled", "")
    ]
    answer = press(client, to_charlie)
    assert answer.status_code == 429
    assert "Wait five minutes, then open your link again." in text(answer)
    assert report(client, to_charlie).status_code == 429
    assert press(charlie, to_charlie, REMOTE_ADDR="192.0.2.9").status_code == 200, "others are not held up"


def test_forms_from_elsewhere_flood_no_audit(cast: Cast) -> None:
    client = strict(None)
    for _ in range(30):
        assert client.post("/claim/", {"token": UNKNOWN}).status_code == 403
    assert len(refusals()) == 22
    assert refusals()[-1] == ("handout:refused", "claim_throttled", "")


def test_a_dead_link_floods_no_audit_and_holds_up_no_other_link(
    charlie: Client, cast: Cast, catalogue: Catalogue, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    press(charlie, to_charlie)
    answers = [press(charlie, to_charlie).status_code for _ in range(64)]
    assert answers == [409] * 60 + [429] * 4
    assert report(charlie, to_charlie).status_code == 200, "it can be reported all the same"
    other = handed_out(cast.bob, catalogue.read_only, cast.charlie, submission="another-form")
    assert press(charlie, other).status_code == 200


def test_looks_are_counted_by_address(client: Client, to_vera: HandedOut) -> None:
    answers = [look(client, to_vera).status_code for _ in range(62)]
    assert answers == [200] * 60 + [429] * 2
    assert refusals() == []


# What it leaves behind


def every_answer(client: Client, charlie: Client, given: HandedOut) -> list[Any]:
    """Walk a link through what it can be, and return the answers."""
    strange = strict(None).post("/claim/", {"token": token_of(given)})
    answers = [client.get("/claim/"), look(client, ""), look(client, given), press(client, given), strange]
    answers += [look(charlie, given), press(charlie, given), press(charlie, given), report(charlie, given)]
    return [*answers, client.get("/claim/look/"), look(client, UNKNOWN)]


def test_every_answer_keeps_the_page_out_of_referers_indexes_and_caches(
    client: Client, charlie: Client, to_charlie: HandedOut, sts: FaultSTS
) -> None:
    answers = every_answer(client, charlie, to_charlie)
    assert {answer.status_code for answer in answers} == {200, 403, 404, 405, 409, 422}
    for answer in answers:
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert answer["Cache-Control"] == "no-store, private"
    assert client.get("/account/login/")["Referrer-Policy"] == "same-origin"


def test_the_token_is_in_no_log_no_table_no_session_and_no_other_page(
    client: Client,
    charlie: Client,
    erin: Client,
    *,
    to_charlie: HandedOut,
    sts: FaultSTS,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level("DEBUG")
    every_answer(client, charlie, to_charlie)
    token = token_of(to_charlie)
    pages = {path: erin.get(path).content for path in ("/audit/", f"/handouts/{to_charlie.handout.id}/")}
    export: Any = erin.get("/audit/export.jsonl?steps=1")
    pages["export"] = b"".join(export.streaming_content)
    pages |= {path: charlie.get(path).content for path in ("/sessions/", "/claim/")}
    heard = {"log": caplog.text.encode(), "out": "".join(capfd.readouterr()).encode()}
    assert scanner.found([token], {**scanner.database_places(), **pages, **heard}) == []
    assert scanner.found([token], {"planted": b"..." + token.encode() + b"..."}) == ["planted"]


def test_the_recipients_sessions_say_who_handed_them_out(charlie: Client, to_charlie: HandedOut, sts: FaultSTS) -> None:
    press(charlie, to_charlie)
    issuance = Issuance.objects.get()
    assert "handed out by Bob Osei (bob)" in text(charlie.get(f"/sessions/{issuance.id}/"))
    assert "Handed out by Bob Osei (bob)" in text(charlie.get("/sessions/"))


def test_a_reported_lock_says_that_nothing_was_issued(client: Client, to_vera: HandedOut) -> None:
    for _ in range(5):
        claim(None, to_vera, code="wrong")
    answer = report(client, to_vera)
    assert answer.status_code == 200
    assert "Nothing was issued" in text(answer)
    assert refusals()[-1][0] == "handout:reported"
