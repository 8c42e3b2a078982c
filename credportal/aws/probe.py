"""One attempt of the doctor: assume a role with everything denied, keep whether it worked, drop the rest."""

from dataclasses import replace

from credportal.aws import sts
from credportal.aws.errors import AssumeRoleError
from credportal.domain.doctor import Attempt, Step, Verdict
from credportal.domain.types import Failure, SessionSpec

DENY_EVERYTHING = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'

_DENIED = {"sts_denied", "sts_denied_tags", "sts_denied_source_identity"}
_INVALID = ("ValidationE", "InvalidParameter")


def attempt(step: Step, spec: SessionSpec) -> Attempt:
    """Try ``spec`` once, with a session policy that denies everything in place of its own. Never raises.

    The credentials are never bound to a name and do not leave this function.
    """
    try:
        request_id = sts.assume_role(replace(spec, session_policy=DENY_EVERYTHING)).aws_request_id
    except AssumeRoleError as error:
        failure = error.failure
    else:
        return Attempt(step, Verdict.OK, spec.duration, aws_request_id=request_id)
    return Attempt(
        step,
        _verdict(step, failure),
        spec.duration,
        code=failure.code,
        aws_code=failure.aws_code,
        aws_request_id=failure.aws_request_id,
        headline=failure.headline,
    )


def _verdict(step: Step, failure: Failure) -> Verdict:
    """Tell AWS's clear refusal of this step from trouble, which teaches nothing."""
    if step is Step.DURATION:
        return Verdict.DENIED if failure.code == "duration_too_long" else Verdict.FAILED
    # A source identity that the portal itself already has is refused too, as an invalid parameter.
    clear = failure.code in _DENIED and not failure.aws_code.startswith(_INVALID)
    return Verdict.DENIED if clear else Verdict.FAILED
