"""The second promise: a secret lives in one response, and in nothing else that the portal keeps or writes."""

import base64
import json
import re
import secrets
from pathlib import Path

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache

from credportal.access.models import Favourite
from credportal.audit.models import Issuance
from tests.fault_sts import CANARY, FaultSTS
from tests.support.cast import Cast, Catalogue, make_cast, make_catalogue
from tests.support.portal import running_portal
from tests.support.scanner import database_places, disguises, found
from tests.support.sign_in_service import TOKEN, SignInService, sign_in_service
from tests.support.visitor import Visitor, new_submission

ISSUANCES = 12
CONSOLES = 2  # one that opens, and one that AWS's sign-in refuses
# Each of these mints, and its answer carries the secret in a form that the portal cannot use.
BROKEN_ANSWERS = ["missing_session_token", "bad_expiration", "truncated_xml", "malformed_xml", "past_expiration"]
BROKEN_ANSWERS += ["missing_access_key_id", "broken_session_token", "drip_body", "cut_short"]
PAGES = ["/", "/sessions/", "/account/", "/sessions/{id}/", "/roles/{role}/", "/nothing-here"]
REVIEWERS_PAGES = ["/audit/", "/audit/{id}/", "/catalogue/", "/"]


@pytest.mark.django_db(transaction=True)
def test_invariant_2_a_secret_lives_in_one_response(tmp_path: Path) -> None:
    cast = make_cast()
    catalogue = make_catalogue(cast)
    log = tmp_path / "portal.log"
    with (
        FaultSTS() as sts,
        sign_in_service() as aws,
        running_portal(
            sts_url=sts.url,
            log=log,
            LOG_LEVEL="DEBUG",
            AWS_DEADLINE_SECONDS="1",
            AWS_ENDPOINT_URL_SIGNIN=aws.url,
        ) as portal,
    ):
        others = _use_the_portal(portal.url, sts, aws, cast, catalogue)
        kept = [text for mint in sts.ledger.mints for text in (mint.secret_access_key, mint.session_token)]
    assert len(kept) == 2 * (ISSUANCES + CONSOLES + len(BROKEN_ANSWERS))
    assert len(aws.seen) == CONSOLES
    kept.append(TOKEN)
    written = log.read_bytes()
    assert b'"level": "debug"' in written, "the portal must have been as talkative as it can be"
    places = {"the log": written, "other answers": "\n".join(others).encode(), **database_places()}
    assert found(kept, places) == []
    assert [name for name, held in places.items() if CANARY.encode() in held] == []
    assert Issuance.objects.filter(status="issued").count() == ISSUANCES + CONSOLES


def _use_the_portal(url: str, sts: FaultSTS, aws: SignInService, cast: Cast, catalogue: Catalogue) -> list[str]:
    """Issue, open the console, fail, and open all pages; return every answer but the ones that issued."""
    role_id = catalogue.read_only.id
    alice, dana = Visitor(url, cast.alice), Visitor(url, cast.dana)
    alice.open_form(f"/roles/{role_id}/")
    others = []
    for _ in range(ISSUANCES):
        submission = new_submission()
        answer = alice.issue(role_id, submission=submission)
        mint = sts.ledger.mints[-1]
        assert answer.status == 200
        assert mint.secret_access_key in answer.text, "the scanner reads the right secrets"
        assert _scanned(mint.session_token, answer.text)
        others.append(repr(answer.headers))
        others.append(alice.issue(role_id, submission=submission).text)
    for status in (200, 503):
        aws.answer = (status, aws.answer[1])
        opened = alice.issue(role_id, act="console")
        assert opened.status == (302 if status == 200 else 502)
        # The address that opens the console stands in one header, and there it belongs.
        others.append(opened.text + repr([pair for pair in opened.headers if pair[0] != "Location"]))
    for name in BROKEN_ANSWERS:
        sts.fault(name)
        answer = alice.issue(role_id)
        assert answer.status in {502, 503, 504}, name
        others.append(answer.text + repr(answer.headers))
    issuance_id = re.findall(r'id="reference">(\w+)<', others[-1])[0]
    for visitor, pages in ((alice, PAGES), (dana, REVIEWERS_PAGES)):
        for page in pages:
            answer = visitor.get(page.format(id=issuance_id, role=role_id))
            assert answer.status in {200, 404}, page
            others.append(answer.text + repr(answer.headers))
    return others


def _scanned(secret: str, text: str) -> bool:
    return found([secret], {"text": text.encode()}) == ["text"]


@pytest.mark.django_db(transaction=True)
def test_the_scanner_finds_what_is_planted_in_every_place(tmp_path: Path) -> None:
    cast = make_cast()
    catalogue = make_catalogue(cast)
    # Not marked as a canary: SQLite's files keep what was deleted, and the test above searches them for that mark.
    planted = "planted-" + base64.b64encode(secrets.token_bytes(60)).decode()
    assert found([planted], database_places()) == []
    session = SessionStore()
    session["left"] = {"behind": f"padding padding padding padding padding {planted}"}
    session.save()
    cache.set("left", ["behind", planted])
    catalogue.sandbox.owner = planted
    catalogue.sandbox.save()
    Favourite.objects.create(user=cast.alice, role=catalogue.read_only)
    hits = set(found([planted], database_places()))
    assert {"sessions, decoded", "cache, decoded", "table access_account"} <= hits
    assert not {"table access_favourite", "table access_user"} & hits
    cache.clear()


@pytest.mark.parametrize("padding", ["", "x", "xy", "xyz"])
def test_the_scanner_sees_through_every_disguise(padding: str) -> None:
    secret = CANARY + base64.b64encode(secrets.token_bytes(60)).decode()
    text = f"{padding}{secret}{padding}"
    quoted = "".join(f"%{byte:02X}" if chr(byte) in "+/=" else chr(byte) for byte in text.encode())
    hidden = [text, text[::-1], text.encode().hex(), text.encode().hex().upper(), quoted, json.dumps({"a": text})]
    hidden += [base64.b64encode(text.encode()).decode(), base64.urlsafe_b64encode(text.encode()).decode()]
    for form in hidden:
        assert _scanned(secret, form), form
    assert not _scanned(secret, CANARY * 20)
    assert all(len(needle) >= 16 for needle in disguises(secret))
