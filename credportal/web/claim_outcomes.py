"""How a press that gave no credentials is told, and whether its link is still good."""

from django.urls import reverse

from credportal.access.models import Handout, User
from credportal.domain.durations import describe_duration
from credportal.domain.handouts import HandoutState
from credportal.domain.types import DenialReason, Status
from credportal.flows.answers import AuditUnavailable, Failed, Refused
from credportal.web.claim_letters import FAILED, REFUSED, UNKNOWN, ClaimLetter, at, record_of
from credportal.web.letters import WORTH_TRYING_AGAIN, Link
from credportal.web.offers import confirm_url

USED_UP = "The link is used up."


def refusal(answer: Refused, handout: Handout, reader: User | None, *, token: str) -> ClaimLetter:
    """Tell what the rule book refused at the claim. The link stays good."""
    denied = answer.denied
    is_step_up = denied.reason is DenialReason.STEP_UP_REQUIRED
    name = handout.role.name
    return ClaimLetter(
        403,
        REFUSED,
        f"Confirm it is you, then claim {name}" if is_step_up else f"You cannot have {name} now",
        what=f"The rules were asked again, and they say no. AWS was not called. {_still_good(handout, reader)}",
        why=denied.why,
        next_step=denied.next_step,
        handout=handout,
        link=Link("Confirm it is you", f"{confirm_url(reverse('claim'))}#{token}") if is_step_up else None,
        again=not is_step_up,
        reference=answer.issuance_id,
    )


def failure(answer: Failed, handout: Handout, reader: User | None) -> ClaimLetter:
    """Tell what went wrong at AWS. The claim was given back where nothing can have been minted, else it is used up."""
    failed, issuer = answer.failure, handout.issuer
    is_open = handout.state == HandoutState.OPEN
    if failed.outcome is Status.UNKNOWN:
        longest = describe_duration(handout.duration)
        what = f"The portal asked AWS, and no whole answer came back, so nothing is shown. {USED_UP}"
        next_step = f"Ask {issuer} to hand it out anew. What AWS may have made ends within {longest}, unseen."
    else:
        what = f"The portal asked AWS and did not get it. Nothing was issued. {_still_good(handout, reader)}"
        next_step = failed.next_step if reader else f"{failed.next_step} {issuer} can tell the portal’s admins."
    return ClaimLetter(
        failed.status,
        UNKNOWN if failed.outcome is Status.UNKNOWN else FAILED,
        failed.headline,
        what=what,
        why=failed.why,
        next_step=next_step,
        handout=handout,
        link=record_of(answer.issuance_id, reader),
        again=is_open,
        is_worth_it=failed.code in WORTH_TRYING_AGAIN,
        is_over=not is_open,
        reference=answer.issuance_id,
    )


def unrecorded(answer: AuditUnavailable, handout: Handout | None, reader: User | None) -> ClaimLetter:
    """Say that nothing is shown because it could not be recorded."""
    why = "The portal could not write its audit, so AWS was not called."
    if answer.minted:
        why = "The portal could not write its audit, so it showed nothing. No credentials leave it unrecorded."
    is_good = handout is not None and handout.state == HandoutState.OPEN and not answer.minted
    what = "Nothing was claimed that could be recorded."
    next_step = "Open the link again in a minute: the page says whether it is still good."
    if answer.minted:
        what, next_step = f"Nothing is shown. {USED_UP}", "Ask for a new link in a minute."
    return ClaimLetter(
        503,
        FAILED,
        "The portal cannot record this right now",
        what=f"{what} {_still_good(handout, reader)}" if is_good and handout else what,
        why=why,
        next_step=next_step,
        again=not answer.minted,
        is_over=answer.minted,
        reference=answer.issuance_id,
    )


def _still_good(handout: Handout, reader: User | None) -> str:
    if handout.state != HandoutState.OPEN:
        return USED_UP
    return f"The link was not used up: it stays good until {at(handout.expires_at, reader)}."
