"""One short sentence for each code that the audit keeps."""

from credportal.domain.types import DenialReason

SENTENCES = {
    DenialReason.INACTIVE.value: "The person is switched off",
    DenialReason.NOT_ELIGIBLE.value: "No eligibility for this role",
    DenialReason.ROLE_DISABLED.value: "The role is switched off",
    DenialReason.DURATION_TOO_SHORT.value: "Shorter than AWS allows",
    DenialReason.DURATION_TOO_LONG.value: "Longer than allowed",
    DenialReason.REASON_REQUIRED.value: "No reason given",
    DenialReason.NOT_YET_VALID.value: "The eligibility has not begun",
    DenialReason.NO_LONGER_VALID.value: "The eligibility has ended",
    DenialReason.ROLE_UNFIT.value: "The role’s ARN is not one to assume",
    DenialReason.NARROWING_NOT_ALLOWED.value: "The role does not offer this narrowing",
    DenialReason.TICKET_REQUIRED.value: "No ticket given",
    DenialReason.TICKET_MALFORMED.value: "Not a ticket that the role takes",
    DenialReason.STEP_UP_REQUIRED.value: "The sign-in was too long ago",
    DenialReason.NO_APPROVERS.value: "The role has no approvers",
    DenialReason.NO_BREAK_GLASS.value: "Break-glass is not allowed",
    DenialReason.REVIEW_OPEN.value: "An earlier break-glass waits for its review",
    "no_outcome": "The portal stopped before AWS answered",
    "sts_denied": "AWS refused the portal",
    "sts_denied_tags": "AWS refused the portal: session tags",
    "sts_denied_source_identity": "AWS refused the portal: source identity",
    "sts_throttled": "AWS was too busy",
    "sts_unavailable": "AWS had a fault",
    "sts_timeout": "No answer from AWS in time",
    "sts_connection_lost": "The connection to AWS broke",
    "sts_unreachable": "AWS was out of reach",
    "sts_bad_response": "AWS sent an answer that makes no sense",
    "sts_region_disabled": "STS is off in this region",
    "sts_error": "AWS refused with another error",
    "portal_identity_invalid": "The portal’s own identity is not valid",
    "portal_identity_missing": "The portal has no identity",
    "clock_skew": "Clocks differ too much",
    "chaining_too_long": "Longer than AWS allows the portal",
    "packed_policy_too_large": "Narrowing and tags take too much room",
    "policy_malformed": "AWS did not accept the session policy",
    "console_unavailable": "AWS’s sign-in gave no token for the console",
    "console_not_in_partition": "This partition has no console sign-in",
    "wrong_password": "The user name or the password is wrong",
    "throttled": "Too many tries, so this one was not looked at",
    "bad_parameters": "AWS would not take these values",
}


def sentence_for(code: str) -> str:
    """Return the sentence for a code of a refusal or failure; the code itself where it has none."""
    return SENTENCES.get(code, code)
