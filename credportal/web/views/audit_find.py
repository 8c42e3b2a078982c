"""Whose key is this: from what turns up somewhere to the issuance it belongs to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters

from credportal.audit.models import Issuance
from credportal.audit.selectors import life
from credportal.domain.lookups import account_lookup
from credportal.domain.sought import Form, Secret, Sought, Unreadable, parse_sought, role_of
from credportal.flows.audit_reading import note_read
from credportal.web.forms.find import FindForm
from credportal.web.http import PortalRequest, origin_of, printable
from credportal.web.pages import UNPROCESSABLE, show, show_unrecorded
from credportal.web.views.audit_detail import UNREAD, WHY_UNREAD, ending_of

NOT_FOUND = 404
REFUSED = (
    "That is a secret: a secret access key or a session token. The portal has not kept it and shows it to nobody. "
    "Whoever else has seen it can use it until it ends, so ask here with the access key id that belongs to it."
)


@dataclass(frozen=True, slots=True)
class Hit:
    """One issuance that was found, and how what was pasted differs from what is recorded: in words, or not at all."""

    issuance: Issuance
    differs: str
    left: timedelta | None
    revoke: str


@sensitive_post_parameters("pasted")
def audit_find(request: PortalRequest) -> HttpResponse:
    """Show the box; find what was pasted into it. A secret is refused, and goes nowhere from here."""
    if request.method != "POST":
        return show(request, "audit/find.html", {"form": FindForm()})
    match parse_sought(request.POST.get("pasted", "")):
        case Secret(key_id=key_id):
            return _again(request, FindForm.again(key_id, REFUSED))
        case Unreadable(why=why, text=text):
            return _again(request, FindForm.again(printable(text), why))
        case Sought() as sought:
            return _answer(request, sought)


def _again(request: PortalRequest, form: FindForm) -> HttpResponse:
    return show(request, "audit/find.html", {"form": form}, status=UNPROCESSABLE)


def _answer(request: PortalRequest, sought: Sought) -> HttpResponse:
    hits = _hits(request, sought, now=timezone.now())
    is_all_mine = bool(hits) and all(hit.issuance.actor_handle == request.user.handle for hit in hits)
    # A word that is nothing of ours or of AWS may be a password that somebody mistook: the audit does not keep it.
    is_known = bool(hits) or sought.is_aws_key or sought.form is not Form.ACCESS_KEY_ID
    what = {sought.form.value.replace(" ", "_"): sought.text if is_known else "nothing that the portal issued"}
    if not is_all_mine and not note_read(user=request.user, origin=origin_of(request), subject="audit:find", what=what):
        return show_unrecorded(request, UNREAD, WHY_UNREAD)
    context: dict[str, Any] = {
        "form": FindForm.again(sought.text),
        "sought": sought,
        "hits": hits,
        "is_cut": len(hits) == life.MOST_FOUND,
        "handout_id": _unclaimed(sought) if not hits else "",
        "ask_aws": account_lookup(sought.text) if sought.is_aws_key and not hits else "",
    }
    return show(request, "audit/find.html", context, status=200 if hits else NOT_FOUND)


def _hits(request: PortalRequest, sought: Sought, *, now: datetime) -> list[Hit]:
    """Return the issuances that it leads to. A word may be the id of one or of a hand-out, or a service's key id."""
    lives = life.lives_of([sought.issuance_id]) if sought.issuance_id else []
    if not lives and sought.form is Form.ISSUANCE_ID:
        lives = life.lives_of(life.ids_of_handout(sought.text) or [])
    if not lives and not sought.session_name:
        lives = life.lives_of(life.ids_with_key(sought.text))
    return [
        Hit(found.told, _difference(sought, found.told), **ending_of(found.told, request.user, now=now))
        for found in lives
    ]


def _unclaimed(sought: Sought) -> str:
    """Return the id of the hand-out that this is, empty where it is none."""
    is_id = sought.form is Form.ISSUANCE_ID
    return sought.text if is_id and life.ids_of_handout(sought.text) is not None else ""


def _difference(sought: Sought, told: Issuance) -> str:
    """Say how a session differs from the one that was issued: whoever may assume a role may give it any name."""
    if sought.session_name and sought.session_name != told.session_name:
        return "Only the end of the name is this issuance’s, and anybody who may assume a role chooses the name."
    if sought.role and told.role_arn and sought.role != role_of(told.role_arn):
        return "The name is this issuance’s, but that is a session of another role than this issuance’s."
    return ""
