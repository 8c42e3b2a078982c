"""One attempt of the doctor: everything denied, nothing kept, and refusals told from trouble."""

import pytest

from credportal.aws.probe import DENY_EVERYTHING, attempt
from credportal.domain.doctor import Step, Verdict
from credportal.domain.types import SessionSpec
from tests.fault_sts import FAULTS, FaultSTS

REFUSALS = {"access_denied", "access_denied_tag_session", "access_denied_set_source_identity"}
ANSWERED = {"bare_user", "keep_alive_closed"}
SLOW = {"hang", "hang_after_mint", "drip_body", "drip_headers", "drip_chunks"}


def test_the_session_can_do_nothing(sts: FaultSTS, spec: SessionSpec) -> None:
    assert attempt(Step.BASE, spec).verdict is Verdict.OK
    assert sts.ledger.mints[0].policy == DENY_EVERYTHING


def test_nothing_of_the_credentials_comes_back(sts: FaultSTS, spec: SessionSpec) -> None:
    told = repr(attempt(Step.BASE, spec))
    mint = sts.ledger.mints[0]
    assert not any(value in told for value in (mint.access_key_id, mint.secret_access_key, mint.session_token))
    assert mint.request_id in told


@pytest.mark.parametrize("fault", sorted(REFUSALS))
def test_only_a_clear_refusal_is_a_denial(sts: FaultSTS, spec: SessionSpec, fault: str) -> None:
    sts.fault(fault)
    assert attempt(Step.BASE, spec).verdict is Verdict.DENIED


@pytest.mark.parametrize("fault", sorted(FAULTS - REFUSALS - ANSWERED - SLOW))
def test_every_other_fault_is_trouble(sts: FaultSTS, spec: SessionSpec, fault: str) -> None:
    sts.fault(fault)
    answer = attempt(Step.BASE, spec)
    assert answer.verdict is Verdict.FAILED
    assert answer.code


def test_only_the_roles_own_limit_denies_a_duration(sts: FaultSTS, spec: SessionSpec) -> None:
    for fault in ("duration_exceeds_role_max", "duration_exceeds_chaining", "access_denied"):
        sts.fault(fault)
    verdicts = [attempt(Step.DURATION, spec).verdict for _ in range(3)]
    assert verdicts == [Verdict.DENIED, Verdict.FAILED, Verdict.FAILED]
