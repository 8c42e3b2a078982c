"""AssumeRole's arguments in our words, for whatever grant."""

from __future__ import annotations

from credportal.domain.naming import partition_from, session_name, session_tags
from credportal.domain.narrowing import session_policy
from credportal.domain.types import Actor, IssuanceRequest, RoleFacts, SessionSpec


def session_spec(
    asked: IssuanceRequest, actor: Actor, role: RoleFacts, issuance_id: str, *, issued_by: str = ""
) -> SessionSpec:
    """Build AssumeRole's arguments from the catalogue. From the form come only duration, ticket and narrowing.

    ``actor`` is whose session it is. ``issued_by`` is the handle of who handed it out, empty where nobody did.
    """
    policy, policy_arns = session_policy(asked.narrowing, partition_from(role.arn))
    handle = actor.handle
    return SessionSpec(
        role_arn=role.arn,
        session_name=session_name(handle, issuance_id, issued_by),
        duration=asked.duration,
        external_id=role.external_id,
        source_identity=handle if role.accepts_source_identity else "",
        session_tags=session_tags(issuance_id, asked.ticket, issued_by or handle) if role.accepts_session_tags else (),
        session_policy=policy,
        session_policy_arns=policy_arns,
    )
