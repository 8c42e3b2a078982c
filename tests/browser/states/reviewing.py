"""Sessions and the audit."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from tests.browser.desk import Desk
from tests.browser.states.core import state
from tests.support.cast import allow
from tests.support.history import write_history, write_issuances

SATURDAY = 5


@state()
def no_sessions(desk: Desk) -> None:
    desk.goto("/sessions/")
    expect(desk.page.get_by_text("No sessions yet")).to_be_visible()


@state()
def sessions(desk: Desk) -> None:
    desk.issue()
    desk.sts.fault("access_denied")
    desk.ask()
    desk.goto("/sessions/")
    expect(desk.page.get_by_role("heading", name="Live")).to_be_visible()


@state()
def session_live(desk: Desk) -> None:
    desk.issue()
    desk.page.get_by_role("link", name="The record").click()
    expect(desk.page.get_by_role("heading", name="What happened")).to_be_visible()


@state()
def session_failed(desk: Desk) -> None:
    desk.sts.fault("reset_after_mint")
    desk.ask()
    desk.goto("/sessions/")
    desk.page.get_by_role("row").last.get_by_role("link").click()
    expect(desk.page.get_by_role("heading", name="What happened")).to_be_visible()


@state("erin")
def audit_empty(desk: Desk) -> None:
    desk.goto("/audit/")
    expect(desk.page.get_by_text("Nothing has happened yet")).to_be_visible()


def _some_history(desk: Desk) -> None:
    """Let Dana ask, be refused and fail: an admin has an audit and roles."""
    allow(desk.catalogue.read_only, desk.cast.dana, hours=1)
    desk.issue()
    desk.goto(f"/roles/{desk.catalogue.read_only.id}/")
    desk.send_whole(duration="7200", reason="A long look")
    for fault in ("access_denied", "reset_after_mint"):
        desk.sts.fault(fault)
        desk.ask()


def busy_month() -> None:
    """Write four weeks of work by several people, with everything that a page has to bear."""
    now = timezone.now()
    who = [("alice", "Alice Engström"), ("bob", "Bob Osei"), ("layan", "ليان الهاشمي")]
    where = [("payments-prod", "production"), ("payments-staging", "staging"), ("sandbox", "sandbox")]
    roles = ["PaymentsReadOnly", "DataPlatformWarehouseCrossRegionReplicationMaintenanceWriter", "Deployer"]
    ends = ["issued"] * 9 + ["denied", "issued", "failed", "issued", "unknown"]
    codes = {"denied": "duration_too_long", "failed": "sts_denied", "unknown": "sts_timeout"}
    issuances = []
    for number in range(400):
        begins = now - timedelta(minutes=97 * (400 - number))
        if begins.weekday() >= SATURDAY and number % 7:
            continue
        (handle, name), (account, environment), end = who[number % 3], where[number % 3], ends[number % len(ends)]
        issuances.append(
            {
                "requested_at": begins,
                "finished_at": begins + timedelta(seconds=1),
                "status": end,
                "code": codes.get(end, ""),
                "actor_handle": handle,
                "actor_name": name,
                "account_name": account,
                "environment": environment,
                "role_name": roles[number % 3],
                "reason": ["Settlement queue is stuck since 13:10", "", "Backfill after the region switch"][number % 3],
                "ticket": ["INC-2207", "", ""][number % 3],
                "source": "break-glass" if number % 29 == 0 else "standard",
            }
        )
    write_issuances(issuances)


@state("dana")
def audit(desk: Desk) -> None:
    _some_history(desk)
    desk.goto("/audit/")
    expect(desk.page.locator("td.c-out")).to_have_count(4)


@state("erin")
def audit_busy(desk: Desk) -> None:
    busy_month()
    desk.goto("/audit/?live=1")
    expect(desk.page.get_by_role("link", name="Stop")).to_be_visible()


@state("erin")
def audit_chart_as_table(desk: Desk) -> None:
    busy_month()
    desk.goto("/audit/?range=7d")
    desk.page.get_by_text("The same as a table").click()
    expect(desk.page.get_by_role("table").first).to_be_visible()


@state("dana")
def audit_filtered(desk: Desk) -> None:
    _some_history(desk)
    desk.goto("/audit/?person=dana&outcome=denied")
    expect(desk.page.locator("td.c-out")).to_have_count(1)
    expect(desk.page.locator("#chart svg").first).to_be_visible()


@state("erin")
def audit_with_every_filter(desk: Desk) -> None:
    desk.goto(
        "/audit/?person=alice&role=arn:aws:iam::491200653381:role/ReadOnly&account=payments-prod&environment=production"
        "&kind=issuance:issued&source=standard&ticket=PAY-1&address=203.0.113.24&key=ASIAIOSFODNN7EXAMPLE"
        "&issuance=7kq2m9xd4tvb&q=queue&from=2026-11-01T00:00&to=2026-11-20T12:00&tz=Europe/Berlin&steps=1&order=worst"
    )
    expect(desk.page.get_by_text("Nothing matches these filters")).to_be_visible()


@state("erin")
def audit_of_everything_else(desk: Desk) -> None:
    """Show events that are no issuances, somebody who acts for somebody else, and texts that hide something."""
    dana = {"actor_handle": "dana", "actor_name": "Dana Haddad", "actor_id": 4}
    write_history(
        [
            {**dana, "kind": "group:changed", "subject": "group:engineers"},
            {**dana, "kind": "role:changed", "subject": "role:r1", "role_name": "ReadOnly", "account_name": "sandbox"},
            {**dana, "kind": "approval:agreed", "subject": "approval:a1", "on_behalf_of": "alice", "ticket": "PAY-7"},
            {"kind": "sign-in:failed", "address": "203.0.113.24"},
            {"kind": "issuance:unknown", "on_behalf_of": "alice", "issuance_id": "7kq2m9xd4tvb", "code": "no_outcome"},
            {**dana, "kind": "issuance:issued", "issuance_id": "7kq2m9xd4tvc", "reason": "fix\u202egpj.exe\u200b\ttab"},
            {**dana, "kind": "issuance:denied", "issuance_id": "7kq2m9xd4tvd", "code": "not_eligible"},
        ]
    )
    desk.goto("/audit/?tz=Asia/Kathmandu")
    expect(desk.page.get_by_text("⟨U+202E⟩")).to_be_visible()


@state("dana")
def audit_filtered_to_nothing(desk: Desk) -> None:
    desk.goto("/audit/?person=nobody&day=2026-01-01")


@state("dana")
def audit_filter_mistaken(desk: Desk) -> None:
    desk.goto("/audit/?day=tomorrow&address=here&q=ab&tz=Mars/Base")
    expect(desk.page.get_by_text("This filter does not work")).to_be_visible()


@state("dana")
def audit_cursor_touched(desk: Desk) -> None:
    desk.goto("/audit/?cursor=touched")
    expect(desk.page.get_by_text("Error 400")).to_be_visible()


@state("dana")
def audit_entry(desk: Desk) -> None:
    _some_history(desk)
    desk.goto("/audit/?outcome=unknown")
    desk.page.locator("td.c-id a").click()
    expect(desk.page.get_by_role("heading", name="Find it in CloudTrail")).to_be_visible()
