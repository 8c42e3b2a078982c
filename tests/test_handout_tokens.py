"""A link's token and an outsider's code live with those two people, and in nothing that the portal keeps or writes."""

import gzip
import logging
import re
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import Handout, User
from credportal.flows.archiving import archive_audit, plan_archive
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue, make_cast, make_catalogue
from tests.support.handouts import VENDOR, handed_out, support, token_of
from tests.support.portal import running_portal, test_database_url
from tests.support.scanner import database_places, found, places_with_codes
from tests.support.unwritable import unwritable_audit
from tests.support.visitor import Answer, Visitor, new_submission

pytestmark = pytest.mark.django_db(transaction=True)
WRONG_CODE = "00000000"
# Where a token may stand in the answer to whoever sent it: in the field that the form sends back, and behind the # of
# the way to the sign-in.
FIELD = re.compile(r'<input\b[^>]*\bname="token"[^>]*>|(?<=href="/account/login/\?next=%2Fclaim%2F#)[\w-]{43}')


@dataclass
class Scene:
    """Everybody at a running portal, and all that was made and answered."""

    url: str
    cast: Cast
    catalogue: Catalogue
    sts: FaultSTS
    tokens: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bob, self.charlie, self.alice = (
            Visitor(self.url, person) for person in (self.cast.bob, self.cast.charlie, self.cast.alice)
        )
        self.stranger = Visitor(self.url)
        for visitor in (self.bob, self.charlie, self.alice, self.stranger):
            visitor.open_form("/claim/")

    def made(self, answer: Answer) -> tuple[str, str]:
        """Keep token and code of a page that shows them; return both."""
        assert answer.status == 200, answer.text[:500]
        [token] = re.findall(r'data-field="claim-link"[^>]*>[^<]*/claim/#([\w-]{43})<', answer.text)
        shown = re.search(r'data-field="claim-code"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
        code = re.sub(r"<[^>]*>|\s", "", shown[1]) if shown else ""
        self.tokens.append(token)
        self.codes += [code] if code else []
        self.answers.append(repr(answer.headers))
        return token, code

    def hand_out(self, **fields: str) -> tuple[str, str]:
        """Let Bob hand out by the form, to Charlie unless it says otherwise."""
        asked = {"to": "colleague", "recipient": "charlie", "role": self.catalogue.read_only.id, "duration": "1800"}
        asked |= {"window": "3600", "reason": "Look at the queue", "submission": new_submission()}
        return self.made(self.bob.post("/handouts/new/", {**asked, **fields}))

    def hand_out_to_vendor(self, **fields: str) -> tuple[str, str]:
        """Let Bob hand out to somebody outside."""
        outside = {"to": "outsider", "recipient": "", "outsider_name": VENDOR.name, "outsider_email": VENDOR.email}
        return self.hand_out(**outside, **fields)

    def ask(self, who: Visitor, path: str, status: int, **fields: str) -> str:
        """Post to a claim page, and keep the answer but for the field that sends the token back."""
        answer = who.post(path, fields)
        assert answer.status == status, (path, answer.status, answer.text[:500])
        self.answers.append(FIELD.sub("", answer.text) + repr(answer.headers))
        return answer.text

    def see(self, answer: Answer, *statuses: int) -> None:
        """Keep any other answer."""
        assert answer.status in statuses, answer.status
        self.answers.append(answer.text + repr(answer.headers))


def test_no_token_and_no_code_is_kept_or_written_anywhere(
    tmp_path: Path, settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    cast = make_cast()
    User.objects.filter(pk__in=[cast.bob.pk, cast.charlie.pk, cast.dana.pk]).update(email="somebody@example.com")
    catalogue = make_catalogue(cast)
    support(cast, catalogue.read_only, outsider_minutes=30, max_open=50, max_per_day=50)
    notices, mailed, log = tmp_path / "notices", tmp_path / "mailed", tmp_path / "portal.log"
    settings.MAIL_SERVER, settings.MAIL_IS_ON = f"file://{notices}", True
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(notices)
    call_command("housekeeping")  # Notices begin with what comes after their first run.
    planted, planted_code = secrets.token_urlsafe(32), "73025841"
    with (
        FaultSTS() as sts,
        running_portal(
            sts_url=sts.url,
            log=log,
            LOG_LEVEL="DEBUG",
            AWS_DEADLINE_SECONDS="1",
            CREDPORTAL_EMAIL_SERVER=f"file://{mailed}",
        ) as portal,
    ):
        scene = Scene(portal.url, cast, catalogue, sts)
        sent, _ = scene.hand_out(mail_link="on")
        _live(scene)
        settings.AWS_ENDPOINT_URL_STS = sts.url
        _fail_inside(scene, monkeypatch)
        _plant(scene, f"{planted} {planted_code}")
        call_command("housekeeping")
        exports = _exports(scene)
        _open_every_page(scene)
    places = {
        "the log": log.read_bytes(),
        "requests in the log": b"\n".join(line for line in log.read_bytes().splitlines() if b"http.request" in line),
        "the log of this process": caplog.text.encode(),
        "answers": "\n".join(scene.answers).encode(),
        "notices": b"\n".join(path.read_bytes() for path in notices.iterdir()),
        **exports,
        **database_places(),
        **_dump(),
    }
    places |= {"an archive": _archive(tmp_path)}
    mails = {"mails": b"\n".join(path.read_bytes() for path in mailed.iterdir())}
    assert b'"level": "debug"' in places["the log"], "the portal must have been as talkative as it can be"
    assert len(set(scene.tokens)) >= 12
    assert len(set(scene.codes)) >= 7

    assert found(scene.tokens, places) == []
    assert places_with_codes(scene.codes, places) == []
    # What Bob chose to send by mail is there, and nothing else.
    assert found([sent], mails) == ["mails"]
    assert found(set(scene.tokens) - {sent}, mails) == []
    assert places_with_codes(scene.codes, mails) == []

    everywhere = {name for name in places if not name.startswith(("table", "file"))}
    everywhere |= {"table access_handout", "table audit_event", "table django_session", "table credportal_cache"}
    assert everywhere - set(found([planted], places)) == set()
    everywhere -= {"table django_session", "table credportal_cache"}  # Packed and signed: read decoded beside.
    assert everywhere - set(places_with_codes([planted_code], places)) == set()


def _live(scene: Scene) -> None:
    """Look, claim, refuse, fail, guess, report, cancel, make new links, and put tokens where they do not belong."""
    token, _ = scene.hand_out()
    for who, status in ((scene.charlie, 200), (scene.alice, 403), (scene.stranger, 403), (scene.bob, 403)):
        scene.ask(who, "/claim/look/", status, token=token)
    scene.ask(scene.alice, "/claim/", 403, token=token)
    scene.ask(scene.stranger, "/claim/", 403, token=token, code=token)
    scene.ask(scene.charlie, "/claim/", 200, token=token)
    scene.ask(scene.charlie, "/claim/", 409, token=token)
    scene.ask(scene.charlie, "/claim/report/", 200, token=token)
    for fault in ("access_denied", "malformed_xml"):
        token, _ = scene.hand_out()
        scene.sts.fault(fault)
        scene.ask(scene.charlie, "/claim/", 502, token=token)
    token, code = scene.hand_out_to_vendor()
    scene.ask(scene.stranger, "/claim/look/", 200, token=token)
    scene.ask(scene.stranger, "/claim/", 422, token=token)
    scene.ask(scene.stranger, "/claim/", 422, token=token, code=WRONG_CODE)
    scene.ask(scene.stranger, "/claim/", 422, token=token, code=token)
    scene.ask(scene.stranger, "/claim/", 404, token=code, code=code)
    scene.ask(scene.stranger, "/claim/", 200, token=token, code=f"{code[:4]} {code[4:]}")
    token, code = scene.hand_out_to_vendor()
    for status in (422, 422, 422, 422, 410):
        scene.ask(scene.stranger, "/claim/", status, token=token, code=WRONG_CODE)
    scene.ask(scene.stranger, "/claim/", 410, token=token, code=code)
    _end(scene)
    _misplace(scene)


def _end(scene: Scene) -> None:
    """Make new links of old ones, cancel one, and let one expire."""
    old, old_code = scene.hand_out_to_vendor()
    handout = Handout.objects.latest("made_at")
    token, code = scene.made(scene.bob.post(f"/handouts/{handout.pk}/link/", {}))
    scene.ask(scene.stranger, "/claim/", 404, token=old, code=old_code)
    scene.ask(scene.stranger, "/claim/", 422, token=token, code=old_code)
    scene.see(scene.bob.post(f"/handouts/{handout.pk}/shorten/", {"window": "nonsense", "token": token}), 422)
    scene.see(scene.bob.post(f"/handouts/{handout.pk}/cancel/", {}), 302)
    scene.ask(scene.stranger, "/claim/", 410, token=token, code=code)
    token, _ = scene.hand_out()
    Handout.objects.filter(state="open", expires_at__gt=timezone.now()).update(
        expires_at=timezone.now() - timedelta(minutes=1)
    )
    scene.ask(scene.charlie, "/claim/", 410, token=token)


def _misplace(scene: Scene) -> None:
    """Send tokens and codes as no page of ours does: without a CSRF token, in addresses, in a Referer."""
    token, code = scene.hand_out_to_vendor()
    csrf, scene.stranger.csrf = scene.stranger.csrf, "of another site"
    for path in ("/claim/", "/claim/look/", "/claim/report/", "/account/login/"):
        scene.ask(scene.stranger, path, 403, token=token, code=code)
    scene.stranger.csrf = csrf
    for path in ("/nothing-here/", "/healthz"):
        scene.see(scene.stranger.post(path, {"token": token, "code": code}), 200, 404, 405)
    scene.see(scene.stranger.post("/account/login/", {"login": "bob", "password": code, "token": token}), 200)
    scene.see(scene.stranger.ask("PUT", "/claim/", body=f"token={token}&code={code}"), 403, 405)
    # A program that takes # for an ordinary character asks for such addresses.
    for path in (
        f"/claim/%23{token}",
        f"/claim/{token}",
        f"/claim/?token={token}&code={code}",
        f"/claim/look/?{token}",
    ):
        scene.see(scene.stranger.get(path), 200, 404, 405)
    referer = {"Referer": f"{scene.url}/claim/#{token}"}
    for path in ("/claim/", "/nothing-here/", "/account/login/"):
        scene.see(scene.stranger.get(path, **referer), 200, 404)


def _fail_inside(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a running portal seldom does: no audit, an error of ours, a mail server that is away."""
    claims = Client(raise_request_exception=False)
    given = handed_out(scene.cast.bob, scene.catalogue.read_only, VENDOR, minutes=30, submission=new_submission())
    away = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": 9}
    with override_settings(**away):
        unsent = handed_out(
            scene.cast.bob, scene.catalogue.read_only, VENDOR, minutes=30, submission=new_submission(), mail_link=True
        )
    assert unsent.mailed is False
    scene.tokens += [token_of(given), token_of(unsent)]
    scene.codes += [given.code, unsent.code]
    fields = {"token": token_of(given), "code": given.code}
    with unwritable_audit():
        _keep(scene, claims.post("/claim/", fields), 503)
    with monkeypatch.context() as patch:
        patch.setattr("credportal.flows.claim.handouts.is_code", _break)
        _keep(scene, claims.post("/claim/", fields), 500)
    with monkeypatch.context() as patch:
        patch.setattr("credportal.flows.claim.access.handout_with", _break)
        _keep(scene, claims.post("/claim/look/", fields), 500)
        _keep(scene, claims.post("/claim/report/", fields), 500)


def _break(*said: Any, **more: Any) -> Any:
    raise RuntimeError("an error of ours")


def _keep(scene: Scene, answer: Any, status: int) -> None:
    assert answer.status_code == status, answer.content[:500]
    scene.answers.append(FIELD.sub("", answer.content.decode()) + repr(answer.headers))


def _plant(scene: Scene, text: str) -> None:
    """Leave what the scanner must find, in every place that it looks at."""
    token, _ = scene.hand_out(reason=f"Case {text}, look")
    scene.ask(scene.charlie, "/claim/look/", 200, token=token)
    scene.see(scene.stranger.get(f"/nothing-here/{text.replace(' ', '/')}"), 404)
    structlog.get_logger("tests").warning("planted", text=f"Case {text}")
    session = SessionStore()
    session["left"] = f"Case {text}"
    session.save()
    cache.set("left", ["Case", text])


def _exports(scene: Scene) -> dict[str, bytes]:
    """Return the audit as files, as an auditor gets them."""
    erin = Visitor(scene.url, scene.cast.erin)
    answers = {name: erin.get(f"/audit/export.{name}?range=all&steps=1") for name in ("csv", "jsonl")}
    assert {answer.status for answer in answers.values()} == {200}
    assert all("handout:made" in answer.text for answer in answers.values())
    return {f"the export as {name}": answer.text.encode() for name, answer in answers.items()}


def _open_every_page(scene: Scene) -> None:
    """Let everybody open the pages that tell of hand-outs afterwards."""
    pages = ["/", "/sessions/", "/account/", "/handouts/", "/handouts/new/", "/claim/"]
    pages += [f"/handouts/{handout.pk}/" for handout in Handout.objects.all()]
    for visitor in (scene.bob, scene.charlie, scene.stranger, Visitor(scene.url, scene.cast.dana)):
        for page in pages:
            scene.see(visitor.get(page), 200, 302, 403, 404)
    dana = Visitor(scene.url, scene.cast.dana)
    scene.see(dana.get("/audit/?range=all&steps=1"), 200)


def _dump() -> dict[str, bytes]:
    """Return what a backup of PostgreSQL holds, where its program is there."""
    if connection.vendor != "postgresql" or not shutil.which("pg_dump"):
        return {}
    address = test_database_url().replace("postgres://", "postgresql://")
    done = subprocess.run(["pg_dump", "--inserts", address], capture_output=True, check=False)
    # An older program refuses a newer server; every table is read besides.
    return {"a dump": done.stdout} if done.returncode == 0 else {}


def _archive(folder: Path) -> bytes:
    """Archive the whole log but its last event, and return what is in the file."""
    now = timezone.now()
    plan = plan_archive(before=now, now=now, force=True)
    told: list[str] = []
    file, _ = archive_audit(plan, before=now, directory=folder, tell=told.append)
    return gzip.decompress(file.read_bytes())
