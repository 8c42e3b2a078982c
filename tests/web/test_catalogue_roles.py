"""The pages of roles: adding, changing, switching off, and what they refuse."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from credportal.access.models import Probe, Role
from credportal.access.selectors import MOST_LISTED
from tests.support.cast import Cast, Catalogue, allow, make_role
from tests.support.forms import opened, send, told

NEW = "/catalogue/roles/new/"
ARN = "arn:aws:iam::491200653381:role/team/Auditor"
PORTAL = "arn:aws:iam::118840276615:role/portal"


def added(client: Client, **changes: str | None) -> tuple[int, str]:
    response = send(client, NEW, **{"arn": ARN, "default_region": "eu-west-1", **changes})
    return response.status_code, unescape(response.content.decode())


@pytest.fixture(autouse=True)
def _known_portal(settings: Settings) -> None:
    settings.PRINCIPAL = PORTAL


def test_an_added_role_is_written_with_its_event_and_leads_on(dana: Client, catalogue: Catalogue) -> None:
    asked = {"label": "Auditor", "description": "Read the books", "tags": "books tax", "max_session_duration": "90 min"}
    ticket = {"needs_ticket": "on", "ticket_pattern": "INC-# CHG-#", "allows_one_region": None}
    response = send(dana, NEW, arn=ARN, default_region="eu-north-1", **asked, **ticket)
    role = Role.objects.get(arn=ARN)
    page = dana.get(response["Location"]).content.decode()
    assert (role.account_id, role.name, role.max_session_duration) == (
        "491200653381",
        "Auditor",
        timedelta(minutes=90),
    )
    assert (role.needs_ticket, role.needs_reason, role.allows_one_region) == (True, False, False)
    assert "say who may have it, then let the portal in" in page
    assert f'href="/catalogue/eligibilities/new/?role={role.id}"' in page
    assert f'href="/catalogue/roles/{role.id}/trust/"' in page
    assert "INC-1234" in page, "the page shows a ticket that the pattern takes"
    [(kind, subject, actor, detail)] = told()
    assert (kind, subject, actor, detail["before"]) == ("role:added", f"role:{role.id}", "dana", {})
    assert detail["after"]["arn"] == ARN
    assert detail["after"]["max_session_duration"] == "1 h 30 min"
    assert detail["after"]["allows_one_region"] is False


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("", "This field is required."),
        ("Auditor", "Write the ARN of a role"),
        ("arn:aws:iam::491200653381:user/dana", "names a user, not a role"),
        ("arn:aws:iam::491200653381:role/*", "wildcard"),
        ("arn:aws-cn:iam::491200653381:role/Auditor", "partition"),
        ("arn:aws:iam::491200653381:role/aws-service-role/ecs.amazonaws.com/Ecs", "service-linked role"),
        (PORTAL, "portal’s own role"),
        ("arn:aws:sts::491200653381:assumed-role/Auditor/dana", "session of a role"),
        ("arn:aws:iam::491200653381:role/Аuditor", "CYRILLIC CAPITAL LETTER A"),
        (f" {ARN}", "no spaces"),
        (f"{ARN}\n", "ASCII"),
        ("arn:aws:iam::491200653381:role/Audi\u200btor", "ASCII"),
        ("arn:aws:iam::491200653381:role/" + "a" * 600, "at most 600 characters"),
    ],
)
def test_an_arn_that_is_no_role_of_ours_is_refused_with_the_reason(
    dana: Client, catalogue: Catalogue, arn: str, words: str
) -> None:
    status, page = added(dana, arn=arn, description="Read the books")
    assert status == 422
    assert words in page
    assert 'value="Read the books"' in page, "what was typed is kept"
    assert Role.objects.count() == 5
    assert told() == []


def test_an_account_that_is_not_listed_is_refused_with_a_link_to_add_it(dana: Client, catalogue: Catalogue) -> None:
    status, page = added(dana, arn="arn:aws:iam::001122334455:role/Auditor")
    assert status == 422
    assert "Account 001122334455 is not in the catalogue." in page
    assert 'href="/catalogue/accounts/new/?number=001122334455"' in page
    assert opened(dana, "/catalogue/accounts/new/?number=001122334455")["number"] == "001122334455"
    assert told() == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("label", "Аuditor", "CYRILLIC CAPITAL LETTER A"),
        ("label", "Auditor ", "ends with a space"),
        ("label", "l" * 65, "at most 64 characters"),
        ("description", "two\nlines", "cannot see"),
        ("tags", "a\u2028b", "cannot see"),
        ("max_session_duration", "13 h", "AWS allows 1 h to 12 h here. This is 13 h."),
        ("max_session_duration", "59 min", "AWS allows 1 h to 12 h here. This is 59 min."),
        ("max_session_duration", "4", "Write a number with its unit"),
        ("max_session_duration", "٤ h", "Write a number with its unit"),
        ("max_session_duration", "-4 h", "Write a number with its unit"),
        ("max_session_duration", "", "This field is required."),
        ("default_region", "cn-north-1", "no region of the role’s partition"),
        ("default_region", "", "This field is required."),
        ("ticket_pattern", "INC-[0-9]", "A ticket has only letters"),
        ("approvals_needed", "0", "from 1 to 5"),
        ("approvals_needed", "6", "from 1 to 5"),
        ("approvals_needed", "many", "from 1 to 5"),
        ("approvals_needed", "9" * 5000, "from 1 to 5"),
        ("approvers", "99999", "no such group"),
        ("approvers", "x", "no such group"),
        ("needs_approval", "on", "Name the group that approves"),
    ],
)
def test_what_is_refused_says_why_keeps_what_was_typed_and_writes_nothing(
    dana: Client, catalogue: Catalogue, field: str, value: str, words: str
) -> None:
    status, page = added(dana, **{field: value})
    assert status == 422
    assert words in page
    assert f'value="{ARN}"' in page, "what was typed is kept"
    assert Role.objects.count() == 5
    assert told() == []


@pytest.mark.parametrize("typed", ["4 h", "4h", "4 hours", "240 min", "240m", "3 h 60 min", " 4  H "])
def test_a_duration_is_read_as_people_write_it(dana: Client, catalogue: Catalogue, typed: str) -> None:
    added(dana, max_session_duration=typed)
    assert Role.objects.get(arn=ARN).max_session_duration == timedelta(hours=4)


def test_the_same_arn_twice_is_a_mistake_that_leads_to_the_first(dana: Client, catalogue: Catalogue) -> None:
    status, page = added(dana, arn=catalogue.read_only.arn)
    assert status == 422
    assert "This role is in the catalogue already." in page
    assert f'href="/catalogue/roles/{catalogue.read_only.id}/"' in page
    assert told() == []


def test_a_change_keeps_only_what_changed_before_and_after(dana: Client, catalogue: Catalogue) -> None:
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    group = str(catalogue.support.pk)
    send(dana, path, label="Look", enabled=None, needs_approval="on", approvers=group, max_session_duration="8 h")
    role = Role.objects.get(id=catalogue.read_only.id)
    assert (role.label, role.enabled, role.approvers, role.version) == ("Look", False, catalogue.support, 2)
    before = {"label": "", "enabled": True, "max_session_duration": "12 h", "needs_approval": False, "approvers": None}
    after = {
        "label": "Look",
        "enabled": False,
        "max_session_duration": "8 h",
        "needs_approval": True,
        "approvers": "support",
    }
    assert told() == [("role:changed", f"role:{role.id}", "dana", {"before": before, "after": after})]
    assert "Switched off" in dana.get(path).content.decode()


def test_saving_without_a_change_writes_nothing_and_says_so(dana: Client, catalogue: Catalogue) -> None:
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    response = send(dana, path)
    assert "Nothing changed." in dana.get(response["Location"]).content.decode()
    assert Role.objects.get(id=catalogue.read_only.id).version == 1
    assert told() == []


def test_the_arn_stays_whatever_is_sent(dana: Client, catalogue: Catalogue) -> None:
    path = f"/catalogue/roles/{catalogue.read_only.id}/"
    assert "arn" not in opened(dana, path)
    send(dana, path, arn=ARN, label="Look")
    assert Role.objects.get(label="Look").arn == catalogue.read_only.arn


def test_approvers_cannot_be_taken_away_while_a_row_needs_them(dana: Client, catalogue: Catalogue) -> None:
    role = catalogue.on_call
    Role.objects.filter(id=role.id).update(approvers=catalogue.support)
    role.eligibilities.update(needs_approval=True)
    response = send(dana, f"/catalogue/roles/{role.id}/", approvers="")
    assert response.status_code == 422
    assert "An eligibility of this role needs approval." in response.content.decode()
    assert told() == []


def test_a_form_that_lost_its_version_saves_nothing(dana: Client, catalogue: Catalogue) -> None:
    for version in (None, "", "x", "0", "9" * 40):
        response = send(dana, f"/catalogue/roles/{catalogue.read_only.id}/", label="Look", version=version)
        assert response.status_code == 422
        assert "version" in response.content.decode()
    assert told() == []


def test_the_form_of_a_new_role_begins_with_its_account(dana: Client, catalogue: Catalogue) -> None:
    assert opened(dana, f"{NEW}?account=491200653381")["arn"] == "arn:aws:iam::491200653381:role/"
    assert opened(dana, f"{NEW}?account=000000000000")["arn"] == ""


def test_the_role_page_shows_its_rows_with_a_way_to_end_each(dana: Client, catalogue: Catalogue) -> None:
    role = catalogue.read_only
    page = dana.get(f"/catalogue/roles/{role.id}/").content.decode()
    for row in role.eligibilities.all():
        assert f'action="/catalogue/eligibilities/{row.pk}/end/"' in page
        assert f'href="/catalogue/eligibilities/{row.pk}/"' in page
    assert f'href="/who/roles/{role.id}/"' in page
    assert role.arn in page


def test_the_list_says_when_a_role_last_worked_and_marks_an_open_one(dana: Client, catalogue: Catalogue) -> None:
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    Probe.objects.create(role=catalogue.read_only, probed_at=at, worked_at=at)
    Probe.objects.create(role=catalogue.on_call, probed_at=at, worked_at=at, is_open=True)
    Probe.objects.create(role=catalogue.deployer, probed_at=at)
    page = dana.get("/catalogue/").content.decode()
    assert page.count("Last worked <time") == 2
    assert page.count("Open: works without the ExternalId") == 1
    assert page.count("Never worked, probed") == 1
    assert page.count("Never probed") == 2


def test_the_list_groups_roles_by_account_and_marks_what_is_off(dana: Client, catalogue: Catalogue) -> None:
    Role.objects.filter(id=catalogue.nobody.id).update(enabled=False, needs_approval=True)
    page = dana.get("/catalogue/").content.decode()
    assert page.count('<section class="acct') == 3
    assert page.count("Switched off") == 1
    assert page.count("Approval</li>") == 1
    assert page.index("payments-prod") < page.index("PaymentsOnCall") < page.index("payments-staging")


def test_the_list_finds_by_name_account_tag_and_environment(dana: Client, catalogue: Catalogue) -> None:
    Role.objects.filter(id=catalogue.deployer.id).update(tags="ship it")

    def found(query: str) -> int:
        page = dana.get("/catalogue/", {"q": query}, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in page
        return page.count('<li class="cat">')

    assert [found(query) for query in ("", "payments", "SHIP", "production oncall", "zzz", "a" * 5000)] == [
        5,
        4,
        1,
        1,
        0,
        0,
    ]


def test_two_thousand_roles_are_cut_to_a_first_page_with_as_many_statements(dana: Client, catalogue: Catalogue) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            dana.get("/catalogue/")
        return len(captured)

    few = statements()
    Role.objects.bulk_create(
        Role(arn=f"arn:aws:iam::602217449035:role/R{number}", account=catalogue.sandbox, default_region="eu-west-1")
        for number in range(2000)
    )
    page = dana.get("/catalogue/").content.decode()
    assert statements() == few
    assert page.count('<li class="cat">') == MOST_LISTED
    assert f"These are the first {MOST_LISTED}." in page


def test_the_role_page_asks_as_many_statements_for_one_row_as_for_many(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    role = make_role(catalogue.sandbox, "Many")
    allow(role, catalogue.support)

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            dana.get(f"/catalogue/roles/{role.id}/")
        return len(captured)

    few = statements()
    for holder in (catalogue.engineers, cast.alice, cast.bob):
        allow(role, holder)
    assert statements() == few


def test_the_first_steps_follow_what_is_there(dana: Client) -> None:
    page = dana.get("/catalogue/").content.decode()
    assert "No roles yet." in page
    assert 'href="/catalogue/accounts/new/"' in page
    assert "Add an account" in dana.get(NEW).content.decode()


@pytest.mark.parametrize("role_id", ["no-such-role", "' OR 1=1 --", "é", "a" * 3000])
def test_a_role_that_is_not_there_is_not_found(dana: Client, catalogue: Catalogue, role_id: str) -> None:
    assert dana.get(f"/catalogue/roles/{role_id}/").status_code == 404
    assert dana.post(f"/catalogue/roles/{role_id}/", {"label": "x"}).status_code == 404
