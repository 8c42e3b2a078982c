"""The main job from end to end. This module runs on every database."""

import re
import subprocess

from playwright.sync_api import expect

from tests.browser.conftest import OpenDesk
from tests.support.cast import Cast


def run_in_bash(snippet: str) -> dict[str, str]:
    """Paste the snippet into a real bash; return the variables that a child process then has."""
    done = subprocess.run(
        ["bash", "--norc", "--noprofile"],
        input=f"{snippet}\nenv -0\n",
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.stderr == ""
    return dict(entry.split("=", 1) for entry in done.stdout.split("\0") if "=" in entry)


def test_a_new_person_has_working_credentials_on_the_clipboard_and_the_auditor_sees_every_attempt(
    open_desk: OpenDesk, cast: Cast
) -> None:
    desk = open_desk(permissions=["clipboard-read", "clipboard-write"])
    page = desk.page

    desk.sign_in()
    expect(page.locator(".note")).to_have_text(
        re.compile("Pick a role, say for how long, and paste what you get into your shell")
    )

    role = desk.catalogue.on_call
    page.get_by_role("link", name=f"Get credentials for {role.name}").click()
    page.get_by_label("2 h").check()
    page.get_by_label("Reason").fill("INC-7: the queue is stuck")
    page.locator(f"#ask-{role.id}").get_by_role("button", name="Get credentials").click()

    expect(page.get_by_role("heading", name=role.name)).to_be_focused()
    page.get_by_role("tabpanel").get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status")).to_have_text("Copied: bash / zsh snippet")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == desk.snippet("bash")

    mint = desk.sts.ledger.mints[-1]
    pasted = run_in_bash(copied)
    assert pasted["AWS_ACCESS_KEY_ID"] == mint.access_key_id
    assert pasted["AWS_SECRET_ACCESS_KEY"] == mint.secret_access_key
    assert pasted["AWS_SESSION_TOKEN"] == mint.session_token
    assert pasted["AWS_CREDENTIAL_EXPIRATION"] == mint.expiration
    assert (mint.role_arn, mint.duration) == (role.arn, 7200)

    # Two more attempts that come to nothing.
    desk.sts.fault("access_denied")
    desk.ask()
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.send_whole(duration="43200")
    expect(page.get_by_text("Refused")).to_be_visible()

    erin = open_desk(cast.erin)
    erin.goto("/audit/?environment=production")
    outcomes = erin.page.locator("td.c-out")
    assert [text.strip() for text in outcomes.all_text_contents()] == ["Refused", "Failed", "Issued"]
    row = erin.page.get_by_role("row").filter(has_text=role.name)
    expect(row).to_contain_text("Alice Engström")
    expect(row).to_contain_text("INC-7: the queue is stuck")
    row.get_by_role("link").click()
    expect(erin.page.get_by_text(mint.access_key_id)).to_be_visible()
    expect(erin.page.get_by_text(mint.session_name, exact=True)).to_be_visible()
    assert "FAKE-" not in erin.page.content()
