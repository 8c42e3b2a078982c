"""Console sign-in: turn fresh credentials into an address that opens the AWS console.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_enable-console-custom-url.html
The address is a bearer secret for 15 minutes. It goes into one redirect and nowhere else.
"""

import json
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from django.views.decorators.debug import sensitive_variables

from credportal.aws import aws_settings
from credportal.aws.bounded import deadline
from credportal.aws.client import portal
from credportal.domain.types import Credentials

# Where a person signs in, and where the console is, by the ARN's partition.
HOSTS = {
    "aws": ("https://signin.aws.amazon.com", "https://{region}.console.aws.amazon.com"),
    "aws-cn": ("https://signin.amazonaws.cn", "https://{region}.console.amazonaws.cn"),
    "aws-us-gov": ("https://signin.amazonaws-us-gov.com", "https://{region}.console.amazonaws-us-gov.com"),
    "aws-eusc": ("https://{region}.signin.amazonaws-eusc.eu", "https://{region}.console.amazonaws-eusc.eu"),
}
DEADLINE = timedelta(seconds=5)
OK = 200


class ConsoleError(Exception):
    """The sign-in service gave no token. Its text is a fixed code: an answer may quote a secret."""


def is_offered() -> bool:
    """Tell whether sessions can open a console: AWS's own can, those of a stand-in only where it names a sign-in."""
    settings = aws_settings()
    return not settings.sts_endpoint or bool(settings.signin_endpoint)


@sensitive_variables()
def sign_in_address(credentials: Credentials, *, partition: str, region: str, issuer: str) -> str:
    """Return the address that signs the holder in to the console of ``region``.

    ``issuer`` is our own page; the console leads there when the session ends. No
    SessionDuration is sent: the console session then ends with the credentials, and
    credentials from a chained role are refused with one. Raises ConsoleError.
    """
    if partition not in HOSTS:
        raise ConsoleError("console_not_in_partition")
    sign_in, console = (host.format(region=region) for host in HOSTS[partition])
    federation = f"{aws_settings().signin_endpoint or sign_in}/federation"
    session = {
        "sessionId": credentials.access_key_id,
        "sessionKey": credentials.secret_access_key,
        "sessionToken": credentials.session_token,
    }
    token = _sign_in_token(federation, json.dumps(session, separators=(",", ":")))
    query = {
        "Action": "login",
        "Issuer": issuer,
        "Destination": f"{console}/console/home?{urlencode({'region': region})}",
        "SigninToken": token,
    }
    return f"{federation}?{urlencode(query)}"


@sensitive_variables()
def _sign_in_token(federation: str, session: str) -> str:
    """Ask for the token by POST, so that no secret stands in an address that a proxy logs. One attempt."""
    request = AWSRequest(
        "POST",
        federation,
        data=urlencode({"Action": "getSigninToken", "Session": session}),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Host": urlsplit(federation).netloc},
    )
    try:
        with deadline(DEADLINE.total_seconds()):
            answer = portal().transport.send(request.prepare())
        token = json.loads(answer.content)["SigninToken"] if answer.status_code == OK else ""
    except (BotoCoreError, ValueError, KeyError, TypeError):
        token = ""
    if not isinstance(token, str) or not token:
        raise ConsoleError("console_unavailable")
    return token
