"""Which row of the failure table an exception means.

The main question is always the same: had the request left this host? Before that nothing
can have been minted, so the outcome is ``failed``; after it, only AWS's own word that it
refused makes it ``failed``, and everything else is ``unknown``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore import exceptions

from credportal.aws.bounded import AnswerTooLargeError, Exchange
from credportal.aws.errors import failure
from credportal.domain.types import Failure

# What signing text may follow in SignatureDoesNotMatch: it quotes the request's headers,
# and one of those is the portal's own session token.
_QUOTED_REQUEST = re.compile(r"\s*(The Canonical String|The String-to-Sign|x-amz-security-token).*", re.I | re.S)
# Codes that AWS gives are words. Where there was no error document botocore puts the HTTP status there.
_AWS_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]{0,99}")

HTTP_REFUSED = 400
HTTP_TOO_MANY = 429
HTTP_BROKEN = 500
HTTP_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Rule:
    """These codes of AWS, with a message that matches where one is given, mean this row."""

    row: str
    codes: frozenset[str]
    message: re.Pattern[str] | None = None

    def fits(self, code: str, message: str) -> bool:
        """Tell whether this rule is about such a refusal."""
        return code in self.codes and (self.message is None or self.message.search(message) is not None)


def _rule(row: str, codes: str, message: str = "") -> Rule:
    return Rule(row, frozenset(codes.split()), re.compile(message, re.I) if message else None)


_DENIED = "AccessDenied AccessDeniedException UnauthorizedOperation UnauthorizedAccess"
_INVALID = "ValidationError ValidationException InvalidParameterValue InvalidParameterValueException"
# The first rule that fits. The codes are those of the service model and of the common errors
# (https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html), with the names that
# S3-compatible gateways give to the same thing.
RULES: tuple[Rule, ...] = (
    _rule(
        "sts_throttled",
        "Throttling ThrottlingException ThrottledException TooManyRequests TooManyRequestsException "
        "RequestLimitExceeded RequestThrottled RequestThrottledException SlowDown",
    ),
    _rule("sts_denied_tags", _DENIED, r"perform: sts:TagSession\b"),
    _rule("sts_denied_source_identity", _DENIED, r"perform: sts:SetSourceIdentity\b"),
    _rule("sts_denied", f"{_DENIED} MultiFactorAuthentication NoSuchEntity NoSuchRole"),
    _rule("clock_skew", "RequestExpired RequestTimeTooSkewed RequestInTheFuture"),
    _rule("clock_skew", "SignatureDoesNotMatch", r"signature (expired|not yet current)"),
    _rule(
        "portal_identity_invalid",
        "ExpiredToken ExpiredTokenException InvalidClientTokenId InvalidToken InvalidAccessKeyId "
        "UnrecognizedClientException AuthFailure SignatureDoesNotMatch IncompleteSignature "
        "MissingAuthenticationToken MissingAuthenticationTokenException NotAuthorized OptInRequired",
    ),
    _rule("duration_too_long", _INVALID, r"MaxSessionDuration"),
    _rule("chaining_too_long", _INVALID, r"role chaining"),
    _rule("sts_denied_source_identity.taken", _INVALID, r"source identity is already set"),
    _rule(
        "bad_parameters",
        f"{_INVALID} MalformedInput InvalidParameterCombination MissingParameter MissingAction "
        "MalformedQueryString InvalidQueryParameter",
    ),
    _rule("packed_policy_too_large", "PackedPolicyTooLarge PackedPolicyTooLargeException"),
    _rule("policy_malformed", "MalformedPolicyDocument MalformedPolicyDocumentException MalformedPolicy"),
    _rule("sts_region_disabled", "RegionDisabledException RegionDisabled"),
)
# botocore has two families for what HTTP and TLS do wrong.
_NETWORK = (exceptions.HTTPClientError, exceptions.ConnectionError)
# AWS's own faults: its document says no more than the HTTP status does.
_BROKEN = frozenset({"InternalFailure", "InternalError", "InternalServerError", "ServiceUnavailable"})


def meaning(error: Exception, exchange: Exchange) -> Failure:
    """Find what an exception of one AssumeRole call means. Never raises."""
    if not exchange.sent:
        return failure(_before_sending(error, exchange), aws_words=_portal_words(error))
    if isinstance(error, exceptions.ClientError):
        return refusal(error)
    return failure(_after_sending(error, exchange))


def _before_sending(error: Exception, exchange: Exchange) -> str:
    """Name the row for a request that never left: no identity, no way there, or our own mistake."""
    if isinstance(error, exceptions.NoCredentialsError):
        return "portal_identity_missing"
    if isinstance(error, exceptions.ParamValidationError):
        return "bad_parameters"
    if isinstance(error, exceptions.ConnectTimeoutError | exceptions.ReadTimeoutError) or exchange.expired:
        return "sts_unreachable.slow"
    if isinstance(error, exceptions.EndpointConnectionError):
        return "sts_unreachable"
    if isinstance(error, _NETWORK):
        # A proxy or a certificate in the way does not go away within a second.
        return "sts_unreachable.slow"
    # What is left happens while the request is signed.
    return "portal_identity_invalid"


def _portal_words(error: Exception) -> str:
    """Say for admins what happened on this side. Most texts may quote a file or an answer, so the type has to do."""
    if isinstance(error, exceptions.ClientError):
        return f"{type(error).__name__} {error_code(error)} from {error.operation_name}"
    if isinstance(error, exceptions.SSLError | exceptions.EndpointConnectionError | exceptions.ProxyConnectionError):
        return str(error)
    return type(error).__name__


def _after_sending(error: Exception, exchange: Exchange) -> str:
    cause = error.kwargs.get("error") if isinstance(error, exceptions.HTTPClientError) else error
    if isinstance(cause, AnswerTooLargeError):
        return "sts_bad_response"
    if isinstance(error, exceptions.ReadTimeoutError) or exchange.expired:
        return "sts_timeout"
    if isinstance(error, _NETWORK):
        return "sts_connection_lost"
    # A parser that met something else than an answer: ResponseParserError, KeyError, ValueError.
    return "sts_bad_response"


def refusal(error: exceptions.ClientError) -> Failure:
    """Find what an error document of AWS means, or an HTTP error without one."""
    code, message = error_code(error), _message(error)
    if not _AWS_CODE.fullmatch(code):
        return failure(_by_status(http_status(error), no_document=True))
    return failure(
        _by_code(code, message, http_status(error)),
        aws_code=code,
        aws_words=_QUOTED_REQUEST.sub("", message),
        aws_request_id=str(_metadata(error).get("RequestId", "")),
    )


def _by_code(code: str, message: str, status: int) -> str:
    row = next((rule.row for rule in RULES if rule.fits(code, message)), None)
    if row == "sts_throttled" or (row is not None and status < HTTP_BROKEN):
        return row
    return _by_status(status, no_document=code in _BROKEN)


def _by_status(status: int, *, no_document: bool) -> str:
    """Name the row for a code that says nothing to us. A 4xx was refused; after a 5xx AWS may have minted."""
    if status == HTTP_TOO_MANY:
        return "sts_throttled"
    if status == HTTP_UNAVAILABLE:
        return "sts_unavailable"
    if status >= HTTP_BROKEN:
        return "sts_unavailable.broke" if no_document else "sts_error.broke"
    return "sts_error" if status >= HTTP_REFUSED else "sts_bad_response"


def error_code(error: exceptions.ClientError) -> str:
    """Give AWS's code, or what botocore puts in its place."""
    return str(error.response.get("Error", {}).get("Code") or "")


def http_status(error: exceptions.ClientError) -> int:
    """Give the HTTP status of the refusal, 0 where there is none."""
    return int(_metadata(error).get("HTTPStatusCode") or 0)


def _message(error: exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message") or "")


def _metadata(error: exceptions.ClientError) -> Mapping[str, Any]:
    return error.response.get("ResponseMetadata", {})
