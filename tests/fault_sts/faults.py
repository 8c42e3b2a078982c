"""Every way to go wrong, by name.

``ERRORS`` are AWS's own refusals, ``ANSWERS`` are answers with status 200 that are no
good although the credential was minted, ``WIRE`` is everything that HTTP itself does wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from tests.fault_sts.answers import assume_role_xml, bare_xml, no_credentials_xml
from tests.fault_sts.ledger import Mint, wire_time

if TYPE_CHECKING:
    from tests.fault_sts.conversation import Conversation

CALLER = "arn:aws:sts::111111111111:assumed-role/credportal/portal"
ROLE = "arn:aws:iam::222222222222:role/credportal/target"
HUGE = 200 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error document: HTTP status, code and message as AWS words them."""

    status: int
    code: str
    message: str
    kind: str = "Sender"


def _not_authorized(action: str) -> Refusal:
    return Refusal(403, "AccessDenied", f"User: {CALLER} is not authorized to perform: {action} on resource: {ROLE}")


ERRORS: Mapping[str, Refusal] = {
    "throttling": Refusal(400, "Throttling", "Rate exceeded"),
    "too_many_requests": Refusal(429, "TooManyRequestsException", "Too many requests"),
    "internal_failure": Refusal(500, "InternalFailure", "An internal error occurred.", "Receiver"),
    "service_unavailable": Refusal(503, "ServiceUnavailable", "Service is unavailable.", "Receiver"),
    "access_denied": _not_authorized("sts:AssumeRole"),
    "access_denied_tag_session": _not_authorized("sts:TagSession"),
    "access_denied_set_source_identity": _not_authorized("sts:SetSourceIdentity"),
    "expired_token": Refusal(403, "ExpiredToken", "The security token included in the request is expired"),
    "invalid_client_token_id": Refusal(
        403, "InvalidClientTokenId", "The security token included in the request is invalid."
    ),
    "signature_does_not_match": Refusal(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key.\n\n"
        "The Canonical String for this request should have been\n'POST\n/\n\nhost:sts.eu-west-1.amazonaws.com\n"
        "x-amz-security-token:FAKE-token-of-the-portal\n'",
    ),
    "signature_expired": Refusal(
        403,
        "SignatureDoesNotMatch",
        "Signature expired: 20261124T010000Z is now earlier than 20261124T015000Z (20261124T020500Z - 15 min.)",
    ),
    "request_expired": Refusal(400, "RequestExpired", "Request has expired."),
    "duration_exceeds_role_max": Refusal(
        400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    ),
    "duration_exceeds_chaining": Refusal(
        400,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    ),
    "source_identity_already_set": Refusal(
        400, "ValidationError", "The source identity is already set for this assume role session"
    ),
    "validation_error": Refusal(
        400,
        "ValidationError",
        "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint",
    ),
    "malformed_input": Refusal(400, "MalformedInput", ""),
    "packed_policy_too_large": Refusal(400, "PackedPolicyTooLarge", "Packed policy consumes 157% of allotted space"),
    "malformed_policy_document": Refusal(400, "MalformedPolicyDocument", "The policy is not in the valid JSON format."),
    "region_disabled": Refusal(
        403,
        "RegionDisabledException",
        "STS is not activated in this region for account:222222222222. "
        "Your account administrator can activate STS in this region using the IAM Console.",
    ),
    "unknown_code": Refusal(400, "SomethingNewException", "Nobody has seen this before."),
    "unknown_code_500": Refusal(500, "SomethingNewException", "Nobody has seen this before.", "Receiver"),
    "unsupported_action": Refusal(400, "InvalidAction", "Could not find operation for version 2011-06-15"),
}


def _ahead(seconds: int) -> str:
    return wire_time(datetime.now(UTC) + timedelta(seconds=seconds))


ANSWERS: Mapping[str, Callable[[Mint], bytes]] = {
    "no_credentials": no_credentials_xml,
    "missing_access_key_id": lambda mint: assume_role_xml(mint, AccessKeyId=None),
    "missing_secret_access_key": lambda mint: assume_role_xml(mint, SecretAccessKey=None),
    "missing_session_token": lambda mint: assume_role_xml(mint, SessionToken=None),
    "empty_session_token": lambda mint: assume_role_xml(mint, SessionToken=""),
    "broken_session_token": lambda mint: assume_role_xml(mint, SessionToken=f"{mint.session_token}\n  rest"),
    "missing_expiration": lambda mint: assume_role_xml(mint, Expiration=None),
    "bad_expiration": lambda mint: assume_role_xml(mint, Expiration="tomorrow, FAKE-ish"),
    "past_expiration": lambda mint: assume_role_xml(mint, Expiration=_ahead(-60)),
    "short_expiration": lambda mint: assume_role_xml(mint, Expiration=_ahead(mint.duration - 601)),
    "long_expiration": lambda mint: assume_role_xml(mint, Expiration=_ahead(mint.duration + 601)),
    "truncated_xml": lambda mint: assume_role_xml(mint)[: -len(mint.request_id) - 120],
    "malformed_xml": lambda mint: assume_role_xml(mint).replace(b"</SecretAccessKey>", b"</Secret>"),
    "other_xml": lambda _: b"<ListAllMyBucketsResult><Owner/></ListAllMyBucketsResult>",
    "empty_body": lambda _: b"",
    # A welcome answer, not a fault: MinIO leaves the user's ids empty.
    "bare_user": bare_xml,
}

HTML = b"<html><head><title>Sign in to the guest network</title></head><body><p>FAKE-html</p></body></html>"


def _html_200(talk: "Conversation") -> None:
    talk.send(200, HTML, content_type="text/html")


def _html_502(talk: "Conversation") -> None:
    talk.send(502, b"<html><body><h1>502 Bad Gateway</h1>FAKE-html</body></html>", content_type="text/html")


def _html_403(talk: "Conversation") -> None:
    talk.send(403, b"<html><body><h1>Blocked by the proxy</h1>FAKE-html</body></html>", content_type="text/html")


def _redirect(talk: "Conversation") -> None:
    talk.send(301, b"", headers={"Location": f"{talk.url}/elsewhere"})


def _hang(talk: "Conversation") -> None:
    talk.wait(600)


def _hang_after_mint(talk: "Conversation") -> None:
    talk.mint()
    talk.wait(600)


def _reset_before_mint(talk: "Conversation") -> None:
    talk.reset()


def _reset_after_mint(talk: "Conversation") -> None:
    talk.mint()
    talk.reset()


def _close_without_answer(talk: "Conversation") -> None:
    talk.mint()
    talk.close()


def _drip_body(talk: "Conversation") -> None:
    body = assume_role_xml(talk.mint())
    talk.write(talk.head(200, len(body)))
    talk.drip(body)


def _drip_headers(talk: "Conversation") -> None:
    body = assume_role_xml(talk.mint())
    talk.drip(talk.head(200, len(body)) + body)


def _drip_chunks(talk: "Conversation") -> None:
    talk.mint()
    talk.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n")
    talk.drip(b"1\r\n<\r\n" * 10_000)


def _cut_short(talk: "Conversation") -> None:
    body = assume_role_xml(talk.mint())
    talk.write(talk.head(200, len(body)) + body[: len(body) // 2])
    talk.close()


def _endless_headers(talk: "Conversation") -> None:
    talk.write(b"HTTP/1.1 200 OK\r\n")
    talk.flood(b"X-Filler: " + b"a" * 60_000 + b"\r\n", HUGE)


def _huge_body(talk: "Conversation") -> None:
    talk.mint()
    talk.write(talk.head(200, HUGE))
    talk.flood(b"<AssumeRoleResponse>" + b" " * 65_536, HUGE)


def _huge_body_without_length(talk: "Conversation") -> None:
    talk.mint()
    talk.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n")
    talk.flood(b" " * 65_536, HUGE)


def _keep_alive_closed(talk: "Conversation") -> None:
    """Answer as if the connection stayed open, then close it: what an idle timeout does."""
    talk.send(200, assume_role_xml(talk.mint()))
    talk.close()


def _clock_skew(talk: "Conversation") -> None:
    """Answer by a clock that is twenty minutes behind this host's."""
    theirs = datetime.now(UTC) - timedelta(minutes=20)
    mint = talk.mint()
    body = assume_role_xml(mint, Expiration=wire_time(theirs + timedelta(seconds=mint.duration)))
    talk.send(200, body, date=format_datetime(theirs, usegmt=True))


WIRE: Mapping[str, Callable[["Conversation"], None]] = {
    "html_200": _html_200,
    "html_403": _html_403,
    "html_502": _html_502,
    "redirect_301": _redirect,
    "hang": _hang,
    "hang_after_mint": _hang_after_mint,
    "reset_before_mint": _reset_before_mint,
    "reset_after_mint": _reset_after_mint,
    "close_without_answer": _close_without_answer,
    "drip_body": _drip_body,
    "drip_headers": _drip_headers,
    "drip_chunks": _drip_chunks,
    "cut_short": _cut_short,
    "endless_headers": _endless_headers,
    "huge_body": _huge_body,
    "huge_body_without_length": _huge_body_without_length,
    "keep_alive_closed": _keep_alive_closed,
    "clock_skew": _clock_skew,
}

FAULTS = frozenset({*ERRORS, *ANSWERS, *WIRE})
