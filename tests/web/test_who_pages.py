"""The pages about who has access."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from credportal.audit.models import Event
from tests.support.cast import Cast, Catalogue, allow


def text_of(client: Client, path: str, *, status: int = 200, htmx: bool = False) -> str:
    response = client.get(path, headers={"hx-request": "true"} if htmx else {})
    assert response.status_code == status
    return response.content.decode().replace("<wbr>", "")


def test_the_matrix_shows_people_against_roles(erin: Client, catalogue: Catalogue) -> None:
    page = text_of(erin, "/who/")
    assert "Alice Engström" in page
    assert "PaymentsReadOnly" in page


def test_a_search_as_one_types_answers_with_the_matrix_alone(erin: Client, catalogue: Catalogue) -> None:
    page = text_of(erin, "/who/?people=alice&roles=deployer", htmx=True)
    assert "<html" not in page
    assert "Alice Engström" in page
    assert "Bob Osei" not in page


def test_a_search_that_finds_nothing_says_so(erin: Client, catalogue: Catalogue) -> None:
    assert "Nobody and nothing matches" in text_of(erin, "/who/?people=zzz")


def test_an_account_that_is_not_listed_is_a_mistake_of_the_form(erin: Client, catalogue: Catalogue) -> None:
    page = text_of(erin, "/who/?account=123&people=alice", status=422)
    assert 'value="alice"' in page


def test_a_role_says_how_many_have_it_through_which_rows(erin: Client, catalogue: Catalogue) -> None:
    page = text_of(erin, f"/who/roles/{catalogue.read_only.id}/")
    assert "2 people, through 2 rows" in page
    assert "engineers" in page
    assert "Never used" in page


def test_only_a_catalogue_admin_is_offered_to_end_a_row(erin: Client, dana: Client, catalogue: Catalogue) -> None:
    path = f"/who/roles/{catalogue.read_only.id}/"
    assert "End now" not in text_of(erin, path)
    assert "End now" in text_of(dana, path)


def test_one_click_ends_a_row_and_comes_back(dana: Client, catalogue: Catalogue) -> None:
    row = catalogue.deployer.eligibilities.get()
    path = f"/who/roles/{catalogue.deployer.id}/"
    response = dana.post(f"/catalogue/eligibilities/{row.pk}/end/", {"next": path})
    assert response.status_code == 302
    assert response["Location"].startswith(path)
    row.refresh_from_db()
    assert row.valid_until is not None
    assert row.valid_until <= timezone.now()
    assert Event.objects.get().kind == "eligibility:changed"
    assert "Nobody, at the moment" in text_of(dana, path)


def test_a_person_says_which_roles_and_because_of_what(erin: Client, catalogue: Catalogue) -> None:
    page = text_of(erin, "/who/people/alice/")
    assert "PaymentsOnCall" in page
    assert "A row of their own" in page
    assert "Group <bdi>engineers</bdi>" in page


def test_a_row_is_ended_from_the_page_of_its_person_too(dana: Client, erin: Client, catalogue: Catalogue) -> None:
    row = catalogue.administrator.eligibilities.get()
    assert "End now" not in text_of(erin, "/who/people/alice/")
    assert f'action="/catalogue/eligibilities/{row.pk}/end/"' in text_of(dana, "/who/people/alice/")
    response = dana.post(f"/catalogue/eligibilities/{row.pk}/end/", {"next": "/who/people/alice/"})
    assert response["Location"].startswith("/who/people/alice/")
    page = text_of(dana, "/who/people/alice/")
    assert f'action="/catalogue/eligibilities/{row.pk}/end/"' not in page
    assert "Ended" in page


def test_a_person_without_any_row_has_nothing(erin: Client, catalogue: Catalogue) -> None:
    assert "No row names this person" in text_of(erin, "/who/people/charlie/")


@pytest.mark.parametrize("path", ["/who/roles/nothing/", "/who/people/nobody/"])
def test_what_does_not_exist_is_not_found(erin: Client, catalogue: Catalogue, path: str) -> None:
    text_of(erin, path, status=404)


def test_why_not_says_the_sentence_of_the_rule_book(erin: Client, cast: Cast, catalogue: Catalogue) -> None:
    row = allow(catalogue.nobody, cast.charlie)
    row.valid_until = timezone.now() - timedelta(days=1)
    row.save()
    page = text_of(erin, f"/who/why/?person=charlie&role={catalogue.nobody.id}")
    assert "It ended on" in page
    assert "The rows that were tried" in page


def test_why_names_the_row_and_what_a_request_has_to_bring(erin: Client, catalogue: Catalogue) -> None:
    page = text_of(erin, "/who/why/?person=alice&role=PaymentsOnCall&duration=1+h")
    assert "the row of the group <bdi>engineers</bdi>" in page
    assert "a reason" in page


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("person=nobody&role=Deployer", "Nobody has this user name"),
        ("person=alice&role=Nothing", "No role has this ARN"),
        ("person=&role=", "This field is required"),
        ("person=alice&role=Deployer&duration=soon", "Write a number with its unit"),
        ("person=alice&role=Deployer&duration=13+h", "AWS allows"),
    ],
)
def test_a_question_with_a_mistake_keeps_what_was_typed(
    erin: Client, catalogue: Catalogue, query: str, words: str
) -> None:
    page = text_of(erin, f"/who/why/?{query}", status=422)
    assert words in page
    if "alice" in query:
        assert 'value="alice"' in page


def test_names_are_shown_as_text(erin: Client, cast: Cast, catalogue: Catalogue) -> None:
    cast.alice.name = "<script>alert(1)</script>"
    cast.alice.save()
    for path in ("/who/", "/who/people/alice/", f"/who/roles/{catalogue.read_only.id}/"):
        assert "<script>alert" not in text_of(erin, path)
