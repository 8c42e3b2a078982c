"""The audit's own INSERT against the ORM's."""

from datetime import UTC, datetime, timedelta

import pytest
from django.forms.models import model_to_dict

from credportal.audit.models import Issuance
from credportal.audit.rows import insert


def an_issuance(number: int) -> Issuance:
    return Issuance(
        id=f"issuance{number}",
        submission=f"submission-{number}",
        status="requested",
        actor_id=7,
        actor_handle="alice",
        actor_name="Alice “%s” Engström",
        role_id="r",
        duration_asked=timedelta(minutes=90),
        duration_given=timedelta(hours=1),
        expiration=datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC),
        packed_policy_size=6,
        reason="100 % % %s %(x)s ' \" \\",
    )


@pytest.mark.django_db
def test_an_inserted_issuance_reads_back_as_one_that_the_orm_saved() -> None:
    insert(an_issuance(1))
    an_issuance(2).save(force_insert=True)
    one, two = (model_to_dict(row, exclude=["id", "submission", "requested_at"]) for row in Issuance.objects.all())
    assert one == two


@pytest.mark.django_db
def test_the_database_fills_the_time_of_an_inserted_row() -> None:
    insert(an_issuance(1))
    an_issuance(2).save(force_insert=True)
    one, two = Issuance.objects.order_by("id")
    assert abs(two.requested_at - one.requested_at) < timedelta(minutes=1)
