"""What the list of the audit says about one event."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from credportal.audit.models import EventKind
from credportal.audit.selectors.search import OUTCOME_KINDS
from credportal.web.templatetags.history import event_words
from credportal.web.templatetags.portal import outcome

register = template.Library()

_STATUSES = {kind: status for status, kind in OUTCOME_KINDS.items()}
# What was not let in or did not come about is marked as a refusal or failure of a request is.
_LIKE = {
    EventKind.CONSOLE_FAILED.value: "failed",
    EventKind.PROBE_FAILED.value: "failed",
    EventKind.PROBE_REFUSED.value: "refused",
    EventKind.APPROVAL_DENIED.value: "refused",
    EventKind.SIGN_IN_FAILED.value: "refused",
    EventKind.CONFIRM_FAILED.value: "refused",
}


@register.simple_tag
def event_outcome(kind: str) -> SafeString:
    """Label what an event says came of a request, with icon and word, or what else happened, in words."""
    if kind in _STATUSES:
        return outcome(_STATUSES[kind])
    return format_html('<span class="out said {}">{}</span>', _LIKE.get(kind, ""), event_words(kind))


@register.filter
def is_outcome(kind: str) -> bool:
    """Tell whether an event is what came of a request."""
    return kind in _STATUSES


@register.filter
def grouped(number: int) -> str:
    """Write a number in groups of three digits."""
    return f"{number:,}"
