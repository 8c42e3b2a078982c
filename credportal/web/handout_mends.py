"""What the fields of the form that hands out are called, and where each refusal is mended."""

from dataclasses import dataclass

from credportal.domain.types import DenialReason, Denied
from credportal.web.forms.handouts import HandoutForm

PARTS = {
    "role": ("Which role", "role"),
    "to": ("For whom", "whom"),
    "recipient": ("Colleague", "recipient"),
    "outsider_name": ("Name", "outsider-name"),
    "outsider_email": ("E-mail address", "outsider-email"),
    "duration": ("For how long", "duration"),
    "window": ("Can be claimed for", "window"),
    "reason": ("Reason", "reason"),
    "ticket": ("Ticket", "ticket"),
    "narrowing": ("Narrow it", "narrowing"),
    "submission": ("", ""),
}
"""What the fields are called on the page, and where a link to one leads."""
MENDS = {
    DenialReason.NOT_DELEGATED: ("Choose another role", "#role"),
    DenialReason.ROLE_DISABLED: ("Choose another role", "#role"),
    DenialReason.APPROVAL_NOT_HANDED_OUT: ("Choose another role", "#role"),
    DenialReason.HANDOUT_TO_SELF: ("Choose somebody else", "#whom"),
    DenialReason.RECIPIENT_UNKNOWN: ("Choose the recipient", "#whom"),
    DenialReason.RECIPIENT_INACTIVE: ("Choose somebody else", "#whom"),
    DenialReason.RECIPIENT_NOT_ALLOWED: ("Choose somebody else", "#whom"),
    DenialReason.RECIPIENT_IS_COLLEAGUE: ("Choose the colleague", "#whom"),
    DenialReason.OUTSIDERS_NOT_ALLOWED: ("Choose a colleague", "#whom"),
    DenialReason.DURATION_TOO_SHORT: ("Choose another duration", "#duration"),
    DenialReason.DURATION_TOO_LONG: ("Choose another duration", "#duration"),
    DenialReason.WINDOW_TOO_SHORT: ("Choose another window", "#window"),
    DenialReason.WINDOW_TOO_LONG: ("Choose another window", "#window"),
    DenialReason.NARROWING_NOT_ALLOWED: ("Choose again", "#narrowing"),
    DenialReason.OFF_DUTY: ("Look at the rota", "/rota/"),
    DenialReason.TOO_MANY_OPEN: ("Look at what is open", "/handouts/?state=open"),
}
"""Where the person mends a refusal alone, and what the link there says."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one field, and where it is."""

    label: str
    target: str
    why: str


def mistakes_in(form: HandoutForm) -> list[Mistake]:
    """Return what is wrong with a form that was sent, in the order of the page."""
    return [Mistake(*PARTS[name], str(error)) for name in PARTS for error in form.errors.get(name, ())]


def mend_of(denied: Denied | None, confirm_url: str) -> tuple[str, str]:
    """Return what the link says that leads to where a refusal is mended, and its address; empty where nobody can."""
    if denied is None:
        return "", ""
    if denied.reason is DenialReason.STEP_UP_REQUIRED:
        return "Confirm it is you", confirm_url
    return MENDS.get(denied.reason, ("", ""))
