"""What the pages show of a request that waits for approval."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from credportal.access.models import Approval, ApprovalDecision, ApprovalState, User
from credportal.access.selectors import requests as access
from credportal.audit import selectors as audit
from credportal.domain.narrowing import describe
from credportal.domain.types import Environment
from credportal.flows.deciding import may_decide, may_see
from credportal.web import offers
from credportal.web.forms.approvals import DecideForm


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """One request as a list shows it. ``state`` is what it is by the clock, whether or not housekeeping ran."""

    id: str
    state: str
    requester: str
    handle: str
    role_name: str
    account_name: str
    environment: Environment
    approval: Approval

    @property
    def is_waiting(self) -> bool:
        """Tell whether approvers can decide it."""
        return self.state == ApprovalState.WAITING

    @property
    def is_ready(self) -> bool:
        """Tell whether the requester can collect the credentials."""
        return self.state == ApprovalState.APPROVED


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """One request as its own page shows it to one person. ``version`` changes when the page would."""

    row: ApprovalRow
    narrowed: tuple[str, ...]
    approvers: str
    needed: int
    decisions: tuple[ApprovalDecision, ...]
    is_mine: bool
    may_decide: bool
    submission: str

    @property
    def agreed(self) -> int:
        """Return how many approvers have agreed."""
        return sum(1 for decision in self.decisions if decision.agrees)

    @property
    def version(self) -> str:
        """Return what a page that watches the request has seen. Whoever is writing a decision keeps what they wrote."""
        return self.row.state if self.may_decide else f"{self.row.state}-{len(self.decisions)}"


def row_of(approval: Approval, *, now: datetime) -> ApprovalRow:
    """Return a request as a list shows it."""
    is_open = approval.state in {ApprovalState.WAITING, ApprovalState.APPROVED}
    return ApprovalRow(
        id=approval.id,
        state=ApprovalState.EXPIRED.value if is_open and access.is_over(approval, now) else str(approval.state),
        requester=str(approval.requester),
        handle=approval.requester.handle,
        role_name=approval.role.name,
        account_name=approval.role.account.name,
        environment=Environment(approval.role.account.environment),
        approval=approval,
    )


def page_of(approval_id: str, user: User, *, now: datetime) -> ApprovalPage | None:
    """Return the page of a request, None where there is none for this person."""
    approval = access.approval(approval_id)
    if approval is None or not may_see(user, approval):
        return None
    row = row_of(approval, now=now)
    decisions = tuple(approval.decisions.all())
    has_decided = any(decision.approver_id == user.pk for decision in decisions)
    return ApprovalPage(
        row=row,
        narrowed=describe(access.narrowing_of(approval)),
        approvers=approval.role.approvers.name if approval.role.approvers else "",
        needed=approval.role.approvals_needed,
        decisions=decisions,
        is_mine=approval.requester_id == user.pk,
        may_decide=row.is_waiting and not has_decided and may_decide(user, approval),
        submission=offers.new_submission(),
    )


def context_of(page: ApprovalPage, form: DecideForm | None = None) -> dict[str, Any]:
    """Return what ``approvals/waiting.html`` shows. ``form`` is the one that was sent, where there was one."""
    approval = page.row.approval
    if form is None and page.may_decide:
        form = DecideForm(longest=approval.duration_asked)
    return {"page": page, "approval": approval, "form": form, "history": audit.history_of(f"approval:{approval.id}")}


def waiting_context(approval_id: str, user: User) -> dict[str, Any]:
    """Return what ``approvals/waiting.html`` and its fragment show to the person who has just asked."""
    page = page_of(approval_id, user, now=timezone.now())
    return context_of(page) if page else {}
