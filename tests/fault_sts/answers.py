"""The query protocol's XML."""

from html import escape
from typing import Any

from tests.fault_sts.ledger import Mint

XMLNS = "https://sts.amazonaws.com/doc/2011-06-15/"


def error_xml(code: str, message: str, request_id: str, kind: str = "Sender") -> bytes:
    return (
        f'<ErrorResponse xmlns="{XMLNS}"><Error><Type>{kind}</Type><Code>{code}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def assume_role_xml(mint: Mint, action: str = "AssumeRole", **changes: str | None) -> bytes:
    """Write the answer for a mint. A change replaces a field of Credentials; None leaves it out."""
    fields: dict[str, Any] = {
        "AccessKeyId": mint.access_key_id,
        "SecretAccessKey": mint.secret_access_key,
        "SessionToken": mint.session_token,
        "Expiration": mint.expiration,
        **changes,
    }
    credentials = _elements({name: value for name, value in fields.items() if value is not None})
    return _result(action, f"<Credentials>{credentials}</Credentials>{_user(mint)}", mint.request_id)


def no_credentials_xml(mint: Mint) -> bytes:
    return _result("AssumeRole", _user(mint), mint.request_id)


def bare_xml(mint: Mint) -> bytes:
    """Answer as gateways do that name no assumed-role user."""
    credentials = _elements(
        {
            "AccessKeyId": mint.access_key_id,
            "SecretAccessKey": mint.secret_access_key,
            "SessionToken": mint.session_token,
            "Expiration": mint.expiration,
        }
    )
    inner = f"<AssumedRoleUser><Arn/><AssumeRoleId/></AssumedRoleUser><Credentials>{credentials}</Credentials>"
    return _result("AssumeRole", inner, mint.request_id)


def caller_identity_xml(account: str, arn: str, request_id: str) -> bytes:
    inner = _elements({"Account": account, "Arn": arn, "UserId": "AIDAFAKEFAKEFAKEFAKE"})
    return _result("GetCallerIdentity", inner, request_id)


def _user(mint: Mint) -> str:
    account, role = _account_and_role(mint.role_arn)
    user = _elements(
        {
            "AssumedRoleId": f"AROAFAKEFAKEFAKEFAKE:{mint.session_name}",
            "Arn": f"arn:aws:sts::{account}:assumed-role/{role}/{mint.session_name}",
        }
    )
    size = "<PackedPolicySize>12</PackedPolicySize>" if mint.policy or mint.tags else ""
    identity = _elements({"SourceIdentity": mint.source_identity}) if mint.source_identity else ""
    return f"<AssumedRoleUser>{user}</AssumedRoleUser>{size}{identity}"


def _account_and_role(arn: str) -> tuple[str, str]:
    parts = arn.split(":")
    account = parts[4] if len(parts) > 4 else ""
    return account, arn.rsplit("/", 1)[-1]


def _elements(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _result(action: str, inner: str, request_id: str) -> bytes:
    return (
        f'<{action}Response xmlns="{XMLNS}"><{action}Result>{inner}</{action}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    ).encode()
