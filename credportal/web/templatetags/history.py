"""What the templates say about the events of the audit."""

from django import template

from credportal.audit.models import Event
from credportal.domain.sentences import sentence_for

register = template.Library()

EVENTS = {
    "issuance:requested": "Asked",
    "issuance:denied": "Refused",
    "issuance:retried": "Tried once more",
    "issuance:issued": "Issued by AWS",
    "issuance:failed": "Failed",
    "issuance:unknown": "Outcome unknown",
    "console:opened": "Console opened",
    "console:failed": "Console not opened",
    "account:added": "Account added",
    "account:changed": "Account changed",
    "role:added": "Role added",
    "role:changed": "Role changed",
    "eligibility:added": "Eligibility added",
    "eligibility:changed": "Eligibility changed",
    "eligibility:removed": "Eligibility removed",
    "group:added": "Group added",
    "group:changed": "Group changed",
    "person:added": "Person added",
    "person:changed": "Person changed",
    "person:password-set": "Password set",
    "probe:started": "Probe started",
    "probe:passed": "Probe passed",
    "probe:refused": "Probe refused",
    "probe:failed": "Probe failed",
    "approval:requested": "Approval asked for",
    "approval:agreed": "One approver agreed",
    "approval:approved": "Approved",
    "approval:denied": "Denied by an approver",
    "approval:withdrawn": "Withdrawn",
    "approval:expired": "Expired",
    "approval:collected": "Collected",
    "approval:returned": "Given back",
    "review:opened": "Review opened",
    "review:returned": "Review taken back",
    "review:closed": "Review closed",
    "issuance:closed": "Looked into",
    "sign-in:succeeded": "Signed in",
    "sign-in:failed": "Sign-in refused",
    "sign-in:ended": "Signed out",
    "sign-in:confirmed": "Password confirmed",
    "sign-in:not-confirmed": "Password not confirmed",
    "person:password-changed": "Own password changed",
    "audit:read": "Audit read",
    "audit:export-started": "Export started",
    "audit:export-finished": "Export ended",
    "audit:archived": "Events archived",
    "delegation:added": "Delegation added",
    "delegation:changed": "Delegation changed",
    "delegation:removed": "Delegation removed",
    "rota:added": "Rota added",
    "rota:changed": "Rota changed",
    "handout:made": "Handed out",
    "handout:denied": "Hand-out refused",
    "handout:linked": "New link made",
    "handout:shortened": "Claim window shortened",
    "handout:cancelled": "Hand-out cancelled",
    "handout:expired": "Hand-out expired",
    "handout:claimed": "Claimed",
    "handout:returned": "Claim given back",
    "handout:burned": "Claimed, outcome unknown",
    "handout:refused": "Claim refused",
    "handout:wrong-person": "Claim by the wrong person",
    "handout:wrong-code": "Wrong code",
    "handout:locked": "Hand-out locked",
    "handout:reported": "“This was not me”",
}


@register.filter
def event_words(kind: str) -> str:
    """Say what an event of the audit was, in a word or two; an unknown kind says its own name."""
    return EVENTS.get(kind, kind)


@register.filter
def code_words(code: str) -> str:
    """Say why something failed or is not known."""
    return sentence_for(code) if code else "The outcome is not known"


@register.filter
def beginning(digest: bytes) -> str:
    """Write the first characters of an event's hash: enough to compare two by eye."""
    return bytes(digest).hex()[:12]


@register.filter
def hexadecimal(digest: bytes) -> str:
    """Write the whole hash of an event."""
    return bytes(digest).hex()


@register.filter
def event_lines(event: Event) -> list[str]:
    """Say what an event kept: the row that allowed it, the rows that did not, its code's sentence, what it changed."""
    detail = event.detail
    lines = [f"Allowed: {event.source}, {detail['eligibility']}"] if detail.get("eligibility") else []
    lines += [str(row) for row in detail.get("tried", ())]
    if event.code:
        lines.append(sentence_for(event.code))
    before, after = detail.get("before") or {}, detail.get("after") or {}
    for name in [*before, *(name for name in after if name not in before)]:
        words = name.replace("_", " ")
        lines.append(
            f"{words}: {_text(before[name])} → {_text(after.get(name))}"
            if name in before
            else f"{words}: {_text(after[name])}"
        )
    return lines


def _text(value: object) -> str:
    """Write one value of a change as a person reads it."""
    if value is None or value in ("", []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
