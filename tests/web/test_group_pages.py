"""Groups: their names, duties and members; what each gives; who changed it stands in the audit."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from credportal.access.models import GroupDuty, User
from credportal.audit.models import Event
from tests.support.cast import Cast, Catalogue, give_duties
from tests.support.html import hidden
from tests.support.unwritable import unwritable_audit


def page(group: Group) -> str:
    return f"/groups/{group.pk}/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode().replace("<wbr>", ""))


def fields_of(client: Client, group: Group, **changed: Any) -> dict[str, Any]:
    """Return what the page of a group would send, with some fields changed."""
    seen = client.get(page(group)).content.decode()
    duties = list(GroupDuty.objects.filter(group=group).values_list("duty", flat=True))
    return {"name": group.name, "duties": duties, "state": hidden(seen, "state"), **changed}


def told() -> list[tuple[str, str, str, Any]]:
    """Return every event about a person or a group as kind, subject, actor and detail."""
    events = Event.objects.filter(kind__regex="^(person|group):").order_by("id")
    return [(event.kind, event.subject, event.actor_handle, event.detail) for event in events]


def names_in(group: Group) -> list[str]:
    return list(group.user_set.order_by("username").values_list("username", flat=True))


def test_a_group_is_added_with_duties_and_people(dana: Client, cast: Cast) -> None:
    answer = dana.post("/groups/new/", {"name": "desk", "duties": ["support"], "joining": "bob\n  charlie bob"})
    desk = Group.objects.get(name="desk")
    assert (answer.status_code, answer["Location"]) == (302, f"{page(desk)}?saved=1")
    assert names_in(desk) == ["bob", "charlie"]
    assert User.objects.get(handle="bob").duties == {"support"}
    group = {"before": {}, "after": {"name": "desk", "duties": ["support"], "members": ["bob", "charlie"]}}
    joined = {"before": {"groups": []}, "after": {"groups": ["desk"]}}
    assert told() == [
        ("group:added", "group:desk", "dana", group),
        ("person:changed", "person:bob", "dana", joined),
        ("person:changed", "person:charlie", "dana", joined),
    ]


def test_people_join_and_leave_and_each_of_them_has_an_event(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    fields = fields_of(dana, catalogue.engineers, joining="charlie", leaving=[cast.alice.pk])
    assert dana.post(page(catalogue.engineers), fields).status_code == 302
    assert names_in(catalogue.engineers) == ["charlie"]
    assert told() == [
        (
            "group:changed",
            "group:engineers",
            "dana",
            {"before": {}, "after": {"joined": ["charlie"], "left": ["alice"]}},
        ),
        ("person:changed", "person:alice", "dana", {"before": {"groups": ["engineers"]}, "after": {"groups": []}}),
        ("person:changed", "person:charlie", "dana", {"before": {"groups": []}, "after": {"groups": ["engineers"]}}),
    ]
    assert "joined: charlie" in text_of(dana.get(page(catalogue.engineers)))


def test_duties_count_at_the_next_click(dana: Client, alice: Client, cast: Cast, catalogue: Catalogue) -> None:
    assert alice.get("/audit/").status_code == 403
    assert (
        dana.post(page(catalogue.engineers), fields_of(dana, catalogue.engineers, duties=["auditor"])).status_code
        == 302
    )
    assert alice.get("/audit/").status_code == 200
    assert dana.post(page(catalogue.engineers), fields_of(dana, catalogue.engineers, duties=[])).status_code == 302
    assert alice.get("/audit/").status_code == 403
    assert [detail for *_, detail in told()] == [
        {"before": {"duties": []}, "after": {"duties": ["auditor"]}},
        {"before": {"duties": ["auditor"]}, "after": {"duties": []}},
    ]


def test_a_renamed_group_has_a_history_under_both_names(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    dana.post(page(catalogue.engineers), fields_of(dana, catalogue.engineers, name="builders"))
    assert Group.objects.get(pk=catalogue.engineers.pk).name == "builders"
    detail = {"before": {"name": "engineers"}, "after": {"name": "builders"}}
    assert told() == [("group:changed", f"group:{name}", "dana", detail) for name in ("builders", "engineers")]


def test_where_nothing_differs_nothing_is_written(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    fields = fields_of(dana, catalogue.engineers, joining="alice", leaving=[cast.bob.pk])
    assert dana.post(page(catalogue.engineers), fields)["Location"].endswith("?saved=0")
    assert told() == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "support"}, "There is a group with this name already"),
        ({"name": "SUPPORT"}, "There is a group with this name already"),
        ({"name": "enginееrs"}, "CYRILLIC"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"duties": ["superuser"]}, "Select a valid choice"),
        ({"joining": "zoe"}, "Nobody here has the user name zoe"),
        ({"joining": " ".join(f"p{n}" for n in range(1001))}, "Add at most 1000 people"),
        ({"leaving": ["one"]}, "Select a valid choice"),
        ({"state": ""}, "This field is required"),
    ],
)
def test_what_makes_no_sense_is_refused_and_what_was_typed_stays(
    dana: Client, cast: Cast, catalogue: Catalogue, changed: dict[str, Any], words: str
) -> None:
    typed = {"name": "builders", "joining": "charlie"}
    answer = dana.post(page(catalogue.engineers), fields_of(dana, catalogue.engineers, **{**typed, **changed}))
    assert (answer.status_code, words in text_of(answer)) == (422, True)
    assert ("charlie" if "name" in changed else 'value="builders"') in text_of(answer)
    assert (names_in(catalogue.engineers), told()) == (["alice"], [])


def test_two_admins_at_once_lose_nothing_and_the_second_one_is_told(
    dana: Client, cast: Cast, catalogue: Catalogue
) -> None:
    mine = fields_of(dana, catalogue.engineers, name="builders", joining="bob", leaving=[cast.alice.pk])
    dana.post(page(catalogue.engineers), fields_of(dana, catalogue.engineers, joining="charlie"))
    answer = dana.post(page(catalogue.engineers), mine)
    words = text_of(answer)
    assert answer.status_code == 409
    assert "Now: <bdi>engineers</bdi>" in words
    assert "Yours: <bdi>builders</bdi>" in words
    assert "Now: <bdi>Alice Engström, Charlie Novak</bdi>" in words
    assert "Yours: <bdi>add bob; take out Alice Engström</bdi>" in words
    assert re.search(rf'value="{cast.alice.pk}"\s+checked', answer.content.decode())
    assert names_in(catalogue.engineers) == ["alice", "charlie"]
    again = dana.post(page(catalogue.engineers), {**mine, "state": hidden(answer.content.decode(), "state")})
    assert again.status_code == 302
    assert names_in(Group.objects.get(name="builders")) == ["bob", "charlie"]


def test_a_page_of_a_person_that_was_opened_before_they_moved_is_told(
    dana: Client, cast: Cast, catalogue: Catalogue
) -> None:
    version = hidden(dana.get("/people/alice/profile/").content.decode(), "version")
    dana.post(page(catalogue.engineers), fields_of(dana, catalogue.engineers, leaving=[cast.alice.pk]))
    old = {"name": "Alice", "is_active": "on", "groups": [catalogue.engineers.pk], "version": version}
    assert dana.post("/people/alice/profile/", old).status_code == 409
    assert names_in(catalogue.engineers) == []


@pytest.mark.parametrize("what", ["duty", "member"])
def test_the_last_user_admin_stays(dana: Client, cast: Cast, what: str) -> None:
    admins = Group.objects.get(name="admins")
    changed: dict[str, Any] = {"duties": ["catalogue-admin"]} if what == "duty" else {"leaving": [cast.dana.pk]}
    answer = dana.post(page(admins), fields_of(dana, admins, **changed))
    assert (answer.status_code, "nobody who can sign in would look after people" in text_of(answer)) == (422, True)
    assert (User.objects.get(handle="dana").is_user_admin, told()) == (True, [])
    give_duties("admins", (), cast.erin)
    leaving = fields_of(dana, admins, leaving=[cast.dana.pk])
    assert dana.post(page(admins), leaving).status_code == 302


def test_the_page_says_what_the_group_gives_and_approves(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    catalogue.deployer.approvers = catalogue.engineers
    catalogue.deployer.save()
    words = text_of(dana.get(page(catalogue.engineers)))
    rights = words[words.index("What it gives its members") :]
    gives, approves = rights.split("Approves requests for")
    assert all(name in gives for name in ("PaymentsReadOnly", "PaymentsOnCall", "Deployer"))
    assert "Administrator" not in gives
    assert "Deployer" in approves.split("History")[0]


def test_links_into_the_catalogue_are_for_its_admins(
    cast: Cast, catalogue: Catalogue, sign_in: Callable[[User], Client]
) -> None:
    desk = Group.objects.create(name="people desk")
    GroupDuty.objects.create(group=desk, duty="user-admin")
    desk.user_set.add(cast.bob)
    assert "/catalogue/" in sign_in(cast.dana).get(page(catalogue.engineers)).content.decode()
    assert "/catalogue/" not in sign_in(cast.bob).get(page(catalogue.engineers)).content.decode()


def test_groups_are_listed_with_members_and_duties(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    rows = {row.name: (row.members, row.duties) for row in dana.get("/groups/").context["groups"]}
    assert rows == {
        "admins": (1, ("catalogue-admin", "user-admin")),
        "auditors": (1, ("auditor",)),
        "engineers": (1, ()),
        "support": (1, ()),
    }
    assert [row.name for row in dana.get("/groups/?q=SUPP").context["groups"]] == ["support"]


def test_many_groups_and_members_are_cut_and_cost_no_more_statements(
    dana: Client, cast: Cast, catalogue: Catalogue
) -> None:
    def statements(path: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert dana.get(path).status_code == 200
        return len(asked)

    paths = ("/groups/", page(catalogue.engineers), "/people/alice/profile/")
    few = [statements(path) for path in paths]
    Group.objects.bulk_create(Group(name=f"g{n:03}") for n in range(250))
    User.objects.bulk_create(User(username=f"p{n:03}", handle=f"p{n:03}") for n in range(150))
    catalogue.engineers.user_set.add(*User.objects.filter(username__startswith="p"))
    assert [statements(path) for path in paths] == few
    assert len(dana.get("/groups/").context["groups"]) == 200
    answer = dana.get(page(catalogue.engineers))
    assert (len(answer.context["members"]), answer.context["total"]) == (100, 151)
    found = dana.get(f"{page(catalogue.engineers)}?member=p14")
    assert [person.username for person in found.context["members"]] == [f"p14{n}" for n in range(10)]


def test_a_group_that_is_not_there_is_not_found(dana: Client, cast: Cast) -> None:
    assert dana.get("/groups/999/").status_code == 404


def test_without_the_audit_nothing_is_changed(dana: Client, cast: Cast, catalogue: Catalogue) -> None:
    fields = fields_of(dana, catalogue.engineers, duties=["auditor"], joining="bob")
    with unwritable_audit():
        assert dana.post(page(catalogue.engineers), fields).status_code == 503
        assert dana.post("/groups/new/", {"name": "desk"}).status_code == 503
    assert (names_in(catalogue.engineers), Group.objects.filter(name="desk").exists()) == (["alice"], False)
    assert not GroupDuty.objects.filter(group=catalogue.engineers).exists()
