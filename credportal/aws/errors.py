"""What can go wrong between the portal and STS, as a table.

Each row says what our answer is, whether STS may have minted (``unknown``) or cannot have
(``failed``), whether the portal may try once more by itself, and what the person reads.
``meaning.py`` finds the row for an exception.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from credportal.domain.types import Failure, Status

MAX_AWS_WORDS = 600

MAY_EXIST = "It may have been issued; it was never shown, and it ends by itself."
TELL_ADMIN = "Tell an administrator; trying again does not help."
TRY_LATER = "Try again in a minute; if it stays so, tell an administrator."


class AssumeRoleError(Exception):
    """A session was not obtained. ``failure`` is the whole story as a value.

    Its text is the failure's code alone, so that no log line or traceback that prints it
    can hold an answer of AWS or a secret.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def failure(row: str, *, aws_code: str = "", aws_words: str = "", aws_request_id: str = "") -> Failure:
    """Give the row of the table with what AWS said, made safe to log. Raises KeyError for an unknown row."""
    return replace(
        FAILURES[row],
        aws_code=printable(aws_code)[:100],
        aws_words=printable(aws_words)[:MAX_AWS_WORDS],
        aws_request_id=printable(aws_request_id)[:100],
    )


def printable(text: str) -> str:
    """Escape everything that could steer a terminal or turn text around (control and bidi characters)."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[: 2 * MAX_AWS_WORDS]
    )


def _failed(code: str, status: int, headline: str, why: str, next_step: str, *, may_retry: bool = False) -> Failure:
    return Failure(code, status, Status.FAILED, headline, why, next_step, may_retry)


def _unknown(code: str, status: int, headline: str, why: str) -> Failure:
    return Failure(code, status, Status.UNKNOWN, headline, f"{why} {MAY_EXIST}", TRY_LATER)


# The name of a row is its code, with an ending where one code has several meanings.
FAILURES: Mapping[str, Failure] = MappingProxyType(
    {
        "sts_throttled": _failed(
            "sts_throttled",
            503,
            "AWS is busy",
            "AWS is answering too many requests at the moment. Nothing was issued.",
            "Try again in a few seconds; it usually helps.",
            may_retry=True,
        ),
        "sts_unavailable": _failed(
            "sts_unavailable",
            502,
            "AWS cannot answer right now",
            "The AWS service that issues sessions is not available. Nothing was issued.",
            TRY_LATER,
        ),
        "sts_unavailable.broke": _unknown(
            "sts_unavailable", 502, "AWS broke off", "AWS had a fault of its own while it handled the request."
        ),
        "sts_denied": _failed(
            "sts_denied",
            502,
            "AWS does not let the portal into this role",
            "The role does not exist, or its trust policy does not trust the portal. It is not about your rights here.",
            TELL_ADMIN,
        ),
        "sts_denied_tags": _failed(
            "sts_denied_tags",
            502,
            "The role does not accept session tags",
            "The portal sends session tags with this role, and AWS does not allow that. It is not about your rights.",
            "Tell an administrator: either the role's trust policy allows sts:TagSession, "
            "or the role's entry here says that it does not. Trying again does not help.",
        ),
        "sts_denied_source_identity": _failed(
            "sts_denied_source_identity",
            502,
            "The role does not accept a source identity",
            "The portal sends who you are with this role, and AWS does not allow that. It is not about your rights.",
            "Tell an administrator: either the role's trust policy allows sts:SetSourceIdentity, "
            "or the role's entry here says that it does not. Trying again does not help.",
        ),
        "sts_denied_source_identity.taken": _failed(
            "sts_denied_source_identity",
            502,
            "The portal cannot say who you are to AWS",
            "The portal itself runs with a source identity, and AWS never lets one be changed.",
            "Tell an administrator: the portal's own identity has to be one without a source identity. "
            "Trying again does not help.",
        ),
        "portal_identity_invalid": _failed(
            "portal_identity_invalid",
            503,
            "The portal cannot sign in to AWS",
            "AWS does not accept the portal's own identity: it has expired, was removed, or cannot be renewed.",
            TELL_ADMIN,
        ),
        "portal_identity_missing": _failed(
            "portal_identity_missing",
            503,
            "The portal has no AWS identity",
            "No AWS credentials are set up for the portal itself, so it cannot ask for yours.",
            TELL_ADMIN,
        ),
        "clock_skew": _failed(
            "clock_skew",
            503,
            "The portal's clock is wrong",
            "AWS refuses requests from a host whose clock is wrong. Nothing was issued.",
            "Tell an administrator to set the clock of the portal's host; trying again does not help.",
        ),
        "clock_skew.answer": _unknown(
            "clock_skew",
            503,
            "The portal's clock is wrong",
            "AWS issued a session, but the portal's clock differs so much that it cannot tell when it ends.",
        ),
        "duration_too_long": _failed(
            "duration_too_long",
            422,
            "Too long for this role",
            "The role allows only shorter sessions in AWS than the portal believed.",
            "Choose a shorter duration, and tell an administrator to correct the role's longest duration here.",
        ),
        "chaining_too_long": _failed(
            "chaining_too_long",
            422,
            "One hour is the longest here",
            "The portal itself runs on a role session, and AWS allows one hour at most from there (role chaining).",
            "Choose one hour or less.",
        ),
        "packed_policy_too_large": _failed(
            "packed_policy_too_large",
            422,
            "Too much narrowing for one session",
            "AWS packs session policy and tags into a small space, and these do not fit.",
            "Choose less narrowing; the same choice would be refused again.",
        ),
        "policy_malformed": _failed(
            "policy_malformed",
            502,
            "AWS did not understand the narrowing",
            "AWS refused the session policy that the portal wrote. That is a fault of the portal.",
            "Try without narrowing, and tell an administrator.",
        ),
        "sts_region_disabled": _failed(
            "sts_region_disabled",
            503,
            "AWS sessions are switched off in this region",
            "The account of the role has not activated STS in the region that the portal uses.",
            "Tell an administrator: the account's owner can activate it. Trying again does not help.",
        ),
        "sts_timeout": _unknown(
            "sts_timeout", 504, "AWS did not answer in time", "The portal asked, and no whole answer came in time."
        ),
        "sts_connection_lost": _unknown(
            "sts_connection_lost", 502, "The connection to AWS broke", "The portal asked, and the connection broke off."
        ),
        "sts_unreachable": _failed(
            "sts_unreachable",
            503,
            "AWS cannot be reached",
            "The portal could not connect to AWS. Nothing was issued.",
            TRY_LATER,
            may_retry=True,
        ),
        # The same for the person, but a second wait as long as the first one would be no help.
        "sts_unreachable.slow": _failed(
            "sts_unreachable",
            503,
            "AWS cannot be reached",
            "The portal could not connect to AWS in time. Nothing was issued.",
            TRY_LATER,
        ),
        "sts_bad_response": _unknown(
            "sts_bad_response",
            502,
            "The answer made no sense",
            "What came back is not a complete answer of AWS, so the portal does not use it.",
        ),
        "bad_parameters": _failed(
            "bad_parameters",
            422,
            "AWS would not accept this request",
            "A name, a duration or a policy of the request is outside of what AWS allows.",
            TELL_ADMIN,
        ),
        "sts_error": _failed(
            "sts_error",
            502,
            "AWS refused",
            "AWS refused with a reason that the portal does not know. Nothing was issued.",
            TELL_ADMIN,
        ),
        "sts_error.broke": _unknown(
            "sts_error", 502, "AWS failed", "AWS failed with a reason that the portal does not know."
        ),
    }
)
