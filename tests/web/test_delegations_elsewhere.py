"""Where else delegations show: at roles, groups and people, in who has access, and what a role allows outsiders."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from credportal.access.models import Delegation, Role, User
from tests.support.cast import Cast, Catalogue, make_role
from tests.support.forms import opened, send, told
from tests.support.handouts import delegate, support
from tests.web.test_delegations import said


def role_page(role: Role) -> str:
    return f"/catalogue/roles/{role.id}/"


def test_a_role_may_go_to_outsiders_for_so_long_and_the_change_is_recorded(dana: Client, catalogue: Catalogue) -> None:
    role = catalogue.deployer
    assert opened(dana, role_page(role))["outsider_duration"] == ""
    send(dana, role_page(role), outsider_duration="45 min")
    role.refresh_from_db()
    assert role.outsider_duration == timedelta(minutes=45)
    send(dana, role_page(role), outsider_duration="")
    role.refresh_from_db()
    assert role.outsider_duration is None
    allowed, taken_back = [detail for _, _, _, detail in told()]
    assert allowed == {"before": {"outsider_duration": None}, "after": {"outsider_duration": "45 min"}}
    assert taken_back == {"before": {"outsider_duration": "45 min"}, "after": {"outsider_duration": None}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outsider_duration": "14 min"}, "AWS allows 15 min to 12 h here."),
        ({"outsider_duration": "13 h"}, "AWS allows 15 min to 12 h here."),
        ({"outsider_duration": "soon"}, "Write a number with its unit"),
        (
            {"outsider_duration": "2 h", "max_session_duration": "1 h"},
            "The role’s maximum session duration is 1 h. Write at most that.",
        ),
    ],
)
def test_what_outsiders_cannot_get_is_refused(
    dana: Client, catalogue: Catalogue, changes: dict[str, str], words: str
) -> None:
    response = send(dana, role_page(catalogue.deployer), **changes)
    assert response.status_code == 422
    assert words in said(response)
    assert told() == []


def test_a_shorter_maximum_that_a_probe_learned_is_no_mistake_of_whoever_changes_something_else(
    dana: Client, catalogue: Catalogue
) -> None:
    Role.objects.filter(pk=catalogue.deployer.pk).update(
        max_session_duration=timedelta(hours=1), outsider_duration=timedelta(hours=2)
    )
    assert send(dana, role_page(catalogue.deployer), label="By hand").status_code == 302


def test_the_page_says_what_outsiders_mean_for_a_role(dana: Client, catalogue: Catalogue) -> None:
    production, no_effect = "This is production: somebody outside would hold its credentials.", "It has no effect now"
    assert production in said(dana.get(role_page(catalogue.read_only)))
    page = said(dana.get(role_page(catalogue.deployer)))
    assert production not in page
    assert no_effect not in page
    for changes, why in (
        ({"needs_step_up": True}, "the role needs a fresh sign-in"),
        ({"needs_approval": True, "approvers": catalogue.engineers}, "the role needs approval"),
    ):
        Role.objects.filter(pk=catalogue.deployer.pk).update(**changes)
        assert f"{no_effect}: {why}" in said(dana.get(role_page(catalogue.deployer)))


def test_the_page_of_a_role_lists_who_may_hand_it_out(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    role = catalogue.read_only
    assert "Nobody. A delegation lets people with the duty support hand it" in said(dana.get(role_page(role)))
    row = support(cast, role, outsider_minutes=45, name="Cases")
    delegate(cast.charlie, role, hours=1, name="Charlie's", recipients=catalogue.engineers)
    response = dana.get(role_page(role))
    page = said(response)
    assert "Group support up to 2 h, to outsiders up to 45 min by Cases" in page
    assert "Charlie Novak charlie up to 1 h to the group engineers, not to outsiders by Charlie's" in page
    assert "Without the duty support, so it does not count" in page
    assert f'href="/catalogue/delegations/{row.pk}/"' in response.content.decode()
    assert f'href="/catalogue/delegations/new/?role={role.id}"' in response.content.decode()


def test_reviewers_see_by_role_who_may_hand_it_out_and_for_how_long(
    erin: Client, catalogue: Catalogue, cast: Cast
) -> None:
    role = catalogue.read_only
    path = f"/who/roles/{role.id}/"
    assert "Nobody: no delegation names this role." in said(erin.get(path))
    support(cast, role, outsider_minutes=45, name="Cases")
    page = said(erin.get(path))
    assert "Group support up to 2 h, to outsiders up to 45 min by Cases" in page
    assert "/catalogue/" not in erin.get(path).content.decode().partition("handings-h")[2]
    Role.objects.filter(pk=role.pk).update(needs_approval=True, approvers=catalogue.engineers)
    assert "The role needs approval, so it is never handed out, whatever these say." in said(erin.get(path))


def test_what_the_limits_come_to_is_what_the_rule_book_gives(
    erin: Client, catalogue: Catalogue, cast: Cast, settings: Settings
) -> None:
    role = catalogue.read_only
    support(cast, role, hours=8, outsider_minutes=180, name="Cases")
    Role.objects.filter(pk=role.pk).update(
        outsider_duration=timedelta(hours=2), max_session_duration=timedelta(hours=4)
    )
    assert "up to 4 h, to outsiders up to 2 h by Cases" in said(erin.get(f"/who/roles/{role.id}/"))
    settings.IDENTITY_CHAINS = True
    assert "up to 1 h, to outsiders up to 1 h by Cases" in said(erin.get(f"/who/roles/{role.id}/"))


def test_reviewers_see_by_person_what_they_may_hand_out_and_because_of_what(
    erin: Client, catalogue: Catalogue, cast: Cast
) -> None:
    assert "What they may hand out" not in said(erin.get("/who/people/bob/"))
    support(cast, catalogue.read_only, catalogue.on_call, name="Cases")
    Role.objects.filter(pk=catalogue.on_call.pk).update(needs_approval=True, approvers=catalogue.engineers)
    page = said(erin.get("/who/people/bob/")).partition("What they may hand out")[2]
    assert "PaymentsReadOnly Productionpayments-prod up to 2 h, not to outsiders Cases of the group support" in page
    assert "PaymentsOnCall Productionpayments-prod Never: the role needs approval" in page
    assert "hand out nothing now" not in page


def test_without_the_duty_or_switched_off_a_person_hands_out_nothing(
    erin: Client, catalogue: Catalogue, cast: Cast
) -> None:
    delegate(cast.charlie, catalogue.read_only)
    assert "They have not the duty support, so they hand out nothing now" in said(erin.get("/who/people/charlie/"))
    User.objects.filter(pk=cast.charlie.pk).update(is_active=False)
    assert "They are switched off, so they hand out nothing now." in said(erin.get("/who/people/charlie/"))


def test_why_answers_whether_somebody_may_hand_a_role_out(erin: Client, catalogue: Catalogue, cast: Cast) -> None:
    role = catalogue.deployer

    def answer(person: str) -> str:
        whole = said(erin.get("/who/why/", {"person": person, "role": role.id}))
        return whole.partition("Whether they may hand it out")[2].strip()

    assert answer("bob") == ""
    support(cast, role, name="Cases")
    assert answer("bob").startswith("Yes, to somebody else, for one session each: Group support, up to 2 h")
    assert answer("alice") == ""
    delegate(cast.charlie, role)
    assert answer("charlie").startswith("No: they have not the duty support.")
    Role.objects.filter(pk=role.pk).update(needs_approval=True, approvers=catalogue.engineers)
    assert answer("bob").startswith("No: the role needs approval, so it is never handed out.")
    Delegation.objects.all().delete()
    assert answer("bob").startswith("No: no delegation of theirs names this role.")


def test_the_page_of_a_group_says_what_it_hands_out(dana: Client, catalogue: Catalogue) -> None:
    path = f"/groups/{catalogue.support.pk}/"
    assert "Nothing. A catalogue admin adds a delegation for this group." in said(dana.get(path))
    row = delegate(catalogue.support, catalogue.read_only, catalogue.on_call, name="Cases")
    response = dana.get(path)
    assert "Cases 2 roles, up to 2 h" in said(response)
    assert f'href="/catalogue/delegations/{row.pk}/"' in response.content.decode()


@pytest.mark.parametrize("path", ["/who/roles/{role}/", "/who/people/bob/", "/catalogue/roles/{role}/"])
def test_many_delegations_and_roles_take_as_many_statements_as_one(
    dana: Client, catalogue: Catalogue, cast: Cast, path: str
) -> None:
    support(cast, catalogue.read_only, name="First")
    delegate(cast.bob, catalogue.read_only, name="His own")

    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert dana.get(path.format(role=catalogue.read_only.id)).status_code == 200
        return len(captured)

    few = statements()
    roles = [make_role(catalogue.staging, f"Role{number}") for number in range(30)]
    for number in range(20):
        holder: Any = catalogue.support if number % 2 else cast.bob
        delegate(holder, catalogue.read_only, *roles, name=f"More {number}")
    assert statements() == few
