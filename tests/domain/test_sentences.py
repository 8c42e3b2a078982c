"""Every code that the audit keeps has a sentence."""

import pytest

from credportal.domain.sentences import SENTENCES, sentence_for
from credportal.domain.types import DenialReason


@pytest.mark.parametrize("reason", DenialReason)
def test_every_reason_to_refuse_has_a_sentence(reason: DenialReason) -> None:
    assert sentence_for(reason.value) != reason.value


def test_no_two_codes_share_a_sentence() -> None:
    assert len(set(SENTENCES.values())) == len(SENTENCES)


def test_a_code_without_a_sentence_stands_for_itself() -> None:
    assert sentence_for("of_another_version") == "of_another_version"
