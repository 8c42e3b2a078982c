"""Who has access is answered by the rule book itself, and marked by what the audit knows."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from credportal.access import selectors
from credportal.access.models import Role, User
from credportal.audit.models import Issuance
from credportal.audit.selectors.usage import LAST_USED, last_used
from credportal.domain.policy import standing
from credportal.domain.types import DenialReason, Denied
from credportal.flows import access_review
from tests.support.cast import Cast, Catalogue, allow, make_person, make_role

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def cell(person: User, role: Role, now: datetime | None = None) -> access_review.Cell:
    return access_review.why(person, role, duration=None, now=now or timezone.now())


def used(row_id: int, ago: timedelta, *, status: str = "issued") -> None:
    """Let a session have been asked for by a row some time ago."""
    row = Issuance(id=f"{Issuance.objects.count():012}", submission=str(Issuance.objects.count()), status=status)
    row.actor_id, row.actor_handle, row.duration_asked = 1, "alice", HOUR
    row.eligibility_id, row.requested_at = row_id, timezone.now() - ago
    row.save()


@pytest.mark.parametrize("when", ["now", "ended", "off", "inactive"])
def test_every_cell_is_what_the_rule_book_answers_for_that_person(cast: Cast, catalogue: Catalogue, when: str) -> None:
    personal = allow(catalogue.on_call, cast.bob, hours=1)
    if when == "ended":
        personal.valid_until = timezone.now() - HOUR
        personal.save()
    if when == "off":
        Role.objects.filter(pk=catalogue.deployer.pk).update(enabled=False)
    if when == "inactive":
        User.objects.filter(pk=cast.alice.pk).update(is_active=False)
    now = timezone.now()
    people, roles = list(User.objects.all()), list(Role.objects.select_related("account", "approvers"))
    cells = list(access_review.cells_between(people, roles, now=now))
    assert len(cells) == 25
    for one in cells:
        alone = standing(selectors.facts_for(one.person, one.role.id), now=now)
        assert one.standing == alone


def test_the_matrix_tells_yes_from_no_with_the_longest_duration(cast: Cast, catalogue: Catalogue) -> None:
    shown = access_review.matrix("", "", "", now=timezone.now())
    answers = {(one.person.handle, one.role.name): one.answer for _, cells in shown.rows for one in cells}
    assert [pair for pair, answer in answers.items() if answer == "yes"] == [
        ("alice", "PaymentsOnCall"),
        ("alice", "PaymentsReadOnly"),
        ("alice", "Deployer"),
        ("alice", "Administrator"),
        ("bob", "PaymentsReadOnly"),
    ]
    assert not shown.people_cut
    assert not shown.roles_cut


def test_the_matrix_is_narrowed_by_words_of_people_groups_and_roles(cast: Cast, catalogue: Catalogue) -> None:
    shown = access_review.matrix("engineers", "readonly payments-prod", "", now=timezone.now())
    assert [(person.handle, [one.role.name for one in cells]) for person, cells in shown.rows] == [
        ("alice", ["PaymentsReadOnly"])
    ]
    of_account = access_review.matrix("", "", catalogue.staging.number, now=timezone.now())
    assert [role.name for role in of_account.roles] == ["Deployer"]


def test_a_large_matrix_says_that_it_is_cut(cast: Cast, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_review, "MATRIX_PEOPLE", 2)
    monkeypatch.setattr(access_review, "MATRIX_ROLES", 3)
    shown = access_review.matrix("", "", "", now=timezone.now())
    assert (len(shown.rows), len(shown.roles), shown.people_cut, shown.roles_cut) == (2, 3, True, True)


def test_a_row_that_needs_approval_says_so(cast: Cast, catalogue: Catalogue) -> None:
    row = allow(catalogue.nobody, cast.charlie)
    row.needs_approval = True
    row.save()
    catalogue.nobody.approvers = catalogue.support
    catalogue.nobody.save()
    answer = cell(cast.charlie, catalogue.nobody)
    assert (answer.answer, answer.standing.needs.approval) == ("approval", True)


def test_why_not_names_each_row_that_was_tried(cast: Cast, catalogue: Catalogue) -> None:
    row = allow(catalogue.read_only, cast.charlie)
    row.valid_until = timezone.now() - HOUR
    row.save()
    decision = cell(cast.charlie, catalogue.read_only).standing.decision
    assert isinstance(decision, Denied)
    assert decision.reason is DenialReason.NO_LONGER_VALID
    assert [tried.eligibility.id for tried in decision.tried] == [row.pk]


def test_why_not_for_so_long_is_asked_with_that_duration(cast: Cast, catalogue: Catalogue) -> None:
    answer = access_review.why(cast.bob, catalogue.read_only, duration=2 * HOUR, now=timezone.now())
    assert isinstance(answer.standing.decision, Denied)
    assert answer.standing.decision.reason is DenialReason.DURATION_TOO_LONG
    shorter = access_review.why(cast.bob, catalogue.read_only, duration=HOUR, now=timezone.now())
    assert shorter.answer == "yes"


def test_a_role_tells_its_people_through_which_rows(cast: Cast, catalogue: Catalogue) -> None:
    gone = make_person("gone", "Gone", is_active=False)
    catalogue.engineers.user_set.add(gone)
    catalogue.engineers.user_set.add(make_person("zoe", "Zoe"))
    found = access_review.role_access(catalogue.read_only.id, now=timezone.now())
    assert found is not None
    told = {held.holding.row.group.name: [person.handle for person in held.holding.people] for held in found.rows}  # type: ignore[union-attr]  # both rows name a group
    assert told == {"engineers": ["alice", "zoe", "gone"], "support": ["bob"]}
    assert found.people_count == 3


def test_people_of_a_row_that_ended_are_not_counted(cast: Cast, catalogue: Catalogue) -> None:
    catalogue.read_only.eligibilities.filter(group=catalogue.support).update(valid_until=timezone.now() - HOUR)
    found = access_review.role_access(catalogue.read_only.id, now=timezone.now())
    assert found is not None
    assert (found.people_count, [held.in_force for held in found.rows]) == (1, [True, False])


def test_a_person_tells_their_roles_and_the_row_that_decides(cast: Cast, catalogue: Catalogue) -> None:
    own = allow(catalogue.on_call, cast.alice, hours=8)
    found = access_review.person_access("alice", now=timezone.now())
    assert found is not None
    on_call = next(each for each in found[1] if each.cell.role == catalogue.on_call)
    assert on_call.cell.standing.row is not None
    assert on_call.cell.standing.row.id == own.pk
    assert len(on_call.rows) == 2


@pytest.mark.parametrize(("days", "stale"), [(1, False), (89, False), (91, True), (None, True)])
def test_a_row_that_nobody_used_for_ninety_days_is_marked(
    cast: Cast, catalogue: Catalogue, days: int | None, stale: bool
) -> None:
    row = catalogue.deployer.eligibilities.get()
    if days is not None:
        used(row.pk, days * DAY)
        used(row.pk, (days + 5) * DAY)
    used(row.pk, HOUR, status="failed")  # Nothing was issued, so the row was not used.
    found = access_review.role_access(catalogue.deployer.id, now=timezone.now())
    assert found is not None
    [held] = found.rows
    assert held.usage.is_stale is stale
    assert (held.usage.last_at is None) is (days is None)
    if held.usage.last_at and days:
        assert abs(timezone.now() - held.usage.last_at - days * DAY) < HOUR


def test_the_last_use_of_many_rows_is_one_statement_that_never_walks_the_audit(
    cast: Cast, catalogue: Catalogue
) -> None:
    with CaptureQueriesContext(connection) as seen:
        assert last_used(range(1, 300)) == {}
    assert len(seen.captured_queries) == 1
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + LAST_USED.format(rows="(%s)"), [1])
            plan = " ".join(str(line) for line in cursor.fetchall())
        assert "issuance_by_eligibility" in plan
        assert "SCAN issuance" not in plan


def statements(catalogue: Catalogue) -> list[int]:
    now, counts = timezone.now(), []
    for ask in (
        lambda: access_review.matrix("", "", "", now=now),
        lambda: access_review.role_access(catalogue.read_only.id, now=now),
        lambda: access_review.person_access("alice", now=now),
    ):
        with CaptureQueriesContext(connection) as seen:
            ask()
        counts.append(len(seen.captured_queries))
    return counts


def test_the_number_of_statements_does_not_grow_with_people_and_roles(cast: Cast, catalogue: Catalogue) -> None:
    few = statements(catalogue)
    for number in range(12):
        catalogue.engineers.user_set.add(make_person(f"more-{number}", f"More {number}"))
        allow(make_role(catalogue.sandbox, f"More{number}"), catalogue.engineers)
        allow(catalogue.read_only, User.objects.get(username=f"more-{number}"))
    assert statements(catalogue) == few
