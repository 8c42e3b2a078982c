"""How the fault STS answers where no fault was asked for."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.fault_sts.answers import assume_role_xml, caller_identity_xml, error_xml
from tests.fault_sts.conversation import Conversation
from tests.fault_sts.faults import CALLER, ERRORS, Refusal

ACCOUNT = "111111111111"


@dataclass(frozen=True, slots=True)
class RoleRule:
    """What one role asks for. Roles without a rule accept everything within AWS's own limits."""

    external_id: str = ""
    max_duration: int = 43200
    trusts_portal: bool = True
    accepts_tags: bool = True
    accepts_source_identity: bool = True


def refuse(talk: Conversation, refusal: Refusal) -> None:
    talk.send(refusal.status, error_xml(refusal.code, refusal.message, talk.request_id, refusal.kind))


def answer(talk: Conversation, roles: Mapping[str, RoleRule], *, chained: bool) -> None:
    """Answer honestly."""
    if talk.action == "GetCallerIdentity":
        talk.send(200, caller_identity_xml(ACCOUNT, CALLER, talk.request_id))
    elif talk.action in {"AssumeRole", "AssumeRoleWithWebIdentity"}:
        refusal = _rule_broken(talk.form, roles, chained=chained)
        if refusal is not None:
            refuse(talk, refusal)
        else:
            talk.send(200, assume_role_xml(talk.mint(), talk.action))
    else:
        refuse(talk, ERRORS["unsupported_action"])


def _rule_broken(form: Mapping[str, str], roles: Mapping[str, RoleRule], *, chained: bool) -> Refusal | None:
    rule = roles.get(form.get("RoleArn", ""), RoleRule())
    duration = int(form.get("DurationSeconds", "3600"))
    policy = form.get("Policy", "")
    checks = (
        (not 900 <= duration <= 43200, "validation_error"),
        (not re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", form.get("RoleSessionName", "")), "validation_error"),
        (not rule.trusts_portal, "access_denied"),
        (bool(rule.external_id) and form.get("ExternalId") != rule.external_id, "access_denied"),
        (not rule.accepts_tags and "Tags.member.1.Key" in form, "access_denied_tag_session"),
        (not rule.accepts_source_identity and "SourceIdentity" in form, "access_denied_set_source_identity"),
        (duration > rule.max_duration, "duration_exceeds_role_max"),
        (chained and duration > 3600, "duration_exceeds_chaining"),
        (policy != "" and not _is_json_object(policy), "malformed_policy_document"),
        (len(policy) > 2048, "packed_policy_too_large"),
    )
    return next((ERRORS[name] for broken, name in checks if broken), None)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
