"""How a request for approval is decided or withdrawn: one row, one event and at most one result for each step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from credportal.access import approvals
from credportal.access.models import Approval, ApprovalState, User
from credportal.access.selectors import requests as access
from credportal.audit import record
from credportal.audit.models import EventKind
from credportal.domain.durations import MIN_DURATION, describe_duration
from credportal.domain.types import Origin
from credportal.flows.about import about_approval
from credportal.flows.answers import AuditUnavailable
from credportal.flows.approval import MOVED, NotDone, append

log = structlog.get_logger(__name__)

COLLECT_WINDOW = timedelta(hours=8)
"""How long the credentials can be collected once the request is approved."""


@dataclass(frozen=True, slots=True)
class Done:
    """The step is committed. ``state`` is where the request stands now."""

    state: ApprovalState


Step = Done | NotDone | AuditUnavailable | None
"""None where there is no such request for this person."""


def may_decide(user: User, approval: Approval) -> bool:
    """Tell whether this person is one of the request's approvers. Nobody approves what they ask for."""
    return user.pk != approval.requester_id and access.approves(user, approval.role.approvers_id)


def may_see(user: User, approval: Approval) -> bool:
    """Tell whether this request is for this person at all: their own, theirs to decide, or a reviewer's."""
    return user.pk == approval.requester_id or user.may_review or access.approves(user, approval.role.approvers_id)


def agree(
    *, user: User, approval_id: str, max_duration: timedelta, comment: str, origin: Origin, now: datetime
) -> Step:
    """Agree as one approver, up to ``max_duration``. The last one needed lets the requester collect."""
    approval = _for_deciding(user, approval_id)
    if not isinstance(approval, Approval):
        return approval
    if not MIN_DURATION <= max_duration <= approval.duration_asked:
        return NotDone(f"Choose 15 min to {describe_duration(approval.duration_asked)}.", 422)

    def write() -> ApprovalState:
        tally = approvals.agree(approval, by=user, max_duration=max_duration, comment=comment, now=now)
        said = {"up_to": describe_duration(max_duration)} | ({"comment": comment} if comment else {})
        about = about_approval(approval, duration_given=max_duration)
        append(EventKind.APPROVAL_AGREED, approval, user, origin, detail={"after": said}, about=about)
        if tally.agreed < approval.role.approvals_needed:
            return ApprovalState.WAITING
        until = now + COLLECT_WINDOW
        approvals.approve(approval.id, max_duration=tally.max_duration, now=now, collect_until=until)
        after = {"up_to": describe_duration(tally.max_duration), "collect_until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
        about = about_approval(approval, duration_given=tally.max_duration)
        append(EventKind.APPROVAL_APPROVED, approval, user, origin, detail={"after": after}, about=about)
        return ApprovalState.APPROVED

    return _step(approval, write)


def deny(*, user: User, approval_id: str, comment: str, origin: Origin, now: datetime) -> Step:
    """Deny as one approver, with a comment: that ends the request."""
    approval = _for_deciding(user, approval_id)
    if not isinstance(approval, Approval):
        return approval
    if not comment.strip():
        return NotDone("Write why you deny it. One sentence is enough.", 422)

    def write() -> ApprovalState:
        approvals.deny(approval, by=user, comment=comment, now=now)
        append(EventKind.APPROVAL_DENIED, approval, user, origin, detail={"after": {"comment": comment}})
        return ApprovalState.DENIED

    return _step(approval, write)


def withdraw(*, user: User, approval_id: str, origin: Origin, now: datetime) -> Step:
    """End one's own request, as long as it is neither collected nor over."""
    approval = access.approval(approval_id)
    if approval is None or approval.requester_id != user.pk:
        return None

    def write() -> ApprovalState:
        approvals.withdraw(approval.id, now=now)
        append(EventKind.APPROVAL_WITHDRAWN, approval, user, origin)
        return ApprovalState.WITHDRAWN

    return _step(approval, write)


def _for_deciding(user: User, approval_id: str) -> Approval | NotDone | None:
    approval = access.approval(approval_id)
    if approval is None or not may_see(user, approval):
        return None
    if not may_decide(user, approval):
        log.warning("approval.refused", approval_id=approval.id, actor=user.handle)
        return NotDone("This request is not yours to decide. Nobody decides what they ask for themselves.", 403)
    return approval


def _step(approval: Approval, write: Callable[[], ApprovalState]) -> Done | NotDone | AuditUnavailable:
    """Commit one step with its events; what stops it becomes a value."""
    try:
        with record.committed():
            state = write()
    except approvals.Moved:
        return MOVED
    except record.AuditUnavailable as error:
        log.exception("audit.unavailable", approval_id=approval.id, cause=str(error))
        return AuditUnavailable(minted=False, issuance_id="")
    return Done(state)
