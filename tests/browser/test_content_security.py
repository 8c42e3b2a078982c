"""Nothing runs but our own files, whatever people write into the fields that pages show.

That no page has a violation, a script error or a request to elsewhere is asserted after each
test of this folder; here the watch itself is tested, and hostile text.
"""

import re

import pytest
from playwright.sync_api import expect

from credportal.access.models import Account, Role, User
from tests.browser.conftest import OpenDesk
from tests.browser.desk import Desk
from tests.support.cast import Cast

PAYLOADS = [
    "<script>hacked(1)</script>",
    "<img src=x onerror=hacked(2)>",
    '"><svg onload=hacked(3)>',
    "' autofocus onfocus=hacked(4) x='",
    '" autofocus onfocus=hacked(5) x="',
    "<iframe srcdoc='<script>parent.hacked(6)</script>'>",
    "javascript:hacked(7)",
    "</title><script>hacked(8)</script>",
    "</textarea><script>hacked(9)</script>",
    "<details open ontoggle=hacked(10)>",
    "{{constructor.constructor('hacked(11)')()}}{% now %}",
    "<a href=javascript:hacked(12) hx-get=/ hx-on:click=hacked(12)>x</a>",
    "<div hx-get='/' hx-trigger='load[hacked(13)]'></div>",
    "<style>@import 'http://elsewhere.invalid/14';</style><link rel=stylesheet href=//elsewhere.invalid/14>",
    "<base href=//elsewhere.invalid/15><meta http-equiv=refresh content='0;//elsewhere.invalid/15'>",
    "</code></pre><script>hacked(16)</script>",
]
TICKETS = ["javascript:hacked/17", "../../hacked=18", "@hacked"]


@pytest.fixture
def hostile(cast: Cast, desk: Desk) -> Desk:
    """Alice's page, with a payload in every text that an admin or a person can write."""
    role = desk.catalogue.read_only
    Role.objects.filter(pk=role.pk).update(description=" ".join(PAYLOADS)[:200])
    User.objects.filter(pk=cast.alice.pk).update(name=PAYLOADS[0] + PAYLOADS[1])
    Account.objects.filter(pk=role.account_id).update(name=PAYLOADS[1] + PAYLOADS[0], owner=PAYLOADS[2])
    return desk


def watch_for_execution(desk: Desk) -> list[str]:
    """Return a list that grows when a payload runs."""
    run: list[str] = []
    desk.page.context.expose_binding("hacked", lambda _source, number: run.append(str(number)))
    return run


def test_the_watch_sees_a_violation_a_script_error_and_a_request_to_elsewhere(desk: Desk) -> None:
    desk.goto("/")
    desk.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const image = document.createElement("img");
            image.src = "http://elsewhere.invalid/picture.png";
            document.body.append(image);
            setTimeout(() => { throw new Error("planted"); });
        }"""
    )
    desk.page.wait_for_timeout(300)
    assert desk.page.evaluate("() => window.ran") is None
    assert any("script-src" in line for line in desk.watch.violations)
    assert any("img-src" in line for line in desk.watch.violations)
    assert any("planted" in line for line in desk.watch.errors)
    desk.watch.expected += ["script-src", "img-src", "planted", "inline script", "elsewhere.invalid"]


def test_what_people_write_never_runs(hostile: Desk, open_desk: OpenDesk, cast: Cast) -> None:
    erin = open_desk(cast.erin)
    runs = [watch_for_execution(hostile), watch_for_execution(erin)]
    role = hostile.catalogue.read_only.id
    reasons = [" ".join(PAYLOADS[at : at + 4]) for at in range(0, len(PAYLOADS), 4)]
    for number, reason in enumerate(reasons):
        hostile.goto(f"/roles/{role}/")
        hostile.page.get_by_label("Reason").fill(reason)
        hostile.page.get_by_label("Ticket").fill(TICKETS[number % len(TICKETS)])
        if number % 2:
            hostile.page.get_by_role("button", name="Get credentials").click()
        else:
            hostile.send_whole()
        expect(hostile.page.locator("[data-issuance]")).to_contain_text("Live")
        expect(hostile.page.locator(".beside")).to_contain_text(reason)
    hostile.goto("/")
    hostile.page.locator("#q").fill(PAYLOADS[1])
    expect(hostile.page.get_by_text("Matching").or_(hostile.page.get_by_text("No role matches"))).to_be_visible()
    hostile.goto("/?q=%3Cscript%3Ehacked(19)%3C/script%3E")
    for path in ("/sessions/", "/account/", "/account/login/?next=javascript:hacked(20)"):
        hostile.goto(path)
    erin.goto("/audit/?person=%3Csvg%20onload=hacked(21)%3E&role=%22onfocus=hacked(22)%20autofocus=%22")
    erin.goto("/audit/")
    expect(erin.page.locator("td.c-why")).to_have_count(len(reasons))
    expect(erin.page.locator("td.c-why").last).to_contain_text(reasons[0])
    for link in [anchor.get_attribute("href") for anchor in erin.page.locator("td.c-id a").all()]:
        erin.goto(str(link))
        expect(erin.page.get_by_role("heading", name="What happened")).to_be_visible()
    assert runs == [[], []]


def test_a_hostile_refusal_and_a_mistaken_form_only_show_the_text(hostile: Desk) -> None:
    run = watch_for_execution(hostile)
    role = hostile.catalogue.read_only.id
    hostile.goto(f"/roles/{role}/")
    hostile.send_whole(duration="43200", reason=PAYLOADS[1])
    expect(hostile.page.locator(".letter")).to_contain_text("<img src=x onerror=hacked(2)>")
    hostile.goto(f"/roles/{role}/")
    hostile.send_whole(duration=PAYLOADS[0], reason=PAYLOADS[4], ticket=PAYLOADS[2])
    expect(hostile.page.get_by_label("Reason")).to_have_value(PAYLOADS[4])
    expect(hostile.page.get_by_label("Ticket")).to_have_value(PAYLOADS[2])
    assert run == []


def test_a_hostile_name_is_part_of_no_address_and_no_snippet(hostile: Desk) -> None:
    hostile.issue()
    for key in ("bash", "fish", "powershell", "cmd", "dotenv", "process"):
        assert "hacked" not in hostile.snippet(key)
    assert re.match(r"\[[A-Za-z0-9_.@+-]+\]\n", hostile.snippet("profile"))
