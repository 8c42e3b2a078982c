"""From an empty database to somebody's credentials, only through pages; and a request that others decide.

This module runs on every database.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from credportal.access.models import Account, Eligibility, Role, User
from credportal.audit.models import Event, Issuance
from tests.browser.conftest import PATIENCE_MS, OpenDesk, encoded_password
from tests.browser.desk import Desk, Watch
from tests.fault_sts import FaultSTS
from tests.fault_sts.honest import RoleRule
from tests.support.cast import PASSWORD, Cast, allow
from tests.support.portal import Portal

NUMBER = "491200653381"
ARN = f"arn:aws:iam::{NUMBER}:role/portal/Deployer"
NewPage = Callable[[], Page]


@pytest.fixture
def new_page(live_portal: Portal, browser: Browser) -> Iterator[NewPage]:
    """Return a function that opens a fresh browser profile, where nobody is signed in."""
    contexts, watch = [], Watch()

    def opened() -> Page:
        context = browser.new_context(base_url=live_portal.url)
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context, live_portal.url)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    assert watch.found() == []


@pytest.fixture
def only_dana(live_portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first admin as the documentation says; nothing else is there."""
    monkeypatch.setattr(sys, "stdin", StringIO(f"{PASSWORD}\n"))
    call_command("create_admin", "dana", "--name", "Dana Haddad", stdout=StringIO())
    User.objects.update(password=encoded_password())


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/account/login/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def press(page: Page, name: str, role: Any = "button") -> None:
    page.get_by_role(role, name=name, exact=True).first.click()


def kinds() -> list[str]:
    """Return what the audit holds beside sign-ins, in the order it happened."""
    told = Event.objects.exclude(kind__startswith="sign-in:")
    return list(told.order_by("id").values_list("kind", flat=True))


def rule_of(policy: dict[str, Any]) -> RoleRule:
    """Trust the portal as a trust policy does: an IAM of our own, as far as the portal's own policies go."""
    statements = {statement["Sid"]: statement for statement in policy["Statement"]}
    return RoleRule(
        external_id=statements["Assume"]["Condition"]["StringEquals"]["sts:ExternalId"],
        max_duration=4 * 3600,
        accepts_tags="Tag" in statements,
        accepts_source_identity="SourceIdentity" in statements,
    )


def add_account_and_role(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Catalogue").click()
    press(page, "Add an account", "link")
    page.get_by_label("Account number").fill(NUMBER)
    page.get_by_label("Name").fill("payments-prod")
    page.get_by_label("Environment").select_option("production")
    press(page, "Add the account")
    expect(page.get_by_role("heading", name="payments-prod")).to_be_visible()
    page.goto("/catalogue/roles/new/")
    page.get_by_label("ARN").fill(ARN)
    page.get_by_label("Default region").select_option("eu-west-1")
    press(page, "Add the role")
    expect(page.get_by_role("heading", name="Deployer")).to_be_visible()


def add_group_and_alice(page: Page) -> str:
    """Add both and return the password that is shown once."""
    page.goto("/groups/new/")
    page.get_by_label("Name").fill("engineers")
    press(page, "Add the group")
    expect(page.get_by_role("heading", name="engineers", exact=True)).to_be_visible()
    page.goto("/people/new/")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Name", exact=True).or_(page.get_by_label("Name optional", exact=True)).fill("Alice Engström")
    page.get_by_label("engineers").check()
    press(page, "Add the person")
    return str(page.locator("#password").text_content())


def test_an_admin_fills_an_empty_portal_and_an_engineer_gets_credentials(
    only_dana: None, new_page: NewPage, live_sts: FaultSTS
) -> None:
    live_sts.roles[ARN] = RoleRule(trusts_portal=False)  # As IAM is, before anybody pasted anything.
    dana = new_page()
    sign_in(dana, "dana", PASSWORD)
    add_account_and_role(dana)
    password = add_group_and_alice(dana)

    role = Role.objects.get()
    dana.goto(f"/catalogue/roles/{role.id}/")
    dana.get_by_role("link", name="Add an eligibility").first.click()
    dana.get_by_label("Group", exact=False).first.select_option(label="engineers")
    dana.get_by_label("Longest duration", exact=True).fill("8 h")
    press(dana, "Add the eligibility")

    press(dana, "Probe now")
    expect(dana.locator("#probe")).to_contain_text("Never worked")
    dana.locator("#probe").get_by_role("link", name="Trust policy").click()
    policy = json.loads(str(dana.locator('[data-policy="trust-json"]').text_content()))
    assert Account.objects.get().external_id in json.dumps(policy)
    live_sts.roles[ARN] = rule_of(policy)  # As if it was pasted into IAM.
    dana.goto(f"/catalogue/roles/{role.id}/")
    press(dana, "Probe now")
    expect(dana.locator("#probe")).to_contain_text("Last worked")
    role.refresh_from_db()
    learned = (role.accepts_source_identity, role.accepts_session_tags, role.max_session_duration.total_seconds())
    assert learned == (True, True, 4 * 3600)

    alice = new_page()
    sign_in(alice, "alice", password)
    alice.get_by_role("link", name="Get credentials for Deployer").click()
    alice.get_by_label("4 h").check()
    alice.locator("form[data-request]").get_by_role("button", name="Get credentials").click()
    expect(alice.locator("[data-issuance]")).to_be_visible()
    mint = live_sts.ledger.mints[-1]
    assert (mint.source_identity, mint.duration) == ("alice", 4 * 3600)
    assert Issuance.objects.get().status == "issued"
    assert kinds() == [
        "person:added", "account:added", "role:added", "group:added", "person:added", "group:changed",
        "eligibility:added", "probe:started", "probe:refused", "probe:started", "probe:passed",
        "issuance:requested", "issuance:issued",
    ]  # fmt: skip


@pytest.fixture
def guarded(live_portal: Portal, cast: Cast, catalogue: Any) -> Eligibility:
    """A role that support has to approve, with break-glass for Alice."""
    role: Role = catalogue.nobody
    Role.objects.filter(pk=role.pk).update(
        label="Guarded", needs_approval=True, approvers=Group.objects.get(name="support")
    )
    row = allow(role, cast.alice, hours=4)
    Eligibility.objects.filter(pk=row.pk).update(break_glass_duration=timedelta(minutes=30))
    return row


def ask(desk: Desk, role_id: str, reason: str) -> None:
    desk.goto(f"/roles/{role_id}/")
    desk.page.locator("form[data-request]").get_by_label("Reason").fill(reason)
    desk.page.get_by_role("button", name="Ask for approval").click()
    expect(desk.page.get_by_role("heading", name="Waiting for somebody’s yes")).to_be_visible()


def test_a_request_waits_is_approved_for_less_and_collected_once(
    open_desk: OpenDesk, cast: Cast, guarded: Eligibility
) -> None:
    alice, bob = open_desk(cast.alice), open_desk(cast.bob)
    ask(alice, guarded.role_id, "Ship the release")
    assert alice.sts.ledger.calls_of("AssumeRole") == []
    alice.page.reload()  # The request has an address of its own by now.
    expect(alice.page.get_by_role("heading", name="Waiting for somebody’s yes")).to_be_visible()

    bob.goto("/approvals/")
    bob.page.get_by_role("link", name=re.compile("Look at it")).click()
    bob.page.get_by_label("For up to").select_option("900")
    press(bob.page, "Approve")

    # The waiting page learns of it by itself.
    expect(alice.page.get_by_role("heading", name="is ready to collect")).to_be_visible(timeout=20_000)
    alice.page.get_by_role("button", name="Get credentials").click()
    expect(alice.page.locator("[data-issuance]")).to_be_visible()
    [mint] = alice.sts.ledger.mints
    assert mint.duration == 900
    issuance = Issuance.objects.get()
    assert (issuance.status, issuance.source) == ("issued", "approval")
    assert kinds() == [
        "approval:requested", "approval:agreed", "approval:approved", "issuance:requested", "approval:collected",
        "issuance:issued",
    ]  # fmt: skip


def test_a_request_is_denied_with_a_comment_that_its_person_reads(
    open_desk: OpenDesk, cast: Cast, guarded: Eligibility
) -> None:
    alice, bob = open_desk(cast.alice), open_desk(cast.bob)
    ask(alice, guarded.role_id, "Just looking")
    bob.goto("/approvals/")
    bob.page.get_by_role("link", name=re.compile("Look at it")).click()
    bob.page.get_by_label(re.compile("Comment")).fill("Use the read-only role for that.")
    press(bob.page, "Deny")
    expect(alice.page.get_by_text("Use the read-only role for that.")).to_be_visible(timeout=20_000)
    assert kinds() == ["approval:requested", "approval:denied"]
    assert not Issuance.objects.exists()
    assert alice.sts.ledger.mints == []


def test_a_broken_glass_is_loud_and_blocks_the_next_one_until_somebody_else_closes_it(
    open_desk: OpenDesk, cast: Cast, guarded: Eligibility
) -> None:
    alice, bob = open_desk(cast.alice), open_desk(cast.bob)

    def break_glass() -> None:
        alice.goto(f"/roles/{guarded.role_id}/")
        alice.page.get_by_text("Break glass", exact=True).click()
        form = alice.page.get_by_role("form", name="Break glass for Guarded")
        form.get_by_label("Reason").fill("The site is down and nobody answers")
        form.get_by_role("button", name="Break glass and get credentials").click()

    break_glass()
    expect(alice.page.locator("[data-issuance]")).to_be_visible()
    assert Issuance.objects.get().source == "break-glass"
    alice.goto(f"/roles/{guarded.role_id}/")
    alice.page.get_by_text("Break glass", exact=True).click()
    expect(alice.page.get_by_text("Your last break-glass still waits for its review")).to_be_visible()

    bob.goto("/approvals/")
    expect(bob.page.get_by_text("Break-glass to review")).to_be_visible()
    bob.goto("/reviews/")
    bob.page.get_by_label("What you found").fill("I was on the call. It was right.")
    bob.page.get_by_role("button", name=re.compile("Close the review")).click()
    expect(bob.page.get_by_text("I was on the call. It was right.")).to_be_visible()
    break_glass()
    expect(alice.page.locator("[data-issuance]")).to_be_visible()
    assert len(alice.sts.ledger.mints) == 2
    assert kinds().count("review:opened") == 2
    assert kinds().count("review:closed") == 1


def test_who_may_not_is_refused_and_recorded(open_desk: OpenDesk, cast: Cast, guarded: Eligibility) -> None:
    charlie = open_desk(cast.charlie)
    charlie.goto("/")
    answer = charlie.page.request.get(f"{charlie.url}/roles/{guarded.role_id}/")
    assert answer.status == 404
    charlie.goto("/account/")
    token = charlie.page.locator('[name="csrfmiddlewaretoken"]').first.get_attribute("value") or ""
    form: dict[str, str | float | bool] = {
        "csrfmiddlewaretoken": token,
        "duration": "900",
        "submission": "of-a-test-and-no-form",
    }
    sent = charlie.page.request.post(f"{charlie.url}/roles/{guarded.role_id}/issue/", form=form)
    assert sent.status == 403
    assert (Issuance.objects.get().actor_handle, Issuance.objects.get().code) == ("charlie", "not_eligible")
    assert kinds() == ["issuance:denied"]
