"""The pages of eligibilities: adding, changing, ending, and what they refuse."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from credportal.access.models import Eligibility, Role, User
from credportal.access.selectors import MOST_LISTED, facts_for
from tests.support.cast import Cast, Catalogue, allow, make_person
from tests.support.forms import opened, send, told


def new(role: Role) -> str:
    return f"/catalogue/eligibilities/new/?role={role.id}"


def first(role: Role) -> Eligibility:
    row = role.eligibilities.order_by("id").first()
    assert row is not None
    return row


def test_a_group_gets_a_role_with_an_event_and_its_members_have_it(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    role = catalogue.nobody
    asked = {"group": str(catalogue.support.pk), "max_duration": "1 h 30 min", "needs_reason": "on", "note": "On call"}
    response = send(dana, new(role), **asked)
    row = role.eligibilities.get()
    assert response["Location"] == f"/catalogue/roles/{role.id}/?saved=eligibility"
    assert "give the role its trust policy now" in dana.get(response["Location"]).content.decode()
    assert (row.group, row.user, row.max_duration) == (catalogue.support, None, timedelta(minutes=90))
    assert [found.id for found in facts_for(cast.bob, role.id).eligibilities] == [row.pk]
    [(kind, subject, actor, detail)] = told()
    assert (kind, subject, actor, detail["before"]) == ("eligibility:added", f"eligibility:{row.pk}", "dana", {})
    assert detail["after"] == {
        "role": role.arn,
        "group": "support",
        "max_duration": "1 h 30 min",
        "needs_reason": True,
        "needs_ticket": False,
        "needs_step_up": False,
        "needs_approval": False,
        "note": "On call",
    }


def test_a_person_gets_a_role_by_user_name_or_handle(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    odd = make_person("zoë", "Zoë")
    assert odd.handle != odd.username
    send(dana, new(catalogue.nobody), user="charlie", max_duration="2 h")
    send(dana, new(catalogue.nobody), user=odd.handle, max_duration="2 h", break_glass_duration="30 min")
    assert set(catalogue.nobody.eligibilities.values_list("user", flat=True)) == {cast.charlie.pk, odd.pk}
    assert told()[0][3]["after"]["user"] == "charlie"
    assert told()[1][3]["after"]["break_glass_duration"] == "30 min"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Name a group or a person: one of the two."),
        ({"group": "G", "user": "charlie"}, "Name a group or a person: one of the two."),
        ({"group": "99999"}, "no such group"),
        ({"user": "nobody-here"}, "There is no such person."),
        ({"user": "chаrlie"}, "There is no such person."),
        ({"user": "x" * 5000}, "at most 150 characters"),
        ({"group": "G", "max_duration": ""}, "This field is required."),
        ({"group": "G", "max_duration": "14 min"}, "AWS allows 15 min to 12 h here. This is 14 min."),
        ({"group": "G", "max_duration": "12 h 1 min"}, "AWS allows 15 min to 12 h here."),
        ({"group": "G", "max_duration": "9" * 50}, "at most 40 characters"),
        ({"group": "G", "break_glass_duration": "10 min"}, "AWS allows 15 min to 12 h here."),
        ({"group": "G", "valid_from": "tomorrow"}, "Write a day between 2000 and 2999"),
        ({"group": "G", "valid_from": "0001-01-01T00:00"}, "Write a day between 2000 and 2999"),
        ({"group": "G", "valid_until": "9999-12-31T23:59"}, "Write a day between 2000 and 2999"),
        ({"group": "G", "valid_until": "2027-01-01T00:00+01:00"}, "Write a day between 2000 and 2999"),
        ({"group": "G", "valid_from": "2027-03-28T02:30"}, "The clocks skip this hour"),
        (
            {"group": "G", "valid_from": "2027-02-01T10:00", "valid_until": "2027-02-01T10:00"},
            "It would end before it begins.",
        ),
        ({"group": "G", "needs_approval": "on"}, "This role names nobody who approves."),
        ({"group": "G", "note": "two\nlines"}, "cannot see"),
    ],
)
def test_what_is_refused_says_why_keeps_what_was_typed_and_writes_nothing(
    dana: Client, catalogue: Catalogue, cast: Cast, changes: dict[str, str], words: str
) -> None:
    User.objects.filter(pk=cast.dana.pk).update(time_zone="Europe/Berlin")
    if changes.get("group") == "G":
        changes = {**changes, "group": str(catalogue.support.pk)}
    kept = {"note": "Kept"} if "note" not in changes else {}
    response = send(dana, new(catalogue.nobody), **{"max_duration": "2 h", **kept, **changes})
    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert words in page
    assert not kept or 'value="Kept"' in page, "what was typed is kept"
    assert not catalogue.nobody.eligibilities.exists()
    assert told() == []


def test_a_row_that_is_there_already_is_pointed_to(dana: Client, catalogue: Catalogue) -> None:
    row = first(catalogue.on_call)
    response = send(dana, new(catalogue.on_call), group=str(catalogue.engineers.pk), max_duration="2 h")
    page = response.content.decode()
    assert response.status_code == 422
    assert "This group has a row for this role already." in page
    assert f'href="/catalogue/eligibilities/{row.pk}/"' in page
    assert told() == []


def test_times_are_typed_and_shown_in_the_admin_s_time_zone(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    User.objects.filter(pk=cast.dana.pk).update(time_zone="Asia/Kolkata")
    send(dana, new(catalogue.nobody), user="charlie", max_duration="2 h", valid_until="2027-01-31T18:00")
    row = catalogue.nobody.eligibilities.get()
    assert row.valid_until == datetime(2027, 1, 31, 12, 30, tzinfo=UTC)
    path = f"/catalogue/eligibilities/{row.pk}/"
    assert opened(dana, path)["valid_until"] == "2027-01-31T18:00"
    assert "Until 31 Jan 2027, 18:00" in dana.get(path).content.decode()
    assert told()[0][3]["after"]["valid_until"] == "2027-01-31T12:30:00Z"


@pytest.mark.parametrize("second", [0, 1], ids=["in summer time", "an hour later, in winter time"])
def test_saving_another_field_leaves_a_moment_as_exact_as_it_was(
    dana: Client, catalogue: Catalogue, cast: Cast, second: int
) -> None:
    User.objects.filter(pk=cast.dana.pk).update(time_zone="Europe/Berlin")
    ends = datetime(2027, 10, 31, second, 30, 12, 345678, tzinfo=UTC)
    row = first(catalogue.on_call)
    Eligibility.objects.filter(pk=row.pk).update(valid_until=ends)
    send(dana, f"/catalogue/eligibilities/{row.pk}/", note="Why")
    row.refresh_from_db()
    assert row.valid_until == ends
    assert told()[0][3] == {"before": {"note": ""}, "after": {"note": "Why"}}


def test_a_change_keeps_only_what_changed_and_neither_role_nor_holder(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    row = first(catalogue.on_call)
    path = f"/catalogue/eligibilities/{row.pk}/"
    assert not {"role", "group", "user"} & opened(dana, path).keys()
    send(dana, path, max_duration="45 min", needs_ticket="on", needs_reason=None, user="charlie", group="", role="x")
    row.refresh_from_db()
    assert (row.group, row.user, row.role, row.version) == (catalogue.engineers, None, catalogue.on_call, 2)
    before = {"max_duration": "2 h", "needs_reason": True, "needs_ticket": False}
    after = {"max_duration": "45 min", "needs_reason": False, "needs_ticket": True}
    assert told() == [("eligibility:changed", f"eligibility:{row.pk}", "dana", {"before": before, "after": after})]


def test_saving_without_a_change_writes_nothing_and_says_so(dana: Client, catalogue: Catalogue) -> None:
    row = first(catalogue.on_call)
    response = send(dana, f"/catalogue/eligibilities/{row.pk}/")
    assert "Nothing changed." in dana.get(response["Location"]).content.decode()
    row.refresh_from_db()
    assert row.version == 1
    assert told() == []


@pytest.mark.parametrize(
    ("limits", "longest"),
    [
        ((12, False), ("8 h", "This row’s own limit.")),
        ((2, False), ("2 h", "maximum in AWS")),
        ((12, True), ("1 h", "AWS stops chained roles at 1 h")),
    ],
)
def test_the_page_shows_the_longest_duration_and_which_limit_sets_it(
    dana: Client, catalogue: Catalogue, settings: Settings, limits: tuple[int, bool], longest: tuple[str, str]
) -> None:
    (role_hours, settings.IDENTITY_CHAINS), (shown, why) = limits, longest
    Role.objects.filter(id=catalogue.deployer.id).update(max_session_duration=timedelta(hours=role_hours))
    page = dana.get(f"/catalogue/eligibilities/{first(catalogue.deployer).pk}/").content.decode()
    assert f'<b class="num">{shown}</b>' in page
    assert why in page


def test_ending_a_row_keeps_it_and_takes_the_role_away_at_once(dana: Client, catalogue: Catalogue, cast: Cast) -> None:
    row = first(catalogue.on_call)
    began = timezone.now()
    response = dana.post(f"/catalogue/eligibilities/{row.pk}/end/")
    row.refresh_from_db()
    assert response["Location"] == f"/catalogue/eligibilities/{row.pk}/?saved=ended"
    assert row.valid_until is not None
    assert began <= row.valid_until <= timezone.now()
    assert row.version == 2
    [(kind, subject, actor, detail)] = told()
    assert (kind, subject, actor) == ("eligibility:changed", f"eligibility:{row.pk}", "dana")
    assert detail == {
        "before": {"valid_until": None},
        "after": {"valid_until": f"{row.valid_until:%Y-%m-%dT%H:%M:%SZ}"},
    }
    assert "/end/" not in dana.get(f"/catalogue/eligibilities/{row.pk}/").content.decode()


def test_ending_a_row_that_has_ended_changes_nothing(dana: Client, catalogue: Catalogue) -> None:
    row = first(catalogue.on_call)
    ended = timezone.now() - timedelta(days=1)
    Eligibility.objects.filter(pk=row.pk).update(valid_until=ended)
    response = dana.post(f"/catalogue/eligibilities/{row.pk}/end/")
    row.refresh_from_db()
    assert response["Location"].endswith("?saved=nothing")
    assert (row.valid_until, row.version) == (ended, 1)
    assert told() == []


@pytest.mark.parametrize(
    ("wanted", "leads_back"),
    [
        ("/who/roles/x/?q=1", True),
        ("https://evil.example/", False),
        ("//evil.example/", False),
        ("javascript:alert(1)", False),
        ("\\\\evil.example", False),
        ("", False),
    ],
)
def test_ending_leads_back_only_to_a_page_of_ours(
    dana: Client, catalogue: Catalogue, wanted: str, leads_back: bool
) -> None:
    row = first(catalogue.on_call)
    response = dana.post(f"/catalogue/eligibilities/{row.pk}/end/", {"next": wanted})
    own = f"/catalogue/eligibilities/{row.pk}/?saved=ended"
    assert response.status_code == 302
    assert response["Location"] == (wanted if leads_back else own)


def test_ending_by_htmx_opens_the_page_to_go_back_to(dana: Client, catalogue: Catalogue) -> None:
    row = first(catalogue.on_call)
    path = f"/catalogue/eligibilities/{row.pk}/end/"
    response = dana.post(path, {"next": "/who/"}, headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/who/"


def test_only_a_catalogue_admin_ends_a_row(alice: Client, erin: Client, catalogue: Catalogue) -> None:
    row = first(catalogue.on_call)
    for client in (alice, erin):
        assert client.post(f"/catalogue/eligibilities/{row.pk}/end/").status_code == 403
    row.refresh_from_db()
    assert row.valid_until is None
    assert told() == []


def test_a_row_that_is_not_there_is_not_found(dana: Client, catalogue: Catalogue) -> None:
    for number in (0, 999_999, 10**30):
        assert dana.get(f"/catalogue/eligibilities/{number}/").status_code == 404
        assert dana.post(f"/catalogue/eligibilities/{number}/end/").status_code == 404


def test_without_a_role_the_page_offers_the_roles_and_passes_the_holder_on(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    page = unescape(dana.get("/catalogue/eligibilities/new/?user=charlie&q=oncall").content.decode())
    address = f"/catalogue/eligibilities/new/?role={catalogue.on_call.id}&user=charlie"
    assert f'href="{address}"' in page
    assert catalogue.deployer.id not in page
    assert opened(dana, address)["user"] == "charlie"
    by_group = f"{new(catalogue.on_call)}&group=support"
    assert opened(dana, by_group)["group"] == str(catalogue.support.pk)
    assert dana.post("/catalogue/eligibilities/new/", {"user": "charlie"}).status_code == 404


def test_the_list_leaves_out_what_has_ended_until_asked(dana: Client, catalogue: Catalogue) -> None:
    row = first(catalogue.on_call)
    Eligibility.objects.filter(pk=row.pk).update(valid_until=timezone.now() - timedelta(hours=1))
    link = f'href="/catalogue/eligibilities/{row.pk}/"'
    assert link not in dana.get("/catalogue/eligibilities/").content.decode()
    page = dana.get("/catalogue/eligibilities/?ended=1").content.decode()
    assert link in page
    assert "Ended " in page


def test_the_list_finds_by_role_holder_and_note_with_as_many_statements(
    dana: Client, catalogue: Catalogue, cast: Cast
) -> None:
    def found(query: str) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            page = dana.get("/catalogue/eligibilities/", {"q": query}, headers={"HX-Request": "true"})
        return page.content.decode().count('class="holder"'), len(captured)

    (every, few), (of_alice, _), (of_support, _) = found(""), found("alice"), found("readonly support")
    assert (every, of_alice, of_support) == (5, 1, 1)
    for person in (cast.bob, cast.charlie, cast.dana, cast.erin):
        allow(catalogue.deployer, person)
    assert found("") == (9, few)


def test_a_long_list_is_cut_and_says_so(dana: Client, catalogue: Catalogue) -> None:
    people = User.objects.bulk_create(
        User(username=f"p{number}", handle=f"p{number}") for number in range(MOST_LISTED + 1)
    )
    Eligibility.objects.bulk_create(
        Eligibility(role=catalogue.nobody, user=person, max_duration=timedelta(hours=1)) for person in people
    )
    for path in (f"/catalogue/roles/{catalogue.nobody.id}/", "/catalogue/eligibilities/"):
        page = dana.get(path).content.decode()
        assert page.count('class="holder"') == MOST_LISTED
        assert f"These are the first {MOST_LISTED}." in page
