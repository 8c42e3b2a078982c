"""The pages of delegations: adding, changing, removing, what they warn of, and what they refuse."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credportal.access.models import Delegation, Handout, Role
from credportal.access.selectors import MOST_LISTED
from credportal.audit.models import Event
from credportal.domain.types import Duty
from credportal.flows.answers import Refused
from credportal.web.forms.catalogue.delegations import MOST_TICKED
from tests.fault_sts import FaultSTS
from tests.support.cast import Cast, Catalogue, give_duties, make_person, make_role
from tests.support.forms import fields_of, opened, send, told
from tests.support.handouts import answer_of, claim, delegate, handed_out, support
from tests.support.unwritable import unwritable_audit

NEW = "/catalogue/delegations/new/"
LIST = "/catalogue/delegations/"


def page_of(row: Delegation) -> str:
    return f"{LIST}{row.pk}/"


def said(response: Any) -> str:
    """Return an answer's text with single spaces, as a person reads it."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", response.content.decode())).split())


def asked(catalogue: Catalogue, **changes: Any) -> dict[str, Any]:
    """Return what somebody types who lets support hand out two roles."""
    roles = [catalogue.read_only.id, catalogue.on_call.id]
    usual = {"name": "Support cases", "group": str(catalogue.support.pk), "max_duration": "2 h", "roles": roles}
    return {**usual, **changes}


def test_support_gets_a_delegation_with_an_event_and_may_hand_out_by_it(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    more = {"outsider_duration": "45 min", "recipients": str(catalogue.engineers.pk), "max_open": "3"}
    response = send(dana, NEW, **asked(catalogue, **more))
    row = Delegation.objects.get()
    assert response["Location"] == f"{page_of(row)}?saved=added"
    assert (row.group, row.user, row.recipients) == (catalogue.support, None, catalogue.engineers)
    assert (row.max_duration, row.outsider_duration) == (timedelta(hours=2), timedelta(minutes=45))
    assert (row.max_open, row.max_per_day) == (3, 20)
    assert set(row.roles.all()) == {catalogue.read_only, catalogue.on_call}
    [(kind, subject, actor, detail)] = told()
    assert (kind, subject, actor, detail["before"]) == ("delegation:added", f"delegation:{row.pk}", "dana", {})
    assert detail["after"] == {
        "name": "Support cases",
        "group": "support",
        "max_duration": "2 h",
        "recipients": "engineers",
        "outsider_duration": "45 min",
        "max_open": 3,
        "max_per_day": 20,
        "roles": sorted([catalogue.read_only.arn, catalogue.on_call.arn]),
    }


def test_a_delegation_of_a_person_is_an_event_on_their_behalf(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    send(dana, NEW, **asked(catalogue, group="", user="bob"))
    assert Delegation.objects.get().user == cast.bob
    event = Event.objects.get(kind="delegation:added")
    assert (event.actor_handle, event.on_behalf_of, event.detail["after"]["user"]) == ("dana", "bob", "bob")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 65}, "at most 64 characters"),
        ({"name": " Cases"}, "begins or ends with a space"),
        ({"group": ""}, "Name a group or a person: one of the two."),
        ({"user": "bob"}, "Name a group or a person: one of the two."),
        ({"group": "99999"}, "no such group"),
        ({"recipients": "99999"}, "no such group"),
        ({"group": "", "user": "nobody-here"}, "There is no such person."),
        ({"max_duration": ""}, "This field is required."),
        ({"max_duration": "14 min"}, "AWS allows 15 min to 12 h here. This is 14 min."),
        ({"max_duration": "13 h"}, "AWS allows 15 min to 12 h here."),
        ({"outsider_duration": "5 min"}, "AWS allows 15 min to 12 h here."),
        ({"outsider_duration": "3 h"}, "Outsiders never get more than colleagues. Write at most 2 h."),
        ({"max_open": "0"}, "Write a number from 1 to 100."),
        ({"max_open": "101"}, "Write a number from 1 to 100."),
        ({"max_open": "many"}, "Write a number from 1 to 100."),
        ({"max_per_day": "1001"}, "Write a number from 1 to 1000."),
        ({"max_per_day": "9" * 40}, "Write a number from 1 to 1000."),
        ({"roles": []}, "Tick at least one role."),
        ({"roles": ["no-such-role"]}, "One of these roles is not in the catalogue."),
        ({"roles": [f"role-{number}" for number in range(MOST_TICKED + 1)]}, f"Tick at most {MOST_TICKED} roles."),
        ({"roles": ["\x00"]}, "One of these roles is not in the catalogue."),
    ],
)
def test_what_is_refused_says_why_keeps_what_was_typed_and_writes_nothing(
    dana: Client, catalogue: Catalogue, changes: dict[str, Any], words: str
) -> None:
    response = send(dana, NEW, **asked(catalogue, **{"max_per_day": "17", **changes}))
    assert response.status_code == 422
    assert words in unescape(response.content.decode())
    kept = fields_of(response.content.decode())
    assert "max_per_day" in changes or kept["max_per_day"] == "17", "what was typed is kept"
    assert "roles" in changes or len(kept["roles"]) == 2, "the ticks are kept"
    assert not Delegation.objects.exists()
    assert told() == []


def test_a_name_that_another_delegation_has_is_pointed_to(dana: Client, catalogue: Catalogue) -> None:
    row = delegate(catalogue.support, catalogue.read_only, name="Support cases")
    response = send(dana, NEW, **asked(catalogue))
    page = response.content.decode()
    assert response.status_code == 422
    assert "Another delegation has this name." in page
    assert f'href="{page_of(row)}"' in page
    assert told() == []


def test_a_change_keeps_only_what_changed_and_never_the_holder(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    row = delegate(catalogue.support, catalogue.read_only, catalogue.on_call)
    assert not {"group", "user"} & opened(dana, page_of(row)).keys()
    roles = [catalogue.read_only.id, catalogue.deployer.id]
    send(dana, page_of(row), max_open="7", roles=roles, user="charlie", group="")
    row.refresh_from_db()
    assert (row.group, row.user, row.max_open, row.version) == (catalogue.support, None, 7, 2)
    assert set(row.roles.all()) == {catalogue.read_only, catalogue.deployer}
    [(kind, subject, actor, detail)] = told()
    assert (kind, subject, actor) == ("delegation:changed", f"delegation:{row.pk}", "dana")
    assert detail["before"] == {"max_open": 5, "roles": sorted([catalogue.read_only.arn, catalogue.on_call.arn])}
    assert detail["after"] == {"max_open": 7, "roles": sorted([catalogue.read_only.arn, catalogue.deployer.arn])}


def test_saving_without_a_change_writes_nothing_and_says_so(dana: Client, catalogue: Catalogue) -> None:
    row = delegate(catalogue.support, catalogue.read_only, catalogue.on_call, outsider_minutes=30)
    response = send(dana, page_of(row))
    assert response["Location"] == f"{page_of(row)}?saved=nothing"
    row.refresh_from_db()
    assert row.version == 1
    assert told() == []


def test_a_change_of_roles_alone_is_a_conflict_for_whoever_has_the_page_open(
    dana: Client, catalogue: Catalogue
) -> None:
    row = delegate(catalogue.support, catalogue.read_only, catalogue.on_call)
    mine = {**opened(dana, page_of(row)), "max_open": "9", "roles": [catalogue.read_only.id, catalogue.on_call.id]}
    send(dana, page_of(row), roles=[catalogue.deployer.id])
    response = dana.post(page_of(row), mine)
    assert response.status_code == 409
    page = response.content.decode()
    assert "Now: <bdi>Deployer in 118840276615</bdi>" in page
    assert set(fields_of(page)["roles"]) == {catalogue.read_only.id, catalogue.on_call.id}, "no tick is lost"
    assert len(told()) == 1
    again = dana.post(page_of(row), fields_of(page))
    assert again["Location"] == f"{page_of(row)}?saved=changed"
    assert set(row.roles.all()) == {catalogue.read_only, catalogue.on_call}


def test_removing_asks_first_and_says_how_many_are_open(
    dana: Client, catalogue: Catalogue, cast: Cast, db: None
) -> None:
    row = support(cast, catalogue.read_only)
    handed_out(cast.bob, catalogue.read_only, cast.charlie)
    before = len(told())
    page = said(dana.get(f"{page_of(row)}end/"))
    assert "1 hand-out of it is open. It stays in the list, and whoever claims it is refused" in page
    assert Delegation.objects.filter(pk=row.pk).exists()
    assert len(told()) == before


def test_removing_keeps_the_hand_outs_and_records_what_was_removed(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    row = support(cast, catalogue.read_only, outsider_minutes=30, name="Cases")
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    number = row.pk
    response = dana.post(f"{page_of(row)}end/")
    assert response["Location"] == f"{LIST}?saved=removed"
    assert "Removed." in said(dana.get(response["Location"]))
    assert not Delegation.objects.exists()
    kept = Handout.objects.get(pk=given.handout.pk)
    assert (kept.delegation, kept.state) == (None, "open")
    kind, subject, actor, detail = told()[-1]
    assert (kind, subject, actor) == ("delegation:removed", f"delegation:{number}", "dana")
    assert detail == {
        "before": {
            "name": "Cases",
            "group": "support",
            "max_duration": "2 h",
            "outsider_duration": "30 min",
            "max_open": 5,
            "max_per_day": 20,
            "roles": [catalogue.read_only.arn],
        },
        "after": {},
    }


@pytest.mark.django_db(transaction=True)
def test_what_was_handed_out_by_a_delegation_is_refused_once_that_is_removed(
    dana: Client, catalogue: Catalogue, cast: Cast, sts: FaultSTS
) -> None:
    row = support(cast, catalogue.read_only)
    given = handed_out(cast.bob, catalogue.read_only, cast.charlie)
    dana.post(f"{page_of(row)}end/")
    assert isinstance(answer_of(claim(cast.charlie, given)), Refused)
    assert sts.ledger.mints == []
    assert Event.objects.order_by("-id").values_list("kind", flat=True)[0] in {"issuance:denied", "handout:refused"}


def test_a_delegation_that_is_not_there_is_not_found(dana: Client, catalogue: Catalogue) -> None:
    for number in (0, 999_999, 10**30):
        assert dana.get(f"{LIST}{number}/").status_code == 404
        assert dana.post(f"{LIST}{number}/").status_code == 404
        assert dana.get(f"{LIST}{number}/end/").status_code == 404
        assert dana.post(f"{LIST}{number}/end/").status_code == 404
    assert told() == []


def test_removing_twice_is_not_found_and_recorded_once(dana: Client, catalogue: Catalogue) -> None:
    row = delegate(catalogue.support, catalogue.read_only)
    path = f"{page_of(row)}end/"
    assert [dana.post(path).status_code, dana.post(path).status_code] == [302, 404]
    assert [kind for kind, *_ in told()] == ["delegation:removed"]


@pytest.mark.parametrize("person", ["alice", "bob", "erin"])
def test_only_a_catalogue_admin_sees_or_changes_delegations(
    request: pytest.FixtureRequest, catalogue: Catalogue, cast: Cast, person: str
) -> None:
    client = request.getfixturevalue(person)
    row = support(cast, catalogue.read_only)
    for path in (LIST, NEW, page_of(row), f"{page_of(row)}end/"):
        assert client.get(path).status_code == 403
    for path in (NEW, page_of(row), f"{page_of(row)}end/"):
        assert client.post(path, asked(catalogue)).status_code == 403
    assert Delegation.objects.get() == row
    assert told() == []


def test_where_the_audit_cannot_be_written_nothing_is_changed(dana: Client, catalogue: Catalogue) -> None:
    row = delegate(catalogue.support, catalogue.read_only)
    new = {**opened(dana, NEW), **asked(catalogue)}
    fields = {**opened(dana, page_of(row)), "roles": [catalogue.on_call.id]}
    with unwritable_audit():
        for path, sent in ((NEW, new), (page_of(row), fields), (f"{page_of(row)}end/", {})):
            response = dana.post(path, sent)
            assert response.status_code == 503
            assert "Nothing was changed" in said(response)
    assert list(Delegation.objects.all()) == [row]
    assert list(row.roles.all()) == [catalogue.read_only]


def test_a_holder_without_the_duty_support_is_warned_of(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    group = delegate(catalogue.engineers, catalogue.read_only)
    person = delegate(cast.charlie, catalogue.read_only)
    sound = support(cast, catalogue.read_only)
    assert "The group engineers does not give the duty support." in said(dana.get(page_of(group)))
    assert "Charlie Novak has not the duty support, so the delegation does not count." in said(
        dana.get(page_of(person))
    )
    assert 'aria-label="What has no effect"' not in dana.get(page_of(sound)).content.decode()


def test_a_role_that_is_never_handed_out_is_warned_of(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    row = support(cast, catalogue.read_only, catalogue.on_call)
    Role.objects.filter(pk=catalogue.on_call.pk).update(needs_approval=True, approvers=catalogue.engineers)
    page = said(dana.get(page_of(row)))
    assert "Never handed out, because requests for it need approval: PaymentsOnCall in payments-prod." in page
    assert "needs approval: never handed out" in page


@pytest.mark.parametrize("lacks", ["the role does not allow it", "it needs a fresh sign-in"])
def test_outsiders_whom_the_role_does_not_allow_are_warned_of(
    dana: Client, catalogue: Catalogue, cast: Cast, lacks: str
) -> None:
    row = support(cast, catalogue.read_only, catalogue.on_call, outsider_minutes=30)
    changes = {"needs_step_up": True} if "fresh" in lacks else {"outsider_duration": None}
    Role.objects.filter(pk=catalogue.on_call.pk).update(**changes)
    page = said(dana.get(page_of(row)))
    words = "Not to outsiders, because the role does not allow it or needs a fresh sign-in: PaymentsOnCall in"
    assert words in page
    Delegation.objects.update(outsider_duration=None)
    assert words not in said(dana.get(page_of(row)))


def test_the_address_may_name_holder_and_role(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    role = catalogue.on_call
    assert opened(dana, f"{NEW}?group=support&role={role.id}")["roles"] == role.id
    assert opened(dana, f"{NEW}?group=support")["group"] == str(catalogue.support.pk)
    assert opened(dana, f"{NEW}?user=bob")["user"] == "bob"
    assert dana.get(f"{NEW}?role=%FF&user=%F0%9F%94%A5&group=-1").status_code == 200


def test_without_roles_the_page_says_what_comes_first(dana: Client, cast: Cast) -> None:
    assert "There are no roles yet." in said(dana.get(NEW))


def test_an_empty_list_says_what_a_delegation_is_and_a_search_that_finds_nothing_says_so(
    dana: Client, catalogue: Catalogue
) -> None:
    assert "Nobody hands anything out yet" in said(dana.get(LIST))
    delegate(catalogue.support, catalogue.read_only)
    assert "No delegation matches “zzz”" in said(dana.get(f"{LIST}?q=zzz"))


def test_the_list_finds_by_name_holder_recipients_and_role_with_as_many_statements(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    delegate(catalogue.support, catalogue.read_only, catalogue.on_call, name="Cases", recipients=catalogue.engineers)
    delegate(cast.charlie, catalogue.deployer, name="Releases")

    def found(query: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            page = dana.get(LIST, {"q": query}, headers={"HX-Request": "true"})
        return page.content.decode().count('class="holder"'), len(captured)

    _, few = found("")
    for query in ("cases", "support", "engineers", "oncall", "payments-prod cases", "readonly"):
        assert found(query)[0] == 1, query
    assert [found(query)[0] for query in ("charlie", "novak deployer", "cases deployer", "payments")] == [1, 1, 0, 2]
    for number in range(20):
        delegate(catalogue.support, *Role.objects.all(), name=f"More {number}")
    assert found("") == (22, few)


def test_the_list_counts_roles_production_and_open_hand_outs_apart(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    support(cast, catalogue.read_only, catalogue.on_call, catalogue.deployer, name="Cases")
    for number in range(2):
        handed_out(cast.bob, catalogue.read_only, cast.charlie, submission=f"submission-number-{number}")
    page = said(dana.get(LIST))
    assert "3 roles 2 in Production" in page
    assert "2 open now" in page


def test_two_hundred_delegations_and_three_hundred_roles_stay_usable(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    roles = [make_role(catalogue.staging, f"Role{number:03}") for number in range(300)]
    rows = Delegation.objects.bulk_create(
        Delegation(name=f"Delegation {number:03}", group=catalogue.support, max_duration=timedelta(hours=1))
        for number in range(MOST_LISTED + 1)
    )
    links = Delegation.roles.through
    links.objects.bulk_create(links(delegation=row, role=role) for row in rows for role in roles[:20])
    listed = dana.get(LIST).content.decode()
    assert listed.count('class="holder"') == MOST_LISTED
    assert f"These are the first {MOST_LISTED}." in listed
    response = send(dana, page_of(rows[0]), roles=[role.id for role in roles])
    assert response["Location"] == f"{page_of(rows[0])}?saved=changed"
    assert rows[0].roles.count() == 300
    with CaptureQueriesContext(connection) as many:
        assert dana.get(page_of(rows[0])).status_code == 200
    with CaptureQueriesContext(connection) as few:
        assert dana.get(page_of(rows[1])).status_code == 200
    assert len(many) == len(few)


def test_a_group_that_gives_the_duty_later_makes_the_delegation_count(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    group = Group.objects.create(name="second line")
    row = delegate(group, catalogue.read_only)
    assert "does not give the duty support" in said(dana.get(page_of(row)))
    give_duties("second line", (Duty.SUPPORT,), make_person("sam", "Sam Iyer"))
    assert "does not give the duty support" not in said(dana.get(page_of(row)))
