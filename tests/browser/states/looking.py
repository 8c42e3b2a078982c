"""One entry of the audit, whose key it is, and what is unresolved."""

from datetime import timedelta
from typing import Any

from django.test import override_settings
from django.utils import timezone
from playwright.sync_api import expect

from credportal.audit.models import Event
from credportal.domain.naming import issuance_id_from
from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.history import write_history, write_issuances
from tests.support.requests import guard, say_yes, take, waiting

KEY = "ASIAIOSFODNN7EXAMPLE"
ARN = "arn:aws:iam::491200653381:role/ops/PaymentsReadOnly"


def _issuance(number: int, **columns: Any) -> dict[str, Any]:
    """Describe an issuance of Alice's that began some minutes ago and is still live."""
    now = timezone.now()
    issuance_id = issuance_id_from(bytes([number]) * 8)
    usual = {
        "id": issuance_id,
        "role_arn": ARN,
        "role_name": "PaymentsReadOnly",
        "reason": "Invoices of customer 4711 are stuck in the export queue",
        "ticket": "OPS-4711",
        "source": "standard",
        "eligibility": "engineers, up to 4 h",
        "session_name": f"alice-{issuance_id}",
        "source_identity": "alice",
        "address": "203.0.113.24",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "request_id": "0123456789abcdef",
        "access_key_id": KEY,
        "assumed_role_id": f"AROAEXAMPLEROLEID1234:alice-{issuance_id}",
        "aws_request_id": "7de15873-ce87-4d92-a2f0-48ba4a2cefc3",
        "requested_at": now - timedelta(minutes=number),
        "duration_given": timedelta(hours=1),
        "expiration": now + timedelta(minutes=60 - number),
    }
    return {**usual, **columns}


def _unknown(number: int, **columns: Any) -> dict[str, Any]:
    nothing = {"access_key_id": "", "assumed_role_id": "", "expiration": None, "duration_given": None}
    return _issuance(number, **{"status": "unknown", "code": "sts_timeout", **nothing, **columns})


def _paste(desk: Desk, text: str) -> None:
    desk.goto("/audit/find/")
    desk.page.get_by_label("Access key id, session or issuance").fill(text)
    desk.page.get_by_role("button", name="Find it").click()


@state("dana")
def entry_live(desk: Desk) -> None:
    rows = write_issuances([_issuance(number) for number in (40, 30, 17, 9, 2)])
    desk.goto(f"/audit/{rows[2].id}/")
    desk.page.get_by_text("End it before its time").click()
    expect(desk.page.get_by_text("AWSRevokeOlderSessions")).to_be_visible()


@state("erin")
def entry_with_its_approval(desk: Desk) -> None:
    approval = waiting(desk.cast.alice, guard(desk.catalogue, desk.cast.bob))
    say_yes(desk.cast.bob, approval, comment="Go ahead")
    with override_settings(AWS_ENDPOINT_URL_STS=desk.sts.url):  # Asked from here, not by the portal.
        take(desk.cast.alice, approval)
    desk.goto(f"/audit/{Event.objects.get(kind='approval:collected').issuance_id}/")
    expect(desk.page.get_by_text("Collected", exact=True)).to_be_visible()


@state("dana")
def entry_unknown(desk: Desk) -> None:
    [row] = write_issuances([_unknown(12)])
    desk.goto(f"/audit/{row.id}/")
    expect(desk.page.get_by_role("button", name="Close it")).to_be_visible()


@state("erin")
def entry_looked_into(desk: Desk) -> None:
    [row] = write_issuances([_unknown(12)])
    comment = {"after": {"comment": "CloudTrail has no AssumeRole of that name in any of our regions."}}
    dana = {"actor_id": 4, "actor_handle": "dana", "actor_name": "Dana Haddad", "on_behalf_of": "alice"}
    now = timezone.now()
    write_history([{**dana, "kind": "issuance:closed", "issuance_id": row.id, "detail": comment, "at": now}])
    desk.goto(f"/audit/{row.id}/")
    expect(desk.page.get_by_text("Looked into by").first).to_be_visible()


@state("erin")
def event_of_a_change(desk: Desk) -> None:
    dana = {"actor_id": 4, "actor_handle": "dana", "actor_name": "Dana Haddad", "address": "203.0.113.9"}
    role = {"role_arn": ARN, "role_name": "PaymentsReadOnly", "account_number": "491200653381"}
    account = {"account_name": "payments-prod", "environment": "production", "subject": "role:2g7h0kq4z9xw"}
    detail = {
        "before": {"max_session_duration": "4 h", "enabled": True},
        "after": {"max_session_duration": "8 h", "enabled": False},
    }
    events = write_history(
        [
            {**dana, "kind": "sign-in:succeeded"},
            {**dana, **role, **account, "kind": "role:changed", "detail": detail, "user_agent": "Firefox/145.0"},
            {**dana, "kind": "sign-in:ended"},
        ]
    )
    desk.goto(f"/audit/events/{events[1].id}/")
    expect(desk.page.get_by_role("heading", name="Its place in the log")).to_be_visible()


@state("erin", axe=False)
def event_with_hidden_characters(desk: Desk) -> None:
    hostile = "\u202egpj.exe\x1b[31m " + "W" * 120
    [event] = write_history([{"kind": "role:changed", "actor_handle": "dana", "detail": {"after": {"name": hostile}}}])
    desk.goto(f"/audit/events/{event.id}/")
    expect(desk.page.get_by_text("U+202E")).to_be_visible()


@state("erin")
def find_empty(desk: Desk) -> None:
    desk.goto("/audit/find/")
    expect(desk.page.get_by_role("button", name="Find it")).to_be_visible()


@state("dana")
def find_live(desk: Desk) -> None:
    write_issuances([_issuance(17)])
    _paste(desk, f'"accessKeyId": "{KEY}",')
    desk.page.get_by_text("End it before its time").click()
    expect(desk.page.get_by_text("AWSRevokeOlderSessions")).to_be_visible()


@state("erin")
def find_of_an_auditor(desk: Desk) -> None:
    [row] = write_issuances([_issuance(17, source="break-glass")])
    _paste(desk, f"arn:aws:sts::999999999999:assumed-role/Admin/mallory-{row.id}")
    expect(desk.page.get_by_text("Only the end of the name")).to_be_visible()


@state("erin")
def find_several(desk: Desk) -> None:
    write_issuances(
        [_issuance(number, actor_name=name) for number, name in ((70, "Alice Engström"), (3, "ليان الهاشمي"))]
    )
    _paste(desk, KEY)
    expect(desk.page.get_by_text("2 issuances have this")).to_be_visible()


@state("erin")
def find_nothing(desk: Desk) -> None:
    _paste(desk, KEY)
    expect(desk.page.get_by_text("get-access-key-info")).to_be_visible()


@state("erin")
def find_unreadable(desk: Desk) -> None:
    _paste(desk, "alice's key")
    expect(desk.page.get_by_text("leads to no issuance")).to_be_visible()


@state("erin")
def find_a_secret(desk: Desk) -> None:
    _paste(desk, f"{KEY}:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    expect(desk.page.get_by_text("That is a secret")).to_be_visible()
    expect(desk.page.get_by_label("Access key id, session or issuance")).to_have_value(KEY)


@state("erin")
def unresolved_nothing(desk: Desk) -> None:
    desk.goto("/audit/unresolved/")
    expect(desk.page.get_by_text("Nothing is unresolved")).to_be_visible()


@state("dana")
def unresolved(desk: Desk) -> None:
    mine = {"actor_id": desk.cast.dana.pk, "actor_handle": "dana", "actor_name": "Dana Haddad"}
    write_issuances(
        [_unknown(50), _unknown(20, code="no_outcome", **mine), _issuance(2, status="requested", expiration=None)]
    )
    desk.goto("/audit/unresolved/")
    desk.page.get_by_text("What to search in CloudTrail").last.click()
    expect(desk.page.get_by_text("This one is yours")).to_be_visible()


@state("dana")
def unresolved_without_a_comment(desk: Desk) -> None:
    write_issuances([_unknown(50)])
    desk.goto("/audit/unresolved/")
    desk.page.locator("form.form").evaluate("(form) => { form.noValidate = true }")
    desk.page.get_by_role("button", name="Close it").click()
    expect(desk.page.get_by_text("One sentence is enough")).to_be_visible()


@state("dana")
def unresolved_closed_by_somebody_else(desk: Desk) -> None:
    row = write_issuances([_unknown(50), _unknown(20)])[0]
    desk.goto("/audit/unresolved/")
    write_history([{"kind": "issuance:closed", "issuance_id": row.id, "at": timezone.now()}])
    desk.page.get_by_label("What you found").last.fill("Nothing was made")
    desk.page.get_by_role("button", name="Close it").last.click()
    expect(desk.page.get_by_text("Somebody else has just closed it")).to_be_visible()
