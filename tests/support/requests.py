"""Roles that need an approval or allow break-glass, and the people who decide."""

from datetime import timedelta

from django.contrib.auth.models import Group
from django.utils import timezone

from credportal.access.models import Eligibility, Role, User
from credportal.audit.models import Event
from credportal.domain.types import IssuanceRequest, Origin
from credportal.flows.approval import collect
from credportal.flows.deciding import Step, agree
from credportal.flows.issue import Answer, Waiting, issue
from tests.support.cast import Catalogue

ORIGIN = Origin(address="203.0.113.24", user_agent="tests", request_id="0123456789abcdef")


def guard(catalogue: Catalogue, *approvers: User, needed: int = 1) -> Role:
    """Let the role ``on_call`` need an approval of these people, and allow break-glass for 30 minutes."""
    group, _ = Group.objects.get_or_create(name="payments-leads")
    group.user_set.set(approvers)
    Role.objects.filter(id=catalogue.on_call.id).update(approvers=group, approvals_needed=needed, needs_approval=True)
    Eligibility.objects.filter(role=catalogue.on_call).update(break_glass_duration=timedelta(minutes=30))
    return Role.objects.get(id=catalogue.on_call.id)


def ask(
    user: User, role: Role, *, minutes: int = 60, submission: str = "submission-of-a-test", **more: object
) -> Answer:
    asked = IssuanceRequest(
        role_id=role.id,
        duration=timedelta(minutes=minutes),
        submission=submission,
        **{"reason": "The queue is stuck", **more},  # type: ignore[arg-type]  # fields of the request
    )
    return issue(user=user, asked=asked, origin=ORIGIN, now=timezone.now())


def waiting(user: User, role: Role, **more: object) -> str:
    """Ask for what needs an approval; return the id of the request."""
    answer = ask(user, role, **more)  # type: ignore[arg-type]  # as above
    assert isinstance(answer, Waiting), answer
    return answer.approval_id


def say_yes(user: User, approval_id: str, *, minutes: int = 60, comment: str = "") -> Step:
    return agree(
        user=user,
        approval_id=approval_id,
        max_duration=timedelta(minutes=minutes),
        comment=comment,
        origin=ORIGIN,
        now=timezone.now(),
    )


def take(user: User, approval_id: str, submission: str = "submission-to-collect") -> object:
    return collect(user=user, approval_id=approval_id, submission=submission, origin=ORIGIN, now=timezone.now())


def story(subject: str) -> list[str]:
    """Return the kinds of the events about one subject, in their order."""
    return list(Event.objects.filter(subject=subject).order_by("id").values_list("kind", flat=True))
