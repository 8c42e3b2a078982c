"""The reads of the catalogue: the facts are right, and few statements gather them whatever its size."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from pytest_django import DjangoAssertNumQueries, Settings

from credportal.access import selectors
from credportal.access.models import Eligibility, Favourite, User
from credportal.domain.policy import decide
from credportal.domain.types import Actor, EligibilityFacts, Environment, Granted, IssuanceRequest, Needs
from tests.support.cast import Cast, Catalogue, allow, make_role

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


def names(user: User) -> list[str]:
    return sorted(facts.role.name for facts in selectors.catalogue_of(user) if facts.role)


def grow(catalogue: Catalogue, cast: Cast) -> None:
    """Add 60 roles, 20 groups with Alice in them, and a row for each pair of ten."""
    groups = [Group.objects.create(name=f"group {number}") for number in range(20)]
    for group in groups:
        group.user_set.add(cast.alice)
    for number in range(60):
        role = make_role(catalogue.sandbox, f"Role{number}")
        allow(role, groups[number % 20])
        allow(role, groups[(number + 1) % 20], hours=1)


def test_the_facts_tell_all_of_the_role_and_its_account(catalogue: Catalogue, cast: Cast) -> None:
    facts = selectors.facts_for(cast.alice, catalogue.read_only.id)
    role, account = facts.role, catalogue.production
    assert role is not None
    assert facts.actor == Actor(id=cast.alice.pk, handle="alice", name="Alice Engström", is_active=True)
    assert (role.id, role.arn, role.name) == (catalogue.read_only.id, catalogue.read_only.arn, "PaymentsReadOnly")
    assert (role.account_number, role.account_name, role.account_owner) == (
        account.number, account.name, "Payments Platform",
    )  # fmt: skip
    assert (role.environment, role.external_id) == (Environment.PRODUCTION, account.external_id)
    assert (role.max_session_duration, role.default_region, role.enabled) == (12 * HOUR, "eu-west-1", True)
    assert (role.accepts_source_identity, role.accepts_session_tags) == (True, True)


def test_a_row_of_a_group_and_a_row_of_the_person_both_count(catalogue: Catalogue, cast: Cast) -> None:
    personal = allow(catalogue.read_only, cast.alice, hours=2, needs_reason=True)
    Eligibility.objects.filter(pk=personal.pk).update(valid_from=NOW, valid_until=NOW + HOUR)
    facts = selectors.facts_for(cast.alice, catalogue.read_only.id)
    by_group, by_name = sorted(facts.eligibilities, key=lambda row: row.id)
    assert (by_group.group, by_group.max_duration, by_group.needs.reason) == ("engineers", 4 * HOUR, False)
    assert by_name == EligibilityFacts(personal.pk, "", 2 * HOUR, Needs(reason=True), NOW, NOW + HOUR)


def test_rows_of_other_people_and_groups_do_not_count(catalogue: Catalogue, cast: Cast) -> None:
    allow(catalogue.nobody, cast.bob)
    assert selectors.facts_for(cast.alice, catalogue.nobody.id).eligibilities == ()
    assert selectors.facts_for(cast.alice, catalogue.nobody.id).role is not None


def test_two_groups_give_two_rows_and_no_row_twice(catalogue: Catalogue, cast: Cast) -> None:
    catalogue.support.user_set.add(cast.alice)
    rows = selectors.facts_for(cast.alice, catalogue.read_only.id).eligibilities
    assert sorted(row.group for row in rows) == ["engineers", "support"]


@pytest.mark.parametrize("role_id", ["", "000000000000", "x" * 500, "' OR 1=1 --", "ROLE", "../..", "٣"])
def test_an_unknown_role_is_a_fact_without_a_role(catalogue: Catalogue, cast: Cast, role_id: str) -> None:
    facts = selectors.facts_for(cast.alice, role_id)
    assert (facts.role, facts.eligibilities) == (None, ())


def test_a_role_id_in_other_capitals_is_another_role(catalogue: Catalogue, cast: Cast) -> None:
    catalogue.read_only.id = "abcdefghjkmn"
    catalogue.read_only.arn += "2"
    catalogue.read_only.save(force_insert=True)
    assert selectors.facts_for(cast.alice, "abcdefghjkmn").role is not None
    assert selectors.facts_for(cast.alice, "ABCDEFGHJKMN").role is None


def test_the_catalogue_of_a_person_is_every_role_that_some_row_gives_them(catalogue: Catalogue, cast: Cast) -> None:
    assert names(cast.alice) == ["Administrator", "Deployer", "PaymentsOnCall", "PaymentsReadOnly"]
    assert names(cast.bob) == ["PaymentsReadOnly"]
    assert names(cast.charlie) == []


def test_the_catalogue_says_the_same_of_a_role_as_its_own_facts(catalogue: Catalogue, cast: Cast) -> None:
    allow(catalogue.read_only, cast.alice, hours=2)
    for facts in selectors.catalogue_of(cast.alice):
        assert facts.role is not None
        alone = selectors.facts_for(cast.alice, facts.role.id)
        assert (facts.actor, facts.role, facts.chaining_ceiling) == (alone.actor, alone.role, alone.chaining_ceiling)
        assert set(facts.eligibilities) == set(alone.eligibilities)


def test_a_role_that_is_switched_off_is_not_listed(catalogue: Catalogue, cast: Cast) -> None:
    catalogue.read_only.enabled = False
    catalogue.read_only.save()
    assert "PaymentsReadOnly" not in names(cast.alice)
    facts = selectors.facts_for(cast.alice, catalogue.read_only.id)
    assert facts.role is not None
    assert (facts.role.enabled, len(facts.eligibilities)) == (False, 1)


def test_a_row_that_is_taken_away_counts_at_once(catalogue: Catalogue, cast: Cast) -> None:
    asked = IssuanceRequest(role_id=catalogue.read_only.id, duration=HOUR)

    def is_granted() -> bool:
        facts = selectors.facts_for(cast.alice, catalogue.read_only.id)
        return isinstance(decide(asked, facts, issuance_id="4k2m9x7c1p0z", now=NOW), Granted)

    assert is_granted()
    catalogue.engineers.user_set.remove(cast.alice)
    assert not is_granted()
    catalogue.engineers.user_set.add(cast.alice)
    assert is_granted()
    Eligibility.objects.filter(role=catalogue.read_only).delete()
    assert not is_granted()


def test_a_person_who_is_switched_off_is_a_fact(catalogue: Catalogue, cast: Cast) -> None:
    cast.alice.is_active = False
    assert not selectors.facts_for(cast.alice, catalogue.read_only.id).actor.is_active


@pytest.mark.parametrize(("chains", "ceiling"), [(True, HOUR), (False, None)])
def test_a_portal_on_a_role_session_is_told_of_the_hour(
    catalogue: Catalogue, cast: Cast, settings: Settings, chains: bool, ceiling: timedelta | None
) -> None:
    settings.IDENTITY_CHAINS = chains
    assert selectors.facts_for(cast.alice, catalogue.read_only.id).chaining_ceiling == ceiling
    assert {facts.chaining_ceiling for facts in selectors.catalogue_of(cast.alice)} == {ceiling}


def test_favourites_and_groups_are_the_persons_own(catalogue: Catalogue, cast: Cast) -> None:
    Favourite.objects.create(user=cast.alice, role=catalogue.read_only)
    Favourite.objects.create(user=cast.bob, role=catalogue.on_call)
    catalogue.support.user_set.add(cast.alice)
    assert selectors.favourite_ids(cast.alice) == {catalogue.read_only.id}
    assert selectors.group_names(cast.alice) == ["engineers", "support"]
    assert selectors.group_names(cast.charlie) == []


def test_facts_take_two_statements_whatever_the_size(
    catalogue: Catalogue, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        selectors.facts_for(cast.alice, catalogue.read_only.id)
    grow(catalogue, cast)
    with django_assert_num_queries(2):
        facts = selectors.facts_for(cast.alice, catalogue.read_only.id)
        assert len([row.holder for row in facts.eligibilities]) == 1


def test_a_catalogue_takes_one_statement_whatever_the_size(
    catalogue: Catalogue, cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert len(selectors.catalogue_of(cast.alice)) == 4
    grow(catalogue, cast)
    with django_assert_num_queries(1):
        everything = selectors.catalogue_of(cast.alice)
    assert len(everything) == 64
    assert sum(len(facts.eligibilities) for facts in everything) == 124
