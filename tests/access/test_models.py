"""The catalogue's tables: what they refuse, on both databases, and the handle that never changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from hypothesis import given
from hypothesis import strategies as st

from credportal.access.models import Account, Eligibility, Favourite, Role, User, new_external_id, new_public_id
from credportal.domain.naming import is_public_id
from tests.support.cast import Cast, Catalogue

HOUR = timedelta(hours=1)


@contextmanager
def refused_by_the_database() -> Iterator[None]:
    with pytest.raises(IntegrityError), transaction.atomic():
        yield


# People.


def test_a_person_gets_a_handle_whoever_makes_them(db: None) -> None:
    made = [
        User.objects.create_user(username="jürgen", email="", password=None),
        User.objects.create(username="jürgen k"),
        User(username="jürgen=k"),
    ]
    made[2].save()
    assert [person.handle for person in made] == ["j=C3=BCrgen", "j=C3=BCrgen=20k", "j=C3=BCrgen=3Dk"]


def test_the_handle_stays_when_the_user_name_changes(cast: Cast) -> None:
    alice = cast.alice
    alice.username = "alice.engstrom"
    alice.save()
    alice.refresh_from_db()
    assert (alice.username, alice.handle) == ("alice.engstrom", "alice")


def test_a_new_person_with_a_name_that_was_given_up_never_shares_the_handle(cast: Cast) -> None:
    cast.alice.username = "alice.engstrom"
    cast.alice.save()
    with refused_by_the_database():
        User.objects.create(username="alice")


@pytest.mark.parametrize("name", ["alice\n", "alice smith", "\talice", "ali\x00ce", ""])
def test_a_user_name_holds_no_space_and_no_control_character(name: str) -> None:
    with pytest.raises(ValidationError):
        User(username=name, handle="alice", password="unused").clean_fields(exclude=["last_login", "date_joined"])


def test_user_names_are_unique(cast: Cast) -> None:
    with refused_by_the_database():
        User.objects.bulk_create([User(username="alice", handle="other")])


def test_a_time_zone_is_one_that_exists(cast: Cast) -> None:
    cast.alice.time_zone = "Europe/Atlantis"
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        cast.alice.full_clean()


def test_only_active_auditors_and_admins_may_review(cast: Cast) -> None:
    people = [cast.alice, cast.bob, cast.charlie, cast.dana, cast.erin]
    assert [person.may_review for person in people] == [False, False, False, True, True]
    for person in (cast.dana, cast.erin):
        gone = User.objects.get(pk=person.pk)
        gone.is_active = False
        assert not gone.may_review


def test_a_person_without_a_name_is_shown_by_the_user_name(cast: Cast) -> None:
    cast.alice.name = ""
    assert (str(cast.alice), str(cast.bob)) == ("alice", "Bob Osei")


# Accounts.


@pytest.mark.parametrize("number", ["", "12345678901", "1234567890123", "12345678901\n", "１２３４５６７８９０１２"])
def test_an_account_number_is_twelve_ascii_digits(number: str) -> None:
    field = Account._meta.get_field("number")
    assert isinstance(field, models.Field)
    with pytest.raises(ValidationError):
        field.clean(number, None)


def test_the_leading_zero_of_an_account_number_stays(db: None) -> None:
    Account.objects.create(number="012345678901", name="zero", environment="sandbox")
    assert Account.objects.get(name="zero").number == "012345678901"


def test_two_accounts_never_share_a_name(catalogue: Catalogue) -> None:
    with refused_by_the_database():
        Account.objects.create(number="000000000001", name=catalogue.sandbox.name, environment="sandbox")


def test_external_ids_are_random_and_what_aws_allows(db: None) -> None:
    made = {new_external_id() for _ in range(200)}
    assert len(made) == 200
    assert all(32 <= len(external_id) <= 1224 for external_id in made)
    assert all(
        set(external_id) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
        for external_id in made
    )


# Roles.


def test_a_role_gets_an_id_that_nobody_can_count(catalogue: Catalogue) -> None:
    assert is_public_id(catalogue.read_only.id)
    assert len({new_public_id() for _ in range(200)}) == 200


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "PaymentsReadOnly",
        "arn:aws:iam::491200653381:user/alice",
        "arn:aws:iam::491200653381:role/",
        "arn:aws:iam::491200653381:role/*",
        "arn:aws:iam::491200653381:role/Read?nly",
        "arn:aws:iam::*:role/ReadOnly",
        "arn:aws:iam::49120065338:role/ReadOnly",
        "arn:aws:sts::491200653381:assumed-role/ReadOnly/alice",
        "arn:aws:iam::491200653381:role/ReadOnly\n",
        "ARN:AWS:IAM::491200653381:ROLE/READONLY",
        "arn:aws:iam::491200653381:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "arn:aws:iam::491200653381:role/" + "p" * 560 + "/ReadOnly",
    ],
)
def test_a_role_arn_that_nobody_can_assume_is_refused(catalogue: Catalogue, arn: str) -> None:
    role = Role(arn=arn, default_region="eu-west-1", account=catalogue.production)
    with pytest.raises(ValidationError) as refused:
        role.full_clean()
    assert set(refused.value.message_dict) == {"arn"}


@given(st.text(max_size=80))
def test_any_text_is_a_role_arn_or_a_sentence(arn: str) -> None:
    field = Role._meta.get_field("arn")
    assert isinstance(field, models.Field)
    try:
        field.clean(arn, None)
    except ValidationError as refused:
        assert all(message.endswith(".") for message in refused.messages)  # noqa: PT017  # Both ends are right here.


def test_a_role_is_tied_to_the_account_in_its_arn(catalogue: Catalogue) -> None:
    role = Role(arn=f"arn:aws:iam::{catalogue.staging.number}:role/team/New", default_region="eu-west-1")
    role.full_clean()
    assert (role.account_id, role.name, role.partition) == (catalogue.staging.number, "New", "aws")


def test_a_role_needs_its_account_in_the_catalogue_first(db: None) -> None:
    with pytest.raises(ValidationError, match="Account 999900001111 is not in the catalogue"):
        Role(arn="arn:aws:iam::999900001111:role/New", default_region="eu-west-1").full_clean()


@pytest.mark.parametrize("duration", [timedelta(minutes=59), timedelta(hours=12, seconds=1), timedelta(0), -HOUR])
def test_a_role_lasts_1_to_12_hours(catalogue: Catalogue, duration: timedelta) -> None:
    role = catalogue.read_only
    role.max_session_duration = duration
    with pytest.raises(ValidationError, match="AWS allows 1 to 12 hours"):
        role.full_clean()
    with refused_by_the_database():
        role.save()


def test_a_role_stands_once_in_the_catalogue(catalogue: Catalogue) -> None:
    again = Role(arn=catalogue.read_only.arn, account=catalogue.production, default_region="eu-west-1")
    with refused_by_the_database():
        again.save()


def test_what_issuances_may_name_is_not_deleted_by_way_of_something_else(catalogue: Catalogue) -> None:
    for row in (catalogue.production, catalogue.read_only, catalogue.engineers):
        with pytest.raises(models.ProtectedError):
            row.delete()


# Eligibilities.


def test_an_eligibility_names_a_group_or_a_person(catalogue: Catalogue, cast: Cast) -> None:
    for holders in ({}, {"group": catalogue.engineers, "user": cast.alice}):
        row = Eligibility(role=catalogue.nobody, max_duration=HOUR, **holders)
        with pytest.raises(ValidationError, match="Name a group or a person, not both"):
            row.full_clean()
        with refused_by_the_database():
            row.save()


@pytest.mark.parametrize("duration", [timedelta(seconds=899), timedelta(hours=12, seconds=1), timedelta(0), -HOUR])
def test_an_eligibility_lasts_15_minutes_to_12_hours(catalogue: Catalogue, duration: timedelta) -> None:
    row = Eligibility(role=catalogue.nobody, group=catalogue.engineers, max_duration=duration)
    with pytest.raises(ValidationError, match="AWS allows 15 minutes to 12 hours"):
        row.full_clean()
    with refused_by_the_database():
        row.save()


@pytest.mark.parametrize("duration", [timedelta(minutes=15), timedelta(hours=12)])
def test_the_limits_themselves_are_taken(catalogue: Catalogue, duration: timedelta) -> None:
    row = Eligibility(role=catalogue.nobody, group=catalogue.engineers, max_duration=duration)
    row.full_clean()
    row.save()
    row.refresh_from_db()
    assert row.max_duration == duration


def test_a_group_or_person_has_one_row_for_a_role(catalogue: Catalogue, cast: Cast) -> None:
    for holder in ({"group": catalogue.engineers}, {"user": cast.alice}):
        Eligibility.objects.create(role=catalogue.nobody, max_duration=HOUR, **holder)
        with refused_by_the_database():
            Eligibility.objects.create(role=catalogue.nobody, max_duration=2 * HOUR, **holder)


def test_many_groups_and_people_may_have_the_same_role(catalogue: Catalogue, cast: Cast) -> None:
    for holder in (
        {"group": catalogue.engineers},
        {"group": catalogue.support},
        {"user": cast.alice},
        {"user": cast.bob},
    ):
        Eligibility.objects.create(role=catalogue.nobody, max_duration=HOUR, **holder)
    assert catalogue.nobody.eligibilities.count() == 4


# Favourites.


def test_a_role_is_starred_once_by_each_person(catalogue: Catalogue, cast: Cast) -> None:
    Favourite.objects.create(user=cast.alice, role=catalogue.read_only)
    Favourite.objects.create(user=cast.bob, role=catalogue.read_only)
    with refused_by_the_database():
        Favourite.objects.create(user=cast.alice, role=catalogue.read_only)


def test_every_row_says_what_it_is(catalogue: Catalogue, cast: Cast) -> None:
    star = Favourite.objects.create(user=cast.alice, role=catalogue.read_only)
    row = Eligibility.objects.get(role=catalogue.administrator)
    assert str(catalogue.sandbox) == "sandbox (602217449035)"
    assert str(catalogue.read_only) == "PaymentsReadOnly in 491200653381"
    assert str(row) == "Alice Engström: Administrator in 602217449035"
    assert str(star) == f"{cast.alice.pk}: {catalogue.read_only.id}"
    assert str(Group.objects.get(name="support")) == "support"
