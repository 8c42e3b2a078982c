"""An import stands in the audit: one event for each object that changes, with before and after."""

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from credportal.access.models import Account, Eligibility, Role
from credportal.audit.models import Event
from credportal.flows.catalogue import CatalogueUnavailable, export_catalogue, import_catalogue
from tests.support.cast import Cast, Catalogue
from tests.support.unwritable import unwritable_audit

NUMBER = "111122223333"
ARN = f"arn:aws:iam::{NUMBER}:role/Admin"
FILE = f"""\
accounts: [{{number: "{NUMBER}", name: sandbox, environment: sandbox}}]
roles: [{{arn: {ARN}, default_region: eu-west-1, needs: [reason], tags: [break, build], approvers: leads}}]
groups: [{{name: leads, members: [bob, dana], duties: [support]}}]
eligibilities: [{{role: {ARN}, user: alice, max_duration: 8h, break_glass_duration: 30m}}]
"""


def follow(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Import a text; return the kind, subject and detail of every event that it wrote."""
    last = Event.objects.order_by("-id").values_list("id", flat=True).first() or 0
    assert import_catalogue(text, dry_run=False).problems == []
    events = Event.objects.filter(id__gt=last).order_by("id")
    assert not [event for event in events if event.actor_id or event.actor_handle]
    assert {event.detail.pop("command") for event in events} <= {"import_catalogue"}
    return [(event.kind, event.subject, event.detail) for event in events]


def test_everything_new_is_an_event_with_what_it_is(cast: Cast) -> None:
    events = follow(FILE)
    role, row = Role.objects.get(), Eligibility.objects.get()
    assert events == [
        (
            "account:added",
            f"account:{NUMBER}",
            {"after": {"name": "sandbox", "environment": "sandbox", "enabled": True}},
        ),
        ("group:added", "group:leads", {"after": {"members": ["bob", "dana"], "duties": ["support"]}}),
        (
            "role:added",
            f"role:{role.id}",
            {
                "after": {
                    "arn": ARN,
                    "tags": ["break", "build"],
                    "max_session_duration": "1h",
                    "default_region": "eu-west-1",
                    "accepts_source_identity": False,
                    "accepts_session_tags": False,
                    "needs": ["reason"],
                    "approvers": "leads",
                    "approvals_needed": 1,
                    "narrowing": ["read-only", "my-address", "one-region"],
                    "enabled": True,
                }
            },
        ),
        (
            "eligibility:added",
            f"eligibility:{row.pk}",
            {"after": {"role": ARN, "user": "alice", "max_duration": "8h", "break_glass_duration": "30m"}},
        ),
    ]


def test_a_change_is_an_event_with_only_what_differs(cast: Cast) -> None:
    follow(FILE)
    changed = (
        FILE.replace("8h", "7h").replace("[reason]", "[]").replace("bob,", "alice,").replace("name: sandbox", "name: x")
    )
    row = Eligibility.objects.get()
    assert follow(changed) == [
        ("account:changed", f"account:{NUMBER}", {"before": {"name": "sandbox"}, "after": {"name": "x"}}),
        ("group:changed", "group:leads", {"after": {"joined": ["alice"], "left": ["bob"]}}),
        ("role:changed", f"role:{Role.objects.get().id}", {"before": {"needs": ["reason"]}, "after": {"needs": []}}),
        (
            "eligibility:changed",
            f"eligibility:{row.pk}",
            {"before": {"max_duration": "8h"}, "after": {"max_duration": "7h"}},
        ),
    ]


def test_an_eligibility_that_goes_is_an_event_with_what_it_was(cast: Cast) -> None:
    follow(FILE)
    row = Eligibility.objects.get()
    before = {"role": ARN, "user": "alice", "max_duration": "8h", "break_glass_duration": "30m"}
    gone = ("eligibility:removed", f"eligibility:{row.pk}", {"before": before})
    assert follow(f"roles: [{{arn: {ARN}, default_region: eu-west-1}}]\neligibilities: []") == [gone]


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_not_written_is_no_event(cast: Cast, dry_run: bool) -> None:
    follow(FILE)
    count = Event.objects.count()
    import_catalogue(FILE if not dry_run else FILE.replace("8h", "7h"), dry_run=dry_run)
    import_catalogue(FILE.replace("bob", "mallory"), dry_run=False)
    assert Event.objects.count() == count


def test_no_event_has_an_external_id(cast: Cast) -> None:
    brought = "k" * 32
    follow(FILE.replace("environment: sandbox", f"environment: sandbox, external_id: {brought}"))
    assert Account.objects.get().external_id == brought
    assert not [event for event in Event.objects.all() if brought in str(event.detail)]


@pytest.mark.django_db(transaction=True)
def test_an_audit_that_cannot_be_written_takes_the_change_back(cast: Cast) -> None:
    with unwritable_audit(), pytest.raises(CatalogueUnavailable):
        import_catalogue(FILE, dry_run=False)
    assert not Account.objects.exists()
    assert not Event.objects.exists()


def test_writing_takes_no_more_statements_for_each_row(catalogue: Catalogue) -> None:
    """A batch is 500 rows, and SQLite's own limit cuts them smaller; a statement for each row would be 600."""

    def statements(roles: int) -> int:
        arns = [f"arn:aws:iam::{catalogue.sandbox.number}:role/R{number}" for number in range(roles)]
        text = "roles:\n" + "".join(f"  - {{arn: {arn}, default_region: eu-west-1}}\n" for arn in arns)
        text += "eligibilities:\n"
        text += "".join(f"  - {{role: {arn}, group: engineers, max_duration: 1h}}\n" for arn in arns)
        with CaptureQueriesContext(connection) as queries:
            assert import_catalogue(text, dry_run=False).problems == []
            assert import_catalogue(text.replace("1h", "2h"), dry_run=False).problems == []
        return len(queries)

    assert statements(300) < 80


def test_what_is_compared_is_locked_until_it_is_written(catalogue: Catalogue) -> None:
    """Somebody's change in between would be overwritten. SQLite has one writer at a time anyway."""
    if not connection.features.has_select_for_update:
        pytest.skip("This database has no row locks.")
    text = export_catalogue(with_external_ids=False)
    with CaptureQueriesContext(connection) as queries:
        import_catalogue(text, dry_run=False)
        locked = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"]]
    assert [any(f'FROM "access_{table}"' in sql for sql in locked) for table in ("account", "role", "eligibility")] == [
        True, True, True,
    ]  # fmt: skip


def test_an_export_that_cannot_be_read_says_so(cast: Cast) -> None:
    def refuse(*_: Any) -> Any:
        raise OperationalError("away")

    with connection.execute_wrapper(refuse), pytest.raises(CatalogueUnavailable):
        export_catalogue(with_external_ids=False)
